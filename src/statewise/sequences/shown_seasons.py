"""All the seasons that a series shows, those within another one too: the day and the week."""

import numpy as np

from statewise.sequences.season import _confirms, _moving_average, season_lengths

_NOTHING = 1e-9  # of the greatest value: what rounding leaves


def shown_seasons(frequency: str, values: np.ndarray) -> list[int]:
    """Return the lengths of the seasons that a calendar offers and the values confirm.

    A length is confirmed as `guess_season` says, by what the shorter ones leave: hours that are the
    same every day are so every week, which makes no season of a week.

    Args:
        frequency: pandas' alias, as in ``TimeSeries.frequency``.
        values: (time,); NaN where one is missing.

    Example:
        >>> day = np.sin(np.arange(24) / 24 * 2 * np.pi)
        >>> shown_seasons("h", np.tile(day, 70))
        [24]
        >>> week = np.repeat([1, 1, 1, 1, 1, 0.2, 0.1], 24)
        >>> shown_seasons("h", np.tile(np.tile(day, 7) * week, 10))
        [24, 168]
    """
    found: list[int] = []
    rest = np.asarray(values, np.float64)
    known = np.abs(rest[~np.isnan(rest)])
    if not len(known) or not known.max() > 0:
        return found
    rest = rest / known.max()  # squares of huge numbers would be infinite
    for length in sorted(season_lengths(frequency)):
        if _confirms(rest, length):
            found.append(length)
            rest = _without(rest, length)
            if not np.nanstd(rest) > _NOTHING:
                break
    return found


def _without(values: np.ndarray, length: int) -> np.ndarray:
    """Take a season away: what each of its steps is on average above its surroundings."""
    known = ~np.isnan(values)
    share = _moving_average(known.astype(np.float64), length)
    average = _moving_average(np.where(known, values, 0.0), length) / np.maximum(share, 1e-9)
    above = np.where(known, values - average, 0.0)
    step = np.arange(len(values)) % length
    inner = known.copy()  # where the average is whole
    inner[: length // 2] = inner[len(values) - length // 2 :] = False
    counts = np.bincount(step[inner], minlength=length)
    means = np.bincount(step[inner], above[inner], minlength=length) / np.maximum(counts, 1)
    return values - means[step]
