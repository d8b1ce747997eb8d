"""One network for all series of a panel: what it sees at a step, and how its loop is closed.

At each known step t the network is shown how the series moved, and says how it will move next:

* the last increment, and where the season before stood and went, as seen from the last value;
* the last value less averages of the latest ones;
* the known inputs of step t + 1, and what stays the same within a series.

All of it is relative to the last value and to the window's own scale (the mean absolute increment
of its known steps), so a series may grow as it likes: nothing the network sees grows with it. Its
answer is an increment again. The head sees the recurrent layers' output and, by a short cut, the
same features as they are; both begin at zero, so training starts from the naive forecast.

In closed loop the answer becomes the last value, and the features of the next step are computed
from it. Past-only inputs are channels of their own, forecast and fed back along with the target.
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from statewise.recurrence import GRU, LSTM, SimpleRNN, Weights, run
from statewise.tasks.forecasting.distributions import LIKELIHOODS, Now

_CELLS = {"lstm": (LSTM(), 4), "gru": (GRU(), 3), "rnn": (SimpleRNN(), 1)}
_LEVEL = 8  # so many latest values give the level of counts
_FLOOR = 0.1  # of the series' own scale, below which no window's scale falls


@dataclass(frozen=True)
class Plan:
    """What a network is built of. Everything a compiled program depends on is in here.

    Attributes:
        cell: "lstm", "gru" or "rnn".
        units: of each recurrent layer.
        layers: recurrent layers.
        channels: the target and the past-only inputs.
        inputs: numbers known for each step, those of the series' own included.
        categories: for each static category how many there are.
        season: steps in a season, 1 for none.
        lookback: known steps to warm up over.
        likelihood: a name out of ``LIKELIHOODS``.
        gaps: whether the network is told which values were missing.
        season_seen: whether it sees the season before.
        shortcut: whether the head sees the features as they are.
    """

    cell: str
    units: int
    layers: int
    channels: int
    inputs: int
    categories: tuple[int, ...]
    season: int
    lookback: int
    likelihood: str
    gaps: bool
    season_seen: bool = True
    shortcut: bool = True

    @property
    def averages(self) -> tuple[int, ...]:
        """Over how many latest values the averages run."""
        return tuple(sorted({4, 16, self.season} - {1}))

    @property
    def reach(self) -> int:
        """So many values up to a step its features depend on."""
        return max(self.season + 1, *self.averages, _LEVEL)

    @property
    def features(self) -> int:
        """Numbers that come from the series themselves at each step."""
        seasonal = 2 if self.season > 1 and self.season_seen else 0
        return self.channels * (1 + len(self.averages) + seasonal)

    @property
    def widths(self) -> tuple[int, ...]:
        """How many numbers stand for each static category."""
        return tuple(min(8, (count + 1) // 2) for count in self.categories)

    @property
    def seen(self) -> int:
        """Numbers that the first recurrent layer takes."""
        gaps = self.channels if self.gaps else 0
        return self.features + self.inputs + sum(self.widths) + gaps

    @property
    def outputs(self) -> int:
        """Numbers that the head gives for each channel."""
        return LIKELIHOODS[self.likelihood].outputs


class Window(NamedTuple):
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


def initial_weights(plan: Plan, seed: int) -> dict[str, Any]:
    """Draw a network's weights: recurrent layers as Keras does, a head of zeros.

    Args:
        plan: of the network.
        seed: of the draws; NumPy makes them, so they are the same everywhere.
    """
    rng = np.random.default_rng(seed)
    _, gates = _CELLS[plan.cell]
    layers, width = [], plan.seen
    for _ in range(plan.layers):
        limit = np.sqrt(6 / (width + plan.units))
        kernel = rng.uniform(-limit, limit, (width, gates * plan.units))
        if plan.gaps and not layers:
            kernel[-plan.channels :] = 0  # where nothing was missing, a gap is nothing it knows of
        recurrent = [_orthogonal(rng, plan.units) for _ in range(gates)]
        bias = np.zeros((2, gates * plan.units) if plan.cell == "gru" else gates * plan.units)
        if plan.cell == "lstm":
            bias[plan.units : 2 * plan.units] = 1  # the forget gate begins open
        layers.append([kernel, np.concatenate(recurrent, 1), bias])
        width = plan.units
    outputs = plan.channels * plan.outputs
    weights = {
        "layers": layers,
        "head": np.zeros((plan.units, outputs)),
        "bias": np.zeros(outputs),
        "tables": [
            0.1 * rng.normal(size=(count, width))
            for count, width in zip(plan.categories, plan.widths, strict=True)
        ],
    }
    if plan.shortcut:
        weights["shortcut"] = np.zeros((plan.seen, outputs))
    return jax.tree.map(lambda a: jax.device_put(a.astype(np.float32)), weights)


def _orthogonal(rng, size: int) -> np.ndarray:
    q, r = np.linalg.qr(rng.normal(size=(size, size)))
    return q * np.sign(np.diag(r))


class Warm(NamedTuple):
    """What is carried from step to step in closed loop.

    Attributes:
        raw: the head's answer about the next step, (batch, channels, outputs).
        state: of each recurrent layer.
        past: the latest values, (batch, reach, channels).
        age: (batch,), steps of the series before the first of ``past``.
        before: as ``past``, of the window's ``seasonal``; None where that's None.
    """

    raw: Array
    state: list
    past: Array
    age: Array
    before: Array | None


def scale_of(plan: Plan, window: Window) -> Array:
    """Return the mean absolute increment of the known steps, (batch, 1, channels).

    A tenth of it is that of the whole series: a window in which nothing happened has a scale too.
    """
    known = window.values[:, plan.reach - 1 : plan.reach - 1 + plan.lookback]
    moves = jnp.abs(known[:, 1:] - known[:, :-1])
    real = _real(window.age + plan.reach - 1, plan.lookback)[:, :-1, None]
    real = jnp.broadcast_to(real, moves.shape)
    if window.observed is not None:
        seen = window.observed[:, plan.reach - 1 : plan.reach - 1 + plan.lookback]
        real = real & seen[:, 1:] & seen[:, :-1]
    count = real.sum(1, keepdims=True)
    mean = (moves * real).sum(1, keepdims=True) / jnp.maximum(count, 1)
    return jnp.where(count > 0, (1 - _FLOOR) * mean, 0) + _FLOOR * window.floor[:, None]


def teacher(plan: Plan, weights: dict, window: Window, steps: int) -> tuple[Array, Now]:
    """Run over the known steps and ``steps - 1`` more, the true values given.

    Returns:
        The answers about the step after each, (batch, lookback + steps - 1, channels, outputs),
        and where the series stood.
    """
    scale, stop = scale_of(plan, window), plan.reach - 1 + plan.lookback + steps - 1
    raw, _, start, level = _over(plan, weights, window, scale, stop)
    value = window.values[:, plan.reach - 1 : stop]
    return raw, Now(value, start, scale, level, window.unit[:, None])


def warm_up(plan: Plan, weights: dict, window: Window, scale: Array) -> Warm:
    """Run over the known steps."""
    stop = plan.reach - 1 + plan.lookback
    raw, state, _, _ = _over(plan, weights, window, scale, stop)
    latest = slice(stop - plan.reach, stop)
    before = None if window.seasonal is None else window.seasonal[:, latest]
    age = window.age + stop - plan.reach
    return Warm(raw[:, -1], state, window.values[:, latest], age, before)


def close_loop(
    plan: Plan, weights: dict, warm: Warm, window: Window, scale: Array, steps: int, key=None
) -> Array:
    """Feed the answers back over ``steps`` steps, or draws of them where there is a key.

    Returns:
        (batch, steps, channels).
    """
    likelihood = LIKELIHOODS[plan.likelihood]
    scale, own = scale[:, 0], _embedded(weights, window.categories)
    first = plan.reach + plan.lookback  # the step after the first forecast one
    ahead = window.inputs[:, first : first + steps - 1].swapaxes(0, 1)

    def answer(warm: Warm, key) -> Array:
        start = _start(plan, window, warm.past, warm.before, warm.age[:, None])[:, 0]
        level = warm.past[:, -_LEVEL:].mean(1)
        now = Now(warm.past[:, -1], start, scale, level, window.unit)
        if key is None:
            return likelihood.point(warm.raw, now)
        return likelihood.sample(key, warm.raw, now)

    def step(warm: Warm, given):
        inputs, key = given
        value = answer(warm, key)
        past, before = _after(warm.past, value), _after(warm.before, value)
        age = warm.age + 1
        x = _shown(plan, past, before, age[:, None], scale[:, None], inputs[:, None], own, None)
        raw, state = _network(plan, weights, x, warm.state, None)
        return Warm(raw[:, 0], state, past, age, before), value

    keys = None if key is None else jax.random.split(key, steps)
    before = None if keys is None else keys[:-1]
    warm, values = jax.lax.scan(step, warm, (ahead, before), length=steps - 1)
    last = answer(warm, None if keys is None else keys[-1])
    return jnp.concatenate([values, last[None]]).swapaxes(0, 1)


def _over(plan: Plan, weights: dict, window: Window, scale: Array, stop: int):
    """Run over the steps up to ``stop``; return answers, states, starts and levels."""
    values = window.values[:, :stop]
    steps = stop - plan.reach + 1
    age = window.age[:, None] + jnp.arange(steps)
    own = _embedded(weights, window.categories)
    inputs = window.inputs[:, plan.reach : stop + 1]
    observed = None if window.observed is None else window.observed[:, plan.reach - 1 : stop]
    seasonal = None if window.seasonal is None else window.seasonal[:, :stop]
    x = _shown(plan, values, seasonal, age, scale, inputs, own, observed)
    cell, _ = _CELLS[plan.cell]
    zeros = [cell.initial_state(x.shape[0], plan.units, x.dtype)] * plan.layers
    real = _real(window.age + plan.reach - 1, steps)
    raw, state = _network(plan, weights, x, zeros, real)
    level = _average(values, _LEVEL, steps)
    return raw, state, _start(plan, window, values, seasonal, age), level


def _network(plan: Plan, weights: dict, x: Array, states: list, mask) -> tuple[Array, list]:
    cell, _ = _CELLS[plan.cell]
    h, after = _squashed(x), []
    for layer, state in zip(weights["layers"], states, strict=True):
        result = run(cell, h, state, Weights(*layer), mask=mask)
        h = result.outputs if not after else h + result.outputs  # deeper layers add to it
        after.append(result.state)
    raw = h @ weights["head"] + weights["bias"]
    if plan.shortcut:
        raw = raw + x @ weights["shortcut"]
    return raw.reshape(*raw.shape[:2], plan.channels, plan.outputs), after


def _squashed(x: Array) -> Array:
    """Hold what the recurrent layers see within bounds: a jump must not saturate them."""
    return jnp.arcsinh(x)


def _shown(plan: Plan, values, seasonal, age, scale, inputs, own, observed) -> Array:
    """Return what the network sees at the last steps of ``values``, (batch, steps, seen).

    ``seasonal`` are the values that tell of the season before, ``values`` themselves where None.
    ``age`` (batch, steps) is how many steps of the series lie before the first value that the
    features of a step reach back to.
    """
    steps = age.shape[1]
    now = _lagged(values, 0, steps)
    parts = [now - _lagged(values, 1, steps)]
    parts += [now - _average(values, width, steps) for width in plan.averages]
    if plan.season > 1 and plan.season_seen:
        there = _has_season(plan, age)
        seasonal = values if seasonal is None else seasonal
        before = _lagged(seasonal, plan.season - 1, steps)
        parts.append(jnp.where(there, before - now, 0))
        parts.append(jnp.where(there, before - _lagged(seasonal, plan.season, steps), 0))
    x = [jnp.concatenate(parts, -1) / jnp.tile(scale, len(parts)), inputs]
    x += [jnp.broadcast_to(one[:, None], (*inputs.shape[:2], one.shape[-1])) for one in own]
    if plan.gaps:
        shape = (*inputs.shape[:2], plan.channels)
        gone = jnp.zeros(shape) if observed is None else 1.0 - observed
        x.append(gone.astype(jnp.float32))
    return jnp.concatenate(x, -1)


def _after(past: Array | None, value: Array) -> Array | None:
    """Return the latest values once another has come."""
    return None if past is None else jnp.concatenate([past[:, 1:], value[:, None]], 1)


def _start(plan: Plan, window: Window, values: Array, seasonal, age: Array) -> Array:
    """Return the increments that the untrained network says, (batch, steps, channels)."""
    steps = age.shape[1]
    now = _lagged(values, 0, steps)
    if plan.season == 1:
        return jnp.zeros_like(now)
    before = _lagged(values if seasonal is None else seasonal, plan.season - 1, steps)
    return window.start * jnp.where(_has_season(plan, age), before - now, 0)


def _has_season(plan: Plan, age: Array) -> Array:
    """Whether the series had begun a season before, (batch, steps, 1)."""
    return (age + plan.reach - 1 - plan.season >= 0)[..., None]


def _real(age: Array, steps: int) -> Array:
    """Whether each of the steps from ``age`` on is one of the series, (batch, steps)."""
    return age[:, None] + jnp.arange(steps) >= 0


def _lagged(values: Array, lag: int, steps: int) -> Array:
    stop = values.shape[1] - lag
    return values[:, stop - steps : stop]


def _average(values: Array, width: int, steps: int) -> Array:
    """Return the average of the latest ``width`` values at each of the last steps."""
    if steps == 1:
        return values[:, -width:].mean(1, keepdims=True)
    base = values[:, -1:]  # sums of small numbers lose less
    total = jnp.cumsum(values - base, axis=1)
    total = jnp.pad(total, ((0, 0), (1, 0), (0, 0)))
    return base + (_lagged(total, 0, steps) - _lagged(total, width, steps)) / width


def _embedded(weights: dict, categories: Array) -> list[Array]:
    return [table[categories[:, i]] for i, table in enumerate(weights["tables"])]
