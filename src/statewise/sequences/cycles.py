"""How many steps values take to repeat themselves, where no calendar says it."""

import numpy as np

_LEAST_SEASONS = 3
_CLEAR = 0.6  # correlation with the season before: noise and walks have been looked at below 0.5
_DEPTH = 0.4  # by which it lies above that of half a season before
_NEAR = 0.9  # of the best correlation: a multiple of the season is hardly better than itself


def find_cycle(values: np.ndarray) -> int:
    """Return after how many steps values repeat themselves clearly; 1 where they don't.

    Less a straight line, they go along with themselves that many steps earlier (a correlation of
    0.6 at least), and clearly less so between; two seasons earlier too, where there are four. The
    shortest such length is taken. A series of fewer than three seasons shows none. The bounds are
    strict, since all lengths are looked at: among many, some go along by chance.

    Args:
        values: (time,); NaN where one is missing.

    Example:
        >>> find_cycle(np.tile([3.0, 5, 9, 4], 6))
        4
        >>> find_cycle(np.arange(24.0))
        1
    """
    known = np.flatnonzero(~np.isnan(values))
    if len(known) < 2 * _LEAST_SEASONS:
        return 1
    steps = np.arange(len(values))
    whole = np.interp(steps, known, values[known])
    rest = whole - np.polyval(np.polyfit(steps, whole, 1), steps)
    # What rounding leaves of a straight line repeats nothing.
    if np.square(rest).sum() <= len(rest) * (1e-9 * np.abs(whole).max()) ** 2:
        return 1
    correlations = _autocorrelations(rest)
    most = len(values) // _LEAST_SEASONS
    inner = correlations[1 : most + 2]
    lags = 1 + np.flatnonzero((inner[1:-1] >= inner[:-2]) & (inner[1:-1] >= inner[2:])) + 1
    clear = [lag for lag in lags.tolist() if _is_clear(correlations, lag)]
    if not clear:
        return 1
    best = max(correlations[lag] for lag in clear)
    return next(lag for lag in clear if correlations[lag] >= _NEAR * best)


def _is_clear(correlations: np.ndarray, lag: int) -> bool:
    between = correlations[1:lag].min()
    twice = 2 * lag >= 3 * len(correlations) // 4 or correlations[2 * lag] >= _CLEAR * _NEAR
    return bool(correlations[lag] >= _CLEAR and correlations[lag] - between >= _DEPTH and twice)


def _autocorrelations(values: np.ndarray) -> np.ndarray:
    """Return the correlation of values with those of each number of steps earlier, (time,)."""
    count = len(values)
    power = np.abs(np.fft.rfft(values, 2 * count)) ** 2
    products = np.fft.irfft(power, 2 * count)[:count]
    squares = np.concatenate([[0.0], np.cumsum(np.square(values))])
    lags = np.arange(count)
    size = np.sqrt(squares[count - lags] * (squares[count] - squares[lags]))
    return products / np.where(size > 0, size, np.inf)
