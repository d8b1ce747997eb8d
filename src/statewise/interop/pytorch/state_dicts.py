"""`load_torch_weights`: the weights of a PyTorch module, from a file, into a model."""

import os
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from statewise._keras_compat import all_layers
from statewise.interop.optional import load_optional
from statewise.interop.pytorch.units import Unit, units_of
from statewise.interop.pytorch.weights import give

_BY_TORCH = (".pt", ".pth", ".bin", ".ckpt")


def load_torch_weights(
    model: keras.Model, weights: Any, *, names: Mapping[str, str] | None = None
) -> None:
    """Give a model the weights of a PyTorch module of the same architecture.

    Which layer gets which weights is settled by names where they are equal, else by kinds and
    shapes, as far as these leave one way only. All weights must find a place, and all layers with
    weights get some; else nothing is changed.

    Args:
        model: a built model.
        weights: a file, ``.safetensors`` (read without PyTorch) or ``.pt``, ``.pth`` (by PyTorch,
            with ``weights_only=True``: no code of the file runs), or a ``state_dict``: arrays or
            tensors by name.
        names: for layers, the names of their weights in PyTorch, without what follows the last
            dot: ``{"dense": "fc"}``. A layer of several in one ``nn.LSTM`` by its number:
            ``{"upper": "rnn_l1"}``.

    Raises:
        FileNotFoundError: if there is no such file.
        ImportError: for a file that needs PyTorch where it isn't installed.
        TypeError: for what is neither a file nor arrays by name.
        ValueError: naming what doesn't fit, or a damaged file.

    >>> import numpy as np
    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.LSTM(3), layers.Dense(1)])
    >>> rng = np.random.default_rng(0)
    >>> shapes = {"rnn.weight_ih_l0": (12, 2), "rnn.weight_hh_l0": (12, 3), "fc.bias": (1,)}
    >>> shapes |= {"rnn.bias_ih_l0": (12,), "rnn.bias_hh_l0": (12,), "fc.weight": (1, 3)}
    >>> state_dict = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    >>> load_torch_weights(model, state_dict)
    >>> bool(np.allclose(model.layers[1].get_weights()[0], state_dict["fc.weight"].T))
    True
    """
    what, arrays = _arrays_of(weights)
    units = units_of(arrays, what)
    layers = [
        layer
        for layer in all_layers(model)
        if layer.weights and not isinstance(layer, keras.Model) and _holds_weights(model, layer)
    ]
    found = _matched(what, layers, units, dict(names or {}))
    made = [(layer, unit.weights_for(layer)) for layer, unit in found]
    for layer, of_layer in made:  # only when all of them are at hand
        give(layer, of_layer)


def _holds_weights(model: keras.Model, layer: keras.Layer) -> bool:
    """Whether a layer has weights that no layer around it gives and takes as its own."""
    wrappers = (keras.layers.Bidirectional, keras.layers.RNN, keras.layers.TimeDistributed)
    around = [w for w in all_layers(model) if isinstance(w, wrappers) and w is not layer]
    within = any(layer is part for w in around for part in all_layers(w) if part is not w)
    return not within and not isinstance(layer, keras.layers.StackedRNNCells)


def _arrays_of(weights: Any) -> tuple[str, dict[str, np.ndarray]]:
    """Return what the weights are, in words, and their arrays by name."""
    if isinstance(weights, (str, os.PathLike)):
        path = os.fspath(weights)
        if not os.path.isfile(path):
            raise FileNotFoundError(f"There is no file {path}.")
        return path, _read(path)
    if not isinstance(weights, Mapping):
        raise TypeError(
            f"weights: a file or arrays by name (a state_dict) is expected, what came is "
            f"{type(weights).__name__}."
        )
    return "weights", {str(name): _array(name, value) for name, value in weights.items()}


