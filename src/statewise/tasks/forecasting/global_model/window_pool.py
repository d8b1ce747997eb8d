"""Windows cut out of a panel that passes by, which is never in memory whole, and trained on then.

Which windows an epoch shows doesn't depend on the values, so they are drawn before they are read,
each series as likely as the next, as from a panel in memory. A pass over the panel brings those of
some epochs together, each as a short series of its own: as many steps as the network looks back on,
and the horizon. It's cut after its series was brought onto the network's scale, so that what is
trained on is what it would be in memory.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from statewise.sequences import DataError, Panel
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.config import (
    UPDATES,
    IncrementSpec,
    Request,
    holds_counts,
    on_device,
    schedule_of,
    starting_from,
)
from statewise.tasks.forecasting.global_model.features import Arrays, Encoder, lay_out, with_gaps
from statewise.tasks.forecasting.global_model.programs import in_threads
from statewise.tasks.forecasting.global_model.training import Updates, draw_places
from statewise.tasks.forecasting.progress import Progress

_HELD = 1 << 28  # bytes of windows, unless those of one epoch are more
_MOST = 1 << 31

Blocks = Callable[[], Iterator[Panel]]  # the series to learn from, in the same order each time


class Wider(NamedTuple):
    """A panel of which the one in memory is a sample.

    Attributes:
        blocks: gives its series.
        series: how many these are.
        encoder: of the inputs of all.
        lowest: the lowest value of the target.
    """

    blocks: Blocks
    series: int
    encoder: Encoder
    lowest: float


def train_on_wider(
    wider: Wider,
    architecture: Architecture,
    spec: IncrementSpec,
    request: Request,
    epochs: int,
    progress: Progress,
) -> list[Updates]:
    """Train networks on windows of a panel that isn't in memory.

    Args:
        wider: the panel.
        architecture: of the networks.
        spec: how level and season are handled.
        request: what was asked for.
        epochs: how long to train.
        progress: called after each epoch.

    Returns:
        The networks, ``request.members`` of them.

    Raises:
        DataError: where the windows of one epoch are too long for any memory.
    """
    members = [Updates(architecture, request, 1 + i) for i in range(request.members)]
    least = _bytes(architecture, request) * len(members) * UPDATES * schedule_of(request).batch
    if least > _MOST and epochs:
        raise DataError(
            f"the network looks back on {before(architecture):,} steps: the windows of one epoch "
            f"take {least / 1e9:.3g} GB. Name a shorter season or lookback"
        )
    at_once = max(1, _HELD // least)
    for begin in range(0, epochs, at_once):
        pool = _Pool(architecture, spec, request, members, min(at_once, epochs - begin), wider)
        for place in range(pool.epochs):
            shown = [pool.of(number, place) for number in range(len(members))]
            losses = in_threads(
                [partial(m.train_on, *one) for m, one in zip(members, shown, strict=True)]
            )
            progress("training", begin + place + 1, epochs, float(np.mean(losses)))
    return members


def before(architecture: Architecture) -> int:
    """Return how many steps before a forecast a window depends on."""
    return architecture.lookback + max(architecture.reach - 1, *architecture.distant, 0)


def _bytes(architecture: Architecture, request: Request) -> int:
    numbers = architecture.channels * (4 + 1 + 4) + 4 * architecture.inputs
    return (before(architecture) + schedule_of(request).horizon) * numbers


class _Pool:
    """The windows of some epochs of all members."""

    def __init__(
        self,
        architecture: Architecture,
        spec: IncrementSpec,
        request: Request,
        members: list[Updates],
        epochs: int,
        wider: Wider,
    ):
        self.epochs, self._spec, self._request = epochs, spec, request
        schedule = schedule_of(request)
        self._shape = UPDATES, schedule.batch
        self._known, self._horizon = before(architecture), schedule.horizon
        drawn = [
            [draw_places(m.rng, wider.series, schedule) for _ in range(epochs)] for m in members
        ]
        self._series = np.array([[places for places, _ in one] for one in drawn]).ravel()
        self._along = np.array([[along for _, along in one] for one in drawn]).ravel()
        self._order = np.argsort(self._series, kind="stable")
        count, steps = len(self._series), self._known + self._horizon
        channels = architecture.channels
        self._values = np.zeros((count, steps, channels), np.float32)
        self._observed = np.ones((count, steps, channels), bool) if architecture.gaps else None
        seasonal = architecture.gaps and request.shortest > 1
        self._seasonal = np.zeros_like(self._values) if seasonal else None
        self._inputs = np.zeros((count, steps, architecture.inputs), np.float32)
        self._categories = np.zeros((count, len(architecture.categories)), np.int32)
        self._unit = np.ones((count, channels), np.float32)
        self._late = np.zeros(count, np.int64)  # steps that the series begins after the window
        self._collect(wider)

    def of(self, member: int, epoch: int) -> tuple[Arrays, np.ndarray, np.ndarray]:
        """Return what `Updates.train_on` takes: the windows of one member's epoch."""
        each = self._shape[0] * self._shape[1]
        begin = (member * self.epochs + epoch) * each
        part, steps = slice(begin, begin + each), self._known + self._horizon

        def flat(array: np.ndarray) -> np.ndarray:
            return array[part].reshape(each * steps, array.shape[-1])

        rows = np.arange(each) * steps
        unit = self._unit[part]
        data = Arrays(
            values=flat(self._values),
            observed=None if self._observed is None else flat(self._observed),
            inputs=flat(self._inputs),
            categories=self._categories[part],
            begins=(rows + self._late[part]).astype(np.int32),
            unit=unit,
            floor=np.ones_like(unit),
            start=np.float32(0),
            seasonal=None if self._seasonal is None else flat(self._seasonal),
        )
        data = on_device(starting_from(data, self._spec, self._request))
        first, series = rows + self._known, np.arange(each)
        return data, first.reshape(self._shape), series.reshape(self._shape)

    def _collect(self, wider: Wider) -> None:
        begin, sorted_series = 0, self._series[self._order]
        for panel in wider.blocks():
            low, high = np.searchsorted(sorted_series, [begin, begin + len(panel)])
            which = self._order[low:high]
            if len(which):
                shown, place = np.unique(self._series[which] - begin, return_inverse=True)
                self._cut(panel.select(shown), which, place, wider.encoder)
            begin += len(panel)
        if begin != wider.series:
            raise DataError(
                f"there were {wider.series:,} series when the panel was read first, and "
                f"{begin:,} now: let nothing change it while it's learned from"
            )

    def _cut(self, panel: Panel, which: np.ndarray, series: np.ndarray, encoder: Encoder) -> None:
        """Cut windows out of the series that they are of.

        Args:
            panel: the series.
            which: the numbers of the windows.
            series: the place of each one's series.
            encoder: of the inputs.
        """
        request = self._request
        data, _ = lay_out(
            panel,
            encoder,
            log=self._spec.log,
            counts=holds_counts(request),
            season=request.shortest,
            extra=0,
        )
        if self._observed is not None:
            data = with_gaps(data, request.shortest)
        lengths = panel.lengths[series]
        origins = lengths - self._horizon - request.least + 1
        first = request.least + (self._along[which] * origins).astype(int)
        late = np.maximum(self._known - first, 0)
        begins = data.begins[series].astype(np.int64)
        rows = (begins + first)[:, None] + np.arange(-self._known, self._horizon)
        rows = np.maximum(rows, begins[:, None])
        self._values[which] = data.values[rows]
        self._inputs[which] = data.inputs[rows]
        if self._observed is not None and data.observed is not None:
            self._observed[which] = data.observed[rows]
        if self._seasonal is not None and data.seasonal is not None:
            self._seasonal[which] = data.seasonal[rows]
        self._categories[which] = data.categories[series]
        self._unit[which] = data.unit[series]
        self._late[which] = late
