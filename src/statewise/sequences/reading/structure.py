"""Which of a text's records are names, which is the first of data, and what stands around them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from statewise.sequences.reading.cells import (
    DATE,
    EMPTY,
    MARKER,
    NUMBER,
    TEXT,
    filled,
    is_year,
    kind_of,
    main_kind,
    trimmed,
)

Record = Sequence[str]

_TOTALS = re.compile(
    r"(?:grand )?(?:total|totals|sum|summe|gesamt|insgesamt|somme|suma|soma|totale|totaal|average|"
    r"mean|mittelwert|moyenne|media|média|promedio|итого|合计|总计|avg)\b[ .:]*",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"""[\[(].{0,24}[\])]|.{0,10}[%‰°²³µμ/].{0,10}|
    (?:[kMGTmcdhnµ]?(?:m|g|l|s|A|V|W|J|Pa|Hz|Wh|bar|N|K|C|F|t|b|B|mol|ohm|VA|var|varh|eq))|
    (?:mi|ft|in|inch|inches|lb|lbs|mph|kn|knots|deg|degc|degf|degrees|celsius|fahrenheit|percent|
    min|h|hr|hrs|hours?|days?|d|sec|seconds?|minutes?|years?|months?|weeks?|date|time|datetime|
    eur|usd|gbp|chf|brl|jpy|cny|euro|euros|dollars?|mio|mrd|million|millions|thousand|thousands|
    units?|count|counts|number|numbers|no|pcs|stk|index|ppm|ppb|hpa|mbar|kmh|utc|ts|rn|avg|smp|max|
    tot|text|string|float|integer|int|double|numeric|real|n|[yY]{2,4}[-/. ]?[mM]{2}.{0,16}|
    [dD]{2}[-/. ]?[mM]{2}.{0,16}|[hH]{2}:[mM]{2}.{0,6})""",
    re.VERBOSE | re.IGNORECASE,
)
_PAIRS = 4  # more rows of two texts than this above the data are no header, but facts about it


@dataclass(frozen=True)
class Structure:
    """What a text's records are.

    Attributes:
        width: how many cells a record has.
        kinds: what each column's cells read like, mostly.
        header: the records that name the columns; none where there are no names.
        first: the first record of data; as many as there are where there is none.
        units: the unit of each column; empty where there is no row of units.
        left_out: records above the data that are neither.
        row_names: whether the header lacks a cell, since the rows begin with their names.
    """

    width: int
    kinds: tuple[str, ...]
    header: tuple[int, ...]
    first: int
    units: tuple[str, ...] = ()
    left_out: tuple[int, ...] = field(default=())
    row_names: bool = False


def find_structure(records: Sequence[Record], width: int, header: bool | None = None) -> Structure:
    """Tell names, units and preamble from data by what the cells of each column read like.

    Args:
        records: the first ones of a text, none of them blank.
        width: how many cells a record should have.
        header: whether there is one; None to find out.

    >>> rows = [["Sales of 2020"], ["Day", "Price"], ["", "EUR"], ["01.01.", "5"], ["02.01.", "6"]]
    >>> found = find_structure(rows, 2)
    >>> found.header, found.units, found.first, found.left_out
    ((1,), ('', 'EUR'), 3, (0,))
    """
    kinds = column_kinds(records, width)
    valued = [place for place, kind in enumerate(kinds) if kind in (NUMBER, DATE)]
    first = next(
        (row for row, record in enumerate(records) if reads_as_data(record, kinds, width)),
        None if valued else len(records),
    )
    if first is None or not valued:  # texts only: the first full record names them
        full = [row for row, record in enumerate(records) if filled(record) >= 0.6 * len(kinds)]
        named = full[0] if full else 0
        if header is False:
            return Structure(width, kinds, (), named, left_out=tuple(range(named)))
        return Structure(width, kinds, (named,), named + 1, left_out=tuple(range(named)))
    first = _first_missing(records, first, kinds, width)
    if header is False:
        return Structure(width, kinds, (), first, left_out=tuple(range(first)))
    if header or _are_labels(records, first, kinds):
        above = first if header and first > 0 and _may_name(records[first - 1], kinds) else None
        if above is None:
            above, first = first + 1, first + 1
    else:
        above = first
    return _with_names(records, above, first, kinds, width)


def column_kinds(records: Sequence[Record], width: int) -> tuple[str, ...]:
    """Return what each column's cells read like: of the last half of the full records."""
    full = [
        record
        for record in records
        if (width + 1) // 2 <= trimmed(record) <= width and not is_total(record)
    ]
    if width > 1:
        full = [record for record in full if len(record) > 1] or full
    body = full[-max(1, len(full) // 2) :]
    longest = max((trimmed(record) for record in body), default=0)
    return tuple(
        main_kind(record[place] for record in body if place < len(record))
        for place in range(max(longest, 1))
    )


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
    """Go up from the first record of values to those above it whose values are all missing."""
    valued = [place for place, kind in enumerate(kinds) if kind in (NUMBER, DATE)]

    def reads(row: int) -> set[str]:
        record = records[row]
        return {kind_of(record[place]) for place in valued if place < len(record)}

    top = first
    while top > 0 and len(records[top - 1]) == width and reads(top - 1) <= {EMPTY, MARKER}:
        top -= 1
    if top == first or (top > 0 and TEXT in reads(top - 1) and len(records[top - 1]) == width):
        levels = top > 1 and TEXT in reads(top - 2) and len(records[top - 2]) == width
        # Below two lines of names, a line of nothing else names the level that pandas calls index.
        return first if levels and first - top == 1 and reads(top) == {EMPTY} else top
    marked = [row for row in range(top, first) if MARKER in reads(row)]
    return min(marked, default=first)


def is_total(record: Record) -> bool:
    """Whether a record is a sum or a mean of the others, by its own words."""
    return any(_TOTALS.fullmatch(cell.strip()) is not None for cell in record)


def _are_labels(records: Sequence[Record], row: int, kinds: Sequence[str]) -> bool:
    """Whether a record that reads like data names columns: 1998, 1999... over sales."""
    record, body = records[row], records[row + 1 : row + 60]
    body = [other for other in body if reads_as_data(other, kinds, len(record))]
    if not body:
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

    if all(map(is_year, cells)) and len(set(cells)) == len(cells):
        return below(is_year) < 0.5
    if len(cells) < 3 or not all(cell.isdigit() for cell in cells):
        return False
    counting = [int(cell) for cell in cells]
    if counting[0] > 1 or counting != list(range(counting[0], counting[0] + len(cells))):
        return False
    return len(cells) >= (3 if counting[0] == 0 else 5) and not any(
        [other[place].strip() if place < len(other) else "" for place in numbers] == cells
        for other in body
    )


def _may_name(record: Record, kinds: Sequence[str]) -> bool:
    """Whether a record may name the columns: texts, at most of them."""
    if len(kinds) == 1:
        return filled(record) == 1
    return filled(record) >= max(2, len(kinds) // 2) or (
        trimmed(record) == len(kinds) and filled(record) > 0
    )


def _with_names(
    records: Sequence[Record], above: int, first: int, kinds: Sequence[str], width: int
) -> Structure:
    """Return the structure, with the names found among the records ``above`` the data."""
    top = above
    while top > 0 and above - top < 12 and _belongs(records[top - 1], records, kinds, width):
        top -= 1
    block = list(range(top, above))
    units: tuple[str, ...] = ()
    index_names: list[int] = []
    if len(block) > _PAIRS and len(kinds) == 2:
        block = block[:1]  # facts about the series, one a line, its title first
    while len(block) > 1:
        last = records[block[-1]]
        if _are_units(last, kinds) and any(_may_name(records[row], kinds) for row in block[:-1]):
            units = tuple(cell.strip() for cell in last)
        elif len(kinds) > 2 and filled(last) == trimmed(last) < len(kinds) / 2:
            index_names = [block[-1]]  # as pandas writes it under columns of several levels
        else:
            break
        block = block[:-1]
    named = _names_among(records, block, kinds)
    row_names = False
    if above > 0 and not index_names and (not named or named == [above - 1]):
        last = records[above - 1]
        if len(last) == len(kinds) - 1 and filled(last) == len(last):
            row_names = _begin_with_names(records, first, kinds)
            named = [above - 1] if row_names else named
    header = tuple([*named, *index_names])
    left_out = tuple(row for row in range(first) if row not in header)
    if units:
        left_out = left_out[:-1]
    return Structure(width, tuple(kinds), header, first, units, left_out, row_names)


def _belongs(record: Record, records: Sequence[Record], kinds: Sequence[str], width: int) -> bool:
    if len(kinds) == 1:
        return len(record) == 1
    return len(record) == width or _may_name(record, kinds)


def _names_among(records: Sequence[Record], block: list[int], kinds: Sequence[str]) -> list[int]:
    """Return the records that name the columns together: one, or groups above names."""
    full = [row for row in block if _may_name(records[row], kinds)]
    if not full:
        return []
    if len(kinds) == 1:
        return full[-1:]
    complete = [row for row in full if filled(records[row]) >= 0.6 * len(kinds)] or full
    # A row of names, and one of descriptions under it: the names are the upper one. Where there
    # are two columns, the upper one is rather a title with a comma.
    chosen = complete[-1]
    upper, lower = records[complete[0]], records[chosen]
    if len(kinds) > 2 and _distinct(upper) and _distinct(lower) and filled(upper) >= filled(lower):
        chosen = complete[0]
    if _distinct(records[chosen]):
        return [chosen]
    groups = [row for row in block if row < chosen and filled(records[row]) > 1]
    return [*groups, chosen]


def _distinct(record: Record) -> bool:
    names = [cell.strip() for cell in record if cell.strip()]
    return len(set(names)) == len(names)


def _are_units(record: Record, kinds: Sequence[str]) -> bool:
    cells = [cell.strip() for cell in record if kind_of(cell) == TEXT or cell.strip() in "%°"]
    cells = [cell for cell in cells if cell]
    units = sum(_UNIT.fullmatch(cell) is not None for cell in cells)
    return bool(cells) and units >= 0.6 * len(cells)


def _begin_with_names(records: Sequence[Record], first: int, kinds: Sequence[str]) -> bool:
    """Whether the rows begin with names of their own, as R writes them: 1, 2, 3..., or texts."""
    begins = [record[0].strip() for record in records[first:] if record]
    if kinds[0] in (TEXT, DATE):
        return len(set(begins)) == len(begins) > 1
    return any(
        all(cell == str(number) for number, cell in enumerate(begins, start)) for start in (0, 1)
    )
