"""How a text is to be read, told from its first lines."""

import csv
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from statewise.sequences.reading.cells import is_value, trimmed
from statewise.sequences.reading.dialect import (
    BLANKS,
    FIXED,
    ONE_COLUMN,
    WIDE_BLANKS,
    Dialect,
    records,
)
from statewise.sequences.reading.dialect_choice import find_dialect, modal_width
from statewise.sequences.reading.header import Structure
from statewise.sequences.reading.names import names_in_comments, names_of
from statewise.sequences.reading.structure import find_structure
from statewise.sequences.tables import DataError, counted

_SAMPLE = 1 << 17
_SAMPLED_LINES = 400
_LARGEST_SAMPLE = 1 << 25
_COMMENT = re.compile(r"\s*#|\s*%|\s*//|\s*!(?=[\s\w])")
_SEPARATOR = re.compile(r'\ufeff?"?sep=(.)"?\s*', re.IGNORECASE)
_SOFT = (BLANKS, WIDE_BLANKS, FIXED)
RULE = re.compile(r"[-=+|:\s]*(?:-{3,}|={3,})[-=+|:\s]*")


@dataclass(frozen=True)
class Plan:
    """How a text is to be read, told from its first lines and its last.

    Attributes:
        dialect: how its lines are cut.
        structure: what its first records are.
        names: of the columns, as the header has them; empty where there is none.
        first_line: the number of the first line of data.
        start: where in the text it begins.
        comment: what lines to leave out begin with; empty for none.
        header: the cells of the header's lines, and of the line of units, as they stand.
        facts: what to tell, by topic.
    """

    dialect: Dialect
    structure: Structure
    names: list[str]
    first_line: int
    start: int
    comment: str = ""
    header: list[list[str]] = field(default_factory=list)
    facts: list[tuple[str, str]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """How many cells a row has at most."""
        return max(self.structure.width, len(self.names), len(self.structure.kinds))


def plan_text(
    data: bytes,
    name: str,
    *,
    header: bool | None = None,
    delimiter: str | None = None,
    cut: bool = False,
) -> Plan:
    """Look at the first lines of a text, and tell how it is to be read.

    Args:
        data: UTF-8, lines ended by line feeds.
        name: for messages.
        header: whether there is a line of names; None to find out.
        delimiter: None to find out.
        cut: whether there is more of the text than ``data``.

    Raises:
        DataError: where there is no line with anything in it.
    """
    lines = _first_lines(data, cut)
    facts: list[tuple[str, str]] = []
    skipped = 0
    if lines and (told := _SEPARATOR.fullmatch(lines[0])):
        delimiter = delimiter or told[1]
        skipped = 1
    comment = _comment_mark(lines[skipped:])
    numbered = [(number, line) for number, line in enumerate(lines, 1) if number > skipped]
    rules = [pair for pair in numbered if RULE.fullmatch(pair[1])]
    if len(rules) > 3:  # markers of missing values rather than lines under a header
        rules = []
    comments = [pair for pair in numbered if comment and pair[1].lstrip().startswith(comment)]
    out = {number for number, _ in [*comments, *rules]}
    plain = [(number, line) for number, line in numbered if number not in out]
    if not any(line.strip() for _, line in plain):
        raise DataError(f"{name} is empty")
    goes_on = cut or len(lines) >= _SAMPLED_LINES or len(data) > _SAMPLE
    dialect = find_dialect([line for _, line in plain], delimiter, cut=goes_on)
    found = _records_of(plain, dialect)
    if not found:
        raise DataError(f"{name} is empty")
    rows = [record for _, record in found]
    width = _width(rows) if dialect.delimiter != ONE_COLUMN else 1
    blank = {number for number, line in numbered if not line.strip()}
    gaps = {row for row, (number, _) in enumerate(found) if number - 1 in blank}
    soft = dialect.delimiter in (*_SOFT, "\t")
    structure = find_structure(
        rows, width, header, gaps, soft, dialect.delimiter in (BLANKS, WIDE_BLANKS)
    )
    names = names_of(rows, structure)
    if names and dialect.delimiter in _SOFT and not structure.row_names:
        straight = dialect.delimiter != FIXED or _is_straight(plain, found, structure, dialect)
        if len(names) != len(structure.kinds) or not straight:
            names = _names_by_place(plain, found, structure, dialect)
    first = found[structure.first][0] if structure.first < len(found) else len(lines) + 1
    if not names and header is not False:
        above = [line for number, line in comments if number < first]
        body = [line for number, line in plain if number >= first][:50]
        names = names_in_comments(above, body, dialect, len(structure.kinds))
    if not names:
        facts.append(("header", "no header"))
    begun = sum(number < first for number, _ in comments)
    if begun:
        facts.append(("header", counted(begun, "line") + " of comments"))
    _tell_left_out(structure, names, facts)
    start = sum(len(line.encode()) + 1 for line in lines[: first - 1])
    stated = [rows[row] for row in structure.header] if names else []
    if structure.row_names:
        stated = [["", *cells] for cells in stated]
    if structure.units:
        stated.append(rows[structure.first - 1])
    return Plan(dialect, structure, names, first, min(start, len(data)), comment, stated, facts)


def _is_straight(
    plain: list[tuple[int, str]],
    found: list[tuple[int, list[str]]],
    structure: Structure,
    dialect: Dialect,
) -> bool:
    """Whether the names above columns of fixed width stay between the columns' limits."""
    rows = {found[row][0] for row in structure.header}
    limits = [start for start, _ in dialect.spans[1:]]
    return not any(
        line[limit - 1 : limit].strip() and line[limit : limit + 1].strip()
        for line in (text.expandtabs() for number, text in plain if number in rows)
        for limit in limits
    )


def _names_by_place(
    plain: list[tuple[int, str]],
    found: list[tuple[int, list[str]]],
    structure: Structure,
    dialect: Dialect,
) -> list[str]:
    """Return names with blanks in them, by where they stand over aligned columns."""
    at = found[structure.header[-1]][0]
    first = found[structure.first][0] if structure.first < len(found) else at + 1
    header = [line for number, line in plain if number == at]
    body = [line for number, line in plain if number >= first][:50]
    return names_in_comments(header, body, dialect, len(structure.kinds))


def _first_lines(data: bytes, cut: bool) -> list[str]:
    """Return the first lines; of a text that goes on, without the one at which the sample ends."""
    size = _SAMPLE
    while True:
        sample = data[:size]
        lines = sample.split(b"\n")
        whole = len(sample) == len(data) and not cut
        if not whole:
            lines = lines[:-1]
        if whole or len(lines) >= 20 or size >= min(_LARGEST_SAMPLE, len(data)):
            break
        size *= 4
    lines = lines if whole or lines else [sample]
    return [line.decode("utf-8", "replace") for line in lines[:_SAMPLED_LINES]]


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Return how many cells a row has: most have as many, or a header says that some have more."""
    width = modal_width(rows)
    for place, row in enumerate(rows):
        wide = trimmed(row)
        if wide > width and not any(map(is_value, row)):
            below = rows[place + 1 :]
            named = any(len(other) > 1 and not any(map(is_value, other)) for other in below)
            full = max(map(trimmed, below), default=0) == wide
            return wide if full and not named else width
    return width


def _comment_mark(lines: Sequence[str]) -> str:
    """Return what comments begin with: a mark that the first line has.

    A key may begin with # too: without such a first line, ``Mender`` looks at each by itself.
    """
    texts = [line for line in lines if line.strip()]
    first = _COMMENT.match(texts[0]) if texts else None
    if first is None:
        return ""
    mark = first.group().strip()
    return mark if sum(line.lstrip().startswith(mark) for line in texts) < len(texts) else ""


def _records_of(lines: list[tuple[int, str]], dialect: Dialect) -> list[tuple[int, list[str]]]:
    numbers = [number for number, _ in lines]
    found: list[tuple[int, list[str]]] = []
    with suppress(csv.Error):  # in the first part of a text, a quote may be closed further on
        found.extend(
            (numbers[place - 1], record)
            for place, record in records((line for _, line in lines), dialect)
            if record and trimmed(record)
        )
    return found


def _tell_left_out(structure: Structure, names: list[str], facts: list[tuple[str, str]]) -> None:
    named = max(structure.header, default=structure.first) if names else structure.first
    lost = () if names else structure.header
    above = sum(row < named for row in (*structure.left_out, *lost))
    below = len(structure.left_out) + len(lost) - above
    if above:
        facts.append(("header", f"{counted(above, 'line')} of preamble"))
    if below:
        facts.append(("header", f"{counted(below, 'line')} below the names left out"))
    if names and len(structure.header) > 1:
        facts.append(("header", f"names over {len(structure.header)} lines"))
    if structure.units:
        pairs = [
            f"{name} in {unit.strip('[]() ')}"
            for name, unit in zip(names, structure.units, strict=False)
            if unit and name
        ]
        shown = ", ".join(pairs[:3]) + (", ..." if len(pairs) > 3 else "")
        facts.append(("units", f"a line of units ({shown})"))
