"""The training of a global network: many updates in one compiled program.

It is a trainer of its own beside that of `statewise.models`. Its network is no Keras model but a
pure function of weights, whose loop is closed in training too; the windows are cut from the panel
inside of the program, so that no batch is ever laid out; and next to the weights runs their
average. The optimizer is Keras's, its variables are made by `statewise.models`.
"""

from functools import partial

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise.models.training.optimizer_variables import quick_variables
from statewise.recurrence import native_threads
from statewise.sequences import Panel
from statewise.tasks.forecasting.distributions import LIKELIHOODS
from statewise.tasks.forecasting.global_model.architecture import Architecture, initial_weights
from statewise.tasks.forecasting.global_model.config import (
    UPDATES,
    Request,
    Schedule,
    schedule_of,
)
from statewise.tasks.forecasting.global_model.features import Arrays
from statewise.tasks.forecasting.global_model.network import close_loop, teacher_forcing, warm_up
from statewise.tasks.forecasting.global_model.programs import (
    COMPILED,
    THREADS,
    Program,
    in_threads,
)
from statewise.tasks.forecasting.global_model.windows import WindowBatch, cut_windows, scale_of
from statewise.tasks.forecasting.progress import Progress

_MEMORY = 0.96  # what an update leaves of the average of the weights
_OTHERS = 0.2  # what the error of all other channels counts, beside the target's


def loss_of(architecture: Architecture, weights: dict, windows: WindowBatch, horizon: int) -> Array:
    """Return the mean loss of a batch: of the closed loop's points, or of the likelihood.

    A point forecast learns what it will be asked for, the closed loop over the horizon. A
    likelihood learns each next step from the true ones before it, as paths are drawn from it.
    """
    if architecture.likelihood == "none":
        scale = scale_of(architecture, windows)
        warm = warm_up(architecture, weights, windows, scale)
        ahead = close_loop(architecture, weights, warm, windows, scale, horizon)
        truth = windows.values[:, -horizon:]
        losses = jnp.abs(ahead - truth) / scale
    else:
        raw, now = teacher_forcing(architecture, weights, windows, horizon)
        # The latter half of the known steps too: the scale is the whole window's anyway.
        steps = horizon + architecture.lookback // 2
        raw, now = raw[:, -steps:], jax.tree.map(lambda a: a[:, -min(steps, a.shape[1]) :], now)
        losses = LIKELIHOODS[architecture.likelihood].loss(raw, now, windows.values[:, -steps:])
    weight = (
        jnp.full(architecture.channels, _OTHERS / max(1, architecture.channels - 1)).at[0].set(1.0)
    )
    if windows.observed is not None:
        seen = windows.observed[:, -losses.shape[1] :] * weight
        return (losses * seen).sum() / jnp.maximum(seen.sum(), 1)
    return (losses * weight).mean() * architecture.channels / weight.sum()


class Updates:
    """A network in training, shown whatever windows it's given.

    Its ``weights`` are a running average of those that the optimizer moves: it errs less, and its
    validation error goes up and down less (Polyak and Juditsky, "Acceleration of stochastic
    approximation by averaging", SIAM J. Control Optim. 30, 1992).

    Args:
        architecture: of the network.
        request: what was asked for.
        number: distinguishes the run's initial weights and windows from those of others.

    Attributes:
        weights: of the network, so far.
        losses: the mean loss of each epoch.
        rng: what draws its windows.
    """

    def __init__(self, architecture: Architecture, request: Request, number: int):
        self._schedule = schedule_of(request)
        self.rng = np.random.default_rng([request.seed, number])
        self.weights = initial_weights(architecture, request.seed + number)
        self._running = self.weights
        self._program, self._moments = _train_program(architecture, self._schedule)
        self.losses: list[float] = []

    def train_on(self, data: Arrays, rows: np.ndarray, series: np.ndarray) -> float:
        """Train for an epoch, and return its mean loss.

        Args:
            data: in which the windows are.
            rows: the row of each window's first step to forecast, (UPDATES, batch).
            series: the place of its series, (UPDATES, batch).
        """
        carried = self._running, self._moments, self.weights
        carried, loss = self._program(carried, data, rows.astype(np.int32), series.astype(np.int32))
        self._running, self._moments, self.weights = carried
        self.losses.append(float(loss))
        return self.losses[-1]


