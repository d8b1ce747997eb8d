"""Models of today from the configurations that Keras 1 and 2 wrote: their graphs of layers."""

from collections.abc import Mapping
from typing import Any

import keras

from statewise.interop.keras_files.old_fields import dtype_of
from statewise.interop.keras_files.old_layers import Reading, class_and_config, layer_of
from statewise.models import Model, Sequential

_FUNCTIONAL = ("Model", "Functional", "Container", "Network", "Graph")
_OF_SEQUENCES = (keras.layers.RNN, keras.layers.Bidirectional, keras.layers.Conv1D)


def is_model(described: Mapping) -> bool:
    """Whether a configuration describes a model, and not a layer."""
    kind = described.get("class_name")
    return kind == "Sequential" or (
        isinstance(kind, str)
        and isinstance(described.get("config"), Mapping)
        and {"layers", "input_layers", "output_layers"} <= set(described["config"])
    )


def model_of(described: Mapping, reading: Reading) -> keras.Model:
    """Return the model that a configuration describes, built, its weights not yet those.

    Raises:
        ValueError: naming what isn't known, or doesn't fit together.
    """
    if not is_model(described):
        kind = described.get("class_name") if isinstance(described, Mapping) else None
        raise ValueError(
            f"{reading.path} holds a model of the class {kind!r}, which is made in Python: its "
            "configuration doesn't say how. Build it there, and give it the weights of the file "
            "with load_weights."
        )
    if described["class_name"] == "Sequential":
        return _sequential(described["config"], reading)
    return _functional(described["config"], reading)


def _sequential(config: Any, reading: Reading) -> keras.Model:
    listed = config.get("layers") if isinstance(config, Mapping) else config
    if not isinstance(listed, list) or not listed:
        raise ValueError(
            f"{reading.path}: a Sequential has a list of layers; this is {listed!r:.80}"
        )
    name = config.get("name") if isinstance(config, Mapping) else None
    first = _first_config(listed[0], reading)
    made = [_made(one, reading) for one in listed]
    if not isinstance(made[0], keras.layers.InputLayer) and not _has_inputs(made[0]):
        shape = _input_shape(first, made[0])
        if shape is None and isinstance(config, Mapping):
            shape = config.get("build_input_shape")
        if not isinstance(shape, (list, tuple)) or not shape:
            raise ValueError(
                f"{reading.path} doesn't say what shape the input of its model has. Build the "
                "model in Python, and give it the weights of the file with load_weights."
            )
        dtype = "int32" if isinstance(made[0], keras.layers.Embedding) else None
        made.insert(0, keras.layers.InputLayer(batch_shape=tuple(shape), dtype=dtype))
    return Sequential(made, name=name)


def _made(described: Any, reading: Reading) -> keras.Layer:
    if isinstance(described, Mapping) and is_model(described):
        return model_of(described, reading)
    kind, config = class_and_config(described, reading)
    if kind in ("InputLayer", "Input"):
        return _input(config, reading)
    return layer_of(described, reading)


def _input(config: dict, reading: Reading) -> keras.layers.InputLayer:
    shape = config.get("batch_input_shape", config.get("batch_shape"))
    if not isinstance(shape, (list, tuple)):
        raise ValueError(f"{reading.path}: the shape of an input is {shape!r:.80}")
    if config.get("ragged"):
        raise ValueError(
            f"{reading.path}: the input {config.get('name')!r} is ragged, which JAX hasn't. Build "
            "the model in Python with padded sequences and a mask, and give it the weights."
        )
    dtype = dtype_of(config.get("dtype", config.get("input_dtype")))
    name = config.get("name")
    return keras.layers.InputLayer(batch_shape=tuple(shape), dtype=dtype, name=name)


def _has_inputs(layer: keras.Layer) -> bool:
    return isinstance(layer, keras.Model) and bool(getattr(layer, "inputs", None))


def _first_config(described: Any, reading: Reading) -> dict:
    """Return the configuration of a first layer, or of what a wrapper there holds."""
    _, config = class_and_config(described, reading) if not is_model(described) else ("", {})
    if isinstance(config.get("batch_input_shape"), list):
        return config
    inner = config.get("layer")
    if isinstance(inner, Mapping) and isinstance(inner.get("config"), Mapping):
        return {**inner["config"], **config}
    return config


def _input_shape(config: dict, layer: keras.Layer) -> Any:
    """Return the shape of the input, with the samples first, as a first layer's fields say it."""
    for field in ("batch_input_shape", "input_shape"):
        if isinstance(config.get(field), (list, tuple)):
            return config[field] if field == "batch_input_shape" else [None, *config[field]]
    if isinstance(layer, keras.layers.Embedding):
        return [None, config.get("input_length")]
    if config.get("input_dim") is None:
        return None
    steps = [config.get("input_length")] if isinstance(layer, _OF_SEQUENCES) else []
    return [None, *steps, config["input_dim"]]


