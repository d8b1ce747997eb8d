"""Small anomaly detectors, fitted once in a process, for all tests."""

from functools import cache

import numpy as np

from statewise.tasks import AnomalyDetector

SMALL = {"units": 3, "window": 8, "epochs": 1, "season": 5}


def wave(steps, features=1, seed=0):
    """A season of five steps, noise, and a drift; each feature on a scale of its own."""
    rng = np.random.default_rng(seed)
    season = np.array([0.0, 3.0, 1.0, -2.0, 0.5])[np.arange(steps) % 5]
    values = season[:, None] + 0.3 * rng.normal(size=(steps, features))
    return values * 10.0 ** np.arange(features) + 50


@cache
def of_one():
    """A detector of one series of one feature."""
    return AnomalyDetector(**SMALL).fit(wave(90)[:, 0])


@cache
def of_several():
    """A detector of two series of two features."""
    data = {"north": wave(80, 2, 1), 7: 1e6 + 1e3 * wave(60, 2, 2)}
    return AnomalyDetector(**SMALL).fit(data)
