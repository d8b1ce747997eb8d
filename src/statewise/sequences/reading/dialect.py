"""How a text is cut into cells: told by what makes its lines agree, not by counting in one line."""

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from statewise.sequences.reading.cells import DATE, NUMBER, kind_of, trimmed

BLANKS, WIDE_BLANKS, FIXED, ONE_COLUMN = " ", "  ", "fixed", ""
_HARD = "\t;|,"
NEVER = "\x1f"  # stands in no text, so that a record is one cell
_WIDE = re.compile(r" *\t[ \t]*| {2,}")
_SCORED = 160  # records that are scored: the first, and the last of the sample
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
        csv.Error: where a quote is opened and not closed.
    """
    delimiter = dialect.delimiter
    if delimiter in (WIDE_BLANKS, FIXED) or (delimiter == BLANKS and not dialect.quote):
        for number, line in enumerate(lines, first):
            yield number, _cut(line, dialect)
        return
    if delimiter == BLANKS:  # blanks at the ends of a line are no cells, quotes may hold some
        lines = (" ".join(line.split()) if '"' not in line else line.strip() for line in lines)
    if dialect.wrapped:
        lines = (_unwrapped(line) for line in lines)
    reader = csv.reader(
        (line + "\n" for line in lines),
        delimiter=delimiter or NEVER,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
        doublequote=not dialect.escape,
        skipinitialspace=dialect.padded or delimiter == BLANKS,
    )
    begins = first
    for record in reader:
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


def find_dialect(lines: Sequence[str], delimiter: str | None = None) -> Dialect:
    """Return the way to cut a text in which its lines agree best.

    A way is good where, from some line on, the records have the same number of cells, and where no
    cell still holds something that looks like a delimiter, unless it is a number or a date.

    Args:
        lines: the first ones of a text, without comments.
        delimiter: what the user or the file itself says that it is; None to find out.

    >>> find_dialect(["Day;Price", "2020-01-01;1,5", "2020-01-02;2,5"]).delimiter
    ';'
    >>> find_dialect(['Day,Price', '"Aug 17, 2023",28', '"Aug 16, 2023",29']).delimiter
    ','
    """
    lines = [line for line in lines if line.strip()] or [""]
    best, best_score = Dialect(delimiter if delimiter is not None else ONE_COLUMN), -1.0
    for dialect in _candidates(lines, delimiter):
        score = _score(lines, dialect)
        if score > best_score + 1e-9:
            best, best_score = dialect, score
    return replace(best, padded=_is_padded(lines, best))


def _candidates(lines: Sequence[str], told: str | None) -> Iterator[Dialect]:
    text = "\n".join(lines)
    if told is not None:
        delimiters = [told]
    else:
        delimiters = [delimiter for delimiter in _HARD if delimiter in text]
    quotes = [('"', "")]
    if '\\"' in text:
        quotes.append(('"', "\\"))
    if text.count("'") >= len(lines):
        quotes.append(("'", ""))
    if '"' in text:
        quotes.append(("", ""))
    for quote, escape in quotes:
        for delimiter in delimiters:
            if delimiter != FIXED:
                yield Dialect(delimiter, quote, escape)
        if told is None and " " in text.strip():
            yield Dialect(BLANKS, quote if quote in text else "", escape)
    if told is None:
        if "  " in text:
            yield Dialect(WIDE_BLANKS)
            spans = gutters(lines[len(lines) // 4 :])
            if len(spans) > 1:
                yield Dialect(FIXED, spans=spans)
        yield Dialect(ONE_COLUMN)
    elif told == FIXED:
        yield Dialect(FIXED, spans=gutters(lines[len(lines) // 4 :]))
    quoted = sum(line.startswith('"') and line.rstrip().endswith('"') for line in lines)
    if quoted > 0.9 * len(lines):
        for delimiter in delimiters:
            yield Dialect(delimiter, wrapped=True)


def _score(lines: Sequence[str], dialect: Dialect) -> float:
    try:
        found = [record for _, record in records(lines, dialect) if record]
    except csv.Error:
        return 0.0
    if len(found) > _SCORED:
        found = found[: _SCORED // 2] + found[-_SCORED // 2 :]
    if not found:
        return 0.0
    if dialect.delimiter == ONE_COLUMN:
        return 1.0 - _dirt(found, dialect)
    width = modal_width(found)
    if width < 2:
        return 0.0
    fits = [_fits(record, width, dialect) for record in found]
    start, share = _best_start(fits)
    body = found[start:]
    covered = len(body) / len(found)
    return share * (0.75 + 0.25 * covered) * (1.0 - 0.5 * _dirt(body, dialect))


def modal_width(found: Sequence[Sequence[str]]) -> int:
    """Return how many cells most records have, of the later ones, and of two or more."""
    later = found[len(found) // 3 :]
    widths = Counter(len(record) for record in later if len(record) > 1)
    if not widths:
        return 1 if found else 0
    return max(widths, key=lambda width: (widths[width], width))


def _fits(record: Sequence[str], width: int, dialect: Dialect) -> float:
    if len(record) == width:
        return 1.0
    if dialect.delimiter in (BLANKS, WIDE_BLANKS) or len(record) < 2:
        return 0.0  # which of the cells is missing can't be told
    return 0.5 if len(record) < width else float(trimmed(record) <= width)


def _best_start(fits: Sequence[float]) -> tuple[int, float]:
    """Return from which record on the records fit, and how well."""
    total, shares = 0.0, [0.0] * len(fits)
    for index in range(len(fits) - 1, -1, -1):
        total += fits[index]
        shares[index] = total / (len(fits) - index)
    for index, fit in enumerate(fits):
        if fit == 1.0 and shares[index] >= 0.9:
            return index, shares[index]
    return 0, shares[0]


def _dirt(found: Sequence[Sequence[str]], dialect: Dialect) -> float:
    """Return the part of the cells that still look as if they were several."""
    others = set(_HARD) - set(dialect.delimiter) - ({"\t"} if " " in dialect.delimiter else set())
    cells = dirty = 0
    for record in found:
        for cell in record:
            cells += 1
            if cell.count('"') % 2 or (
                not others.isdisjoint(cell) and kind_of(cell) not in (NUMBER, DATE)
            ):
                dirty += 1
    return dirty / max(cells, 1)


def _is_padded(lines: Sequence[str], dialect: Dialect) -> bool:
    if dialect.delimiter not in _HARD or not dialect.delimiter:
        return False
    before = after = cells = 0
    for line in lines[:200]:
        if line.startswith(dialect.quote or "\n"):
            line = line[1:]
        parts = line.split(dialect.delimiter)
        cells += len(parts) - 1
        before += sum(part.startswith(" ") for part in parts[1:])
        after += sum(part.endswith(" ") for part in parts[:-1])
    return cells > 0 and max(before, after) > 0.5 * cells


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
