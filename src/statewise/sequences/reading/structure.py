"""Which of a text's records are names, which is the first of data, and what stands around them."""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace

from statewise.sequences.reading.cells import (
    DATE,
    EMPTY,
    MARKER,
    NUMBER,
    TEXT,
    filled,
    is_day,
    is_year,
    kind_of,
    main_kind,
    trimmed,
)
from statewise.sequences.reading.header import Record, Structure, may_name, with_names

_TOTALS = re.compile(
    r"(?:grand )?(?:total|totals|sum|summe|gesamt|insgesamt|somme|suma|soma|totale|totaal|average|"
    r"mean|mittelwert|moyenne|media|média|promedio|итого|合计|总计|avg)\b[ .:]*",
    re.IGNORECASE,
)
REMARK = re.compile(
    r"(?:sources?\b|notes?\b|data from|last updated|quellen?\b|stand:|fontes?\b|fuentes?\b|"
    r"notas?\b|generated|downloaded|copyright|©|\*|\(\d+ rows?\)|footnotes?\b|legend\b|end of )",
    re.IGNORECASE,
)


def find_structure(
    records: Sequence[Record],
    width: int,
    header: bool | None = None,
    gaps: Collection[int] = (),
    soft: bool = False,
    exact: bool = False,
) -> Structure:
    """Tell names, units and preamble from data by what the cells of each column read like.

    Args:
        records: the first ones of a text, none of them blank.
        width: how many cells a record should have.
        header: whether there is one; None to find out.
        gaps: the records above which there is a blank line.
        soft: whether blanks or tabs delimit, so that the header may lack a name for the first
            column.
        exact: whether a record with another number of cells can't be data.

    >>> rows = [["Sales of 2020"], ["Day", "Price"], ["", "EUR"], ["01.01.", "5"], ["02.01.", "6"]]
    >>> found = find_structure(rows, 2)
    >>> found.header, found.units, found.first, found.left_out
    ((1,), ('', 'EUR'), 3, (0,))
    """
    kinds = column_kinds(records, width)
    if len(kinds) == 1 and _is_named(records[0], width):
        kinds += (EMPTY,) * (width - 1)
    valued = [place for place, kind in enumerate(kinds) if kind in (NUMBER, DATE)]
    first = next(
        (
            row
            for row, record in enumerate(records)
            if reads_as_data(record, kinds, width) and (not exact or len(record) == width)
        ),
        None if valued else len(records),
    )
    full = [row for row, record in enumerate(records) if filled(record) >= 0.6 * len(kinds)] or [0]
    if header is False:
        first = full[0] if first is None else min(full[0], first)
        return Structure(width, kinds, (), first, left_out=tuple(range(first)))
    if first is None or not valued:  # texts only: the first full record names them
        return Structure(width, kinds, (full[0],), full[0] + 1, left_out=tuple(range(full[0])))
    first = _first_missing(records, first, kinds, width)
    named = first > 0 and _names_values(records[first - 1], kinds)
    if header or (not named and _are_labels(records, first, kinds)):
        above = first if header and first > 0 and may_name(records[first - 1], kinds) else None
        if above is None:
            above, first = first + 1, first + 1
    else:
        above = first
    return _from_its_first(with_names(records, above, first, kinds, width, gaps, soft), records)


def _from_its_first(found: Structure, records: Sequence[Record]) -> Structure:
    """Begin at the first of several equal headers that have nothing but full records between them.

    What stands between is data: a header that comes again further down is no reason to leave out
    the rows above it.
    """
    if len(found.header) != 1 or found.units:
        return found
    (row,) = found.header
    equal = [above for above in range(row) if list(records[above]) == list(records[row])]
    for above in equal:
        if all(len(record) == found.width for record in records[above:row]) and row - above > 1:
            left_out = tuple(one for one in found.left_out if one < above)
            return replace(found, header=(above,), first=above + 1, left_out=left_out)
    return found


