"""Files in the form of Keras 1, from models of Keras 2: for `write_keras_fixtures`.

Written down from keras 1.2.2: ``Layer.get_config`` and ``Container.save_weights_to_hdf5_group``
(``keras/engine/topology.py``), ``get_config`` and ``build`` of the layers
(``keras/layers/recurrent.py``, ``core.py``, ``embeddings.py``, ``wrappers.py``).
"""

import json

import h5py
import numpy as np


class NotThereError(Exception):
    """Keras 1 had no such layer, option or graph."""


GATES = {"SimpleRNN": "h", "GRU": "zrh", "LSTM": "ifco"}
# The order in which Keras 1 kept the gates' arrays; those of its consume_less="gpu" stood as GATES.
ORDER = {"SimpleRNN": "h", "GRU": "zrh", "LSTM": "icfo"}
_SAME = {
    "Activation": ("activation",),
    "RepeatVector": ("n",),
    "Masking": ("mask_value",),
    "Flatten": (),
    "Reshape": ("target_shape",),
}


class File:
    """A model in Keras 1's form.

    Args:
        config: of the model.
        layers: names of layers, each with the names of its arrays and these.
    """

    def __init__(self, config: dict, layers: list[tuple[str, list[tuple[str, np.ndarray]]]]):
        self.config, self.layers = config, layers

    def save(self, path: str) -> None:
        """Write it."""
        with h5py.File(path, "w") as file:
            file.attrs["keras_version"] = b"1.2.2"
            file.attrs["model_config"] = json.dumps(self.config).encode()
            self.write_weights(file.create_group("model_weights"))

    def save_weights(self, path: str) -> None:
        """Write the weights alone."""
        with h5py.File(path, "w") as file:
            self.write_weights(file)

    def write_weights(self, group: h5py.Group) -> None:
        """Write the weights, as ``save_weights`` did into a file of their own."""
        group.attrs["layer_names"] = [name.encode() for name, _ in self.layers]
        group.attrs["backend"] = b"theano"
        group.attrs["keras_version"] = b"1.2.2"
        for name, arrays in self.layers:
            part = group.create_group(name)
            part.attrs["weight_names"] = [called.encode() for called, _ in arrays]
            for called, array in arrays:
                part.create_dataset(called, data=array)


def of(config: dict, model, gpu: bool = False) -> File:
    """Return a Keras 2 model in Keras 1's form.

    Args:
        config: what its ``to_json`` says.
        model: with its weights.
        gpu: whether its recurrent layers are written as with ``consume_less="gpu"``.

    Raises:
        NotThereError: where Keras 1 had no such model.
    """
    layers = []
    if config["class_name"] == "Sequential":
        listed, shape = [], None
        for described in config["config"]["layers"]:
            if described["class_name"] == "InputLayer":
                shape = described["config"]["batch_input_shape"]
                continue
            old = _layer(described, gpu)
            if shape is not None:
                old["config"]["batch_input_shape"] = shape
                old["config"]["input_dtype"] = "float32"
                shape = None
            listed.append(old)
            layers.append(_arrays(described, model.get_layer(described["config"]["name"]), gpu))
        return File({"class_name": "Sequential", "config": listed}, layers)
    listed = []
    for described in config["config"]["layers"]:
        old = _layer(described, gpu)
        calls = [[one[:3] for one in call] for call in described["inbound_nodes"]]
        if any(one[3] for call in described["inbound_nodes"] for one in call):
            raise NotThereError("arguments of a call")
        many = described["class_name"] in (*GATES, "Bidirectional")
        if many and any(len(call) > 1 for call in calls):
            raise NotThereError("an initial state in the graph")
        listed.append({**old, "name": described["name"], "inbound_nodes": calls})
        layers.append(_arrays(described, model.get_layer(described["name"]), gpu))
    ends = {name: config["config"][name] for name in ("input_layers", "output_layers")}
    if not isinstance(ends["output_layers"][0], list):
        raise NotThereError("outputs in another structure")
    name = config["config"]["name"]
    return File({"class_name": "Model", "config": {"name": name, "layers": listed, **ends}}, layers)


