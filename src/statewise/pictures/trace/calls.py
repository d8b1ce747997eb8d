"""Calling a model on shapes alone, and noting every call of its parts."""

import jax
import keras
import numpy as np

from statewise._keras_compat import all_layers, first_line
from statewise.pictures.render.names import legible
from statewise.pictures.trace.model_call import call_model, carrying, stateful_of
from statewise.pictures.trace.parts import intercepted, parts_of
from statewise.pictures.trace.time_axis import time_axis
from statewise.pictures.trace.traced import Node, Trace, Value

# What JAX raises where a layer asks for values that a trace doesn't have.
_VALUES_WANTED = (
    jax.errors.ConcretizationTypeError,
    jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError,
)

_HEADING = "Exception encountered when calling"  # of Keras, before an error's own words


def record(model, shapes, dtypes) -> Trace:
    """Call the model on shapes, and note every call of a part."""
    parts, nodes, refusals = parts_of(model), [], []

    def handle(part, original, *args, **kwargs):
        note = _record_loop if part.recurrent else _record_call
        try:
            node, result = note(part, original, args, kwargs)
        except Exception as error:
            refusals.append(_describe_refusal(part.layer, args, error))
            raise
        nodes.append(node)
        return result

    def call(*xs):
        with intercepted(parts, handle), carrying(stateful_of(parts), None):
            return call_model(model, xs, [v.value for v in model.variables])

    given = [jax.ShapeDtypeStruct(s, d) for s, d in zip(shapes, dtypes, strict=True)]
    try:
        outputs = jax.tree.leaves(jax.eval_shape(call, *given))
    except Exception as error:  # whatever a layer does with what it can't take
        if refusals and refusals[0]:
            raise ValueError(refusals[0]) from error
        if str(error).startswith(_HEADING) and "incompatible" not in str(error):
            raise ValueError(f"The model can't be called: {first_line(error)}.") from error
        raise
    stateful = {id(layer) for layer in stateful_of(parts)}
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


def _describe_refusal(layer: keras.Layer, args: tuple, error: Exception) -> str:
    """Say why a layer can't be drawn; "" for the errors that say it themselves."""
    name = f"Layer {legible(layer.name)!r} ({type(layer).__name__})"
    if isinstance(error, _VALUES_WANTED):
        return (
            f"{name} looks at the values that come before it computes, so it can't be run on "
            "shapes, and not be drawn."
        )
    if isinstance(error, (ValueError, TypeError)):
        return ""
    shapes = [f"{tuple(leaf.shape)}" for leaf in jax.tree.leaves(args) if hasattr(leaf, "shape")]
    many = f"{len(shapes)} arrays of the shapes" if len(shapes) > 1 else "an array of the shape"
    return (
        f"{name} can't take what comes before it, {many} {', '.join(shapes)}: {first_line(error)}."
    )


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
    sequences, begin, mask, training = loop_arguments(*args, **kwargs)
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


def loop_arguments(sequences, initial_state, mask=None, training=False):
    """Return the arguments of a recurrent layer's loop, however they were given."""
    return sequences, initial_state, mask, training


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
            value.time = time_axis(None)


def _value(array, row_is_time: bool = False, tokens: int | None = None) -> Value:
    shape = tuple(array.shape)
    has_time = len(shape) > 2 or (row_is_time and len(shape) == 2)
    return Value(shape, str(array.dtype), time_axis(shape[1] if has_time else None), tokens)


def _may_be_tokens(array, outputs) -> bool:
    """Whether a row of numbers may be a sequence: something comes out for each of them."""
    return array.ndim == 2 and all(o.ndim == 3 and o.shape[1] == array.shape[1] for o in outputs)


def _table_of(layer) -> int | None:
    tables = [inner for inner in all_layers(layer) if isinstance(inner, keras.layers.Embedding)]
    return tables[0].input_dim if tables else None
