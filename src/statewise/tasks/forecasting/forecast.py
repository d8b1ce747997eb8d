"""A forecast as arrays: points, and intervals around them."""

from typing import NamedTuple

import numpy as np


class Forecast(NamedTuple):
    """What was forecast.

    Attributes:
        points: (series, horizon); in a backtest (series, windows, horizon).
        bands: by level in percent the lower and the upper ends, of the points' shape; empty where
            there are no intervals.
    """

    points: np.ndarray
    bands: dict[float, tuple[np.ndarray, np.ndarray]]