def _layer(described: dict, gpu: bool) -> dict:
    kind, today = described["class_name"], described["config"]
    base = {"name": today["name"], "trainable": today.get("trainable", True)}
    if kind == "InputLayer":
        shape = today["batch_input_shape"]
        return _as(kind, {**base, "batch_input_shape": shape, "input_dtype": "float32"})
    if kind in GATES:
        return _as(kind, base | _recurrent(kind, today, gpu))
    if kind == "Dense":
        same = {"output_dim": today["units"], "activation": today["activation"]}
        rest = {"W_regularizer": None, "b_regularizer": None, "activity_regularizer": None}
        rest |= {"W_constraint": None, "b_constraint": None, "input_dim": None}
        return _as(kind, base | same | rest | {"init": "glorot_uniform", "bias": today["use_bias"]})
    if kind == "Embedding":
        same = {n: today[n] for n in ("input_dim", "output_dim", "mask_zero", "input_length")}
        rest = {"init": "uniform", "W_regularizer": None, "W_constraint": None, "dropout": 0.0}
        return _as(kind, base | same | rest | {"activity_regularizer": None})
    if kind == "Dropout":
        return _as(kind, base | {"p": today["rate"]})
    if kind == "TimeDistributed":
        return _as(kind, base | {"layer": _layer(today["layer"], gpu)})
    if kind == "Bidirectional":
        if "backward_layer" in today or today["layer"]["config"].get("return_state"):
            raise NotThereError(kind)
        inner = _layer(today["layer"], gpu)
        return _as(kind, base | {"layer": inner, "merge_mode": today["merge_mode"]})
    if kind in ("Add", "Concatenate"):
        mode = {"Add": "sum", "Concatenate": "concat"}[kind]
        rest = {"mode_type": "raw", "dot_axes": -1, "output_shape": None, "output_mask": None}
        rest |= {"output_shape_type": "raw", "output_mask_type": "raw", "arguments": {}}
        return _as("Merge", {**base, "mode": mode, "concat_axis": -1, **rest})
    if kind in _SAME:
        return _as(kind, base | {name: today[name] for name in _SAME[kind]})
    raise NotThereError(kind)


def _as(kind: str, config: dict) -> dict:
    return {"class_name": kind, "config": config}


def _recurrent(kind: str, today: dict, gpu: bool) -> dict:
    if today.get("return_state") or not today["use_bias"] or today.get("reset_after"):
        raise NotThereError("an option of a recurrent layer")
    if today.get("kernel_regularizer") or today.get("recurrent_constraint"):
        raise NotThereError("left to the tests of the fields")
    config = {n: today[n] for n in ("return_sequences", "go_backwards", "stateful", "unroll")}
    config |= {"consume_less": "gpu" if gpu else "cpu", "output_dim": today["units"]}
    config |= {"init": "glorot_uniform", "inner_init": "orthogonal", "input_dim": None}
    config |= {"activation": today["activation"], "input_length": None}
    config |= {"dropout_W": today["dropout"], "dropout_U": today["recurrent_dropout"]}
    config |= {"W_regularizer": None, "U_regularizer": None, "b_regularizer": None}
    if kind != "SimpleRNN":
        config["inner_activation"] = today["recurrent_activation"]
    if kind == "LSTM":
        config["forget_bias_init"] = "one"
    return config


def _arrays(described: dict, layer, gpu: bool) -> tuple[str, list[tuple[str, np.ndarray]]]:
    """Return a layer's name and its arrays, as Keras 1 kept them."""
    kind, name = described["class_name"], described["config"]["name"]
    if kind == "Bidirectional":
        inner = described["config"]["layer"]
        both = [
            (f"{way}_{name}", getattr(layer, f"{way}_layer")) for way in ("forward", "backward")
        ]
        parts = [_of_kind(inner["class_name"], n, one.get_weights(), gpu) for n, one in both]
        return name, parts[0] + parts[1]
    if kind == "TimeDistributed":
        inner = described["config"]["layer"]
        return name, _of_kind(inner["class_name"], name, layer.get_weights(), gpu)
    return name, _of_kind(kind, name, layer.get_weights(), gpu)


def _of_kind(kind: str, name: str, arrays: list[np.ndarray], gpu: bool):
    if kind not in GATES:
        return [(f"{name}_{'Wb'[i]}", array) for i, array in enumerate(arrays)]
    if gpu or kind == "SimpleRNN":
        return [(f"{name}_{'WUb'[i]}", array) for i, array in enumerate(arrays)]
    gates = GATES[kind]
    blocks = [dict(zip(gates, np.split(a, len(gates), axis=-1), strict=True)) for a in arrays]
    return [
        (f"{name}_{'WUb'[i]}_{gate}", block[gate])
        for gate in ORDER[kind]
        for i, block in enumerate(blocks)
    ]
