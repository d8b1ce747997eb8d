"""The windows of a batch, and what the global network sees of them: how a series moved."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.distant import Distant, look_back
from statewise.tasks.forecasting.global_model.features import Arrays

_FLOOR = 0.1  # of the series' own scale, below which no window's scale falls


class WindowBatch(NamedTuple):
    """Windows of a batch: ``reach - 1 + lookback`` known steps, and those to forecast.

    Attributes:
        values: (batch, known + horizon, channels); what is to be forecast is known in training.
        observed: the same shape, bool, False where a value is filled in; or None.
        inputs: (batch, known + horizon, inputs).
        categories: (batch, categories) int.
        age: (batch,) how many steps of the series come before the window's first one, negative
            where the window begins earlier than the series.
        unit: (batch, channels), see `likelihoods.Now`.
        floor: (batch, channels), the mean absolute increment of the whole series as known.
        start: 1 where an untrained network repeats the season before, 0 where the last value; ().
        seasonal: as ``values``, where missing ones are as the latest season known has them; None
            where nothing is missing.
        sees: 1 where the season before is seen, 0 where not; None where it always is; ().
        distant: what stood longer seasons before, from the warm-up's first step on; None where
            there are none.
    """

    values: Array
    observed: Array | None
    inputs: Array
    categories: Array
    age: Array
    unit: Array
    floor: Array
    start: Array
    seasonal: Array | None = None
    sees: Array | None = None
    distant: Distant | None = None


def cut_windows(
    architecture: Architecture, data: Arrays, first: Array, series: Array, horizon: int
) -> WindowBatch:
    """Cut windows: known steps up to row ``first`` of the forecast, and ``horizon`` from there on.

    Args:
        architecture: of the network.
        data: the panel.
        first: the row of the first step to forecast, (batch,).
        series: the place of each window's series, (batch,).
        horizon: steps to forecast.
    """
    known = architecture.reach - 1 + architecture.lookback
    begin = data.begins[series]
    rows = first[:, None] + jnp.arange(-known, horizon)
    rows = jnp.maximum(rows, begin[:, None])  # before its beginning a series stands still
    return WindowBatch(
        values=data.values[rows],
        observed=None if data.observed is None else data.observed[rows],
        inputs=data.inputs[rows],
        categories=data.categories[series],
        age=first - known - begin,
        unit=data.unit[series],
        floor=data.floor[series],
        start=data.start,
        seasonal=None if data.seasonal is None else data.seasonal[rows],
        sees=data.sees,
        distant=look_back(architecture, data, first, begin, horizon),
    )


def scale_of(architecture: Architecture, windows: WindowBatch) -> Array:
    """Return the mean absolute increment of the known steps, (batch, 1, channels).

    A tenth of it is that of the whole series: a window in which nothing happened has a scale too.
    All of it is, where so much is missing that no two known steps follow one another.
    """
    known = windows.values[
        :, architecture.reach - 1 : architecture.reach - 1 + architecture.lookback
    ]
    moves = jnp.abs(known[:, 1:] - known[:, :-1])
    real = real_steps(windows.age + architecture.reach - 1, architecture.lookback)[:, :-1, None]
    real = jnp.broadcast_to(real, moves.shape)
    if windows.observed is not None:
        seen = windows.observed[
            :, architecture.reach - 1 : architecture.reach - 1 + architecture.lookback
        ]
        real = real & seen[:, 1:] & seen[:, :-1]
    count = real.sum(1, keepdims=True)
    mean = (moves * real).sum(1, keepdims=True) / jnp.maximum(count, 1)
    floor = windows.floor[:, None]
    rest = 0 if windows.observed is None else (1 - _FLOOR) * floor
    return jnp.where(count > 0, (1 - _FLOOR) * mean, rest) + _FLOOR * floor


class Past(NamedTuple):
    """What is known of the past at some steps.

    Attributes:
        values: the latest values up to the last of the steps, (batch, reach - 1 + steps, channels).
        seasonal: those that a season later goes on from; ``values`` themselves where None.
        distant: what stood longer seasons before, at the steps; None where there are none.
        age: how many steps of the series lie before the first value that the features of a step
            reach back to, (batch, steps).
    """

    values: Array
    seasonal: Array | None
    distant: Distant | None
    age: Array

    def season_before(self, architecture: Architecture, season: int) -> tuple[Array, Array]:
        """Return what stood a season before the next step, and whether it is there."""
        if self.distant is not None and season in architecture.distant:
            place = architecture.distant.index(season)
            return self.distant.before[:, :, place], self.distant.there[:, :, place]
        values = self.values if self.seasonal is None else self.seasonal
        before = _lagged(values, season - 1, self.age.shape[1])
        return before, (self.age + architecture.reach - 1 - season >= 0)[..., None]

    def season_move(self, architecture: Architecture, season: int, before: Array) -> Array:
        """Return how the series moved a season before the next step, to where it stood then."""
        if self.distant is not None and season in architecture.distant:
            return self.distant.move[:, :, architecture.distant.index(season)]
        values = self.values if self.seasonal is None else self.seasonal
        return before - _lagged(values, season, self.age.shape[1])


def shown(architecture: Architecture, past: Past, scale, inputs, own, observed, sees) -> Array:
    """Return what the network sees at the steps of ``past``, (batch, steps, seen).

    ``sees`` is 0 where seasons aren't shown, None where they always are.
    """
    values, steps = past.values, past.age.shape[1]
    now = _lagged(values, 0, steps)
    parts = [now - _lagged(values, 1, steps)]
    parts += [now - average(values, width, steps) for width in architecture.averages]
    for season in architecture.seasons if architecture.season_seen else ():
        before, there = past.season_before(architecture, season)
        if sees is not None:
            there = there & (sees > 0)
        parts.append(jnp.where(there, before - now, 0))
        parts.append(jnp.where(there, past.season_move(architecture, season, before), 0))
    x = [jnp.concatenate(parts, -1) / jnp.tile(scale, len(parts)), inputs]
    x += [jnp.broadcast_to(one[:, None], (*inputs.shape[:2], one.shape[-1])) for one in own]
    if architecture.gaps:
        shape = (*inputs.shape[:2], architecture.channels)
        gone = jnp.zeros(shape) if observed is None else 1.0 - observed
        x.append(gone.astype(jnp.float32))
    return jnp.concatenate(x, -1)


def start_of(architecture: Architecture, windows: WindowBatch, past: Past) -> Array:
    """Return the increments that the untrained network says, (batch, steps, channels)."""
    now = _lagged(past.values, 0, past.age.shape[1])
    if architecture.season == 1:
        return jnp.zeros_like(now)
    before, there = past.season_before(architecture, architecture.season)
    return windows.start * jnp.where(there, before - now, 0)


def real_steps(age: Array, steps: int) -> Array:
    """Whether each of the steps from ``age`` on is one of the series, (batch, steps)."""
    return age[:, None] + jnp.arange(steps) >= 0


def _lagged(values: Array, lag: int, steps: int) -> Array:
    stop = values.shape[1] - lag
    return values[:, stop - steps : stop]


def average(values: Array, width: int, steps: int) -> Array:
    """Return the average of the latest ``width`` values at each of the last steps."""
    if steps == 1:
        return values[:, -width:].mean(1, keepdims=True)
    base = values[:, -1:]  # sums of small numbers lose less
    total = jnp.cumsum(values - base, axis=1)
    total = jnp.pad(total, ((0, 0), (1, 0), (0, 0)))
    return base + (_lagged(total, 0, steps) - _lagged(total, width, steps)) / width


def embedded(weights: dict, categories: Array) -> list[Array]:
    """Return the numbers that stand for each series' categories, (batch, width) for each."""
    return [table[categories[:, i]] for i, table in enumerate(weights["tables"])]
