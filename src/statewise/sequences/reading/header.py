"""Which records above the data name the columns, and which give their units."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from statewise.sequences.reading.cells import (
    DATE,
    TEXT,
    filled,
    is_value,
    is_year,
    kind_of,
    trimmed,
)

Record = Sequence[str]

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
_TIME = re.compile(
    r"date|day|month|year|time|week|quarter|period|timestamp|data\b|datum|dia\b|mes\b|ano\b|fecha|"
    r"jahr|monat|tag\b|zeit|obs|jour|mois|ann[ée]e|giorno|дата",
    re.IGNORECASE,
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
        left_out: records above the data that are none of these.
        row_names: whether the header lacks a cell, since the rows begin with their names.
    """

    width: int
    kinds: tuple[str, ...]
    header: tuple[int, ...]
    first: int
    units: tuple[str, ...] = ()
    left_out: tuple[int, ...] = field(default=())
    row_names: bool = False


def with_names(
    records: Sequence[Record],
    above: int,
    first: int,
    kinds: Sequence[str],
    width: int,
    gaps: Collection[int],
    soft: bool,
) -> Structure:
    """Return the structure, with the names found among the records ``above`` the data."""
    top = above
    while top > 0 and above - top < 12 and _belongs(records[top - 1], kinds, width, top == above):
        top -= 1
        if top in gaps and may_name(records[top], kinds):
            break  # a blank line sets off what goes before
    block = list(range(top, above))
    units: tuple[str, ...] = ()
    index_names: list[int] = []
    if len(block) > _PAIRS and len(kinds) == 2 and not _TIME.match(records[block[-1]][0].strip()):
        block = block[:1]  # facts about the series, one a line, its title first
    while len(block) > 1:
        last = records[block[-1]]
        if len(kinds) > 2 and filled(last) == trimmed(last) < len(kinds) / 2:
            index_names = [block[-1]]  # as pandas writes it under columns of several levels
        elif (
            not index_names
            and _are_units(last, kinds)
            and any(_names_all(records[row], last) for row in block[:-1])
        ):
            units = units or tuple(cell.strip() for cell in last)
        else:
            break
        block = block[:-1]
    named = _names_among(records, block, kinds)
    row_names = False
    if above > 0 and not index_names and (not named or named == [above - 1]):
        last = records[above - 1]
        if len(last) == len(kinds) - 1 and filled(last) == len(last):
            row_names = _begin_with_names(records, first, kinds, soft)
            named = [above - 1] if row_names else named
    header = tuple([*named, *index_names])
    left_out = tuple(row for row in range(first) if row not in header)
    if units:
        left_out = tuple(row for row in left_out if row < max(header) or row < first - 1)
    return Structure(width, tuple(kinds), header, first, units, left_out, row_names)


def _belongs(record: Record, kinds: Sequence[str], width: int, nearest: bool) -> bool:
    """Whether a record above the data may be part of their header: as wide, and mostly texts."""
    if len(kinds) == 1:
        return len(record) == 1
    values = sum(map(is_value, record))
    texts = (nearest and len(record) == width) or values <= filled(record) / 2
    return texts and (len(record) == width or may_name(record, kinds))


def _names_all(record: Record, below: Record) -> bool:
    """Whether a record has a name wherever one below it has a unit."""
    return all(
        place < len(record) and record[place].strip()
        for place, cell in enumerate(below)
        if cell.strip()
    )


def _names_among(records: Sequence[Record], block: list[int], kinds: Sequence[str]) -> list[int]:
    """Return the records that name the columns together: one, or groups above names."""
    full = [row for row in block if may_name(records[row], kinds)]
    if not full:
        return []
    if len(kinds) == 1:
        return full[-1:]
    complete = [row for row in full if filled(records[row]) >= 0.6 * len(kinds)] or full
    # A row of names, and one of descriptions under it: the names are the upper one. Where there
    # are two columns, the upper one is rather a title with a comma.
    chosen = complete[-1]
    upper, lower = records[complete[0]], records[chosen]
    # It names all columns, but perhaps the first, or has a cell wherever the lower one has.
    whole = filled(upper[1:]) >= 0.9 * (len(kinds) - 1) or (
        [bool(cell.strip()) for cell in upper] == [bool(cell.strip()) for cell in lower]
    )
    whole = whole and sum(map(is_value, upper)) <= sum(map(is_value, lower))
    if len(kinds) > 2 and _distinct(upper) and _distinct(lower) and whole:
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


def _begin_with_names(
    records: Sequence[Record], first: int, kinds: Sequence[str], soft: bool
) -> bool:
    """Whether the rows begin with names of their own, as R writes them: 1, 2, 3..., or texts.

    Where commas delimit (``soft`` is false), a cell too many is rather one that was cut in two.
    """
    begins = [record[0].strip() for record in records[first:] if record]
    if soft and (kinds[0] in (TEXT, DATE) or all(map(is_year, begins))):
        return len(set(begins)) == len(begins) > 1
    return any(
        all(cell == str(number) for number, cell in enumerate(begins, start)) for start in (0, 1)
    )


def may_name(record: Record, kinds: Sequence[str]) -> bool:
    """Whether a record may name the columns: texts, at most of them."""
    if len(kinds) == 1:
        return filled(record) == 1
    return filled(record) >= max(2, len(kinds) // 2) or (
        trimmed(record) == len(kinds) and filled(record) > 0
    )
