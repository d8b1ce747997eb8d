"""What stands below a table: sources, totals, remarks."""

import csv
from collections.abc import Sequence
from contextlib import suppress

from statewise.sequences.reading.cells import (
    DATE,
    EMPTY,
    MARKER,
    NUMBER,
    TEXT,
    filled,
    kind_of,
    trimmed,
)
from statewise.sequences.reading.dialect import BLANKS, WIDE_BLANKS, records
from statewise.sequences.reading.plan import RULE, Plan
from statewise.sequences.reading.structure import REMARK, is_total

_TAIL = 1 << 14
_LONGEST = 40


def footer_start(data: bytes, plan: Plan) -> int:
    """Return where in a text the lines begin that are no rows of the table any more.

    Args:
        data: the whole text.
        plan: how it is read.
    """
    end = len(data.rstrip())
    begin = _outside_quotes(data, plan, max(plan.start, end - _TAIL), end)
    if begin >= end:
        return len(data)
    lines = data[begin:end].decode("utf-8", "replace").split("\n")
    found: list[tuple[int, list[str]]] = []
    with suppress(csv.Error):
        found.extend((place, cells) for place, cells in records(lines, plan.dialect, 0) if cells)
    keep = len(lines)
    for place, record in reversed(found[-_LONGEST:]):
        blank_before = place > 0 and not lines[place - 1].strip()
        if not _is_footer(record, lines[place], blank_before, plan):
            break
        keep = place
    if keep == len(lines) or (begin > plan.start and keep <= found[-_LONGEST:][0][0]):
        return len(data)  # there is none; or all that was looked at, and that is none either
    return end - len("\n".join(lines[keep:]).encode())


def _outside_quotes(data: bytes, plan: Plan, begin: int, end: int) -> int:
    """Return the first line from a place on that begins outside of a quoted cell."""
    mark = plan.dialect.quote.encode()
    if begin == plan.start:
        return begin
    open_quotes = data.count(mark, plan.start, begin) if mark else 0
    while begin < end:
        after = data.find(b"\n", begin) + 1
        if after == 0:
            return end
        open_quotes += data.count(mark, begin, after) if mark else 0
        begin = after
        if open_quotes % 2 == 0:
            return begin
    return end


def _is_footer(record: Sequence[str], line: str, blank_before: bool, plan: Plan) -> bool:
    if not filled(record):
        return len(record) > 1
    if RULE.fullmatch(line) and len(record) != plan.structure.width:
        return True
    if plan.dialect.delimiter in (BLANKS, WIDE_BLANKS) and len(record) < plan.structure.width:
        return True
    return is_remark(record, plan.structure.kinds, blank_before)


def is_remark(record: Sequence[str], kinds: Sequence[str], blank_before: bool = False) -> bool:
    """Whether a record at the end of a table is a remark or a total, not a row of it.

    >>> is_remark(["Source: the mint"], ["date", "number"])
    True
    >>> [is_remark(["Total", "12"], [kind, "number"]) for kind in ("date", "text")]
    [True, False]
    """
    empty = next((place for place, kind in enumerate(kinds) if kind != EMPTY), 0)
    record, kinds = record[empty:] or [""], kinds[empty:]
    begins = record[0].strip()
    reads = kind_of(begins)
    remarks = REMARK.match(begins) is not None or blank_before
    if len(kinds) == 1:
        return kinds[0] in (NUMBER, DATE) and reads == TEXT and (remarks or is_total(record))
    valued = [place for place, kind in enumerate(kinds) if kind in (NUMBER, DATE)]
    fitting = any(
        place > 0 and place < len(record) and kind_of(record[place]) in (NUMBER, DATE)
        for place in valued
    )
    if kinds[0] in (NUMBER, DATE):
        if reads == TEXT:
            return not fitting or is_total(record) or REMARK.match(begins) is not None
        return reads == EMPTY and is_total(record)
    if filled(record) == 1 and reads == TEXT and trimmed(record) == 1:
        return remarks
    days = [place for place in valued if kinds[place] == DATE]
    return (
        bool(days)
        and is_total(record)
        and all(place >= len(record) or kind_of(record[place]) in (EMPTY, MARKER) for place in days)
    )