def column_kinds(records: Sequence[Record], width: int) -> tuple[str, ...]:
    """Return what each column's cells read like: of the last half of the full records."""
    full = [
        record
        for record in records
        if (width + 1) // 2 <= trimmed(record) <= width
        and not (is_total(record) or REMARK.match(record[0].strip()))
    ]
    if width > 1:
        full = [record for record in full if len(record) > 1] or full
    body = full[-max(1, len(full) // 2) :]
    longest = max((trimmed(record) for record in body), default=0)
    return tuple(
        main_kind(record[place] for record in body if place < len(record))
        for place in range(max(longest, 1))
    )


def _is_named(record: Record, width: int) -> bool:
    """Whether a record has a text for each column: also for those that are empty in all others."""
    return width > 1 and len(record) == width and all(kind_of(cell) == TEXT for cell in record)


def reads_as_data(record: Record, kinds: Sequence[str], width: int) -> bool:
    """Whether a record's cells read like their columns."""
    if width > 1 and (len(record) < 2 or trimmed(record) > width):
        return False
    fitting = odd = 0
    begun = False
    for place, kind in enumerate(kinds):
        if kind not in (NUMBER, DATE) or place >= len(record):
            continue
        here = kind_of(record[place])
        if here in (EMPTY, MARKER):
            begun = True
            continue
        if here == kind or (kind == DATE and here == NUMBER):
            fitting += 1
        elif not begun:
            return False  # the first that says something says no
        else:
            odd += 1
        begun = True
    return fitting > 0 and odd <= 0.25 * (fitting + odd)


def _first_missing(records: Sequence[Record], first: int, kinds: Sequence[str], width: int) -> int:
    """Go up from the first record of plain values to those above it that lack some or all."""
    valued = [place for place, kind in enumerate(kinds) if kind in (NUMBER, DATE)]

    def reads(row: int) -> list[str]:
        record = records[row]
        here = [kind_of(record[place]) if place < len(record) else EMPTY for place in valued]
        # A date among numbers is a name, as good as a text.
        return [
            TEXT if kind == DATE and kinds[place] == NUMBER else kind
            for place, kind in zip(valued, here, strict=True)
        ]

    def is_text(row: int) -> bool:
        here = reads(row)
        return here.count(TEXT) > here.count(NUMBER) + here.count(DATE)

    top = first
    while top > 0 and len(records[top - 1]) == width and not is_text(top - 1):
        top -= 1
    if top == first:
        return first
    if top > 0 and len(records[top - 1]) == width:  # names stand above them
        levels = top > 1 and is_text(top - 2) and len(records[top - 2]) == width
        # Below two lines of names, a line of nothing else names the level that pandas calls index.
        return first if levels and first - top == 1 and set(reads(top)) == {EMPTY} else top
    while top < first and not (MARKER in reads(top) or reads(top)[0] in (NUMBER, DATE)):
        top += 1
    return top


def is_total(record: Record) -> bool:
    """Whether a record is a sum or a mean of the others, by its own words."""
    return any(_TOTALS.fullmatch(cell.strip()) is not None for cell in record)


def _are_labels(records: Sequence[Record], row: int, kinds: Sequence[str]) -> bool:
    """Whether a record that reads like data names columns: 1998, 1999... over sales."""
    record, body = records[row], records[row + 1 : row + 60]
    body = [other for other in body if reads_as_data(other, kinds, len(record))]
    if not body:
        return False
    if any(
        kind == DATE and kind_of(cell) == DATE for kind, cell in zip(kinds, record, strict=False)
    ):
        return False
    numbers = [
        place
        for place, kind in enumerate(kinds)
        if kind == NUMBER and place < len(record) and record[place].strip()
    ]
    if not record[0].strip() and all(other and other[0].strip() for other in body):
        return len(body) > 1 or bool(numbers)
    cells = [record[place].strip() for place in numbers]
    if not cells or any(kind_of(cell) != NUMBER for cell in cells):
        return False

    def below(test) -> float:
        found = [other[place] for other in body for place in numbers if place < len(other)]
        found = [cell for cell in found if cell.strip()]
        return sum(test(cell) for cell in found) / max(len(found), 1)

    for is_label in (is_year, is_day):
        if all(map(is_label, cells)) and len(set(cells)) == len(cells):
            return below(is_label) < 0.5
    if len(cells) < 3 or not all(cell.isdigit() for cell in cells):
        return False
    counting = [int(cell) for cell in cells]
    if counting[0] > 1 or counting != list(range(counting[0], counting[0] + len(cells))):
        return False
    return len(cells) >= (3 if counting[0] == 0 else 5) and not any(
        [other[place].strip() if place < len(other) else "" for place in numbers] == cells
        for other in body
    )


def _names_values(record: Record, kinds: Sequence[str]) -> bool:
    """Whether most columns of values have a name in a record: a text, or a date over numbers."""
    valued = [place for place, kind in enumerate(kinds) if kind in (NUMBER, DATE)]
    here = [kind_of(record[place]) if place < len(record) else EMPTY for place in valued]
    names = sum(
        kind == TEXT or (kind == DATE and kinds[place] == NUMBER)
        for place, kind in zip(valued, here, strict=True)
    )
    return names > len(valued) / 2
