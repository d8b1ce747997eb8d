"""What a fixed span of time is called: pandas' alias, and a person's words."""

_UNITS = {  # microseconds: pandas' alias, name
    86_400_000_000: ("D", "day"),
    3_600_000_000: ("h", "hour"),
    60_000_000: ("min", "minute"),
    1_000_000: ("s", "second"),
    1_000: ("ms", "millisecond"),
    1: ("us", "microsecond"),
}
_ONE = {"day": "daily", "hour": "hourly"}


def alias_of(step: float) -> str:
    """Return pandas' alias of a whole number of microseconds.

    >>> alias_of(1_800_000_000), alias_of(3_600_000_000)
    ('30min', 'h')
    """
    size, alias, _ = _largest_unit(step)
    return times(size, alias)


def every(step: float) -> str:
    """Say how often a step comes that takes so many microseconds.

    >>> every(1_800_000_000), every(3_600_000_000), every(60_000_000)
    ('every 30 minutes', 'hourly', 'every minute')
    """
    size, _, name = _largest_unit(step)
    return f"every {size} {name}s" if size > 1 else _ONE.get(name, f"every {name}")


def times(count: float, alias: str) -> str:
    """Return an alias with its count, where that isn't 1."""
    return alias if count == 1 else f"{count}{alias}"


def _largest_unit(step: float) -> tuple[int, str, str]:
    for size, (alias, name) in _UNITS.items():
        if step % size == 0:
            return int(step // size), alias, name
    raise AssertionError("a step is a whole number of microseconds")
