"""The arrays that Keras 1 and 2 wrote of a model, given to the layers that they are of."""

import re
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import h5py  # type: ignore[import-untyped]  # it has no types
import keras
import numpy as np

from statewise.interop import weights
from statewise.interop.keras_files.hdf5 import names_of, numbers_at

# The end of the name of an array that Keras 1 wrote for a single gate.
_OF_A_GATE = re.compile(r"_[WUb]_[ifcozrh](:0)?$")
_CHECKED = ("kernel", "recurrent_kernel", "bias", "gamma", "beta", "moving_mean", "embeddings")


class Taker(NamedTuple):
    """A layer, or a cell, that takes arrays of a file.

    Attributes:
        layer: the layer.
        trained: how many of the arrays are trained ones.
        others: how many aren't.
        convert: turns the arrays, in the file's order, into the layer's weights.
    """

    layer: Any
    trained: int
    others: int
    convert: Callable[[list[np.ndarray]], list[np.ndarray]]


def give_weights(
    model: keras.Model, group: h5py.Group, version: int, path
) -> dict[str, keras.Variable] | None:
    """Give a built model the weights in a group of a file; all of them, or none where one is wrong.

    Args:
        model: of the configuration that belongs to the weights.
        group: what Keras 1 or 2 wrote: ``layer_names``, and a group for each of these.
        version: 1 or 2.
        path: of the file, for errors.

    Returns:
        The model's variables by their names in the file; None where these don't correspond one to
        one.

    Raises:
        ValueError: where the arrays aren't those of the model's layers; it names the layer.
    """
    names = names_of(group.attrs, "layer_names")
    if names is None:
        raise ValueError(
            f"{path} holds no weights of a model of Keras 1 or 2: it has no list of layers "
            "(layer_names). The file is damaged, or of another kind."
        )
    if "top_level_model_weights" in group and names_of(
        group["top_level_model_weights"].attrs, "weight_names"
    ):
        raise ValueError(
            f"{path} has weights of the model itself, beside those of its layers. Build the model "
            "in Python, and give it the weights of the file with load_weights."
        )
    there = {}
    for name in names:
        part = group.get(name)
        if not isinstance(part, h5py.Group):
            raise ValueError(f"{path} is damaged: the weights of layer {name!r} aren't there.")
        listed = names_of(part.attrs, "weight_names") or []
        if listed:
            there[name] = (part, listed)
    wanted = {layer.name: layer for layer in model.layers if _count(layer, version)}
    if there.keys() != wanted.keys():
        if len(there) != len(wanted):
            raise ValueError(
                f"{path} has weights of {len(there)} layers ({', '.join(there)}), but the model "
                f"has {len(wanted)} with weights ({', '.join(wanted)})."
            )
        wanted = dict(zip(there, wanted.values(), strict=True))  # by their order, as Keras did
    new: list[tuple[Any, list[np.ndarray], list[str]]] = []
    for name, (part, listed) in there.items():
        arrays = [numbers_at(part, one, path) for one in listed]
        try:
            new += _shared_out(wanted[name], arrays, listed, version)
        except ValueError as error:
            message = f"{path}: the weights of layer {name!r} don't fit: {error}."
            raise ValueError(message) from error
    for layer, values, _ in new:
        for variable, value in zip(layer.weights, values, strict=True):
            variable.assign(value)
    called = [name for _, _, names in new for name in names]
    if version == 1 or len(called) != len(set(called)):
        return None
    if any(len(names) != len(values) for _, values, names in new):
        return None
    variables = [variable for layer, _, _ in new for variable in layer.weights]
    return dict(zip(called, variables, strict=True))


def _count(layer: keras.Layer, version: int) -> int:
    trained, others = _takers(layer, version, False)
    return len(trained) + len(others)


