"""Logarithm and difference: transforms that make a series' steps alike, and take it back.

``Log`` treats each time step alone, as the scalers do, and has an ``inverse_transform``.
``Difference`` looks ``lag`` steps back: its result is ``lag`` steps shorter, and only together
with the steps known before (``continue_from``) does it lead back to values. ``Pipeline`` joins both
kinds. All of them compute in float64, take missing values (NaN) through unchanged, refuse
infinities, and accept one series, (time,) or (time, features), or several of one length,
(samples, time, features).
"""

from typing import Any, Self

import numpy as np

from statewise.sequences._values import (
    Pointwise,
    as_values,
    check_alike,
    place,
    take_steps,
    time_axis,
)
from statewise.sequences.arrays import check_count


class Log(Pointwise):
    """The natural logarithm, for series whose swings grow with their level.

    Every value must be above 0; nothing is added to make it so.

    Example:
        >>> Log().transform([1.0, 10.0, 100.0]).round(2)
        array([0.  , 2.3 , 4.61])
    """

    kind = "log"

    def fit(self, series: Any) -> Self:
        """Check that ``series`` has a logarithm everywhere, and return ``self``.

        Raises:
            TypeError: where it doesn't hold real numbers.
            ValueError: where it has a wrong shape, or holds a value that is not above 0.
        """
        self.transform(series)
        return self

    def transform(self, series: Any) -> np.ndarray:
        """Return the logarithm: float64, the shape of the series.

        Raises:
            ValueError: where a value is not above 0; it names the first.
        """
        values = as_values(series)
        wrong = values <= 0  # False for missing values
        if wrong.any():
            first = tuple(np.argwhere(wrong)[0])
            raise ValueError(
                f"Log needs values above 0, but {int(wrong.sum())} are not, the first "
                f"({values[first]:g}) {place(first)}; add a constant to the series "
                "before, or leave Log out"
            )
        return np.log(values)

    def inverse_transform(self, values: Any) -> np.ndarray:
        """Return the exponential: float64, the shape of the values."""
        return np.exp(as_values(values, "values"))

    def get_state(self) -> dict[str, Any]:
        """Return a plain dict for ``from_state``."""
        return {"kind": self.kind}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the transform whose ``get_state`` gave ``state``."""
        return cls()


class Difference:
    """The change over ``lag`` steps: ``series[t] - series[t - lag]``.

    With lag 1 it takes a trend away, with the season's length a season. The result is ``lag``
    steps shorter than the series.

    Args:
        lag: steps to look back, at least 1.

    Example:
        >>> change = Difference(2)
        >>> change.transform([1.0, 5.0, 2.0, 7.0])
        array([1., 2.])
        >>> change.continue_from(history=[2.0, 7.0], future=[1.0, 2.0, 1.0])
        array([3., 9., 4.])
    """

    kind = "difference"

    def __init__(self, lag: int = 1):
        self.lag = check_count(lag, "lag")

    @property
    def steps_lost(self) -> int:
        """By so many steps ``transform`` shortens a series: the lag."""
        return self.lag

    def fit(self, series: Any) -> Self:
        """Check that ``series`` is long enough, and return ``self``: there is nothing to learn.

        Raises:
            TypeError: where it doesn't hold real numbers.
            ValueError: where it has a wrong shape or not more than ``lag`` steps.
        """
        self.transform(series)
        return self

    def transform(self, series: Any) -> np.ndarray:
        """Return the differences: float64, ``lag`` steps shorter than the series.

        Raises:
            ValueError: where the series has not more than ``lag`` steps.
        """
        values = as_values(series)
        steps = values.shape[time_axis(values)]
        if steps <= self.lag:
            raise ValueError(
                f"series has {steps} time steps, but Difference({self.lag}) needs at least "
                f"{self.lag + 1}"
            )
        later, earlier = take_steps(values, self.lag, None), take_steps(values, 0, steps - self.lag)
        return later - earlier

    def continue_from(self, history: Any, future: Any) -> np.ndarray:
        """Turn differences that follow ``history`` into values: the way back from ``transform``.

        Args:
            history: the values up to the step before the future, at least ``lag`` steps:
                (time,), (time, features) or (samples, time, features).
            future: the differences of the steps that follow, of the same shape but for the
                number of steps.

        Returns:
            The values of the future steps: float64, the shape of ``future``.

        Raises:
            TypeError: where either doesn't hold real numbers.
            ValueError: where the history is shorter than ``lag``, or the shapes don't fit.
        """
        known = as_values(history, "history")
        future = as_values(future, "future")
        axis = time_axis(known)
        steps = known.shape[axis]
        if steps < self.lag:
            raise ValueError(
                f"history has {steps} time steps, but Difference({self.lag}) continues from "
                f"at least {self.lag}"
            )
        check_alike(known, future)
        values = np.concatenate([take_steps(known, steps - self.lag, None), future], axis=axis)
        for phase in range(self.lag):  # steps one lag apart form a running sum of their own
            every = take_steps(values, phase, None, self.lag)
            np.cumsum(every, axis=axis, out=every)
        return take_steps(values, self.lag, None)

    def get_state(self) -> dict[str, Any]:
        """Return a plain dict for ``from_state``."""
        return {"kind": self.kind, "lag": self.lag}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the transform whose ``get_state`` gave ``state``."""
        return cls(state["lag"])
