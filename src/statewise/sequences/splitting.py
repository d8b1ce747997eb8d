"""The one place that cuts series by time into a training and a test part."""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from statewise.sequences.arrays import check_count, is_many


class Split(NamedTuple):
    """The earlier and the later part of a series, or of each of several series."""

    train: Any
    test: Any


def split(
    series: Any,
    *,
    test_fraction: float | None = None,
    test_steps: int | None = None,
    train_fraction: float | None = None,
) -> Split:
    """Cut by time: everything before the cut is for training, the rest for testing.

    Nothing is shuffled and nothing is copied. Exactly one option says where the cut is. A
    fraction that doesn't fall on a step is rounded down: ``train_fraction=0.67`` of 144 steps
    are 96 for training, ``test_fraction=0.67`` are 96 for testing.

    Args:
        series: one series, (time,) or (time, features), as an array, a pandas Series or
            DataFrame (which keep their index), or a list of numbers; or several, each cut by
            its own length: a mapping, a list, or an array (series, time, features).
        test_fraction: the part of the steps to test on, between 0 and 1.
        test_steps: the number of steps to test on, at least 1.
        train_fraction: the part of the steps to train on, between 0 and 1.

    Returns:
        ``Split(train, test)``, each of the kind that came in: array, frame, dict or list.

    Raises:
        TypeError: where not exactly one option is given, or it is of a wrong type.
        ValueError: where a fraction is not between 0 and 1, or a part would be empty.

    Example:
        >>> train, test = split([1, 2, 3, 4, 5, 6], test_steps=2)
        >>> train, test
        (array([1, 2, 3, 4]), array([5, 6]))
    """
    options = {
        "test_fraction": test_fraction,
        "test_steps": test_steps,
        "train_fraction": train_fraction,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if len(given) != 1:
        came = " and ".join(given) if given else "none"
        raise TypeError(
            f"split takes exactly one of test_fraction, test_steps and train_fraction, got {came}"
        )
    (option, amount), *_ = given.items()
    if option == "test_steps":
        amount = check_count(amount, option)
    elif isinstance(amount, bool) or not isinstance(amount, (int, float, np.number)):
        raise TypeError(f"{option} must be a number between 0 and 1, but is {amount!r}")
    elif not 0 < amount < 1:
        raise ValueError(f"{option} must be between 0 and 1, both excluded, but is {amount}")

    if isinstance(series, Mapping):
        parts = {key: _cut(one, option, amount, f"series {key!r}") for key, one in series.items()}
        return Split(
            {key: part.train for key, part in parts.items()},
            {key: part.test for key, part in parts.items()},
        )
    if isinstance(series, (list, tuple)) and is_many(series):
        cuts = [_cut(one, option, amount, f"series {i}") for i, one in enumerate(series)]
        return Split([part.train for part in cuts], [part.test for part in cuts])
    if np.ndim(series) == 3:
        at = _train_steps(np.shape(series)[1], option, amount, "series")
        return Split(series[:, :at], series[:, at:])
    return _cut(series, option, amount, "series")


def _cut(series: Any, option: str, amount: float, name: str) -> Split:
    if not (hasattr(series, "iloc") or isinstance(series, np.ma.MaskedArray)):
        series = np.asarray(series)
    if series.ndim not in (1, 2):
        raise ValueError(
            f"{name} must have the shape (time,) or (time, features), "
            f"but has the shape {series.shape}"
        )
    at = _train_steps(len(series), option, amount, name)
    rows = getattr(series, "iloc", series)
    return Split(rows[:at], rows[at:])


def _train_steps(steps: int, option: str, amount: float, name: str) -> int:
    if option == "test_steps":
        train = steps - int(amount)
    elif option == "train_fraction":
        train = _part(steps, amount)
    else:
        train = steps - _part(steps, amount)
    if not 0 < train < steps:
        raise ValueError(
            f"{name} has {steps} time steps: {option}={amount} would leave "
            f"{max(train, 0)} to train and {steps - max(train, 0)} to test, "
            "but both parts need at least 1"
        )
    return train


def _part(steps: int, fraction: float) -> int:
    # 0.29 * 100 is 28.999999999999996 in floating point: without rounding it would be 28.
    return math.floor(round(steps * float(fraction), 9))
