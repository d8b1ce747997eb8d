"""Windows: overlapping cuts of a series, each an independent sample."""

from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

import numpy as np

from statewise._renamed import renamed_arguments
from statewise.sequences._opening import is_stored
from statewise.sequences.arrays import as_panel, as_series, check_count
from statewise.sequences.window_batches import WindowBatches, window_batches

_LISTED = 20  # so many too short series are named in one error


@dataclass(frozen=True, eq=False)
class Windows:
    """Samples cut from one or several series; ``x, y = windows(...)`` unpacks it.

    All arrays are read-only: those of one series share its memory.

    Attributes:
        x: what goes in, (samples, lookback, features).
        y: what is to come out, (samples, horizon, target features); with ``horizon=0`` its
            second axis is empty.
        key: the series each sample is from, (samples,): the key of a mapping, else a position.
        start: the time step of that series at which each sample begins, (samples,) int64.
    """

    x: np.ndarray
    y: np.ndarray
    key: np.ndarray
    start: np.ndarray

    def __len__(self) -> int:
        """The number of samples."""
        return len(self.x)

    def __iter__(self) -> Iterator[np.ndarray]:
        """Yield ``x``, then ``y``."""
        return iter((self.x, self.y))

    def __repr__(self) -> str:
        return f"Windows(x={self.x.shape}, y={self.y.shape}, dtype={self.x.dtype})"


