"""The arguments of a detector, refused where they make no sense."""

from typing import Any

import numpy as np

from statewise.sequences.arrays import check_count
from statewise.tasks.anomaly.networks import METHODS
from statewise.tasks.anomaly.scaling import LONGEST

_LEAST_WINDOW, _MOST_WINDOW, _MOST_UNITS = 4, 4096, 4096


def check(detector: Any) -> None:
    """Refuse arguments of `AnomalyDetector` that make no sense.

    Raises:
        TypeError, ValueError: for the first of them.
    """
    if detector.method not in METHODS:
        raise ValueError(f"method={detector.method!r}: expected one of {', '.join(METHODS)}")
    bounds = {
        "units": (1, _MOST_UNITS),
        "window": (_LEAST_WINDOW, _MOST_WINDOW),
        "epochs": (1, 1_000_000),
        "seed": (0, 2**32 - 1),
    }
    if detector.season != "auto":
        if isinstance(detector.season, str):
            raise ValueError(f'season={detector.season!r}: expected a number of steps or "auto"')
        bounds["season"] = (1, LONGEST)
    for name, (least, most) in bounds.items():
        value = check_count(getattr(detector, name), name, least)
        if value > most:
            raise ValueError(f"{name}={value:,}: expected {most:,} at most")
        setattr(detector, name, value)
    rate = detector.rate
    if isinstance(rate, bool) or not isinstance(rate, (int, float, np.number)):
        raise TypeError(f"rate={rate!r}: expected a share of the steps, as 1e-4")
    if not 0 < rate < 1:
        raise ValueError(f"rate={rate}: expected a share of the steps between 0 and 1, as 1e-4")


def threshold_of(threshold: Any, quantile: float | None, usual: float, scores: np.ndarray) -> float:
    """Return the score that is meant.

    Args:
        threshold: a score, or "auto".
        quantile: of the training's scores; None for the threshold.
        usual: what "auto" means.
        scores: of the training.

    Raises:
        TypeError, ValueError: where it makes no sense.
    """
    if quantile is not None:
        if threshold != "auto":
            raise ValueError(f"threshold={threshold!r}, quantile={quantile!r}: give one of them")
        if not isinstance(quantile, (int, float, np.number)) or not 0 <= quantile <= 1:
            raise ValueError(f"quantile={quantile!r}: expected a number from 0 to 1, as 0.999")
        return float(np.quantile(scores, quantile))
    if isinstance(threshold, str):
        if threshold != "auto":
            raise ValueError(f'threshold={threshold!r}: expected a score, as 4.0, or "auto"')
        return usual
    if isinstance(threshold, bool) or not isinstance(threshold, (int, float, np.number)):
        raise TypeError(f'threshold={threshold!r}: expected a score, as 4.0, or "auto"')
    if not np.isfinite(threshold):
        raise ValueError(f"threshold={threshold}: expected a finite score, as 4.0")
    return float(threshold)
