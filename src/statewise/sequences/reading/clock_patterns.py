"""The time of day and the zone in a shape: 00:00, 00.00.00, 00h00, 0:00 pm, 00:00+00:00, cet."""

import re
from dataclasses import dataclass, field
from functools import cache

Place = tuple[int, int]  # from where to where in the shape

# Small letters: shapes have no others. A clock follows no digit, and no plus: that is an offset.
_END = r"(?![^\W_])"
_HALF = r"(?:\ ?(?P<half>[ap])\.?\ ?m\b\.?)"
_FRACTION = r"(?:[.,:](?P<fraction>0{1,12}))"
_CLOCKS = tuple(
    re.compile(pattern, re.VERBOSE)
    for pattern in (
        r"(?:(?<![0+:])|(?<=0000:))(?P<hour>0{1,2})\ ?:\ ?(?P<minute>00)"
        rf"(?::(?P<second>00){_FRACTION}?)?(?:{_HALF}|\ ?uhr{_END}|h{_END}|\b|(?=[a-z]))",
        rf"(?<=[0]t)(?P<hour>00)(?:(?P<minute>00)(?:(?P<second>00){_FRACTION}?)?)?(?!0)",
        rf"(?<![0+:.,])(?P<hour>0{{1,2}})(?:\.(?P<minute>00)(?:\.(?P<second>00))?)?{_HALF}{_END}",
        r"(?<![0+:])(?P<hour>0{1,2})\ ?(?:h|hs|hrs|[時时시点])\ ?(?:(?P<minute>00)\ ?"
        rf"(?:(?:m|min|:|[分분])\ ?(?:(?P<second>00)\ ?(?:s|sec|[秒초])?)?)?)?{_END}",
        rf"(?<![0+:])(?P<hour>0{{1,2}})(?:\.(?P<minute>00))?\ uhr{_END}",
        # With dots it looks like a date, so it must stand alone, or at the end and apart.
        r"(?:(?<=[0][ t])|^)(?P<hour>0{1,2})\.(?P<minute>00)(?:\.(?P<second>00))?$",
    )
)
_OFFSET = re.compile(
    r"\ ?(?:utc|gmt|z)?\ ?(?P<sign>[+-])(?P<hour>0{1,2})(?::?(?P<minute>00))?(?::?00)?(?![0:])"
    r"(?:\ ?\([^)]*\))?"  # (Central European Standard Time), behind its offset
)
_ZONE = re.compile(r"\ ?[(\[]?(?P<name>[a-z_]+(?:/[a-z_]+(?:[+-]0{1,2})?)*)[)\]]?(?![^\W_])")
# Names of clocks, with the zone that has them and their minutes from UTC. Those that several
# countries use (IST) are left out, but for those of North America.
_CLOCK_NAMES: dict[str, tuple[str, int]] = {
    **dict.fromkeys(("z", "utc", "gmt"), ("UTC", 0)),
    **{"wet": ("WET", 0), "west": ("WET", 60), "bst": ("Europe/London", 60)},
    **{"cet": ("CET", 60), "cest": ("CET", 120), "mez": ("CET", 60), "mesz": ("CET", 120)},
    **{"eet": ("EET", 120), "eest": ("EET", 180), "msk": ("Europe/Moscow", 180)},
    **{"est": ("America/New_York", -300), "edt": ("America/New_York", -240)},
    **{"cst": ("America/Chicago", -360), "cdt": ("America/Chicago", -300)},
    **{"mst": ("America/Denver", -420), "mdt": ("America/Denver", -360)},
    **{"pst": ("America/Los_Angeles", -480), "pdt": ("America/Los_Angeles", -420)},
    **{"jst": ("Asia/Tokyo", 540), "kst": ("Asia/Seoul", 540)},
    **{"aest": ("Australia/Sydney", 600), "aedt": ("Australia/Sydney", 660)},
    **{"nzst": ("Pacific/Auckland", 720), "nzdt": ("Pacific/Auckland", 780)},
}


@dataclass
class Clock:
    """Where the time of day stands in a shape.

    Attributes:
        places: of the numbers, by their name (hour, minute, second, fraction, offset_hour...).
        half: "a" or "p" for a clock of twelve hours.
        zone: the name of a zone, where one is written.
        offset: minutes from UTC, where a name says them.
        rest: the shape with blanks instead of it.
    """

    places: dict[str, Place] = field(default_factory=dict)
    half: str = ""
    zone: str = ""
    offset: int | None = None
    rest: str = ""


def find_clock(shape: str) -> Clock | None:
    """Return where a time of day stands in a shape, or None where it has none.

    >>> clock = find_clock("00.00.0000 00:00 cet")
    >>> clock.places, clock.zone, clock.offset, clock.rest.strip()
    ({'hour': (11, 13), 'minute': (14, 16)}, 'CET', 60, '00.00.0000')
    >>> find_clock("0/0/0000 0:00 pm").half, find_clock("00/00/0000")
    ('p', None)
    """
    for pattern in _CLOCKS:
        found = pattern.search(shape)
        if found is None:
            continue
        groups = found.groupdict()
        half = groups.pop("half", None) or ""
        clock = Clock({name: found.span(name) for name, text in groups.items() if text}, half)
        end = _read_zone(shape, found.end(), clock)
        blank = " " * (end - found.start())
        clock.rest = f"{shape[: found.start()]}{blank}{shape[end:]}"
        return clock
    return None


def _read_zone(shape: str, start: int, clock: Clock) -> int:
    """Take in the zone that stands right behind a time of day; return where it ends."""
    found = _OFFSET.match(shape, start)
    if found is not None:
        clock.places["sign"] = found.span("sign")
        clock.places["offset_hour"] = found.span("hour")
        if found["minute"]:
            clock.places["offset_minute"] = found.span("minute")
        start = found.end()
    named = _ZONE.match(shape, start)
    if named is None:
        return start
    name = named["name"]
    if name in _CLOCK_NAMES:
        clock.zone, offset = _CLOCK_NAMES[name]
        clock.offset = offset if found is None else None
    elif "/" in name and name in _regions():
        clock.zone = _regions()[name]
    else:
        return start
    return named.end()


@cache
def _regions() -> dict[str, str]:
    import zoneinfo

    return {name.lower(): name for name in zoneinfo.available_timezones()}
