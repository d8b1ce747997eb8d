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

from typing import Any, NamedTuple, cast

import jax
import jax.numpy as jnp
from jax import Array

from statewise.recurrence import CELLS, Weights, run
from statewise.tasks.forecasting.distributions import LIKELIHOODS, Now
from statewise.tasks.forecasting.global_model.architecture import LEVEL, Architecture
from statewise.tasks.forecasting.global_model.windows import (
    Past,
    WindowBatch,
    average,
    embedded,
    real_steps,
    scale_of,
    shown,
    start_of,
)


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


def teacher_forcing(
    architecture: Architecture, weights: dict, windows: WindowBatch, steps: int
) -> tuple[Array, Now]:
    """Run over the known steps and ``steps - 1`` more, the true values given.

    Returns:
        The answers about the step after each, (batch, lookback + steps - 1, channels, outputs),
        and where the series stood.
    """
    scale, stop = (
        scale_of(architecture, windows),
        architecture.reach - 1 + architecture.lookback + steps - 1,
    )
    raw, _, start, level = _over(architecture, weights, windows, scale, stop)
    value = windows.values[:, architecture.reach - 1 : stop]
    return raw, Now(value, start, scale, level, windows.unit[:, None])


def warm_up(architecture: Architecture, weights: dict, windows: WindowBatch, scale: Array) -> Warm:
    """Run over the known steps."""
    stop = architecture.reach - 1 + architecture.lookback
    raw, state, _, _ = _over(architecture, weights, windows, scale, stop)
    latest = slice(stop - architecture.reach, stop)
    before = None if windows.seasonal is None else windows.seasonal[:, latest]
    age = windows.age + stop - architecture.reach
    return Warm(raw[:, -1], state, windows.values[:, latest], age, before)


def close_loop(
    architecture: Architecture,
    weights: dict,
    warm: Warm,
    windows: WindowBatch,
    scale: Array,
    steps: int,
    key=None,
) -> Array:
    """Feed the answers back over ``steps`` steps, or draws of them where there is a key.

    Returns:
        (batch, steps, channels).
    """
    likelihood = LIKELIHOODS[architecture.likelihood]
    scale, own = scale[:, 0], embedded(weights, windows.categories)
    first = architecture.reach + architecture.lookback  # the step after the first forecast one
    ahead = windows.inputs[:, first : first + steps - 1].swapaxes(0, 1)
    distant = None
    if windows.distant is not None:  # by step, (steps, batch, 1, ...)
        known = windows.distant.steps(architecture.lookback - 1, architecture.lookback + steps - 1)
        distant = jax.tree.map(lambda a: a.swapaxes(0, 1)[:, :, None], known)

    def at(step) -> Any:
        return jax.tree.map(lambda a: a[step], distant)

    def answer(warm: Warm, distant, key) -> Array:
        past = Past(warm.past, warm.before, distant, warm.age[:, None])
        start = start_of(architecture, windows, past)[:, 0]
        level = warm.past[:, -LEVEL:].mean(1)
        now = Now(warm.past[:, -1], start, scale, level, windows.unit)
        if key is None:
            return likelihood.point(warm.raw, now)
        return likelihood.sample(key, warm.raw, now)

    def step(warm: Warm, given):
        inputs, key, distant, following = given
        value = answer(warm, distant, key)
        past = _after(warm.past, value)
        before = None if warm.before is None else _after(warm.before, value)
        age = warm.age + 1
        known = Past(past, before, following, age[:, None])
        x = shown(architecture, known, scale[:, None], inputs[:, None], own, None, windows.sees)
        raw, state = _network(architecture, weights, x, warm.state, None)
        return Warm(raw[:, 0], state, past, age, before), value

    keys = None if key is None else jax.random.split(key, steps)
    before = None if keys is None else keys[:-1]
    given = ahead, before, at(slice(0, steps - 1)), at(slice(1, steps))
    warm, values = jax.lax.scan(step, warm, given, length=steps - 1)
    last = answer(warm, at(steps - 1), None if keys is None else keys[-1])
    return jnp.concatenate([values, last[None]]).swapaxes(0, 1)


def _over(architecture: Architecture, weights: dict, windows: WindowBatch, scale: Array, stop: int):
    """Run over the steps up to ``stop``; return answers, states, starts and levels."""
    values = windows.values[:, :stop]
    steps = stop - architecture.reach + 1
    age = windows.age[:, None] + jnp.arange(steps)
    own = embedded(weights, windows.categories)
    inputs = windows.inputs[:, architecture.reach : stop + 1]
    observed = (
        None if windows.observed is None else windows.observed[:, architecture.reach - 1 : stop]
    )
    seasonal = None if windows.seasonal is None else windows.seasonal[:, :stop]
    distant = None if windows.distant is None else windows.distant.steps(0, steps)
    past = Past(values, seasonal, distant, age)
    x = shown(architecture, past, scale, inputs, own, observed, windows.sees)
    cell = CELLS[architecture.cell]
    zeros = [cell.initial_state(x.shape[0], architecture.units, x.dtype)] * architecture.layers
    real = real_steps(windows.age + architecture.reach - 1, steps)
    raw, state = _network(architecture, weights, x, zeros, real)
    level = average(values, LEVEL, steps)
    return raw, state, start_of(architecture, windows, past), level


def _network(
    architecture: Architecture, weights: dict, x: Array, states: list, mask
) -> tuple[Array, list]:
    cell = CELLS[architecture.cell]
    h, after = _squashed(x), list[Any]()
    for layer, state in zip(weights["layers"], states, strict=True):
        result = run(cell, h, state, Weights(*layer), mask=mask)
        outputs = cast(Array, result.outputs)  # of all steps, as `run` gives them unless told not
        h = outputs if not after else h + outputs  # deeper layers add to it
        after.append(result.state)
    raw = h @ weights["head"] + weights["bias"]
    if architecture.shortcut:
        raw = raw + x @ weights["shortcut"]
    return raw.reshape(*raw.shape[:2], architecture.channels, architecture.outputs), after


def _squashed(x: Array) -> Array:
    """Hold what the recurrent layers see within bounds: a jump must not saturate them."""
    return jnp.arcsinh(x)


def _after(past: Array, value: Array) -> Array:
    """Return the latest values once another has come."""
    return jnp.concatenate([past[:, 1:], value[:, None]], 1)