def _read(path: str) -> dict[str, np.ndarray]:
    if path.endswith(".safetensors"):
        from safetensors.numpy import load_file

        try:
            return load_file(path)
        except Exception as error:  # a damaged file's errors are of several kinds
            raise ValueError(
                f"{path} can't be read as a .safetensors file: {_one_line(error)}. Take an intact "
                "one, of float32, float64 or float16."
            ) from error
    if not path.endswith(_BY_TORCH):
        raise ValueError(
            f"{path}: a file of weights ends in .safetensors or in one of {', '.join(_BY_TORCH)}."
        )
    torch = load_optional("torch", "reading or making PyTorch's modules")
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # whatever the file holds
        raise ValueError(
            f"{path} can't be read as weights alone ({type(error).__name__}: "
            f"{_one_line(error)}). A whole pickled module isn't opened, since "
            "that would run its code: save its state_dict()."
        ) from error
    if not isinstance(loaded, Mapping):
        raise ValueError(f"{path} holds {type(loaded).__name__}, not arrays by name.")
    inner = [value for value in loaded.values() if isinstance(value, Mapping) and value]
    tensors = [m for m in inner if all(hasattr(v, "detach") for v in m.values())]
    if not all(hasattr(v, "detach") for v in loaded.values()):
        if len(tensors) != 1:
            raise ValueError(
                f"{path} holds {sorted(map(str, loaded))[:10]}, {len(tensors)} of them weights by "
                "name; one is expected. Load it by torch.load and give the state_dict."
            )
        loaded = tensors[0]
    return {str(name): _array(name, value) for name, value in loaded.items()}


def _one_line(error: Exception) -> str:
    return f"{' '.join(str(error).split()):.300}"


def _array(name: Any, value: Any) -> np.ndarray:
    """Return a tensor or array as NumPy's, in a dtype that NumPy has."""
    if hasattr(value, "detach"):
        value = value.detach().cpu()
        if str(value.dtype) == "torch.bfloat16":
            value = value.float()
        value = value.numpy()
    array = np.asarray(value)
    if array.dtype.kind not in "fiu":
        raise TypeError(f"weights[{name!r}] holds {array.dtype}, not numbers.")
    return array


def _matched(what: str, layers: list, units: dict[str, Unit], names: dict) -> list:
    """Return each layer with its unit.

    Raises:
        ValueError: where there isn't exactly one way to match them.
    """
    by_name = {layer.name: layer for layer in layers}
    if unknown := [name for name in names if name not in by_name]:
        raise ValueError(f"names: there is no layer {unknown[0]!r} with weights; {_list(by_name)}.")
    left, found = dict(units), {}
    for layer in layers:
        wanted = names.get(layer.name, layer.name)
        if wanted in left:
            unit = left.pop(wanted)
            if why := unit.misfit(layer):
                raise ValueError(f"{what}: {unit.name!r} doesn't fit layer {layer.name!r}: {why}.")
            found[layer.name] = unit
        elif layer.name in names:
            raise ValueError(f"names: {what} has no weights {wanted!r}; {_list(units)}.")
    while open_ := [layer for layer in layers if layer.name not in found]:
        fits = {layer.name: [u for u in left.values() if not u.misfit(layer)] for layer in open_}
        sure = {name: choices[0] for name, choices in fits.items() if len(choices) == 1}
        taken = [unit.name for unit in sure.values()]
        sure = {name: unit for name, unit in sure.items() if taken.count(unit.name) == 1}
        if not sure:
            name, choices = min(fits.items(), key=lambda item: len(item[1]))
            _give_up(what, by_name[name], choices, left)
        for name, unit in sure.items():
            found[name] = left.pop(unit.name)
    if left:
        raise ValueError(
            f"{what} holds weights that no layer of the model takes: {_list(left)}. The model "
            "isn't of the same architecture."
        )
    return [(by_name[name], unit) for name, unit in found.items()]


def _give_up(what: str, layer, choices: list[Unit], left: dict[str, Unit]):
    if choices:
        raise ValueError(
            f"{what}: layer {layer.name!r} could take any of "
            f"{_list({unit.name: unit for unit in choices})}, or shares it with another layer. Say "
            f"which by names={{{layer.name!r}: ...}}."
        )
    reasons = "; ".join(f"{unit.name!r}: {unit.misfit(layer)}" for unit in left.values())
    raise ValueError(
        f"{what} has no weights for layer {layer.name!r} ({type(layer).__name__})"
        + (f". {reasons:.500}." if reasons else ": all of them have found another place.")
    )


def _list(names) -> str:
    return ", ".join(repr(name) for name in list(names)[:12]) or "none"
