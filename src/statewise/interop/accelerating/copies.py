"""Copies of layers and models with this package's recurrent layers, without their weights."""

from collections.abc import Iterator, Mapping
from typing import Any

import keras
from keras import tree

from statewise._keras_compat import (
    Functional,
    all_layers,
    inputs_structure,
    replace_layer,
    run_graph,
)
from statewise.interop.keras_files.today import LAYERS, to_ours
from statewise.models import Model, Sequential

_OURS = ("keras.", "statewise.")


def stock_layers(model: keras.Layer) -> list[keras.Layer]:
    """Return the recurrent layers of a model that are Keras's own, and could be this package's."""
    return [layer for layer in all_layers(model) if is_stock(layer)]


def is_stock(layer: Any) -> bool:
    """Whether a layer is of one of the classes of Keras that this package has."""
    return type(layer) in [getattr(keras.layers, name) for name in ("RNN", *LAYERS[:3])]


class Copies:
    """Makes copies of layers and models, each once, with our recurrent layers."""

    def __init__(self):
        self._made: dict[int, Any] = {}

    def of(self, layer: Any) -> Any:
        """Return the copy of a layer, a model or an operation."""
        if id(layer) not in self._made:
            self._made[id(layer)] = self._new(layer)
        return self._made[id(layer)]

    def _new(self, layer: Any) -> Any:
        if not isinstance(layer, keras.Layer):
            return layer  # an operation without weights
        if type(layer) in (keras.Sequential, Sequential):
            return self._sequential(layer)
        if isinstance(layer, Functional) and type(layer).__module__.startswith(_OURS):
            return self._graph(layer)
        try:
            if type(layer).__module__.startswith(_OURS):
                with keras.saving.custom_object_scope(_classes(layer)):
                    described = keras.saving.serialize_keras_object(layer)
                    return keras.saving.deserialize_keras_object(to_ours(described))
            copy = type(layer).from_config(layer.get_config())
        except Exception as error:  # whatever the user's own class makes of it
            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) can't be copied by its get_config: "
                f"{error!s:.300}"
            ) from error
        self._exchange_within(copy)
        return copy

    def _sequential(self, model: keras.Sequential) -> Sequential:
        first = []
        if getattr(model, "inputs", None):
            entrance = model.inputs[0]
            first = [_input_like(entrance)]
        copy = Sequential([*first, *map(self.of, model.layers)], name=model.name)
        copy.trainable = model.trainable
        return copy

    def _graph(self, model: keras.Model) -> Model:
        inputs = tree.map_structure(_input_like, inputs_structure(model))
        outputs = run_graph(
            model, tree.flatten(inputs), lambda layer, args, kwargs: self.of(layer)(*args, **kwargs)
        )
        return Model(inputs, outputs, name=model.name)

    def _exchange_within(self, owner: keras.Layer) -> None:
        """Exchange the recurrent layers that a layer of the user's own holds."""
        for layer in list(_children(owner)):
            kind, module = type(layer).__name__, type(layer).__module__
            if kind in LAYERS and module.startswith("keras."):
                if layer.built:
                    raise ValueError(
                        f"Layer {layer.name!r} ({kind}) within {owner.name!r} is built before it "
                        "can be exchanged. Make it in __init__ without calling it there."
                    )
                replace_layer(owner, layer, self.of(layer))
            else:
                self._exchange_within(layer)


def _children(layer: keras.Layer) -> Iterator[keras.Layer]:
    yield from all_layers(layer, include_self=False, recursive=False)


def _input_like(tensor: keras.KerasTensor) -> keras.KerasTensor:
    return keras.Input(batch_shape=tensor.shape, dtype=tensor.dtype, name=tensor.name)


def _classes(layer: keras.Layer) -> Mapping[str, Any]:
    """Return the classes of the user's own within a layer, by the names that a copy asks for."""
    found = {}
    parts = [*all_layers(layer), *(getattr(one, "cell", None) for one in all_layers(layer))]
    for one in parts:
        if one is not None and not type(one).__module__.startswith(_OURS):
            found[keras.saving.get_registered_name(type(one))] = type(one)
    return found


def build_alike(model: keras.Model, copy: keras.Model) -> None:
    """Build the layers of a copy as those of the model are built, where it isn't a graph."""
    if copy.built:
        return
    olds, news = all_layers(model), all_layers(copy)
    if len(olds) != len(news):
        raise ValueError(
            f"Model {model.name!r} of the class {type(model).__name__} has {len(olds)} layers, and "
            f"made anew by its get_config {len(news)}: they can't be matched."
        )
    for old, new in zip(olds, news, strict=True):
        if old.built and not new.built and not isinstance(new, keras.Model):
            new.build_from_config(old.get_build_config() or {})
    copy.built = True
