"""Texts whose records all have as many cells as the others: cut by Arrow, on several threads."""

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from statewise.sequences.reading.dialect import NEVER
from statewise.sequences.reading.plan import Plan

_LINE = 10


def read_plain(body: bytes, plan: Plan) -> tuple[pa.Table, Any] | None:
    """Read a text in which every record has as many cells as the others; None where it isn't so."""
    dialect = plan.dialect
    width = plan.width
    if not dialect.is_plain or width != plan.structure.width:
        return None
    if plan.comment and plan.comment.encode() in body:
        return None
    delimiter = dialect.delimiter or NEVER
    quote = dialect.quote.encode()
    quoted = bool(quote) and quote in body
    lines: Any = None
    if quoted:
        if dialect.padded:
            return None
        lines = _lines_of_quoted(body, delimiter, dialect.quote)
        if lines is None:
            return None
    blank = delimiter != NEVER and b"\n\n" in body
    if blank:
        lines = _without_blank(body, lines)
    try:
        table = arrow_csv.read_csv(
            pa.BufferReader(body),
            read_options=arrow_csv.ReadOptions(
                column_names=[str(place) for place in range(width)],
                block_size=max(1 << 20, 4 * _longest(body)),
            ),
            parse_options=arrow_csv.ParseOptions(
                delimiter=delimiter,
                quote_char=dialect.quote if quoted else False,
                newlines_in_values=quoted,
                ignore_empty_lines=blank,
            ),
            convert_options=arrow_csv.ConvertOptions(
                check_utf8=False,
                column_types={str(place): pa.string() for place in range(width)},
                strings_can_be_null=False,
                null_values=[],
            ),
        )
    except pa.ArrowInvalid:  # a record is short or long, or a line is blank
        return None
    if lines is None:
        lines = range(table.num_rows)
    if len(lines) != table.num_rows:
        return None
    if dialect.padded:
        table = pa.table(
            [pc.utf8_trim_whitespace(column) for column in table.columns], names=table.column_names
        )
    first = plan.first_line
    return table, range(first, first + len(lines)) if isinstance(lines, range) else first + lines


def _longest(body: bytes) -> int:
    """Return a bound of the longest line's length that is cheap: looked up in large steps."""
    longest, place, step = 0, 0, 1 << 18
    while place < len(body):
        after = body.find(b"\n", place + step)
        after = len(body) if after < 0 else after
        longest = max(longest, after - place - step)
        place = after + 1
    return longest


def _lines_of_quoted(body: bytes, delimiter: str, quote: str) -> np.ndarray | None:
    """Return on which line each record begins, counted from 0; None where quotes are used oddly.

    A quote is used as it should be where it opens right after a delimiter or a line's end, and
    closes right before one; two in a row within a cell are one that is meant.
    """
    letters = np.frombuffer(body, np.uint8)
    mark, limit = ord(quote), ord(delimiter)
    quotes = np.flatnonzero(letters == mark)
    if len(quotes) % 2:
        return None
    opens, closes = quotes[0::2], quotes[1::2]
    before = letters[np.maximum(opens - 1, 0)]
    after = letters[np.minimum(closes + 1, len(letters) - 1)]
    well = (opens == 0) | (before == limit) | (before == _LINE) | (before == mark)
    if not well.all():
        return None
    well = (closes == len(letters) - 1) | (after == limit) | (after == _LINE) | (after == mark)
    if not well.all():
        return None
    # A quote right after a closing one opens again: between them nothing else may stand.
    again = (before == mark) & (opens > 0)
    if (opens[again] - 1 != closes[np.flatnonzero(again) - 1]).any() or again[:1].any():
        return None
    ends = np.flatnonzero(letters == _LINE)
    inside = np.searchsorted(quotes, ends) % 2 == 1
    if not inside.any():
        return np.arange(len(ends) + 1)
    return np.concatenate([[0], np.flatnonzero(~inside) + 1])


def _without_blank(body: bytes, lines: np.ndarray | None) -> np.ndarray:
    """Return the lines on which records begin that aren't blank."""
    letters = np.frombuffer(body, np.uint8)
    starts = np.concatenate([[0], np.flatnonzero(letters == _LINE) + 1])
    if lines is None:
        lines = np.arange(len(starts))
    return lines[letters[starts[lines]] != _LINE]
