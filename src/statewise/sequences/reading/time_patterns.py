"""What a shape may mean: words in it, and in which order year, month and day stand around them.

A shape that may be read in several ways has several layouts; the column as a whole decides.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise

from statewise.sequences.reading.clock_patterns import Place, find_clock
from statewise.sequences.reading.month_names import WORD, Names, plain_word
from statewise.sequences.reading.time_names import PARTS
from statewise.sequences.reading.time_orders import Layout, layout_of, read_numbers

_TOKENS = re.compile(rf"(?P<number>0+)|(?P<word>{WORD})|(?P<blank>\s+)|(?P<mark>[^\w\s]|_)")
_MARKS = frozenset("/-.,':()_[]׳॰·")
_OF_EAST_ASIA = {"年": "y", "月": "m", "日": "d", "号": "d", "년": "y", "월": "m", "일": "d"}
_ORDINALS = frozenset("st nd rd th er re eme e o a ro do to mo".split())
_FILLERS = frozenset(
    "of the de del di da do den der le el em en at um am on à a o г р r года року рік rok roku "
    "год and".split()
)
_UNITS: dict[str, str] = {
    **{word: unit for unit, words in PARTS.items() for word in words},
    **dict.fromkeys(("q", "t", "k", "qtr", "кв"), "quarter"),
    **dict.fromkeys(("h", "hy", "hj"), "half"),
    **dict.fromkeys(("w", "wk", "kw", "cw", "v"), "week"),
    **{"m": "month", "d": "day", "fy": "year", "cy": "year", "s": "half"},
}
_ROMAN = {
    word: number for number, word in enumerate("i ii iii iv v vi vii viii ix x xi xii".split(), 1)
}
_OF_DAYS = frozenset(["ymd", "dmy", "mdy", "ydm", "yd", "ywd"])  # styles that tell the day


def words_in(shape: str) -> Iterator[str]:
    """Yield the plain words of a shape that may be names of months and weekdays."""
    clock = find_clock(shape)
    for found in _TOKENS.finditer(shape if clock is None else clock.rest):
        if found["word"]:
            word = plain_word(found["word"])
            if len(word) > 1 and not (word in _UNITS or word in _FILLERS or word in _ORDINALS):
                yield word


def layouts(shape: str, names: Names) -> list[Layout]:
    """Return all ways to read a shape as a time with a date.

    >>> from statewise.sequences.reading.month_names import names_for
    >>> [layout.style for layout in layouts("00/00/0000 00:00", names_for([]))]
    ['dmy', 'mdy']
    >>> [layout.style for layout in layouts("0000 q0", names_for([]))]
    ['yq']
    """
    if "0" not in shape or len(shape) > 100:
        return []
    if re.match(r"0000:00:00 ", shape):  # as cameras write it
        shape = shape[:10].replace(":", "-") + shape[10:]
    found: list[Layout] = []
    clock = find_clock(shape)
    if clock is not None:
        found = [
            replace(
                layout,
                places={**layout.places, **clock.places},
                half=clock.half,
                zone=clock.zone,
                offset=clock.offset,
                weak=False,
                clock=True,
            )
            for layout in _dates(clock.rest, names, timed=True)
            if layout.style in _OF_DAYS and "hour" not in layout.places
        ]
    return found or _dates(shape, names) or _intervals(shape, names)


def _intervals(shape: str, names: Names) -> list[Layout]:
    """Read 00.00.0000 00:00 - 00.00.0000 00:00, the beginning of which counts."""
    for gap in (" - ", " to ", " bis ", "/"):
        for found in re.finditer(re.escape(gap), shape):
            first, last = shape[: found.start()], shape[found.end() :]
            begins = [layout for layout in layouts(first, names) if layout.style in _OF_DAYS]
            if begins and "0" in last and (find_clock(last) or layouts(last, names)):
                return [replace(layout, interval=True) for layout in begins]
    return []


@dataclass
class _Items:
    """What stands in a date: numbers by their places, and words by what they mean."""

    numbers: list[Place] = field(default_factory=list)
    months: list[tuple[int, int]] = field(default_factory=list)  # which, and before which number
    roman: list[tuple[int, int]] = field(default_factory=list)
    unit: tuple[str, int] | None = None  # a word such as week, and before which number
    letter: bool = False  # the unit is a letter that codes have, too
    fillers: bool = False
    eastern: str = ""


def _dates(shape: str, names: Names, timed: bool = False) -> list[Layout]:
    items = _items_of(shape, names, timed)
    if items is None or not items.numbers:
        return []
    lengths = [stop - start for start, stop in items.numbers]
    gaps = [shape[one[1] : other[0]].strip() for one, other in pairwise(items.numbers)]
    if items.unit is not None:
        return _with_unit(items, lengths, shape)
    if items.months:
        return _with_month(items, lengths, items.months[0]) if len(items.months) == 1 else []
    if items.roman:
        return _with_roman(items, lengths)
    if items.eastern:
        styles = {"y": "y", "ym": "ym", "ymd": "ymd"}.get(items.eastern)
        return [layout_of(styles, items.numbers)] if styles and lengths[0] == 4 else []
    return [] if items.fillers else read_numbers(items.numbers, lengths, gaps)


def _items_of(shape: str, names: Names, timed: bool) -> _Items | None:
    """Sort out what stands in a date; None where something has no place in one."""
    items = _Items()
    either: list[tuple[int, int]] = []  # mar is March and a Tuesday
    last = 0
    for found in _TOKENS.finditer(shape):
        here = len(items.numbers)
        start, stop = found.span()
        if found["number"]:
            items.numbers.append((start, stop))
        elif found["mark"]:
            if found["mark"] not in _MARKS or (not last and found["mark"] not in "('["):
                return None
        elif found["word"]:
            word = plain_word(found["word"])
            behind_number = bool(here) and items.numbers[-1][1] == start
            month = names.month(word)
            if len(word) == 1 and shape[stop : stop + 1] == "'":  # d'abril
                continue
            if found["word"] in _OF_EAST_ASIA and behind_number:
                items.eastern += _OF_EAST_ASIA[found["word"]]
            elif behind_number and word in _ORDINALS:
                pass
            elif month is not None:
                (either if names.is_weekday(word) else items.months).append((month, here))
            elif names.is_weekday(word):
                pass
            elif word in _ROMAN and not (word == "v" and _touches_number(shape, start, stop)):
                items.roman.append((_ROMAN[word], here))
            elif word in _UNITS and not (timed and word == "t" and not shape[stop:].strip()):
                if items.unit is not None:
                    return None
                items.unit = _UNITS[word], here
                items.letter = len(word) == 1 and word not in "qw"
            elif timed and word == "t":
                pass
            elif word in _FILLERS:
                items.fillers = True
            else:
                return None
        if not found["blank"]:
            last = stop
    if either and not items.months:
        items.months.append(either[-1])
    return items


def _touches_number(shape: str, start: int, stop: int) -> bool:
    return shape[start - 1 : start] == "0" or shape[stop : stop + 1] == "0"


def _with_month(items: _Items, lengths: list[int], word: tuple[int, int]) -> list[Layout]:
    month, before = word
    numbers, small = items.numbers, [length <= 2 for length in lengths]
    if len(numbers) == 1:
        style = "my" if before == 0 else "ym"
        if lengths[0] == 4:
            return [layout_of(style, numbers, month=month)]
        return [layout_of(style, numbers, weak=True, month=month)] if lengths[0] == 2 else []
    if len(numbers) != 2:
        return []
    styles: list[str] = []
    if lengths[1] == 4 and small[0]:
        styles = ["mdy" if before == 0 else "dmy"]
    elif lengths[0] == 4 and small[1]:
        styles = ["ydm" if before == 2 else "ymd"] if before else []
    elif all(small):
        styles = [["mdy"], ["dmy", "ymd"], []][before]
        styles = [style for style in styles if lengths[style.replace("m", "").index("y")] == 2]
    return [layout_of(style, numbers, month=month) for style in styles]


def _with_roman(items: _Items, lengths: list[int]) -> list[Layout]:
    """Read 00.xi.0000, and iv 0000, which is a quarter or a month."""
    if len(items.roman) != 1:
        return []
    found = _with_month(items, lengths, items.roman[0])
    if len(items.numbers) == 1 and lengths[0] == 4 and items.roman[0][0] <= 4:
        quarter = Layout(
            "yq", {"year": items.numbers[0]}, {"quarter": items.roman[0][0]}, weak=True
        )
        found.insert(0, quarter)
    return [replace(layout, weak=layout.short or len(layout.style) < 3) for layout in found]


def _with_unit(items: _Items, lengths: list[int], shape: str) -> list[Layout]:
    """Read what a word tells the unit of: 0000 q0, week 00 0000, h0 0000, fy00."""
    if items.unit is None or items.months or len(items.roman) > 1:
        return []
    unit, before = items.unit
    numbers = items.numbers
    given = {unit: items.roman[0][0]} if items.roman else {}
    if unit == "year":
        return [layout_of("y", numbers)] if len(numbers) == 1 and lengths[0] in (2, 4) else []
    if given:
        if len(numbers) != 1 or lengths[0] not in (2, 4) or unit == "week":
            return []
        return _of_unit(unit, numbers[0], None, given, weak=True)
    if len(numbers) == 3 and unit == "week" and lengths[0] == 4 and before == 1:
        week = {"year": numbers[0], "week": numbers[1], "weekday": numbers[2]}
        return [Layout("ywd", week)] if lengths[1] == 2 and lengths[2] == 1 else []
    if len(numbers) != 2:
        return []
    if 4 in lengths:
        year = lengths.index(4)
    elif unit in ("quarter", "half") and sorted(lengths) == [1, 2]:
        year = lengths.index(2)
    else:
        return []
    count = lengths[1 - year]
    if unit == "half" and count == 2:  # S05: semaine, semana
        unit = "week"
    if (unit == "day" and count != 3) or count > (3 if unit == "day" else 2):
        return []
    return _of_unit(unit, numbers[year], numbers[1 - year], {}, weak=items.letter)


def _of_unit(
    unit: str, year: Place, place: Place | None, given: dict[str, int], weak: bool
) -> list[Layout]:
    known = {"quarter": "yq", "half": "yh", "week": "yw", "month": "ym", "day": "yd"}
    if unit not in known:
        return []
    name = "day_of_year" if unit == "day" else unit
    places = {"year": year} | ({name: place} if place is not None else {})
    short = year[1] - year[0] < 4
    return [Layout(known[unit], places, given, weak or short, short=short)]
