"""Several transforms one after the other, fitted, undone and saved as one."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from statewise.sequences._values import Pointwise
from statewise.sequences.scaling import MinMaxScaler, StandardScaler
from statewise.sequences.transforms import Difference, Log

Transform = Pointwise | Difference

_KINDS = {one.kind: one for one in (StandardScaler, MinMaxScaler, Log, Difference)}


class Pipeline:
    """Transforms applied in the given order, and taken back in the opposite one.

    A forecaster fits it on the training part, lets the network learn on ``transform(series)``,
    and turns what the network says about the future into values with ``continue_from``.

    Args:
        transforms: ``StandardScaler``, ``MinMaxScaler``, ``Log`` or ``Difference`` objects;
            none at all leave a series as it is.

    Raises:
        TypeError: where something else is among them.

    Example:
        >>> known = [1.0, 2.0, 4.0, 8.0, 16.0]
        >>> pipeline = Pipeline([Log(), Difference(1), StandardScaler()]).fit(known)
        >>> z = pipeline.transform(known)
        >>> z.shape  # one step lost
        (4,)
        >>> pipeline.continue_from(history=known, future=z[:2]).round(6)
        array([32., 64.])
    """

    def __init__(self, transforms: Sequence[Transform]):
        self.transforms = tuple(transforms)
        for one in self.transforms:
            if not isinstance(one, (Pointwise, Difference)):
                names = ", ".join(kind.__name__ for kind in _KINDS.values())
                raise TypeError(f"a Pipeline is made of {names} objects, but got {one!r}")

    @property
    def steps_lost(self) -> int:
        """By so many steps ``transform`` shortens a series: the sum of the lags."""
        return sum(one.steps_lost for one in self.transforms)

    def fit(self, series: Any) -> Self:
        """Fit each transform on what those before it make of ``series``, and return ``self``.

        Args:
            series: the training part: (time,), (time, features) or (samples, time, features).

        Raises:
            TypeError: where it doesn't hold real numbers.
            ValueError: where a transform can't be fitted on it; see there.
        """
        for one in self.transforms:
            series = one.fit(series).transform(series)
        return self

    def transform(self, series: Any) -> np.ndarray:
        """Return the transformed series: float64, ``steps_lost`` steps shorter."""
        for one in self.transforms:
            series = one.transform(series)
        return np.asarray(series, np.float64)

    def continue_from(self, history: Any, future: Any) -> np.ndarray:
        """Turn transformed values that follow ``history`` into values on the series' own scale.

        ``continue_from(series[:t], transform(series)[t - steps_lost:])`` is ``series[t:]``.

        Args:
            history: the values up to the step before the future, untransformed, at least
                ``steps_lost`` steps: (time,), (time, features) or (samples, time, features).
                Windows of a series continue each from its own history, all in one call.
            future: the transformed values of the steps that follow, of the same shape but for
                the number of steps.

        Returns:
            The values of the future steps: float64, the shape of ``future``.

        Raises:
            TypeError: where either doesn't hold real numbers.
            ValueError: where the history is too short, or the shapes don't fit.
        """
        histories = self._histories(history)
        for one, known in zip(reversed(self.transforms), reversed(histories), strict=True):
            if isinstance(one, Difference):
                future = one.continue_from(known, future)
            else:
                future = one.inverse_transform(future)
        return np.asarray(future, np.float64)

    def _histories(self, history: Any) -> list[Any]:
        """Return the known values as each transform receives them, where it asks for them."""
        if not self.steps_lost:
            return [None] * len(self.transforms)
        axis = 1 if np.ndim(history) == 3 else 0
        steps = np.shape(history)[axis] if np.ndim(history) else 0
        if steps < self.steps_lost:
            raise ValueError(
                f"history has {steps} time steps, but this pipeline continues from at least "
                f"{self.steps_lost}"
            )
        last = max(i for i, one in enumerate(self.transforms) if one.steps_lost)
        histories = [history]
        for one in self.transforms[:last]:
            histories.append(one.transform(histories[-1]))
        return histories + [None] * (len(self.transforms) - len(histories))

    def get_state(self) -> dict[str, Any]:
        """Return everything fitted as a plain dict that JSON keeps exactly."""
        return {"kind": "chain", "transforms": [one.get_state() for one in self.transforms]}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the pipeline whose ``get_state`` gave ``state``.

        Raises:
            ValueError: where the state names a transform that doesn't exist.
        """
        transforms = []
        for part in state["transforms"]:
            if part["kind"] not in _KINDS:
                raise ValueError(
                    f"there is no transform {part['kind']!r}, only {', '.join(sorted(_KINDS))}"
                )
            transforms.append(_KINDS[part["kind"]].from_state(part))
        return cls(transforms)