class TrainingRun(Updates):
    """A network in training, and the panel that its windows are drawn from.

    Args:
        architecture: of the network.
        data: the panel, on the network's scale.
        lengths: how many steps of each series may be looked at.
        request: what was asked for.
        number: see `Updates`.
    """

    def __init__(
        self,
        architecture: Architecture,
        data: Arrays,
        lengths: np.ndarray,
        request: Request,
        number: int,
    ):
        super().__init__(architecture, request, number)
        self._data, self._lengths, self._least = data, lengths, request.least
        self._begins = np.asarray(data.begins)

    def epoch(self) -> float:
        """Train for an epoch on windows drawn from the panel, and return its mean loss."""
        first, series = _draw_windows(self.rng, self._lengths, self._schedule, self._least)
        return self.train_on(self._data, self._begins[series] + first, series)


def train_members(
    panel: Panel,
    architecture: Architecture,
    data: Arrays,
    request: Request,
    epochs: int,
    progress: Progress,
) -> list[Updates]:
    """Train networks on a panel, from other initial weights and windows than validation's."""
    members = [
        TrainingRun(architecture, data, panel.lengths, request, 1 + i)
        for i in range(request.members)
    ]
    for epoch in range(epochs):
        losses = in_threads([member.epoch for member in members])
        progress("training", epoch + 1, epochs, float(np.mean(losses)))
    return list(members)


def draw_places(
    rng: np.random.Generator, count: int, schedule: Schedule
) -> tuple[np.ndarray, np.ndarray]:
    """Draw where an epoch's windows lie: which of so many series, and how far on in it.

    Args:
        rng: what draws.
        count: of the series.
        schedule: of the training.

    Returns:
        The place of each window's series, and a number from 0 to below 1, (UPDATES, batch) each.
    """
    shape = UPDATES, schedule.batch
    return rng.integers(0, count, shape), rng.random(shape)


def _draw_windows(
    rng: np.random.Generator, lengths: np.ndarray, schedule: Schedule, least: int
) -> tuple[np.ndarray, np.ndarray]:
    """Draw an epoch's windows: a series, each as likely as the next, and an origin within it.

    Args:
        rng: what draws.
        lengths: of the series, (series,).
        schedule: of the training.
        least: known steps before an origin.

    Returns:
        The first step to forecast, counted from the series' beginning, and the place of its series,
        (UPDATES, batch) each.
    """
    origins = lengths - schedule.horizon - least + 1
    enough, begin = np.flatnonzero(origins > 0), np.full(len(lengths), least)
    if not len(enough):  # the longest ones, from the one origin that they have
        enough = np.flatnonzero(lengths == lengths.max())
        begin, origins = np.maximum(lengths - schedule.horizon, 1), np.ones(len(lengths))
    places, along = draw_places(rng, len(enough), schedule)
    series = enough[places]
    return begin[series] + (along * origins[series]).astype(int), series


def _train_program(architecture: Architecture, schedule: Schedule) -> tuple[Program, list[Array]]:
    """Return the compiled program, and the values with which the optimizer's variables begin."""
    key = (architecture, schedule)
    if key not in _PROGRAMS:
        falling = keras.optimizers.schedules.CosineDecay(schedule.rate, schedule.epochs * UPDATES)
        optimizer = keras.optimizers.Adam(falling, clipnorm=1.0)
        leaves = jax.tree.leaves(initial_weights(architecture, 0))
        with quick_variables(optimizer):
            optimizer.build([keras.Variable(leaf) for leaf in leaves])
        program = Program(partial(_train, architecture, schedule, optimizer), COMPILED)
        _PROGRAMS[key] = program, [v.value for v in optimizer.variables]
        while len(_PROGRAMS) > _KEPT:
            _PROGRAMS.pop(next(iter(_PROGRAMS)))
    return _PROGRAMS[key]


_PROGRAMS: dict[tuple, tuple] = {}  # compiled once for each architecture and schedule
_KEPT = 16


def _train(architecture, schedule, optimizer, carried, data, first, series):
    treedef = jax.tree.structure(carried[0])

    def update(carried, drawn):
        weights, moments, average = carried
        windows = cut_windows(architecture, data, *drawn, schedule.horizon)
        with native_threads(THREADS):
            loss, gradients = jax.value_and_grad(
                lambda w: loss_of(architecture, w, windows, schedule.horizon)
            )(weights)
        leaves, moments = optimizer.stateless_apply(
            moments, jax.tree.leaves(gradients), jax.tree.leaves(weights)
        )
        weights = jax.tree.unflatten(treedef, leaves)
        average = jax.tree.map(lambda a, w: a + (1 - _MEMORY) * (w - a), average, weights)
        return (weights, moments, average), loss

    carried, losses = jax.lax.scan(update, carried, (first, series))
    return carried, losses.mean()