def _shared_out(
    layer, arrays: list, names: list[str], version: int
) -> list[tuple[Any, list, list]]:
    """Return the layers within a layer, each with its new weights and their names in the file."""
    apart = version == 1 and (any(map(_OF_A_GATE.search, names)) or len(arrays) in (9, 12))
    trained, others = _takers(layer, version, apart)
    places = trained + others
    if len(places) != len(arrays):
        raise ValueError(f"there are {len(arrays)} arrays, and the layer has {len(places)}")
    given: dict[int, tuple[Taker, list, list]] = {}
    for taker, array, name in zip(places, arrays, names, strict=True):
        _, those, called = given.setdefault(id(taker), (taker, [], []))
        those.append(array)
        called.append(name)
    found = []
    for taker, those, called in given.values():
        values = taker.convert(those)
        variables = taker.layer.weights
        shapes = [tuple(v.shape) for v in variables]
        if [value.shape for value in values] != shapes:
            raise ValueError(
                f"{taker.layer.name!r} has weights of the shapes {shapes}, but those of the file "
                f"are {[value.shape for value in values]}"
            )
        if len(called) == len(variables):
            for name, variable in zip(called, variables, strict=True):
                end = name.rpartition("/")[2].partition(":")[0]
                if end in _CHECKED and variable.name in _CHECKED and end != variable.name:
                    raise ValueError(f"{name!r} stands in the place of {variable.name!r}")
        found.append((taker.layer, values, called))
    return found


def _takers(layer, version: int, apart: bool) -> tuple[list[Taker], list[Taker]]:
    """Return who takes each trained array of a layer, and each other one, in the file's order.

    Keras 1 and 2 wrote a layer's trained arrays first, those of all layers within it, and the
    others after them.

    Args:
        layer: any.
        version: 1 or 2.
        apart: whether each gate of a recurrent layer has arrays of its own.
    """
    inner = _inner_layers(layer)
    if inner is None:
        taker = _taker(layer, version, apart)
        trained, others = [taker] * taker.trained, [taker] * taker.others
        return (trained, others) if layer.trainable else ([], trained + others)
    both = [_takers(one, version, apart) for one in inner]
    if not layer.trainable:
        return [], [one for pair in both for part in pair for one in part]
    return [one for pair in both for one in pair[0]], [one for pair in both for one in pair[1]]


def _inner_layers(layer) -> list | None:
    """Return the layers whose arrays are a layer's own; None for a layer with its own."""
    if isinstance(layer, keras.Model):
        return layer.layers
    if isinstance(layer, keras.layers.Bidirectional):
        return [layer.forward_layer, layer.backward_layer]
    if isinstance(layer, keras.layers.Wrapper):
        return [layer.layer]
    if isinstance(layer, keras.layers.StackedRNNCells):
        return layer.cells
    if isinstance(layer, keras.layers.RNN):
        return [layer.cell]
    return None


def _taker(layer, version: int, apart: bool) -> Taker:
    """Return how a layer or a cell without others within takes its arrays."""
    own = len(layer.weights)
    kind = _recurrent_kind(layer)
    if kind is not None:
        gates = len(weights.GATES[kind])

        def convert(values: list[np.ndarray]) -> list[np.ndarray]:
            return weights.ours(kind, _layout(kind, version, values), values)

        return Taker(layer, own * gates if apart else own, 0, convert)
    if isinstance(layer, keras.layers.Normalization):
        return Taker(layer, 0, own + 1, lambda values: values[:-1])  # how many samples it saw
    trained = sum(v.trainable for v in layer.weights) if layer.trainable else own
    old = version == 1 and isinstance(layer, keras.layers.Conv1D)
    return Taker(layer, trained, own - trained, _of_convolution if old else list)


def _recurrent_kind(layer) -> str | None:
    for kind in weights.GATES:
        if isinstance(layer, getattr(keras.layers, f"{kind}Cell")):
            return kind
    return None


def _layout(kind: str, version: int, arrays: Sequence[np.ndarray]) -> weights.Layout:
    """Return how the arrays of a layer are laid out, which their number and shapes tell."""
    if version == 1:
        gates = len(weights.GATES[kind])
        if gates > 1 and len(arrays) in (2, 3):
            return weights.LAYOUTS['Keras 1, consume_less="gpu"'][kind]
        return weights.LAYOUTS["Keras 1"][kind]
    if len(arrays) == 3 and kind != "SimpleRNN":
        width = arrays[1].shape[-1] if arrays[1].ndim else 0
        if arrays[2].shape == (2 * width,):
            return weights.LAYOUTS["Keras 2, CuDNNLSTM and CuDNNGRU"][kind]
    return weights.LAYOUTS["Keras 2"][kind]


def _of_convolution(values: list[np.ndarray]) -> list[np.ndarray]:
    """Return the weights of Keras 1's Convolution1D, whose kernel had an axis more."""
    kernel, *rest = values
    if kernel.ndim == 4:
        kernel = kernel[:, 0] if kernel.shape[1] == 1 else kernel.transpose(2, 3, 1, 0)[:, 0]
    return [kernel, *rest]
