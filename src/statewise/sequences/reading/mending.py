"""Records that have more or fewer cells than the others."""

from collections.abc import Sequence

from statewise.sequences.reading.cells import trimmed
from statewise.sequences.reading.dialect import BLANKS, ONE_COLUMN, WIDE_BLANKS
from statewise.sequences.reading.plan import Plan
from statewise.sequences.tables import DataError, counted

_FLAGS = ("*", "+", "#", "**", "p", "P")  # behind a row of blanks: provisional, and the like


class Mender:
    """Brings records to the width of the table, one by one, and counts the comments among them.

    Args:
        plan: how the text is read.
        name: of the table, for messages.
    """

    def __init__(self, plan: Plan, name: str):
        self.plan, self.name = plan, name
        self.width = plan.width
        self.comments = self.flags = 0

    def is_comment(self, line: str) -> bool:
        """Whether a line is to be left out; it is counted."""
        mark = self.plan.comment
        commented = bool(mark) and line.lstrip().startswith(mark)
        self.comments += commented
        return commented

    def mended(self, number: int, cells: Sequence[str]) -> Sequence[str | None] | None:
        """Return a record of as many cells as there are columns; None where it is none.

        Raises:
            DataError: where it has too many, or it can't be told which it lacks.
        """
        dialect, width = self.plan.dialect, self.width
        if len(cells) == width:
            return cells
        if not cells:  # a blank line of one column is a missing value
            return [None] if dialect.delimiter == ONE_COLUMN else None
        if len(cells) > width and trimmed(cells) <= width:
            return cells[:width]
        if len(cells) < width and cells[0].startswith("#") and trimmed(cells) == 1:
            self.comments += 1
            return None
        if dialect.delimiter == BLANKS and len(cells) == width + 1 and cells[-1] in _FLAGS:
            self.flags += 1
            return cells[:width]
        if len(cells) > width or dialect.delimiter in (BLANKS, WIDE_BLANKS):
            raise DataError(self._misfit(number, cells))
        return [*cells, *[None] * (width - len(cells))]

    def _misfit(self, number: int, cells: Sequence[str]) -> str:
        count = len(cells)
        if count < self.width:
            return (
                f"{self.name} has {counted(count, 'value')} in line {number}, but {self.width} "
                "columns: where blanks delimit, write NA for a missing value"
            )
        where = "decimal commas or text" if self.plan.dialect.delimiter == "," else "text"
        header = (
            f"more values than the header has names (line {number} has {count}, the header "
            f"{self.width})"
            if self.plan.names
            else f"different numbers of values (line {number} has {count}, most have {self.width})"
        )
        return f"{self.name}: its rows have {header}: is a delimiter within {where} not in quotes?"
