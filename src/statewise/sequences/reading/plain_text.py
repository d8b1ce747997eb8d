"""Texts whose records have as many cells as the others, but for a few: cut by Arrow, on threads."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from statewise.sequences.reading.dialect import BLANKS, NEVER, records
from statewise.sequences.reading.mending import Mender
from statewise.sequences.reading.plan import Plan

_LINE, _BLANK, _TAB = 10, 32, 9
_FEW = 1000  # odd records that are always few enough to be cut one by one


@dataclass(frozen=True)
class _Survey:
    """Where the records of a text are: the first byte of each, the byte behind it, its line."""

    starts: np.ndarray
    ends: np.ndarray
    lines: np.ndarray
    delimiters: np.ndarray  # how many each record has


def read_plain(body: bytes, plan: Plan, mender: Mender) -> tuple[pa.Table, np.ndarray] | None:
    """Read a text; None where it has to be read record by record.

    Args:
        body: its rows.
        plan: how it is read.
        mender: mends the records that are too short.

    Returns:
        Columns of text, and the number of the line on which each row begins.

    Raises:
        DataError: where a record has more cells than there are columns.
    """
    dialect = plan.dialect
    quote = dialect.quote.encode()
    quoted = bool(quote) and quote in body
    delimiter = dialect.delimiter or NEVER
    if delimiter == BLANKS and not quoted:
        body = b"\n".join(b"\t".join(line.split()) for line in body.split(b"\n"))
        delimiter = "\t"
    elif not dialect.is_plain or (quoted and dialect.padded):
        return None
    survey = None
    if quoted or plan.comment or (delimiter != NEVER and b"\n\n" in body):
        survey = _survey(body, delimiter, quote if quoted else b"")
        if survey is None:
            return None
    if survey is None:
        table = _cut(body, delimiter, "", plan.width, blank=False)
        if table is not None:
            lines = np.arange(plan.first_line, plan.first_line + table.num_rows)
            return _trimmed(table, plan), lines
        survey = _survey(body, delimiter, b"")
        if survey is None:
            return None
    return _but_for_few(body, survey, delimiter, plan, mender)


def _but_for_few(
    body: bytes, survey: _Survey, delimiter: str, plan: Plan, mender: Mender
) -> tuple[pa.Table, np.ndarray] | None:
    """Cut the records that are as they should be at once, and the others one by one."""
    letters = np.frombuffer(body, np.uint8)
    blank = survey.ends == survey.starts
    odd = survey.delimiters != plan.width - 1
    if plan.comment:
        first = letters[np.minimum(survey.starts, len(letters) - 1)]
        odd |= (first == ord(plan.comment[0])) | (first == _BLANK) | (first == _TAB)
    if delimiter == NEVER:
        blank = np.zeros(len(blank), bool)
    odd &= ~blank
    if odd.sum() > max(_FEW, len(odd) // 20):
        return None
    mended, numbers = [], []
    for row in np.flatnonzero(odd):
        number = plan.first_line + int(survey.lines[row])
        text = body[survey.starts[row] : survey.ends[row]].decode()
        if mender.is_comment(text):
            continue
        _, cells = next(records(text.split("\n"), plan.dialect))
        if (full := mender.mended(number, cells)) is not None:
            mended.append(full)
            numbers.append(number)
    plain = np.flatnonzero(~odd & ~blank)
    rest = _without(body, survey, np.flatnonzero(odd)) if odd.any() else body
    table = _cut(rest, delimiter, plan.dialect.quote, plan.width, blank=delimiter != NEVER)
    if table is None or table.num_rows != len(plain):
        return None
    table = _trimmed(table, plan)
    lines = plan.first_line + survey.lines[plain]
    if not mended:
        return table, lines
    columns = [pa.array(column, pa.string()) for column in zip(*mended, strict=True)]
    table = pa.concat_tables([table, pa.table(columns, names=table.column_names)])
    lines = np.concatenate([lines, numbers])
    order = np.argsort(lines, kind="stable")
    return table.take(order), lines[order]


def _without(body: bytes, survey: _Survey, rows: np.ndarray) -> bytes:
    pieces, begin = [], 0
    for row in rows:
        pieces.append(body[begin : survey.starts[row]])
        begin = survey.ends[row] + 1
    pieces.append(body[begin:])
    return b"".join(pieces).removesuffix(b"\n")


def _cut(body: bytes, delimiter: str, quote: str, width: int, *, blank: bool) -> pa.Table | None:
    """Cut a text in which all records are alike; None where one isn't."""
    names = [str(place) for place in range(width)]
    if not body:
        return pa.table({name: pa.array([], pa.string()) for name in names})
    quoted = bool(quote) and quote.encode() in body
    try:
        return arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(
                column_names=names, block_size=max(1 << 20, 4 * _longest(body))
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=quote if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=blank,
            ),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types={name: pa.string() for name in names},
                strings_can_be_null=False,
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:
        return None


def _trimmed(table: pa.Table, plan: Plan) -> pa.Table:
    if not plan.dialect.padded:
        return table
    columns = [pc.utf8_trim_whitespace(column) for column in table.columns]
    return pa.table(columns, names=table.column_names)


def _longest(body: bytes) -> int:
    """Return a bound of the longest line's length that is cheap: looked up in large steps."""
    longest, place, step = 0, 0, 1 << 18
    while place < len(body):
        after = body.find(b"\n", place + step)
        after = len(body) if after < 0 else after
        longest = max(longest, after - place - step)
        place = after + 1
    return longest


def _survey(body: bytes, delimiter: str, quote: bytes) -> _Survey | None:
    """Return where the records of a text are; None where quotes are used oddly."""
    letters = np.frombuffer(body, np.uint8)
    breaks = np.flatnonzero(letters == _LINE)
    delimiters = np.flatnonzero(letters == ord(delimiter))
    ends = breaks
    if quote:
        quotes = _quotes(letters, ord(quote), ord(delimiter))
        if quotes is None:
            return None
        ends = breaks[np.searchsorted(quotes, breaks) % 2 == 0]
        delimiters = delimiters[np.searchsorted(quotes, delimiters) % 2 == 0]
    ends = np.append(ends, len(letters))
    starts = np.concatenate([[0], ends[:-1] + 1])
    counts = np.diff(np.searchsorted(delimiters, ends), prepend=0)
    return _Survey(starts, ends, np.searchsorted(breaks, starts), counts)


def _quotes(letters: np.ndarray, mark: int, limit: int) -> np.ndarray | None:
    """Return where quotes are; None where one isn't used as it should be.

    It is where it opens right after a delimiter or a line's end, and closes right before one; two
    in a row within a cell are one that is meant.
    """
    quotes = np.flatnonzero(letters == mark)
    if len(quotes) % 2:
        return None
    opens, closes = quotes[0::2], quotes[1::2]
    before = letters[np.maximum(opens - 1, 0)]
    after = letters[np.minimum(closes + 1, len(letters) - 1)]
    well = (opens == 0) | (before == limit) | (before == _LINE) | (before == mark)
    well &= (closes == len(letters) - 1) | (after == limit) | (after == _LINE) | (after == mark)
    if not well.all():
        return None
    # A quote right after a closing one opens again: between them nothing else may stand.
    again = np.flatnonzero((before == mark) & (opens > 0))
    if (again[:1] == 0).any() or (opens[again] - 1 != closes[again - 1]).any():
        return None
    return quotes
