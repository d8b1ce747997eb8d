"""Measuring what hangs on what: change one step of one thing, and look what moves."""

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise.pictures.trace.calls import loop_arguments
from statewise.pictures.trace.model_call import call_model, carrying, compiled
from statewise.pictures.trace.parts import intercepted, parts_of
from statewise.pictures.trace.time_axis import time_axis
from statewise.pictures.trace.traced import Node, Trace, Value


def measure_nodes(found: Trace, rng) -> None:
    """Fill in what each part does with its inputs."""
    works, probes = [], []
    for node in found.nodes:
        inputs = node.inputs
        if node.part.recurrent:  # two steps tell the direction
            first = inputs[0]
            two = Value((1, 2, *first.shape[2:]), first.dtype, time_axis(2))
            inputs, outputs = [two, *inputs[1:]], [Value(node.outputs[0].shape, "", time_axis(2))]
        else:
            outputs = node.outputs
        variables = node.part.layer.variables
        values = [_random_like(v, rng) for v in variables]
        base = [v.draw(rng) for v in inputs]
        other = [v.draw_other(b, rng) for v, b in zip(inputs, base, strict=True)]
        works.append((node.again, variables, inputs, outputs))
        probes.append((values, base, other))

    def run(probes):
        return [_moved(*work, *probe) for work, probe in zip(works, probes, strict=True)]

    for node, (*_, inputs, _), probe, (base, moved) in zip(
        found.nodes, works, probes, compiled(run)(probes), strict=True
    ):
        reach = [_split(np.asarray(m).T, [len(v.time) for v in inputs]) for m in moved]
        if node.part.recurrent:
            node.backwards = bool(reach[0][0][0, 1])  # its first output knows the last step
        else:
            node.reach = reach
            node.moves = _are_copies(base, probe[1])
            for i, value in enumerate(node.inputs):
                _settle_row(value, [r[i] for r in node.reach], node, i)


def measure_between(model, found: Trace, rng) -> None:
    """Fill in the ways between the parts."""
    parts = parts_of(model)
    sources, goals = [v for *_, v in found.sources], [v for *_, v in found.goals]
    layers = {n: found.nodes[n].part.layer for n in found.carried}

    def between(arrays):
        kinds = iter(zip(found.sources, arrays, strict=True))
        xs, outputs, carried = [], {}, {}
        for (kind, n, _, _), array in kinds:
            if kind == "input":
                xs.append(array)
            else:
                (outputs if kind == "output" else carried).setdefault(n, []).append(array)
        calls, seen = iter(range(len(found.nodes))), []

        def handle(part, original, *args, **kwargs):
            n = next(calls)
            if part.recurrent:
                sequences, begin, *_ = loop_arguments(*args, **kwargs)
                seen.extend([sequences, *jax.tree.leaves(begin)])
                end = jax.tree.unflatten(jax.tree.structure(begin), outputs[n][1:])
                return outputs[n][0][:, -1], outputs[n][0], end
            seen.extend(a for a in jax.tree.leaves((args, kwargs)) if isinstance(a, jax.Array))
            shapes = jax.eval_shape(lambda: original(*args, **kwargs))
            return jax.tree.unflatten(jax.tree.structure(shapes), outputs[n])

        states = {layers[n]: arrays for n, arrays in carried.items()}
        with intercepted(parts, handle), carrying(list(states), list(states.values())):
            results = jax.tree.leaves(call_model(model, xs, [v.value for v in model.variables]))
        return [*seen, *results]

    base = [v.draw(rng) for v in sources]
    other = [v.draw_other(b, rng) for v, b in zip(sources, base, strict=True)]
    run = compiled(lambda base, other: _moved(between, [], sources, goals, [], base, other))
    arrays, moved = run(base, other)
    pool = np.unique(np.concatenate([np.ravel(a).astype("float64") for a in base]))
    for array, m in zip(arrays, moved, strict=True):
        found.reach.append(_split(np.asarray(m).T, [len(v.time) for v in sources]))
        found.copied.append(bool(np.isin(np.ravel(array).astype("float64"), pool).all()))


