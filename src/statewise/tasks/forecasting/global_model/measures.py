"""What is measured of each series: its mean, and how far it moves from step to step."""

import numpy as np

from statewise.sequences import Panel


def filled(values: np.ndarray, observed: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Repeat the last known value where one is missing; at a beginning, the first known one."""
    if observed.all():
        return values
    rows = np.arange(len(values))
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    stop = np.repeat(offsets[1:], np.diff(offsets))
    result = values.copy()
    for channel in range(values.shape[1]):
        known = observed[:, channel]
        latest = np.maximum.accumulate(np.where(known, rows, -1))
        following = np.minimum.accumulate(np.where(known, rows, len(rows))[::-1])[::-1]
        source = np.where(latest >= begin, latest, following)
        column = values[np.minimum(source, len(rows) - 1), channel]
        result[:, channel] = np.where(source < stop, column, 0.0)  # a channel without any value
    return result


def measure(
    values: np.ndarray, observed: np.ndarray, offsets: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return each series' mean and mean absolute increment, of its known values."""
    weight = observed.astype(np.float64)
    count = np.maximum(np.add.reduceat(weight, offsets[:-1]), 1)
    mean = np.add.reduceat(values * weight, offsets[:-1]) / count
    moves = np.abs(np.diff(values, axis=0, append=values[-1:]))
    pairs = weight * np.roll(weight, -1, axis=0)
    pairs[offsets[1:] - 1] = 0
    scale = np.add.reduceat(moves * pairs, offsets[:-1])
    return mean, scale / np.maximum(np.add.reduceat(pairs, offsets[:-1]), 1)


def mean_step(panel: Panel) -> np.ndarray:
    """Return each series' mean absolute step in its own unit, 1 where it never moved, (series,)."""
    observed = ~np.isnan(panel.values)
    _, scale = measure(filled(panel.values, observed, panel.offsets), observed, panel.offsets)
    return np.where(scale[:, 0] > 0, scale[:, 0], 1.0)
