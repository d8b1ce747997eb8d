"""People who walk, run or climb stairs, as an accelerometer at the hip sees them."""

import numpy as np
import pandas as pd

from statewise.datasets._checks import check_counts

GAITS = ("walking", "running", "climbing")

_RATE = 20.0  # measurements a second
_SECONDS = (2.0, 5.0)
_CADENCE = {"walking": 1.9, "running": 2.7, "climbing": 1.7}  # strides a second
_SWING = {"walking": (1.2, 0.8, 2.0), "running": (3.0, 1.5, 7.0), "climbing": (1.6, 0.8, 2.2)}
_SECOND = {"walking": 0.35, "running": 0.6, "climbing": 0.15}  # the overtone's part
_LEAN = {"walking": 0.3, "running": 1.0, "climbing": 1.1}
_NOISE = 0.8  # m/s^2


def gaits(people: int = 90, *, seed: int = 0) -> pd.DataFrame:
    """Simulate what an accelerometer at the hip measures, 20 times a second, for 2 to 5 seconds.

    Each person has a way to go of one of the three kinds in ``GAITS``, a cadence f of their own
    (within 12 % of that of the kind) and a strength s (within 30 %). With the time t, the phase p
    (drawn) and for each direction the swing A and the lean L of the kind::

        a(t) = L + s A (sin(2 pi f t + p) + k sin(4 pi f t + 2 p)) + 0.8 normal()

    k, the part of the overtone, is of the kind too; sideways there is one swing for two strides,
    without overtone. Walking and climbing have much in common but the lean and the overtone.

    Args:
        people: how many, at least 1; the kinds take turns.
        seed: what the random numbers start from.

    Returns:
        A row for each measurement: person, time (s), forward, sideways, up (m/s^2), gait.

    Raises:
        TypeError: where the count is no whole number.
        ValueError: where it's below 1.

    Example:
        >>> frame = gaits(people=3)
        >>> frame.columns.tolist(), frame["person"].nunique()
        (['person', 'time', 'forward', 'sideways', 'up', 'gait'], 3)
    """
    check_counts(people=people)
    rng = np.random.default_rng(seed)
    parts = []
    for person in range(people):
        kind = GAITS[person % len(GAITS)]
        steps = int(rng.uniform(*_SECONDS) * _RATE)
        t = np.arange(steps) / _RATE
        cadence = _CADENCE[kind] * rng.uniform(0.88, 1.12)
        strength, phase = rng.uniform(0.7, 1.3), rng.uniform(0, 2 * np.pi)
        angle = 2 * np.pi * cadence * t + phase
        stride = np.sin(angle) + _SECOND[kind] * np.sin(2 * angle)
        shapes = (stride, np.sin(angle / 2), stride)
        swings = [strength * a * shape for a, shape in zip(_SWING[kind], shapes, strict=True)]
        leans = np.array([_LEAN[kind], 0.0, 9.8])
        measured = leans + np.stack(swings, 1) + _NOISE * rng.normal(size=(steps, 3))
        part = pd.DataFrame(measured, columns=["forward", "sideways", "up"])
        part.insert(0, "time", t)
        part.insert(0, "person", f"p{person + 1:03d}")
        part["gait"] = kind
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
