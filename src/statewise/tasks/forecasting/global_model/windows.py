"""The windows of a batch, and what the global network sees of them: how a series moved."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from statewise.tasks.forecasting.global_model.architecture import Architecture
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
    )


def scale_of(architecture: Architecture, windows: WindowBatch) -> Array:
    """Return the mean absolute increment of the known steps, (batch, 1, channels).

    A tenth of it is that of the whole series: a window in which nothing happened has a scale too.
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
    return jnp.where(count > 0, (1 - _FLOOR) * mean, 0) + _FLOOR * windows.floor[:, None]


def shown(
    architecture: Architecture, values, seasonal, age, scale, inputs, own, observed, sees
) -> Array:
    """Return what the network sees at the last steps of ``values``, (batch, steps, seen).

    ``seasonal`` are the values of the season before, ``values`` themselves where None.
    ``sees`` is 0 where they aren't shown, None where they always are.
    ``age`` (batch, steps) is how many steps of the series lie before the first value that the
    features of a step reach back to.
    """
    steps = age.shape[1]
    now = _lagged(values, 0, steps)
    parts = [now - _lagged(values, 1, steps)]
    parts += [now - average(values, width, steps) for width in architecture.averages]
    for season in architecture.seasons if architecture.season_seen else ():
        there = _has_season(architecture, season, age)
        if sees is not None:
            there = there & (sees > 0)
        bridged = values if seasonal is None else seasonal
        before = _lagged(bridged, season - 1, steps)
        parts.append(jnp.where(there, before - now, 0))
        parts.append(jnp.where(there, before - _lagged(bridged, season, steps), 0))
    x = [jnp.concatenate(parts, -1) / jnp.tile(scale, len(parts)), inputs]
    x += [jnp.broadcast_to(one[:, None], (*inputs.shape[:2], one.shape[-1])) for one in own]
    if architecture.gaps:
        shape = (*inputs.shape[:2], architecture.channels)
        gone = jnp.zeros(shape) if observed is None else 1.0 - observed
        x.append(gone.astype(jnp.float32))
    return jnp.concatenate(x, -1)


def start_of(
    architecture: Architecture, windows: WindowBatch, values: Array, seasonal, age: Array
) -> Array:
    """Return the increments that the untrained network says, (batch, steps, channels)."""
    steps = age.shape[1]
    now = _lagged(values, 0, steps)
    if architecture.season == 1:
        return jnp.zeros_like(now)
    before = _lagged(values if seasonal is None else seasonal, architecture.season - 1, steps)
    there = _has_season(architecture, architecture.season, age)
    return windows.start * jnp.where(there, before - now, 0)


def _has_season(architecture: Architecture, season: int, age: Array) -> Array:
    """Whether the series had begun a season before, (batch, steps, 1)."""
    return (age + architecture.reach - 1 - season >= 0)[..., None]


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