@renamed_arguments(look_back="lookback")
def create_dataset(series: Any, lookback: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Cut a series into windows of ``lookback`` steps, each with the step that follows it.

    A series of N steps gives N - lookback samples: ``x[i]`` is ``series[i:i + lookback]`` and
    ``y[i]`` is ``series[i + lookback]``, the first feature where there are several. What the
    values are (missing ones included) makes no difference. See ``windows`` for longer horizons,
    several series, and other targets.

    Args:
        series: real numbers, (time,) or (time, features).
        lookback: steps in a window, at least 1.

    Returns:
        ``x`` and ``y`` with the dtype of the series. ``x`` is (samples, lookback) for one
        feature, (samples, lookback, features) for several; ``y`` is (samples,).

    Raises:
        TypeError: where the series doesn't hold real numbers, or ``lookback`` no whole number.
        ValueError: where the series has a wrong shape or is too short for one sample.

    Example:
        >>> import numpy
        >>> train_x, train_y = create_dataset([112, 118, 132, 129, 121], lookback=3)
        >>> train_x
        array([[112, 118, 132],
               [118, 132, 129]])
        >>> train_y
        array([129, 121])
        >>> numpy.reshape(train_x, (train_x.shape[0], 3, 1)).shape  # samples, steps, features
        (2, 3, 1)
    """
    lookback = check_count(lookback, "lookback")
    values = as_series(series)
    steps, features = values.shape
    if steps <= lookback:
        raise ValueError(
            f"series has {steps} time steps, but lookback={lookback} needs at least "
            f"{lookback + 1}: {lookback} to look back on and 1 to predict"
        )
    x = _slide(values[:-1], lookback, 1)
    # Copies: this function promises ordinary arrays, as the tutorials' own one gives.
    x = x[..., 0].copy() if features == 1 else x.copy()
    return x, values[lookback:, 0].copy()


@overload
def windows(
    series: Any,
    lookback: int,
    *,
    horizon: int = 1,
    stride: int = 1,
    targets: int | str | Sequence[int | str] | None = None,
    batch: None = None,
    seed: None = None,
) -> Windows: ...


@overload
def windows(
    series: Any,
    lookback: int,
    *,
    horizon: int = 1,
    stride: int = 1,
    targets: int | str | Sequence[int | str] | None = None,
    batch: int,
    seed: int | None = None,
) -> WindowBatches: ...


def windows(
    series: Any,
    lookback: int,
    *,
    horizon: int = 1,
    stride: int = 1,
    targets: int | str | Sequence[int | str] | None = None,
    batch: int | None = None,
    seed: int | None = None,
) -> Windows | WindowBatches:
    """Cut one or several series into windows with the steps that follow each of them.

    Sample i of a series begins at its step ``start = i * stride``: its ``x`` is
    ``series[start:start + lookback]``, its ``y`` the ``horizon`` steps after that. No window
    crosses from one series into another. One series costs no memory: ``x`` and ``y`` are views
    of it. Several are copied once, window by window, in the order in which they are given.

    With ``batch`` the series stay where they are: in files (see ``scan_panel``), a memory map, a
    data set of HDF5 or Zarr, or whatever ``lanes`` takes. Their windows are read batch by batch,
    and ``fit`` takes them as they come.

    Args:
        series: one series of real numbers, (time,) or (time, features), as an array, a pandas
            Series or DataFrame, or a list of numbers; or several: a mapping key -> series, a
            list of series, or an array (series, time, features).
        lookback: steps in, at least 1.
        horizon: steps out; 0 for windows to predict from, without targets.
        stride: steps from the start of one window to the start of the next.
        targets: the feature or features that ``y`` keeps, by position, or by column name where
            the series are DataFrames; ``None`` keeps all.
        batch: samples of a batch, to read the series as they are needed.
        seed: what the order of every epoch is drawn from, where batches are read; ``None`` for the
            order as given.

    Returns:
        ``Windows`` with the dtype of the series; with ``batch``, `WindowBatches`.

    Raises:
        TypeError: where a series doesn't hold real numbers, or a count is no whole number.
        ValueError: where a series has a wrong shape or is too short for one window, the series
            have different features, a count is too small, there is no such target, or a ``seed``
            comes without ``batch``.

    Example:
        >>> tanks = {"A": [[1, 20], [2, 21], [3, 22], [4, 23]], "B": [[5, 30], [6, 31], [7, 32]]}
        >>> cut = windows(tanks, lookback=2, targets=0)
        >>> cut
        Windows(x=(3, 2, 2), y=(3, 1, 1), dtype=int64)
        >>> [(str(key), int(start)) for key, start in zip(cut.key, cut.start)]
        [('A', 0), ('A', 1), ('B', 0)]
        >>> x, y = cut
        >>> y[:, 0, 0]
        array([3, 4, 7])
    """
    lookback = check_count(lookback, "lookback")
    horizon = check_count(horizon, "horizon", 0)
    stride = check_count(stride, "stride")
    if batch is not None:
        return window_batches(
            series,
            lookback,
            horizon=horizon,
            stride=stride,
            targets=targets,
            batch=batch,
            seed=seed,
        )
    if seed is not None:
        raise ValueError(
            "seed= orders windows that are read batch by batch: give batch=, too, or let fit "
            "shuffle them"
        )
    if is_stored(series):
        raise TypeError(
            f"series is {type(series).__name__}, which stays in its files: say by batch= how many "
            "windows to read at a time"
        )
    panel = as_panel(series)
    columns = _target_columns(series, next(iter(panel.values())).shape[1], targets)
    _check_lengths(panel, lookback, horizon)

    xs, ys, starts = [], [], []
    for values in panel.values():
        known = values[: len(values) - horizon]
        xs.append(_slide(known, lookback, stride))  # (samples, lookback, features)
        if horizon:
            ys.append(_slide(values[lookback:][:, columns], horizon, stride))
        else:
            ys.append(values[:0, columns][np.newaxis].repeat(len(xs[-1]), axis=0))
        starts.append(np.arange(len(xs[-1]), dtype=np.int64) * stride)
    return Windows(
        x=_join(xs),
        y=_join(ys),
        key=_read_only(np.repeat(_key_array(list(panel)), [len(x) for x in xs])),
        start=_join(starts),
    )


def _slide(values: np.ndarray, length: int, stride: int) -> np.ndarray:
    """Return the windows of (time, features) as a view (samples, length, features)."""
    view = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    return view[::stride].transpose(0, 2, 1)


def _join(parts: list[np.ndarray]) -> np.ndarray:
    return _read_only(parts[0] if len(parts) == 1 else np.concatenate(parts))


def _read_only(array: np.ndarray) -> np.ndarray:
    array.flags.writeable = False
    return array


def _check_lengths(panel: dict[Hashable, np.ndarray], lookback: int, horizon: int) -> None:
    needed = lookback + horizon
    short = {key: len(values) for key, values in panel.items() if len(values) < needed}
    if not short:
        return
    rule = f"lookback={lookback} and horizon={horizon} need at least {needed}"
    if len(panel) == 1:
        raise ValueError(f"series has {next(iter(short.values()))} time steps, but {rule}")
    listed = ", ".join(f"{key!r} has {steps}" for key, steps in list(short.items())[:_LISTED])
    if len(short) > _LISTED:
        listed += f", and {len(short) - _LISTED} more"
    raise ValueError(
        f"{len(short)} of {len(panel)} series are too short: {rule} time steps, but {listed}; "
        "leave these out or take a smaller lookback"
    )


def _key_array(keys: list[Hashable]) -> np.ndarray:
    """Return the keys as an array of strings or integers where they are that, else of objects."""
    for kind in (str, int):
        if all(type(key) is kind for key in keys):
            return np.array(keys)
    array = np.empty(len(keys), dtype=object)
    array[:] = keys
    return array


def _target_columns(series: Any, features: int, targets: Any) -> slice | list[int]:
    """Return which columns ``y`` keeps, as a slice (a view, no copy) wherever one says it."""
    if targets is None:
        return slice(None)
    several = isinstance(targets, (list, tuple, range)) or np.ndim(targets) == 1
    wanted = list(targets) if several else [targets]
    if not wanted:
        raise ValueError("targets is empty: name at least one feature, or None for all")
    positions = [_position(series, features, target) for target in wanted]
    first, last = positions[0], positions[-1]
    if positions == list(range(first, last + 1)):
        return slice(first, last + 1)
    return positions


def _position(series: Any, features: int, target: int | str) -> int:
    if isinstance(target, str):
        names = _column_names(series)
        if target not in names:
            known = f"the columns are {names}" if names else "the series have no column names"
            raise ValueError(f"targets names the feature {target!r}, but {known}")
        return names.index(target)
    position = check_count(target, "a target", -features)
    if position >= features:
        raise ValueError(
            f"targets names the feature {position}, but the series have {features} "
            f"(positions 0 to {features - 1})"
        )
    return position % features


def _column_names(series: Any) -> list[str]:
    if isinstance(series, Mapping):
        series = next(iter(series.values()))
    elif isinstance(series, (list, tuple)):
        series = series[0]
    return [str(name) for name in getattr(series, "columns", [])]
