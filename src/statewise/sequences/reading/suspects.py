"""Numbers that are no values: -200, -999 or 1e20 where a value is missing."""

import numpy as np

_FILLS = (1e20, 1e30, 1e34, 1e36, 9.969209968386869e36, 3.4028234663852886e38)
_LIMITS = (-32768.0, 32767.0, 65535.0, -2147483648.0, 2147483647.0, 4294967295.0)
_FEWEST = 5  # values besides, to say of what size values are


def suspects(values: np.ndarray) -> list[tuple[float, int]]:
    """Return the numbers that stand for a missing value, most likely, and how often they do.

    Such a number is the lowest or highest of all, repeated, of a kind that people choose (-200,
    -9.99, 9999, 1e20), and far from all the others, which fill their range without such a hole.
    A number is one for the asking, never for the taking: the values may be what they seem.

    Args:
        values: of a column, of any shape; missing ones are left out.

    Returns:
        Pairs of a number and its count, the most frequent first.

    Example:
        >>> suspects(np.array([2.6, 2.0, -200, 2.2, 1.6, -200, 1.2, 0.9, 3.1]))
        [(-200.0, 2)]
        >>> suspects(np.array([0, 0, 0, 3, 1, 0, 0, 12, 0]))
        []
    """
    rest = np.asarray(values, np.float64).ravel()
    rest = rest[np.isfinite(rest)]
    found: list[tuple[float, int]] = []
    while len(rest):
        ends = sorted({float(rest.min()), float(rest.max())})
        chosen = [end for end in ends if _is_chosen(end)]
        if not chosen:
            break
        core = rest[~np.isin(rest, chosen)]
        with np.errstate(over="ignore", invalid="ignore"):  # of values near 1e308
            far = [end for end in chosen if _is_far(end, int((rest == end).sum()), core)]
        if not far:
            break
        found += [(end, int((rest == end).sum())) for end in far]
        rest = rest[~np.isin(rest, far)]
    return sorted(found, key=lambda pair: -pair[1])


def _is_chosen(value: float) -> bool:
    """Tell numbers that people or programs choose: same digits, one digit and zeros, limits."""
    size = abs(value)
    if value in _FILLS or -value in _FILLS or value in _LIMITS or value == -1:
        return True
    digits = f"{size:.10g}".replace(".", "").lstrip("0") or "0"
    same = len(set(digits)) == 1 and digits[0] in "6789" and "e" not in digits
    if same and len(digits) > (1 if digits[0] == "9" or value < 0 else 2):
        return True
    mantissa, power = f"{size:.12e}".split("e")
    round_ = not mantissa[1:].strip(".0")
    return round_ and (int(power) >= 2 if value < 0 else int(power) >= 6)


def _is_far(value: float, count: int, core: np.ndarray) -> bool:
    """Tell whether a number lies so far from the others that it can't be one of them."""
    if len(core) < _FEWEST or core.min() == core.max():
        return False
    low, quarter, middle, more, high = np.quantile(core, [0, 0.25, 0.5, 0.75, 1])
    below = value < low
    hole = low - value if below else value - high
    whole, spread = high - low, more - quarter
    nines = value < 0 and set(f"{-value:.10g}") <= {"9", "."}
    known = abs(value) in _FILLS or value in _LIMITS or nines
    if known and abs(value) >= 999 and hole > 2 * max(whole, abs(middle)):
        return True  # nothing else is of that size: once is enough
    if count < 2 or hole <= 0 or (value > 0 and _are_prices(value, core)):
        return False
    if below and low >= 0:
        # A hole where the values are dense, and a sign that none of them has.
        half = np.unique(core[core <= middle])
        gap = float(np.diff(half).max()) if len(half) > 2 else whole
        return hole > 3 * gap and hole > spread / 2 and hole > (middle - low) / 4
    return hole > (whole if below else 2 * whole) and hole > 3 * spread


def _are_prices(value: float, core: np.ndarray) -> bool:
    """Tell whether the other values end in nines too, as 49.99 beside 99.99 does."""
    decimals = len(f"{value:.10g}".partition(".")[2])
    ends = np.round(core * 10.0**decimals) % 10 == 9
    return bool(ends.mean() > 0.3)
