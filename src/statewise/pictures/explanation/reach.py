"""Which input gets to which output of a model with its own weights, measured by the gradient."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pandas as pd

from statewise.pictures.trace.model_call import call_model, quick_options
from statewise.pictures.trace.parts import intercepted
from statewise.pictures.trace.time_axis import TimeAxis
from statewise.pictures.trace.traced import Trace

_SAMPLES = 16


@dataclass(frozen=True, eq=False)
class Reach:
    """How strongly one output hangs on one input.

    Attributes:
        output: number of the output, from 0.
        input: number of the input, from 0.
        time: the places of the output's time axis; one without time.
        strength: the largest gradient, (places of the output, time steps of the input).
        timed: whether the input has time steps.
    """

    output: int
    input: int
    time: TimeAxis
    strength: np.ndarray
    timed: bool


def measure_reach(model: keras.Model, trace: Trace, xs: list | None) -> list[Reach]:
    """Return how every output hangs on every input.

    The gradient of a random sum of each output step is taken by every input step; of tokens, by
    what the layer that reads them makes of each.

    Args:
        model: built; its own weights count.
        trace: what it does.
        xs: inputs to measure at, (batch, ...) each; random ones if None.
    """
    rng = np.random.default_rng(0)
    if xs is None:  # several: a maximum, say, lets a gradient through in some of them only
        xs = [np.concatenate([v.draw(rng) for _ in range(_SAMPLES)]) for v in trace.inputs]
    xs = [jnp.asarray(x, v.dtype) for x, v in zip(xs, trace.inputs, strict=True)]
    parts = [node.part for node in trace.nodes]
    readers = _readers(trace)
    probes = [_probe(trace, i, x, readers.get(i)) for i, x in enumerate(xs)]
    values = [v.value for v in model.variables]

    def run(probes, values):
        calls = iter(range(len(trace.nodes)))

        def handle(part, original, *args, **kwargs):
            n = next(calls)
            result = original(*args, **kwargs)
            for i, reader in readers.items():
                result = result + probes[i] if reader == n else result
            return result

        added = [x if i in readers else x + probes[i] for i, x in enumerate(xs)]
        with intercepted(list(dict.fromkeys(parts)), handle):
            return jax.tree.leaves(call_model(model, added, values))

    found = []
    for o, value in enumerate(trace.outputs):
        pulled = _pull(run, probes, values, o, value.time)
        for i, (source, gradient) in enumerate(zip(trace.inputs, pulled, strict=True)):
            timed = source.time.steps is not None
            axes = (1, *range(3 if timed else 2, gradient.ndim))
            strength = np.abs(np.asarray(gradient, "float64")).max(axis=axes)
            found.append(Reach(o, i, value.time, strength.reshape(len(value.time), -1), timed))
    return found


def reach_table(reaches: list[Reach], trace: Trace) -> pd.DataFrame:
    """Return the strengths, a row for each place of an output and a column for each input step."""
    several_outputs, several_inputs = len(trace.outputs) > 1, len(trace.inputs) > 1
    blocks = []
    for o, output in enumerate(trace.outputs):
        mine = [r for r in reaches if r.output == o]
        first = f"output {o + 1}" if several_outputs else "output"
        index = [_place(first, *span, output.time.steps) for span in output.time.spans]
        columns = {}
        for reach in mine:
            name = f"input {reach.input + 1}" if several_inputs else "input"
            for step in range(reach.strength.shape[1]):
                key = f"{name} {step + 1}" if reach.timed else name
                columns[key] = reach.strength[:, step]
        blocks.append(pd.DataFrame(columns, index=index))
    return pd.concat(blocks)


def _place(name: str, start: int, stop: int, steps: int | None) -> str:
    if steps is None:
        return name
    return f"{name} {start + 1}" if stop - start == 1 else f"{name} {start + 1}-{stop}"


def _pull(run, probes, values, o: int, places: TimeAxis):
    """Return for each place of an output the gradients by all probes."""

    def pull(probes, values):
        outputs, back = jax.vjp(lambda p: run(p, values), probes)
        weights = jax.random.uniform(jax.random.key(1), outputs[o].shape, minval=0.5, maxval=1.5)
        numbers = None if places.steps is None else jnp.asarray(places.numbers())

        def at(place):
            weight = weights
            if numbers is not None:
                here = (numbers == place).reshape(1, -1, *[1] * (weights.ndim - 2))
                weight = jnp.where(here, weights, 0)
            zeros = [jnp.zeros_like(other) for other in outputs]
            zeros[o] = weight.astype(outputs[o].dtype)
            return back(zeros)[0]

        return jax.lax.map(at, jnp.arange(len(places)))

    return jax.jit(pull, compiler_options=quick_options())(probes, values)


def _readers(trace: Trace) -> dict[int, int]:
    """Return for each input of whole numbers the number of the node that reads it."""
    found: dict[int, int] = {}
    for (kind, n, _, _), reach in zip(trace.goals, trace.reach, strict=True):
        if kind != "input" or len(trace.nodes[n].outputs) != 1:
            continue
        for i, value in enumerate(trace.inputs):
            tokens = len(value.shape) == 2 and value.time.steps is not None
            if tokens and reach[i].any():
                found.setdefault(i, n)
    return found


def _probe(trace: Trace, i: int, x, reader: int | None):
    """Return zeros that are added to an input, or to what its reader makes of it."""
    if reader is None:
        return jnp.zeros_like(x) if jnp.issubdtype(x.dtype, jnp.inexact) else jnp.zeros(x.shape)
    made = trace.nodes[reader].outputs[0]
    return jnp.zeros((x.shape[0], *made.shape[1:]), made.dtype)
