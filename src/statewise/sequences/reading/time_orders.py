"""Dates of numbers alone: in which orders year, month and day may stand in a shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from statewise.sequences.reading.clock_patterns import Place

_GAPS = frozenset(["/", "-", ".", "", "_", ":"])  # between the numbers of a date without words


@dataclass(frozen=True)
class Layout:
    """One way to read the texts of a shape.

    Attributes:
        style: the order of what stands there, by letters: y m d q (quarter) h (half year) w
            (week); "yy" for a year that ends in the next.
        places: where the numbers stand, by name.
        given: what words say, by name ("month").
        weak: many a text that is no time looks so; it needs more evidence.
        short: the year has two digits, or one.
        half: "a" or "p" for clocks of twelve hours.
        zone: as it is written, and ``offset`` its minutes from UTC where the name says them.
        clock: a time of day is written.
        interval: the beginning of one, whose end is written, too.
    """

    style: str
    places: Mapping[str, Place]
    given: Mapping[str, int] = field(default_factory=dict)
    weak: bool = False
    short: bool = False
    half: str = ""
    zone: str = ""
    offset: int | None = None
    clock: bool = False
    interval: bool = False


def layout_of(style: str, numbers: Sequence[Place], weak: bool = False, **given: int) -> Layout:
    """Return the layout in which the numbers stand as the letters of the style."""
    names = {"y": "year", "m": "month", "d": "day"}
    written = [letter for letter in style if names[letter] not in given]
    places = {names[letter]: place for letter, place in zip(written, numbers, strict=True)}
    start, stop = places["year"]
    return Layout(style, places, given, weak, short=stop - start < 4)


def read_numbers(numbers: list[Place], lengths: list[int], gaps: list[str]) -> list[Layout]:
    """Read a date of numbers alone."""
    if len(numbers) == 1:
        return _compact(numbers[0])
    if not set(gaps[:2]) <= _GAPS or len(set(gaps[:2])) > 1:
        return []
    small = [length <= 2 for length in lengths]
    if len(numbers) == 2:
        return _of_two(numbers, lengths, gaps[0])
    if len(numbers) == 4 and lengths[3] <= 2 and gaps[2] in ("", "-", "_") and 4 in lengths[:3]:
        return [
            replace(layout, places={**layout.places, "hour": numbers[3]}, clock=True)
            for layout in read_numbers(numbers[:3], lengths[:3], gaps[:2])
        ]
    if len(numbers) != 3 or gaps[0] == ":":
        return []
    if lengths[0] == 4 and small[1] and small[2]:
        return [layout_of(style, numbers) for style in ("ymd", "ydm")]
    if lengths[2] == 4 and small[0] and small[1]:
        return [layout_of(style, numbers) for style in ("dmy", "mdy")]
    found = []
    if all(small):
        if lengths[2] == 2:
            found += [layout_of(style, numbers, weak=True) for style in ("dmy", "mdy")]
        if lengths[0] == 2:
            found.append(layout_of("ymd", numbers, weak=True))
    return found


def _of_two(numbers: list[Place], lengths: list[int], gap: str) -> list[Layout]:
    first, second = lengths
    if gap == "_":
        gap = "-"
    if first == 4:
        found = []
        vague = gap in (".", "", ":")
        if second == 2 or (second == 1 and gap not in (".", ":")):  # 1960.1 may be October
            found.append(layout_of("ym", numbers, weak=vague))
        if second == 1:
            quarter = {"year": numbers[0], "quarter": numbers[1]}
            found.append(Layout("yq", quarter, weak=True))
        if second == 2 and gap in ("-", "/", ""):
            found.append(_two_years(numbers))
            week = {"year": numbers[0], "week": numbers[1]}
            found.append(Layout("yw", week, weak=True))
        if second == 3 and gap == "-":
            found.append(Layout("yd", {"year": numbers[0], "day_of_year": numbers[1]}))
        if second == 4 and gap in ("-", "/"):
            found.append(_two_years(numbers))
        return found
    if first > 2:
        return []
    if second == 4:
        return [layout_of("my", numbers, weak=gap in (".", ""))]
    if second > 2 or gap in ("", ":"):
        return []
    found = [layout_of("ym", numbers, weak=True)]
    if second == 2:
        found.append(layout_of("my", numbers, weak=True))
        if first == 2 and gap in ("-", "/"):
            found.append(replace(_two_years(numbers), short=True))
    return found


def _two_years(numbers: list[Place]) -> Layout:
    return Layout("yy", {"year": numbers[0], "next_year": numbers[1]}, weak=True)


def _compact(place: Place) -> list[Layout]:
    """Read digits that nothing divides."""
    start, stop = place
    length = stop - start
    if length == 4:
        return [layout_of("y", [place], weak=True)]
    if length == 6:
        return [
            layout_of("ym", _cut(start, 4, 2), weak=True),
            *(layout_of(style, _cut(start, 2, 2, 2), weak=True) for style in ("ymd", "dmy", "mdy")),
        ]
    if length == 8:
        return [
            layout_of("ymd", _cut(start, 4, 2, 2), weak=True),
            *(layout_of(style, _cut(start, 2, 2, 4), weak=True) for style in ("dmy", "mdy")),
        ]
    if length in (10, 12, 14):
        names = ("hour", "minute", "second")
        clock = dict(zip(names, _cut(start + 8, *[2] * (length // 2 - 4)), strict=False))
        date = layout_of("ymd", _cut(start, 4, 2, 2), weak=True)
        return [replace(date, places={**date.places, **clock}, clock=True)]
    return []


def _cut(start: int, *lengths: int) -> list[Place]:
    places = []
    for length in lengths:
        places.append((start, start + length))
        start += length
    return places
