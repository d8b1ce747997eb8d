"""What a model does with time, found by running it: which step of what goes into which step.

The model's parts (`interception`) are first called on shapes alone. Then two things are measured,
both with random values, and both the same way: change one step, and look what moves.

* Between the parts: the model runs with every part standing aside, its outputs replaced by given
  values, so that what is left is the way from the outputs of the parts to the inputs of others.
* Within each part that isn't a recurrent layer: its own outputs against its own inputs.

Random weights stand in for the model's own, because the picture is of what the layers do, and a
weight that happens to be zero would hide it. No data are needed, and nothing of the model changes.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import keras
import numpy as np

from statewise.layers import Carry
from statewise.layers.recurrent import Recurrent
from statewise.pictures.interception import Part, intercepted, parts_of
from statewise.pictures.slots import Slots, slots

# Compiled to run once: the time goes into compiling.
QUICK = {
    "xla_backend_optimization_level": 0,
    "xla_llvm_disable_expensive_passes": True,
    "xla_cpu_parallel_codegen_split_count": 1,
    "xla_cpu_use_fusion_emitters": False,
}

# What JAX raises where a layer asks for values that a trace doesn't have.
_VALUES_WANTED = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)


@dataclass(eq=False)
class Value:
    """An array that enters or leaves a part, or the model; one sample.

    Attributes:
        shape: with a batch axis of 1.
        dtype: as NumPy's.
        slots: where the steps of its time axis are drawn.
        tokens: for numbers that choose a row of a table, how many rows there are.
    """

    shape: tuple[int, ...]
    dtype: str
    slots: Slots
    tokens: int | None = None

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return random values."""
        if self._is_whole:
            return rng.integers(0, self._kinds, self.shape).astype(self.dtype)
        return rng.normal(size=self.shape).astype(self.dtype)

    def draw_other(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random values that all differ from the given ones."""
        if not self._is_whole:
            return self.draw(rng)
        further = rng.integers(1, self._kinds, self.shape)
        return ((values.astype(int) + further) % self._kinds).astype(self.dtype)

    @property
    def _is_whole(self) -> bool:
        return self.tokens is not None or not np.issubdtype(self.dtype, np.inexact)

    @property
    def _kinds(self) -> int:
        return max(self.tokens or 5, 2)


@dataclass(eq=False)
class Node:
    """One call of a part.

    Attributes:
        part: what was called.
        inputs: what went in; of a recurrent layer the sequence, then its state.
        outputs: what came out; of a recurrent layer the output of each step, then its state.
        again: calls the part with other inputs.
        reach: for each output, for each input: bool (places of the output, places of the input),
            which of them it depends on. None for a recurrent layer.
        moves: whether every output is an input, put elsewhere.
        backwards: of a recurrent layer, whether it begins at the last step.
    """

    part: Part
    inputs: list[Value]
    outputs: list[Value]
    again: Callable
    reach: list[list[np.ndarray]] | None = None
    moves: bool = False
    backwards: bool = False


@dataclass(eq=False)
class Trace:
    """What `trace` found.

    Attributes:
        inputs: of the model.
        outputs: of the model.
        nodes: the calls of its parts, in order.
        carried: for each stateful recurrent layer, the arrays that it may take from the last batch.
        reach: for each goal (`goals`), for each source (`sources`): bool, as `Node.reach`.
        copied: for each goal, whether everything in it is something of a source, unchanged.
    """

    inputs: list[Value]
    outputs: list[Value]
    nodes: list[Node]
    carried: dict[int, list[Value]]
    reach: list[list[np.ndarray]] = field(default_factory=list)
    copied: list[bool] = field(default_factory=list)

    @property
    def sources(self) -> list[tuple[str, int, int, Value]]:
        """What the ways between the parts begin at: kind, number of the node, which, the value."""
        return [
            *(("input", 0, i, v) for i, v in enumerate(self.inputs)),
            *(
                ("output", n, i, v)
                for n, x in enumerate(self.nodes)
                for i, v in enumerate(x.outputs)
            ),
            *(("carried", n, i, v) for n, c in self.carried.items() for i, v in enumerate(c)),
        ]

    @property
    def goals(self) -> list[tuple[str, int, int, Value]]:
        """What the ways between the parts lead to."""
        return [
            *(("input", n, i, v) for n, x in enumerate(self.nodes) for i, v in enumerate(x.inputs)),
            *(("result", 0, i, v) for i, v in enumerate(self.outputs)),
        ]


def trace(model: keras.Model, shapes: Sequence[tuple[int, ...]], dtypes: Sequence[str]) -> Trace:
    """Find out what a built model does with inputs of the given shapes, one for each input.

    Args:
        model: built.
        shapes: with a batch axis of 1.
        dtypes: of the inputs.
    """
    found = _record(model, shapes, dtypes)
    rng = np.random.default_rng(0)
    _measure_nodes(found, rng)
    _measure_between(model, found, rng)
    _settle_tokens(found)
    return found


def _record(model, shapes, dtypes) -> Trace:
    """Call the model on shapes, and note every call of a part."""
    parts, nodes = parts_of(model), []

    def handle(part, original, *args, **kwargs):
        record = _record_loop if part.recurrent else _record_call
        try:
            node, result = record(part, original, args, kwargs)
        except _VALUES_WANTED as error:
            raise ValueError(
                f"Layer {part.layer.name!r} ({type(part.layer).__name__}) looks at the values that "
                "come before it computes, so it can't be run on shapes, and not be drawn."
            ) from error
        nodes.append(node)
        return result

    def call(*xs):
        with intercepted(parts, handle), _carrying(_stateful(parts), None):
            return call_model(model, xs, [v.value for v in model.variables])

    given = [jax.ShapeDtypeStruct(s, d) for s, d in zip(shapes, dtypes, strict=True)]
    outputs = jax.tree.leaves(jax.eval_shape(call, *given))
    stateful = {id(layer) for layer in _stateful(parts)}
    carried = {
        n: [_value(v) for v in node.outputs[1:]]
        for n, node in enumerate(nodes)
        if id(node.part.layer) in stateful
    }
    # Whether a row of numbers is a sequence of tokens is settled once it has been measured.
    inputs = [_value(a, row_is_time=True) for a in given]
    found = Trace(inputs, [_value(a) for a in outputs], nodes, carried)
    _settle_images(found)
    return found


def _record_call(part, original, args, kwargs):
    leaves, structure = jax.tree.flatten((args, kwargs))
    places = [i for i, leaf in enumerate(leaves) if isinstance(leaf, (jax.Array, np.ndarray))]
    still = [None if i in places else leaf for i, leaf in enumerate(leaves)]

    def again(arrays):
        filled = list(still)
        for i, array in zip(places, arrays, strict=True):
            filled[i] = array
        args, kwargs = jax.tree.unflatten(structure, filled)
        return jax.tree.leaves(original(*args, **kwargs))

    result = original(*args, **kwargs)
    arrays, outputs = [leaves[i] for i in places], jax.tree.leaves(result)
    table = _table_of(part.layer)
    inputs = [_value(a, row_is_time=_may_be_tokens(a, outputs), tokens=table) for a in arrays]
    return Node(part, inputs, [_value(a) for a in outputs], again), result


def _record_loop(part, original, args, kwargs):
    sequences, begin, mask, training = _loop_arguments(*args, **kwargs)
    layer = part.layer
    returned = layer.return_sequences
    layer.return_sequences = True  # all steps are drawn, whether they are handed on or not
    try:
        last, outputs, end = original(sequences, begin, mask, training=training)
    finally:
        layer.return_sequences = returned
    states = jax.tree.leaves(begin)

    def again(arrays):
        """Run over as many steps as come, here two, from the initial state."""
        layer.return_sequences = True
        try:
            fresh = jax.tree.unflatten(jax.tree.structure(begin), arrays[1:])
            return [original(arrays[0], fresh, None, training=False)[1]]
        finally:
            layer.return_sequences = returned

    inputs = [_value(sequences), *map(_value, states)]
    node = Node(part, inputs, [_value(outputs), *map(_value, jax.tree.leaves(end))], again)
    return node, (last, outputs, end)


def _loop_arguments(sequences, initial_state, mask=None, training=False):
    return sequences, initial_state, mask, training


def _measure_nodes(found: Trace, rng) -> None:
    """Fill in what each part does with its inputs."""
    works, probes = [], []
    for node in found.nodes:
        inputs = node.inputs
        if node.part.recurrent:  # two steps tell the direction
            first = inputs[0]
            two = Value((1, 2, *first.shape[2:]), first.dtype, slots(2))
            inputs, outputs = [two, *inputs[1:]], [Value(node.outputs[0].shape, "", slots(2))]
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
        found.nodes, works, probes, _compiled(run)(probes), strict=True
    ):
        reach = _by_value(np.asarray(m) for m in moved)
        reach = [_split(r, [len(v.slots) for v in inputs]) for r in reach]
        if node.part.recurrent:
            node.backwards = bool(reach[0][0][0, 1])  # its first output knows the last step
        else:
            node.reach = reach
            node.moves = _are_copies(base, probe[1])
            for i, value in enumerate(node.inputs):
                _settle_row(value, [r[i] for r in node.reach], node, i)


def _by_value(moved):
    return [m.T for m in moved]  # (places of the output, all probes)


def _measure_between(model, found: Trace, rng) -> None:
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
                sequences, begin, *_ = _loop_arguments(*args, **kwargs)
                seen.extend([sequences, *jax.tree.leaves(begin)])
                end = jax.tree.unflatten(jax.tree.structure(begin), outputs[n][1:])
                return outputs[n][0][:, -1], outputs[n][0], end
            seen.extend(a for a in jax.tree.leaves((args, kwargs)) if isinstance(a, jax.Array))
            shapes = jax.eval_shape(lambda: original(*args, **kwargs))
            return jax.tree.unflatten(jax.tree.structure(shapes), outputs[n])

        states = {layers[n]: arrays for n, arrays in carried.items()}
        with intercepted(parts, handle), _carrying(list(states), list(states.values())):
            results = jax.tree.leaves(call_model(model, xs, [v.value for v in model.variables]))
        return [*seen, *results]

    base = [v.draw(rng) for v in sources]
    other = [v.draw_other(b, rng) for v, b in zip(sources, base, strict=True)]
    run = _compiled(lambda base, other: _moved(between, [], sources, goals, [], base, other))
    arrays, moved = run(base, other)
    pool = np.unique(np.concatenate([np.ravel(a).astype("float64") for a in base]))
    for array, m in zip(arrays, moved, strict=True):
        found.reach.append(_split(np.asarray(m).T, [len(v.slots) for v in sources]))
        found.copied.append(bool(np.isin(np.ravel(array).astype("float64"), pool).all()))


def _moved(function, variables, inputs, outputs, values, base, other):
    """Return what comes out for ``base``, and what moves when a place is changed to ``other``.

    Returns:
        The outputs, and for each of them bool (places of all inputs, places of the output).
    """
    counts = [len(v.slots) for v in inputs]
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
            if value.slots.steps is not None:
                here = here & (value.slots.numbers() == place)
                here = here.reshape(1, -1, *[1] * (len(value.shape) - 2))
            arrays.append(jnp.where(here, two, one))
        return [
            _places_that_differ(a, b, v)
            for a, b, v in zip(run(arrays), still, outputs, strict=True)
        ]

    if not owners:
        return still, [jnp.zeros((0, len(v.slots)), bool) for v in outputs]
    return still, jax.lax.map(probe, (jnp.array(owners), jnp.array(places)))


def _places_that_differ(a, b, value: Value):
    differ = a != b
    if jnp.issubdtype(a.dtype, jnp.inexact):
        # The same sum may be rounded another way in the loop: what is changed moves far more.
        differ = ~(jnp.abs(a - b) <= 16 * jnp.finfo(a.dtype).eps * (1 + jnp.abs(b)))
    if value.slots.steps is None:
        return differ.any()[None]
    by_step = differ.any(axis=(0, *range(2, differ.ndim)))
    return jnp.stack([by_step[start:stop].any() for start, stop in value.slots.spans])


def _settle_images(found: Trace) -> None:
    """Take the second axis of what has four or more for time only where it's as long as that."""
    kinds = (keras.layers.TimeDistributed, keras.layers.RNN)
    timed = any(isinstance(node.part.layer, kinds) for node in found.nodes)
    lengths = {value.shape[1] for value in found.inputs if len(value.shape) > 2} if timed else ()
    values = [*found.inputs, *found.outputs, *(v for c in found.carried.values() for v in c)]
    for node in found.nodes:
        values += node.inputs + node.outputs
    for value in values:
        if len(value.shape) > 3 and value.shape[1] not in lengths:
            value.slots = slots(None)


def _settle_row(value: Value, reach: list[np.ndarray], node: Node, i: int) -> None:
    """Decide whether a row of numbers is a sequence of tokens: each makes a step of its own."""
    if len(value.shape) != 2 or value.slots.steps is None:
        return
    if not all(r.shape[0] == r.shape[1] and (r == np.eye(len(r))).all() for r in reach):
        value.slots = slots(None)
        for each in node.reach:
            each[i] = each[i].any(axis=1, keepdims=True)


def _settle_tokens(found: Trace) -> None:
    """Take a row of numbers that is given to the model for time only where a part does."""
    for i, value in enumerate(found.inputs):
        if len(value.shape) != 2:
            continue
        is_time = any(
            goal.slots.steps == value.slots.steps and reach[i].any()
            for (*_, goal), reach in zip(found.goals, found.reach, strict=True)
            if len(goal.shape) == 2
        )
        if not is_time:
            value.slots = slots(None)
            for reach in found.reach:
                reach[i] = reach[i].any(axis=1, keepdims=True)
    for (*_, goal), reach in zip(found.goals, found.reach, strict=True):
        if len(goal.shape) == 2 and goal.slots.steps is None:
            for i, r in enumerate(reach):
                reach[i] = r.any(axis=0, keepdims=True)


def _are_copies(outputs, inputs) -> bool:
    if not outputs or not inputs:
        return False
    pool = np.unique(np.concatenate([np.ravel(a).astype("float64") for a in inputs]))
    return all(np.isin(np.ravel(a).astype("float64"), pool).all() for a in outputs)


def _split(reach: np.ndarray, counts: list[int]) -> list[np.ndarray]:
    return np.split(reach, np.cumsum(counts)[:-1], axis=1) if counts else []


def _value(array, row_is_time: bool = False, tokens: int | None = None) -> Value:
    shape = tuple(array.shape)
    has_time = len(shape) > 2 or (row_is_time and len(shape) == 2)
    return Value(shape, str(array.dtype), slots(shape[1] if has_time else None), tokens)


def _may_be_tokens(array, outputs) -> bool:
    """Whether a row of numbers may be a sequence: something comes out for each of them."""
    return array.ndim == 2 and all(o.ndim == 3 and o.shape[1] == array.shape[1] for o in outputs)


def _table_of(layer) -> int | None:
    tables = [
        inner for inner in layer._flatten_layers() if isinstance(inner, keras.layers.Embedding)
    ]
    return tables[0].input_dim if tables else None


def _random_like(variable, rng) -> np.ndarray:
    if not np.issubdtype(variable.dtype, np.inexact):
        return np.asarray(variable.value)
    shape = tuple(variable.shape)
    if not variable.trainable:  # a variance, say: it must be positive
        return rng.uniform(0.2, 1.0, shape).astype(variable.dtype)
    spread = 1 / np.sqrt(max(shape[0] if len(shape) > 1 else 1, 1))
    return rng.normal(scale=spread, size=shape).astype(variable.dtype)


def _stateful(parts: list[Part]) -> list:
    return [p.layer for p in parts if isinstance(p.layer, Recurrent) and p.layer.stateful]


def _carrying(layers, states):
    return Carry(dict(zip(layers, states or [None] * len(layers), strict=True)))


def call_model(model, xs, values):
    """Call a model as a pure function of its variables and inputs."""
    kwargs = {"training": False} if model._call_has_training_arg else {}
    pairs = list(zip(model.variables, values, strict=True))
    with keras.StatelessScope(state_mapping=pairs):
        return model(_packed(model, xs), **kwargs)


def _packed(model, xs):
    structure = getattr(model, "_inputs_struct", None)
    if structure is not None:
        return keras.tree.pack_sequence_as(structure, list(xs))
    return xs[0] if len(xs) == 1 else list(xs)


def _compiled(function):
    return jax.jit(function, compiler_options=QUICK)
