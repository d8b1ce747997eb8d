"""By how much intervals are wider where what a forecast goes on from is missing.

A forecast from the season before whose value is missing goes on from one season earlier, so it
reaches one season further; one from the last value reaches as many steps further as are missing at
the end. Its errors grow as the series moves: by the root of that if it is a random walk, and hardly
at all if it always comes back to where it was. How far it moves over more and more steps is
measured on what is known of it.
"""

import numpy as np

from statewise.sequences.bridging import latest_known

_PAIRS = 8  # of known values so many steps apart, that tell how far a series moves over these


def staleness(values: np.ndarray, offsets: np.ndarray, *, season: int, horizon: int) -> np.ndarray:
    """Return the factors by which intervals are wider, those of a random walk at most.

    Args:
        values: on the scale on which the errors are counted (the logarithm, if it is taken), NaN
            where one is missing, (rows,).
        offsets: where each series begins, (series + 1,).
        season: after so many steps the forecast repeats itself; 1 where it begins from the last
            value.
        horizon: steps.

    Returns:
        (series, horizon), 1 where nothing is missing.

    >>> values = np.array([1, 3, 5, 7, np.nan, 11])
    >>> staleness(values, np.array([0, 6]), season=2, horizon=4).round(2)
    array([[1.41, 1.  , 1.22, 1.  ]])
    """
    begin, stop = offsets[:-1, None], offsets[1:, None]
    known = ~np.isnan(values)
    if known.all():
        return np.ones((len(begin), horizon))
    source = latest_known(known, offsets, season)
    rows = stop - season + np.arange(season)
    last = source[np.maximum(rows, 0)]
    missed = np.where(last >= 0, (rows - last) // season, 1)
    missed = np.where(rows >= begin, missed, 0)
    steps = np.arange(horizon)
    ahead, missed = steps // season + 1, missed[:, steps % season]
    walked = np.sqrt((ahead + missed) / ahead)
    if not missed.any():
        return walked
    far = _moved(values, offsets, season, int((ahead + missed).max()))
    return np.minimum(walked, _at(far, ahead + missed) / _at(far, ahead[None]))


def _moved(values: np.ndarray, offsets: np.ndarray, season: int, most: int) -> np.ndarray:
    """Return how far series move over 1, 2, 4... seasons, ``most`` at least.

    Where too few values are so far apart, they move as a random walk does from there on.

    Returns:
        (series, distances), none less than the one before.
    """
    begins, series = offsets[:-1], np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    shown, far = np.ones(len(begins), bool), list[np.ndarray]()
    for power in range(most.bit_length() + 1):
        lag = season << power
        moves = np.full(len(values), np.nan)
        if lag < len(values):
            same = series[lag:] == series[:-lag]
            moves[lag:] = np.where(same, np.abs(values[lag:] - values[:-lag]), np.nan)
        there = ~np.isnan(moves)
        pairs = np.add.reduceat(there, begins, dtype=np.int64)
        mean = np.add.reduceat(np.where(there, moves, 0), begins) / np.maximum(pairs, 1)
        shown &= (pairs >= _PAIRS) & (mean > 0)
        least, walked = (far[-1], far[-1] * np.sqrt(2)) if far else (0, np.ones(len(begins)))
        far.append(np.where(shown, np.maximum(mean, least), walked))
    return np.column_stack(far)


def _at(far: np.ndarray, seasons: np.ndarray) -> np.ndarray:
    """Return how far series move over some seasons, (series, horizon): between powers of 2."""
    power = np.log2(seasons)
    low = power.astype(int)
    rows = np.arange(len(far))[:, None]
    one, next_one = far[rows, low], far[rows, low + 1]
    return one * (next_one / one) ** (power - low)