def _functional(config: Any, reading: Reading) -> keras.Model:
    made: dict[str, keras.Layer] = {}
    waiting: list[tuple[str, int, Any]] = []
    nested = set()
    for described in config["layers"]:
        name = described.get("name") if isinstance(described, Mapping) else None
        layer = _made(described, reading)
        name = name if isinstance(name, str) else layer.name
        if name in made:
            raise ValueError(f"{reading.path}: two layers have the name {name!r}.")
        made[name] = layer
        if isinstance(layer, keras.Model):
            nested.add(name)
        calls = described.get("inbound_nodes") or []
        waiting += [(name, number, call) for number, call in enumerate(calls)]
    offset = {name: _first_number(name, config) for name in nested}
    tensors: dict[tuple[str, int], list] = {
        (name, 0): [layer.output]
        for name, layer in made.items()
        if isinstance(layer, keras.layers.InputLayer)
    }

    def found(reference):
        name, number, place = reference[:3]
        if name not in made:
            raise ValueError(
                f"{reading.path}: a layer takes the output of {name!r}, which isn't there"
            )
        return tensors[name, number][place]

    while waiting:
        later = []
        for name, number, call in waiting:
            references = list(_references(call))
            if not all((one[0], one[1]) in tensors or one[0] not in made for one in references):
                later.append((name, number, call))
                continue
            outputs = _called(made[name], call, found, reading)
            tensors[name, number + offset.get(name, 0)] = keras.tree.flatten(outputs)
        if len(later) == len(waiting):
            raise ValueError(
                f"{reading.path}: the graph of its model doesn't fit together at the layers "
                f"{sorted({name for name, *_ in later})[:5]}. The file is damaged."
            )
        waiting = later
    inputs = _alone(_structure(config["input_layers"], found))
    outputs = _alone(_structure(config["output_layers"], found))
    return Model(inputs, outputs, name=config.get("name"))


def _alone(tensors: Any) -> Any:
    """Return the only tensor of a list, where there is one: Keras 1 and 2 gave and took it so."""
    return tensors[0] if isinstance(tensors, list) and len(tensors) == 1 else tensors


def _first_number(name: str, config: Mapping) -> int:
    """Return the number of a nested model's first call: 1 where its making counted as one."""
    listed = [call for one in config["layers"] for call in one.get("inbound_nodes") or []]
    listed += [config["output_layers"], config["input_layers"]]
    numbers = [one[1] for call in listed for one in _references(call) if one[0] == name]
    return min(numbers, default=0)


def _is_reference(thing: Any) -> bool:
    return (
        isinstance(thing, (list, tuple))
        and len(thing) in (3, 4)
        and isinstance(thing[0], str)
        and isinstance(thing[1], int)
        and isinstance(thing[2], int)
        and thing[1] >= 0
    )


def _references(thing: Any):
    """Yield all references to outputs, ``[layer, call, output]``, in a call's description."""
    if _is_reference(thing):
        yield thing
        if len(thing) == 4:
            yield from _references(thing[3])
    elif isinstance(thing, Mapping):
        for value in thing.values():
            yield from _references(value)
    elif isinstance(thing, (list, tuple)):
        for value in thing:
            yield from _references(value)


def _structure(thing: Any, found) -> Any:
    """Return a nested structure with tensors in the place of references."""
    if _is_reference(thing):
        return found(thing)
    if isinstance(thing, Mapping):
        return {key: _structure(value, found) for key, value in thing.items()}
    if isinstance(thing, (list, tuple)):
        return [_structure(value, found) for value in thing]
    return thing


def _called(layer: keras.Layer, call: Any, found, reading: Reading) -> Any:
    """Call a layer on what its description names."""
    options: dict[str, Any] = {}
    if isinstance(call, Mapping):
        inputs = _structure(call, found)
    else:
        if _is_reference(call):
            call = [call]
        if not isinstance(call, list) or not call or not all(map(_is_reference, call)):
            raise ValueError(
                f"{reading.path}: layer {layer.name!r} is called on {call!r:.120}, which isn't "
                "read."
            )
        inputs = [found(one) for one in call]
        options = call[0][3] if len(call[0]) == 4 else {}
        options = {name: _structure(value, found) for name, value in dict(options).items()}
        if isinstance(layer, (keras.layers.RNN, keras.layers.Bidirectional)) and len(inputs) > 1:
            inputs, options["initial_state"] = inputs[0], inputs[1:]
        elif len(inputs) == 1:
            inputs = inputs[0]
    if options.pop("constants", None):
        raise ValueError(
            f"{reading.path}: layer {layer.name!r} is given constants, which isn't read."
        )
    options = {name: value for name, value in options.items() if value is not None}
    try:
        return layer(inputs, **options)
    except Exception as error:  # whatever Keras makes of shapes that don't fit
        raise ValueError(
            f"{reading.path}: layer {layer.name!r} can't be called as the file says "
            f"({error!s:.300})."
        ) from error
