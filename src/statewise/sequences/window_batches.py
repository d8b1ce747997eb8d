"""Windows of series that are larger than memory, batch by batch as they are read."""

from collections.abc import Iterator, Sequence
from copy import copy
from typing import Any, NamedTuple

import numpy as np

from statewise.sequences._opening import open_source
from statewise.sequences._packing import blocks_of, shuffled_blocks
from statewise.sequences._sources import Source
from statewise.sequences.arrays import check_count

SPAN_BYTES = 1 << 24  # of the steps that are read at once


class WindowBatch(NamedTuple):
    """What one batch takes from the windows.

    Attributes:
        x: what goes in, (batch, lookback, features).
        y: what is to come out, (batch, horizon, target features).
        where: int64 (batch, 2): which series each window is from (its position in
            ``WindowBatches.keys``), and with which of its steps it begins.
    """

    x: np.ndarray
    y: np.ndarray
    where: np.ndarray


class _Spans(NamedTuple):
    """Windows that are read together, for all of them: an array each."""

    series: np.ndarray
    start: np.ndarray  # the step at which the first of them begins
    windows: np.ndarray  # how many


class WindowBatches:
    """Windows of series that stay where they are stored; made by ``windows`` with ``batch``.

    Attributes:
        keys: of the series.
        lengths: the time steps of each series, (series,) int64.
        features, target_features: of each step of ``x`` and ``y``.
        lookback, horizon, stride: as they were given.
        batch: samples of a batch.
        num_samples, num_batches: in an epoch; the last batch may be smaller.
        seed: what the order of an epoch is drawn from; None for the order as given.

    Example:
        >>> tanks = {"A": [[1, 20], [2, 21], [3, 22], [4, 23]], "B": [[5, 30], [6, 31], [7, 32]]}
        >>> from statewise.sequences import windows
        >>> cut = windows(tanks, lookback=2, targets=0, batch=2)
        >>> for x, y, where in cut.epoch():
        ...     print(x[..., 0].tolist(), y[:, 0, 0].tolist(), where.tolist())
        [[1, 2], [2, 3]] [3, 4] [[0, 0], [0, 1]]
        [[5, 6]] [7] [[1, 0]]
    """

    def __init__(
        self,
        source: Source,
        *,
        lookback: int,
        horizon: int,
        stride: int,
        columns: Sequence[int],
        batch: int,
        seed: int | None,
    ):
        self._source = source
        self._columns = list(columns)
        self.keys = list(source.keys)
        self.lengths = source.lengths
        self.features = source.features
        self.target_features = len(self._columns)
        self.lookback = lookback
        self.horizon = horizon
        self.stride = stride
        self.batch = batch
        self.seed = seed
        counts = (self.lengths - lookback - horizon) // stride + 1  # of windows in each series
        self.num_samples = int(counts.sum())
        self.num_batches = -(-self.num_samples // batch)
        self._spans = self._cut_in_spans(counts)

    def __len__(self) -> int:
        """The number of samples."""
        return self.num_samples

    def in_order(self) -> "WindowBatches":
        """Return these windows in the order as given, as for prediction."""
        other = copy(self)
        other.seed = None
        return other

    @property
    def dtype(self) -> np.dtype:
        """Of the values."""
        return self._source.dtype

    def epoch(self, number: int = 0) -> Iterator[WindowBatch]:
        """Return the batches of an epoch, each read when its turn comes.

        With a seed, the order is drawn on two levels: in which order parts of the data are read,
        and that of all windows of a few parts, so that what is read once is in memory once.

        Args:
            number: of the epoch; each has an order of its own, the same whenever it's asked for.

        Raises:
            TypeError: where the number is no whole number.
            ValueError: where it is below 0; while reading, where a source doesn't give what it has.
        """
        return self.blocks(self.batch, number)

    def blocks(self, samples: int, number: int = 0) -> Iterator[WindowBatch]:
        """Return what ``epoch`` does, so many samples at a time."""
        number = check_count(number, "number", 0)
        rng = None if self.seed is None else np.random.default_rng([self.seed, number])
        return self._blocks(check_count(samples, "samples"), rng)

    def _blocks(self, samples: int, rng: np.random.Generator | None) -> Iterator[WindowBatch]:
        left: list[WindowBatch] = []
        for some in self._groups(rng):
            values, begins, where = self._read(some)
            order = np.arange(len(begins)) if rng is None else rng.permutation(len(begins))
            done = 0
            while done < len(order):
                missing = samples - sum(len(part.x) for part in left)
                chosen = order[done : done + missing]
                left.append(self._gather(values, begins[chosen], where[chosen]))
                done += len(chosen)
                if sum(len(part.x) for part in left) == samples:
                    yield _joined(left)
                    left = []
        if left:
            yield _joined(left)

    def _groups(self, rng: np.random.Generator | None) -> Iterator[_Spans]:
        """Yield the spans that are in memory together, in the order of an epoch."""
        steps = (self._spans.windows - 1) * self.stride + self.lookback + self.horizon
        block = blocks_of(steps, self.features * self.dtype.itemsize, SPAN_BYTES)
        group = block if rng is None else shuffled_blocks(block, rng)
        order = np.argsort(group, kind="stable")  # what lies together is read together
        for one in np.split(order, np.flatnonzero(np.diff(group[order])) + 1):
            yield _Spans(*(array[one] for array in self._spans))

    def _read(self, spans: _Spans) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return the steps of spans one below the other, where windows begin in them, and whose."""
        steps = (spans.windows - 1) * self.stride + self.lookback + self.horizon
        ends = np.cumsum(steps)
        values = np.empty((int(ends[-1]), self.features), self.dtype)
        for series, start, count, end in zip(
            spans.series.tolist(), spans.start.tolist(), steps.tolist(), ends.tolist(), strict=True
        ):
            values[end - count : end] = self._source.read(series, start, start + count)
        within = np.arange(int(spans.windows.sum())) - np.repeat(
            np.cumsum(spans.windows) - spans.windows, spans.windows
        )
        begins = np.repeat(ends - steps, spans.windows) + within * self.stride
        where = np.column_stack(
            [
                np.repeat(spans.series, spans.windows),
                np.repeat(spans.start, spans.windows) + within * self.stride,
            ]
        )
        return values, begins, where

    def _gather(self, values: np.ndarray, begins: np.ndarray, where: np.ndarray) -> WindowBatch:
        x = values[begins[:, np.newaxis] + np.arange(self.lookback)]
        after = begins[:, np.newaxis] + np.arange(self.lookback, self.lookback + self.horizon)
        return WindowBatch(x, values[after][..., self._columns], where)

    def _cut_in_spans(self, counts: np.ndarray) -> _Spans:
        """Cut the windows of each series so that no span takes more than `SPAN_BYTES`."""
        each = self.features * self.dtype.itemsize
        most = max(1, (SPAN_BYTES // each - self.lookback - self.horizon) // self.stride + 1)
        parts = -(-counts // most)
        series = np.repeat(np.arange(len(counts)), parts)
        number = np.arange(len(series)) - np.repeat(np.cumsum(parts) - parts, parts)
        count = np.minimum(most, counts[series] - number * most)
        return _Spans(series, number * most * self.stride, count)

    def __repr__(self) -> str:
        return (
            f"WindowBatches(samples={self.num_samples}, batch={self.batch}, "
            f"x=(batch, {self.lookback}, {self.features}), "
            f"y=(batch, {self.horizon}, {self.target_features}), dtype={self.dtype})"
        )


def _joined(parts: list[WindowBatch]) -> WindowBatch:
    if len(parts) == 1:
        return parts[0]
    return WindowBatch(*(np.concatenate(arrays) for arrays in zip(*parts, strict=True)))


def window_batches(
    series: Any,
    lookback: int,
    *,
    horizon: int,
    stride: int,
    targets: Any,
    batch: int,
    seed: int | None,
) -> WindowBatches:
    """Return the windows of series that stay where they are; see ``windows``."""
    batch = check_count(batch, "batch")
    seed = None if seed is None else check_count(seed, "seed", 0)
    source = open_source(series)
    if targets is None:
        columns = list(range(source.features))
    else:
        several = isinstance(targets, (list, tuple, range)) or np.ndim(targets) == 1
        columns = [source.position(one) for one in (list(targets) if several else [targets])]
        if not columns:
            raise ValueError("targets is empty: name at least one feature, or None for all")
    needed = lookback + horizon
    short = np.flatnonzero(source.lengths < needed)
    if len(short):
        first = short[0]
        raise ValueError(
            f"{len(short)} of {len(source.keys)} series are too short: lookback={lookback} and "
            f"horizon={horizon} need at least {needed} time steps, but {source.keys[first]!r} has "
            f"{source.lengths[first]}; leave these out or take a smaller lookback"
        )
    return WindowBatches(
        source,
        lookback=lookback,
        horizon=horizon,
        stride=stride,
        columns=columns,
        batch=batch,
        seed=seed,
    )
