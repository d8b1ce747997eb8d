"""Scalers: each feature brought to a common scale, by what ``fit`` saw of it and nothing else.

They compute in float64, take missing values (NaN) through unchanged, refuse infinities, and
accept one series, (time,) or (time, features), or several of one length,
(samples, time, features).
"""

from typing import Any, ClassVar, Self

import numpy as np

from statewise.sequences._values import Pointwise, as_values


class _Affine(Pointwise):
    """``(series - shift) / scale`` for each feature."""

    kind: ClassVar[str]

    shift: np.ndarray | None = None  # (features,) float64; None before it's fitted
    scale: np.ndarray | None = None  # (features,) float64, never 0

    def fit(self, series: Any) -> Self:
        """Measure each feature of ``series`` over time, and return ``self``.

        Args:
            series: (time,), (time, features) or (samples, time, features); missing values
                don't count.

        Raises:
            TypeError: where it doesn't hold real numbers.
            ValueError: where it has a wrong shape, holds an infinity, or a feature without
                any value.
        """
        values = as_values(series)
        features = 1 if values.ndim == 1 else values.shape[-1]
        if features == 0:
            raise ValueError(f"{type(self).__name__} can't be fitted: the series has no feature")
        table = values.reshape(-1, features)
        known = ~np.isnan(table)
        empty = np.flatnonzero(~known.any(axis=0))
        if empty.size:
            raise ValueError(
                f"{type(self).__name__} can't be fitted: feature {empty[0]} holds no value"
            )
        pairs = [self._measure(column[seen]) for column, seen in zip(table.T, known.T, strict=True)]
        self.shift = np.array([shift for shift, _ in pairs])
        # A constant feature has no spread to divide by.
        self.scale = np.array([scale if scale > 0 else 1.0 for _, scale in pairs])
        return self

    def _measure(self, values: np.ndarray) -> tuple[float, float]:
        """Return shift and scale for the known values of one feature."""
        raise NotImplementedError

    def transform(self, series: Any) -> np.ndarray:
        """Return the series on the new scale: float64, its own shape."""
        values, shift, scale = self._checked(series, "series")
        return (values - shift) / scale

    def inverse_transform(self, values: Any) -> np.ndarray:
        """Return scaled values on the series' own scale: float64, their own shape."""
        values, shift, scale = self._checked(values, "values")
        return values * scale + shift

    def get_state(self) -> dict[str, Any]:
        """Return what was fitted as plain numbers that JSON keeps exactly."""
        shift, scale = self._fitted()
        return {"kind": self.kind, "shift": shift.tolist(), "scale": scale.tolist()}

    def _load(self, state: dict[str, Any]) -> Self:
        self.shift = np.array(state["shift"], np.float64)
        self.scale = np.array(state["scale"], np.float64)
        return self

    def _fitted(self) -> tuple[np.ndarray, np.ndarray]:
        """Return shift and scale."""
        if self.shift is None or self.scale is None:
            name = type(self).__name__
            raise ValueError(f"this {name} is not fitted yet: call fit(series) first")
        return self.shift, self.scale

    def _checked(self, series: Any, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return a series that the scaler can take, with shift and scale."""
        shift, scale = self._fitted()
        values = as_values(series, name)
        features = 1 if values.ndim == 1 else values.shape[-1]
        if features != len(shift):
            raise ValueError(
                f"{name} has {features} features, but this {type(self).__name__} "
                f"was fitted on {len(shift)}"
            )
        return values, shift, scale


class StandardScaler(_Affine):
    """Bring each feature to mean 0 and standard deviation 1 over time.

    The standard deviation divides by the number of values; a constant feature becomes 0.

    Example:
        >>> scaler = StandardScaler().fit([1.0, 3.0])
        >>> scaler.transform([1.0, 2.0, 5.0])
        array([-1.,  0.,  3.])
        >>> scaler.inverse_transform([3.0])
        array([5.])
    """

    kind = "standard"

    def _measure(self, values: np.ndarray) -> tuple[float, float]:
        if values.min() == values.max():  # the mean of equal values can be off by a rounding
            return float(values[0]), 0.0
        return float(values.mean()), float(values.std())

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the scaler whose ``get_state`` gave ``state``."""
        return cls()._load(state)


class MinMaxScaler(_Affine):
    """Bring each feature into a range: its smallest value to the low end, its largest to the high.

    Values beyond what ``fit`` saw lie outside the range; a constant feature becomes the low end.

    Args:
        feature_range: the low and the high end.

    Raises:
        ValueError: where the low end is not below the high end.

    Example:
        >>> scaler = MinMaxScaler(feature_range=(-1, 1)).fit([[10, 0], [30, 4]])
        >>> scaler.transform([[20, 5]])
        array([[0. , 1.5]])
    """

    kind = "min-max"

    def __init__(self, feature_range: tuple[float, float] = (0, 1)):
        super().__init__()
        try:
            low, high = (float(end) for end in feature_range)
        except (TypeError, ValueError):
            raise ValueError(
                f"feature_range must be two numbers (low, high), but is {feature_range!r}"
            ) from None
        if not (np.isfinite(low) and np.isfinite(high) and low < high):
            raise ValueError(
                f"feature_range must be (low, high) with low below high, but is {feature_range!r}"
            )
        self.feature_range = (low, high)

    def _measure(self, values: np.ndarray) -> tuple[float, float]:
        return float(values.min()), float(values.max() - values.min())

    def transform(self, series: Any) -> np.ndarray:
        """Return the series on the new scale: float64, its own shape."""
        low, high = self.feature_range
        return super().transform(series) * (high - low) + low

    def inverse_transform(self, values: Any) -> np.ndarray:
        """Return scaled values on the series' own scale: float64, their own shape."""
        low, high = self.feature_range
        return super().inverse_transform((as_values(values, "values") - low) / (high - low))

    def get_state(self) -> dict[str, Any]:
        """Return what was fitted as plain numbers that JSON keeps exactly."""
        return super().get_state() | {"feature_range": list(self.feature_range)}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the scaler whose ``get_state`` gave ``state``."""
        return cls(tuple(state["feature_range"]))._load(state)
