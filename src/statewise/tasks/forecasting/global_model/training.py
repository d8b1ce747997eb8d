"""The compiled programs of a global network: many updates in one call, many forecasts in one."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import keras
import numpy as np
from jax import Array

from statewise.models.training.optimizer_variables import quick_slots
from statewise.recurrence import native_threads
from statewise.tasks.forecasting.distributions import LIKELIHOODS
from statewise.tasks.forecasting.global_model.features import Arrays
from statewise.tasks.forecasting.global_model.network import (
    Plan,
    Window,
    close_loop,
    initial_weights,
    scale_of,
    teacher,
    warm_up,
)

UPDATES = 25  # in an epoch
_AT_ONCE = 1024  # lanes of a forecast that run side by side
_MEMORY = 0.96  # what an update leaves of the average of the weights
# Without XLA's newer way to emit fused loops these programs compile in half the time, and run a
# fifth faster.
_COMPILED = {"xla_cpu_use_fusion_emitters": False}
# Two networks at least train side by side (see `global_learners`), and share the processors.
_THREADS = max(1, (os.cpu_count() or 1) // 2)
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


def cut(plan: Plan, data: Arrays, first: Array, series: Array, horizon: int) -> Window:
    """Cut windows: known steps up to row ``first`` of the forecast, and ``horizon`` from there on.

    Args:
        plan: of the network.
        data: the panel.
        first: the row of the first step to forecast, (batch,).
        series: the place of each window's series, (batch,).
        horizon: steps to forecast.
    """
    known = plan.reach - 1 + plan.lookback
    begin = data.begins[series]
    rows = first[:, None] + jnp.arange(-known, horizon)
    rows = jnp.maximum(rows, begin[:, None])  # before its beginning a series stands still
    return Window(
        values=data.values[rows],
        observed=None if data.observed is None else data.observed[rows],
        inputs=data.inputs[rows],
        categories=data.categories[series],
        age=first - known - begin,
        unit=data.unit[series],
        floor=data.floor[series],
        start=data.start,
        seasonal=None if data.seasonal is None else data.seasonal[rows],
    )


def loss_of(plan: Plan, weights: dict, window: Window, horizon: int) -> Array:
    """Return the mean loss of a batch: of the closed loop's points, or of the likelihood.

    A point forecast learns what it will be asked for, the closed loop over the horizon. A
    likelihood learns each next step from the true ones before it, as paths are drawn from it.
    """
    if plan.likelihood == "none":
        scale = scale_of(plan, window)
        warm = warm_up(plan, weights, window, scale)
        ahead = close_loop(plan, weights, warm, window, scale, horizon)
        truth = window.values[:, -horizon:]
        losses = jnp.abs(ahead - truth) / scale
    else:
        raw, now = teacher(plan, weights, window, horizon)
        # The latter half of the known steps too: the scale is the whole window's anyway.
        steps = horizon + plan.lookback // 2
        raw, now = raw[:, -steps:], jax.tree.map(lambda a: a[:, -min(steps, a.shape[1]) :], now)
        losses = LIKELIHOODS[plan.likelihood].loss(raw, now, window.values[:, -steps:])
    weight = jnp.full(plan.channels, _OTHERS / max(1, plan.channels - 1)).at[0].set(1.0)
    if window.observed is not None:
        seen = window.observed[:, -losses.shape[1] :] * weight
        return (losses * seen).sum() / jnp.maximum(seen.sum(), 1)
    return (losses * weight).mean() * plan.channels / weight.sum()


class Training:
    """A network in training.

    Its ``weights`` are a running average of those that the optimizer moves: it errs less, and its
    validation error goes up and down less (Polyak and Juditsky, "Acceleration of stochastic
    approximation by averaging", SIAM J. Control Optim. 30, 1992).

    Args:
        plan: of the network.
        schedule: of the training.
        data: the panel, on the network's scale.
        seed: of the initial weights.
    """

    def __init__(self, plan: Plan, schedule: Schedule, data: Arrays, seed: int):
        self.plan, self.schedule, self.data = plan, schedule, data
        self.weights = initial_weights(plan, seed)
        self._running = self.weights
        self._program, self._moments = _train_program(plan, schedule)

    def epoch(self, first: np.ndarray, series: np.ndarray) -> float:
        """Train on the windows of an epoch, (UPDATES, batch); return the mean loss."""
        carried = self._running, self._moments, self.weights
        _forget_some(self._program)
        carried, loss = self._program(carried, self.data, first, series)
        self._running, self._moments, self.weights = carried
        return float(loss)


def _train_program(plan: Plan, schedule: Schedule) -> tuple[Callable, list[Array]]:
    """Return the compiled program, and the values with which the optimizer's variables begin."""
    key = (plan, schedule)
    if key not in _PROGRAMS:
        falling = keras.optimizers.schedules.CosineDecay(schedule.rate, schedule.epochs * UPDATES)
        optimizer = keras.optimizers.Adam(falling, clipnorm=1.0)
        leaves = jax.tree.leaves(initial_weights(plan, 0))
        with quick_slots(optimizer):
            optimizer.build([keras.Variable(leaf) for leaf in leaves])
        program = jax.jit(partial(_train, plan, schedule, optimizer), compiler_options=_COMPILED)
        _PROGRAMS[key] = program, [v.value for v in optimizer.variables]
        while len(_PROGRAMS) > _KEPT:
            _PROGRAMS.pop(next(iter(_PROGRAMS)))
    return _PROGRAMS[key]


def _forget_some(program) -> None:
    """Forget what a program was compiled for, once that's many panels: it holds memory."""
    if program._cache_size() > _SHAPES:
        program.clear_cache()


_PROGRAMS: dict[tuple, tuple] = {}  # compiled once for each plan and schedule
_KEPT = 16
_SHAPES = 24  # of panels and their windows, that a program is kept compiled for


def _train(plan, schedule, optimizer, carried, data, first, series):
    treedef = jax.tree.structure(carried[0])

    def update(carried, drawn):
        weights, moments, average = carried
        window = cut(plan, data, *drawn, schedule.horizon)
        with native_threads(_THREADS):
            loss, gradients = jax.value_and_grad(
                lambda w: loss_of(plan, w, window, schedule.horizon)
            )(weights)
        leaves, moments = optimizer.stateless_apply(
            moments, jax.tree.leaves(gradients), jax.tree.leaves(weights)
        )
        weights = jax.tree.unflatten(treedef, leaves)
        average = jax.tree.map(lambda a, w: a + (1 - _MEMORY) * (w - a), average, weights)
        return (weights, moments, average), loss

    carried, losses = jax.lax.scan(update, carried, (first, series))
    return carried, losses.mean()


def forecast(
    plan: Plan, weights: dict, data: Arrays, first: np.ndarray, series: np.ndarray, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast the target in closed loop from many origins.

    Args:
        plan: of the network.
        weights: of the network.
        data: the panel, with the inputs of the rows to forecast.
        first: the row of the first step to forecast, (windows,).
        series: the place of each window's series, (windows,).
        horizon: steps to forecast.

    Returns:
        (windows, horizon) float32 on the network's scale; and the windows' scales, (windows,).
    """
    points, scale = _in_chunks(
        partial(_points, plan, horizon=horizon), weights, data, first, series, _AT_ONCE
    )
    return points, scale


def draw_paths(
    plan: Plan,
    weights: dict,
    data: Arrays,
    first: np.ndarray,
    series: np.ndarray,
    *,
    horizon: int,
    paths: int,
    seed: int,
) -> np.ndarray:
    """Draw paths through the closed loop, (windows, paths, horizon) on the network's scale."""
    at_once = max(1, 4 * _AT_ONCE // paths)
    drawn, _ = _in_chunks(
        partial(_paths, plan, horizon=horizon, paths=paths, seed=seed),
        weights,
        data,
        first,
        series,
        at_once,
    )
    return drawn


def _in_chunks(function, weights, data, first, series, at_once):
    """Run over the windows, so many at once: one compiled program, however many there are."""
    count = len(first)
    at_once = min(at_once, 1 << (count - 1).bit_length())
    _forget_some(_compiled)
    results = []
    for chunk in range(-(-count // at_once)):
        rows = np.arange(chunk * at_once, (chunk + 1) * at_once) % count
        results.append(
            _compiled(
                function.func,
                tuple(function.args),
                tuple(sorted(function.keywords.items())),
                weights,
                data,
                np.int32(chunk),
                first[rows].astype(np.int32),
                series[rows].astype(np.int32),
            )
        )
    return [np.concatenate(parts)[:count] for parts in zip(*results, strict=True)]


@partial(jax.jit, static_argnums=(0, 1, 2), compiler_options=_COMPILED)
def _compiled(function, arguments, options, weights, data, chunk, first, series):
    return function(*arguments, weights, data, chunk, first, series, **dict(options))


def _points(plan, weights, data, chunk, first, series, *, horizon):
    window = cut(plan, data, first, series, horizon)
    scale = scale_of(plan, window)
    with native_threads(_THREADS):
        warm = warm_up(plan, weights, window, scale)
        ahead = close_loop(plan, weights, warm, window, scale, horizon)
    return ahead[..., 0], scale[:, 0, 0]


def _paths(plan, weights, data, chunk, first, series, *, horizon, paths, seed):
    window = cut(plan, data, first, series, horizon)
    scale = scale_of(plan, window)
    warm = warm_up(plan, weights, window, scale)
    key = jax.random.fold_in(jax.random.key(seed), chunk)

    def repeated(tree: Any) -> Any:
        return jax.tree.map(lambda a: jnp.repeat(a, paths, axis=0), tree)

    # What was known is not looked at any more: only the inputs ahead are.
    start, window = (
        window.start,
        window._replace(values=None, observed=None, start=None, seasonal=None),
    )
    window = repeated(window)._replace(start=start)
    ahead = close_loop(plan, weights, repeated(warm), window, repeated(scale), horizon, key)
    return ahead[..., 0].reshape(first.shape[0], paths, horizon), scale[:, 0, 0]
