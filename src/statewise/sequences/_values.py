"""What the transforms share: their input checked, its time axis found, and the pointwise kind."""

from typing import Any, ClassVar, Self

import numpy as np

from statewise.sequences.arrays import as_numbers


class Pointwise:
    """What the pointwise transforms share: no step is lost, each is undone on its own."""

    steps_lost: ClassVar[int] = 0

    def get_state(self) -> dict[str, Any]:
        """Return everything fitted as plain values that JSON keeps exactly."""
        raise NotImplementedError

    def fit(self, series: Any) -> Self:
        """Learn what there is to learn from ``series``, and return ``self``."""
        raise NotImplementedError

    def transform(self, series: Any) -> np.ndarray:
        """Return the series on the new scale: float64, its own shape."""
        raise NotImplementedError

    def inverse_transform(self, values: Any) -> np.ndarray:
        """Return transformed values on the series' own scale: float64, their own shape."""
        raise NotImplementedError


def as_values(series: Any, name: str = "series") -> np.ndarray:
    """Return ``series`` as float64 with one to three axes, without infinities."""
    values = as_numbers(series, name).astype(np.float64, copy=False)
    if values.ndim not in (1, 2, 3):
        raise ValueError(
            f"{name} must have the shape (time,), (time, features) or (samples, time, features), "
            f"but has the shape {values.shape}"
        )
    infinite = np.isinf(values)
    if infinite.any():
        first = tuple(np.argwhere(infinite)[0])
        raise ValueError(
            f"{name} holds {int(infinite.sum())} infinities, the first {place(first)}: "
            "replace them by numbers, or by NaN where the value is missing"
        )
    return values


def place(index: tuple[int, ...]) -> str:
    """Name a position as a person reads it."""
    axes = {1: ("time step",), 2: ("time step", "feature"), 3: ("sample", "time step", "feature")}
    return "at " + ", ".join(f"{a} {i}" for a, i in zip(axes[len(index)], index, strict=True))


def time_axis(values: np.ndarray) -> int:
    return 1 if values.ndim == 3 else 0


def take_steps(values: np.ndarray, start: int, stop: int | None, step: int = 1) -> np.ndarray:
    """Return a view of some of the time steps."""
    cut = slice(start, stop, step)
    return values[:, cut] if values.ndim == 3 else values[cut]


def check_alike(history: np.ndarray, future: np.ndarray) -> None:
    axis = time_axis(history)
    wanted = [*history.shape]
    if future.ndim == history.ndim:
        wanted[axis] = future.shape[axis]
    if future.shape != tuple(wanted):
        raise ValueError(
            "future must have the shape of history but for the number of time steps, "
            f"but history has {history.shape} and future {future.shape}"
        )