def _moved(function, variables, inputs, outputs, values, base, other):
    """Return what comes out for ``base``, and what moves when a place is changed to ``other``.

    Returns:
        The outputs, and for each of them bool (places of all inputs, places of the output).
    """
    counts = [len(v.time) for v in inputs]
    owners = [i for i, count in enumerate(counts) for _ in range(count)]
    places = [place for count in counts for place in range(count)]

    def run(arrays):
        pairs = list(zip(variables, values, strict=True))
        with keras.StatelessScope(state_mapping=pairs):
            return function(arrays)

    still = run(base)

    def probe(which):
        owner, place = which
        arrays = []
        for i, (value, one, two) in enumerate(zip(inputs, base, other, strict=True)):
            here = jnp.asarray(owner == i)
            if value.time.steps is not None:
                here = here & (value.time.numbers() == place)
                here = here.reshape(1, -1, *[1] * (len(value.shape) - 2))
            arrays.append(jnp.where(here, two, one))
        return [
            _places_that_differ(a, b, v)
            for a, b, v in zip(run(arrays), still, outputs, strict=True)
        ]

    if not owners:
        return still, [jnp.zeros((0, len(v.time)), bool) for v in outputs]
    return still, jax.lax.map(probe, (jnp.array(owners), jnp.array(places)))


def _places_that_differ(a, b, value: Value):
    differ = a != b
    if jnp.issubdtype(a.dtype, jnp.inexact):
        # The same sum may be rounded another way in the loop: what is changed moves far more.
        differ = ~(jnp.abs(a - b) <= 16 * jnp.finfo(a.dtype).eps * (1 + jnp.abs(b)))
    if value.time.steps is None:
        return differ.any()[None]
    by_step = differ.any(axis=(0, *range(2, differ.ndim)))
    return jnp.stack([by_step[start:stop].any() for start, stop in value.time.spans])


def _settle_row(value: Value, reach: list[np.ndarray], node: Node, i: int) -> None:
    """Decide whether a row of numbers is a sequence of tokens: each makes a step of its own."""
    if len(value.shape) != 2 or value.time.steps is None:
        return
    if not all(r.shape[0] == r.shape[1] and (r == np.eye(len(r))).all() for r in reach):
        value.time = time_axis(None)
        for each in node.reach:
            each[i] = np.any(each[i], axis=1, keepdims=True)


def settle_tokens(found: Trace) -> None:
    """Take a row of numbers that is given to the model for time only where a part does."""
    for i, value in enumerate(found.inputs):
        if len(value.shape) != 2:
            continue
        is_time = any(
            goal.time.steps == value.time.steps and reach[i].any()
            for (*_, goal), reach in zip(found.goals, found.reach, strict=True)
            if len(goal.shape) == 2
        )
        if not is_time:
            value.time = time_axis(None)
            for reach in found.reach:
                reach[i] = np.any(reach[i], axis=1, keepdims=True)
    for (*_, goal), reach in zip(found.goals, found.reach, strict=True):
        if len(goal.shape) == 2 and goal.time.steps is None:
            for i, r in enumerate(reach):
                reach[i] = np.any(r, axis=0, keepdims=True)


def _are_copies(outputs, inputs) -> bool:
    if not outputs or not inputs:
        return False
    pool = np.unique(np.concatenate([np.ravel(a).astype("float64") for a in inputs]))
    return all(np.isin(np.ravel(a).astype("float64"), pool).all() for a in outputs)


def _split(reach: np.ndarray, counts: list[int]) -> list[np.ndarray]:
    return np.split(reach, np.cumsum(counts)[:-1], axis=1) if counts else []


def _random_like(variable, rng) -> np.ndarray:
    if not np.issubdtype(variable.dtype, np.inexact):
        return np.asarray(variable.value)
    shape = tuple(variable.shape)
    if not variable.trainable:  # a variance, say: it must be positive
        return rng.uniform(0.2, 1.0, shape).astype(variable.dtype)
    spread = 1 / np.sqrt(max(shape[0] if len(shape) > 1 else 1, 1))
    return rng.normal(scale=spread, size=shape).astype(variable.dtype)
