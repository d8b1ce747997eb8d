"""The training of a global network: many updates in one compiled program.

It is a trainer of its own beside that of `statewise.models`. Its network is no Keras model but a
pure function of weights, whose loop is closed in training too; the windows are cut from the panel
inside of the program, so that no batch is ever laid out; and next to the weights runs their
average. The optimizer is Keras's, its variables are made by `statewise.models`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise.models.training.optimizer_variables import quick_variables
from statewise.recurrence import native_threads
from statewise.tasks.forecasting.distributions import LIKELIHOODS
from statewise.tasks.forecasting.global_model.architecture import Architecture, initial_weights
from statewise.tasks.forecasting.global_model.features import Arrays
from statewise.tasks.forecasting.global_model.network import close_loop, teacher_forcing, warm_up
from statewise.tasks.forecasting.global_model.programs import COMPILED, THREADS, forget_some
from statewise.tasks.forecasting.global_model.windows import WindowBatch, cut_windows, scale_of

UPDATES = 25  # in an epoch
_MEMORY = 0.96  # what an update leaves of the average of the weights
_OTHERS = 0.2  # what the error of all other channels counts, beside the target's


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes:
        epochs: of ``UPDATES`` updates each, over which the learning rate falls to 0.
        batch: windows of an update.
        rate: the learning rate at the start.
        horizon: steps over which the loop is closed in training.
    """

    epochs: int
    batch: int
    rate: float
    horizon: int


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


class Trainer:
    """A network in training.

    Its ``weights`` are a running average of those that the optimizer moves: it errs less, and its
    validation error goes up and down less (Polyak and Juditsky, "Acceleration of stochastic
    approximation by averaging", SIAM J. Control Optim. 30, 1992).

    Args:
        architecture: of the network.
        schedule: of the training.
        data: the panel, on the network's scale.
        seed: of the initial weights.
    """

    def __init__(self, architecture: Architecture, schedule: Schedule, data: Arrays, seed: int):
        self.architecture, self.schedule, self.data = architecture, schedule, data
        self.weights = initial_weights(architecture, seed)
        self._running = self.weights
        self._program, self._moments = _train_program(architecture, schedule)

    def epoch(self, first: np.ndarray, series: np.ndarray) -> float:
        """Train on the windows of an epoch, (UPDATES, batch); return the mean loss."""
        carried = self._running, self._moments, self.weights
        forget_some(self._program)
        carried, loss = self._program(carried, self.data, first, series)
        self._running, self._moments, self.weights = carried
        return float(loss)


def _train_program(architecture: Architecture, schedule: Schedule) -> tuple[Callable, list[Array]]:
    """Return the compiled program, and the values with which the optimizer's variables begin."""
    key = (architecture, schedule)
    if key not in _PROGRAMS:
        falling = keras.optimizers.schedules.CosineDecay(schedule.rate, schedule.epochs * UPDATES)
        optimizer = keras.optimizers.Adam(falling, clipnorm=1.0)
        leaves = jax.tree.leaves(initial_weights(architecture, 0))
        with quick_variables(optimizer):
            optimizer.build([keras.Variable(leaf) for leaf in leaves])
        program = jax.jit(
            partial(_train, architecture, schedule, optimizer), compiler_options=COMPILED
        )
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
