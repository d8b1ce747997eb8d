"""How a text is cut into cells: told by what makes its lines agree, not by counting in one line."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

BLANKS, WIDE_BLANKS, FIXED, ONE_COLUMN = " ", "  ", "fixed", ""
_END = "\x1e\x1d"  # goes behind the last line: within a cell, a quote wasn't closed
NEVER = "\x1f"  # stands in no text, so that a record is one cell
_WIDE = re.compile(r" *\t[ \t]*| {2,}")
WORDS = {
    ",": "",
    ";": "semicolons",
    "\t": "tabs",
    "|": "pipes",
    BLANKS: "blanks",
    WIDE_BLANKS: "columns two blanks apart",
    FIXED: "columns of fixed width",
    ONE_COLUMN: "",
}


class Unclosed(csv.Error):
    """A quote is opened and not closed."""

    def __init__(self, line: int):
        super().__init__(f"a quote in line {line} is opened and never closed")
        self.line = line


@dataclass(frozen=True)
class Dialect:
    """How a text is cut into cells.

    Attributes:
        delimiter: a character, or BLANKS, WIDE_BLANKS, FIXED, ONE_COLUMN.
        quote: what a cell may be put in; empty where quotes are letters like others.
        escape: what goes before a quote within a quoted cell, where it isn't doubled.
        padded: whether blanks around a cell belong to the layout.
        spans: where the columns of FIXED begin and end.
        wrapped: whether each line as a whole is put in quotes, its own quotes doubled.
    """

    delimiter: str
    quote: str = '"'
    escape: str = ""
    padded: bool = False
    spans: tuple[tuple[int, int | None], ...] = ()
    wrapped: bool = False

    @property
    def is_plain(self) -> bool:
        """Whether any reader of CSV files can cut it."""
        one = len(self.delimiter) <= 1 and self.delimiter.isascii() and self.delimiter != BLANKS
        return one and not self.escape and not self.wrapped

    @property
    def said(self) -> str:
        """Words for what delimits; empty for a comma."""
        return WORDS.get(self.delimiter, f"delimiter {self.delimiter!r}")


def records(
    lines: Iterable[str], dialect: Dialect, first: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """Cut lines into records.

    Args:
        lines: without their ends.
        dialect: how.
        first: the number of the first line.

    Yields:
        The number of the line on which the record begins, and its cells: none on a blank line.

    Raises:
        csv.Error: where a cell is too large; ``Unclosed`` where a quote is opened and not closed.
    """
    delimiter = dialect.delimiter
    if delimiter in (WIDE_BLANKS, FIXED) or (delimiter == BLANKS and not dialect.quote):
        for number, line in enumerate(lines, first):
            yield number, _cut(line, dialect)
        return
    if delimiter == BLANKS:  # blanks at the ends of a line are no cells, quotes may hold some
        lines = (
            " ".join(line.split()) if '"' not in line else line.strip().replace("\t", " ")
            for line in lines
        )
    if dialect.wrapped:
        lines = (_unwrapped(line) for line in lines)
    reader = csv.reader(
        (line + "\n" for line in chain(lines, [_END])),
        delimiter=delimiter or NEVER,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
        doublequote=not dialect.escape,
        skipinitialspace=dialect.padded or delimiter == BLANKS,
    )
    begins = first
    for record in reader:
        if record and _END in record[-1]:
            if record == [_END]:
                return
            raise Unclosed(begins)
        if len(record) == 1 and not record[0].strip() and delimiter:
            record = []
        elif dialect.padded:
            record = [cell.strip() for cell in record]
        if delimiter == ONE_COLUMN and record and not record[0].strip():
            record = []
        yield begins, record
        begins = first + reader.line_num


def _unwrapped(line: str) -> str:
    """Take the quotes off a line that is put in quotes as a whole."""
    cells = next(csv.reader([line]), [])
    return cells[0] if len(cells) == 1 else line


def _cut(line: str, dialect: Dialect) -> list[str]:
    if not line.strip():
        return []
    if dialect.delimiter == BLANKS:
        return line.split()
    if dialect.delimiter == WIDE_BLANKS:
        return _WIDE.split(line.strip())
    line = line.expandtabs()
    return [line[start:end].strip() for start, end in dialect.spans]


def gutters(lines: Sequence[str]) -> tuple[tuple[int, int | None], ...]:
    """Return the columns between the positions that are blank in every line."""
    body = [line.expandtabs() for line in lines]
    if len(body) < 3:
        return ()
    used = [False] * max(map(len, body))
    for line in body:
        for place, letter in enumerate(line):
            if letter != " ":
                used[place] = True
    # What stands in a gutter further on belongs to the column on its right, since numbers are set
    # flush right; who reads the whole text draws the gutters anew.
    ends = [
        place + 1
        for place, full in enumerate(used)
        if full and (place + 1 == len(used) or not used[place + 1])
    ]
    return tuple(zip([0, *ends[:-1]], [*ends[:-1], None], strict=True))
