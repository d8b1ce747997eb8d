"""Configurations of today's Keras: its classes become ours, and what is a danger is refused."""

from collections.abc import Mapping
from typing import Any

import keras

from statewise._keras_compat import MODULES_OF_LAYERS, MODULES_OF_MODELS, is_module_of_files

LAYERS = (
    "SimpleRNN GRU LSTM RNN SimpleRNNCell GRUCell LSTMCell Bidirectional TimeDistributed".split()
)
MODELS = ("Sequential", "Functional", "Model")
_DANGERS = {
    "Lambda": "a layer that holds code of its own",
    "__lambda__": "code of its own",
    "TFSMLayer": "a layer that runs a program of TensorFlow's from elsewhere",
    "TorchModuleWrapper": "a layer that holds a pickled object",
    "JaxLayer": "a layer that holds code of its own",
    "FlaxLayer": "a layer that holds code of its own",
}
_DEPTH = 200


def checked(config: Any, path, custom: Mapping[str, Any], *, old: bool = False) -> None:
    """Refuse a configuration that would run code, or import what isn't Keras's or the user's.

    Args:
        config: of a model or of a part of one, as Keras 3 writes it.
        path: of the file, for errors.
        custom: classes and functions of the user's own, by name.
        old: whether Keras 2 wrote it. Its modules aren't imported: a class is found by its name.

    Raises:
        ValueError: naming what is refused.
    """
    waiting = [(config, 0)]
    while waiting:
        here, depth = waiting.pop()
        if depth > _DEPTH:
            raise ValueError(f"{path}: its configuration is nested deeper than that of any model.")
        if isinstance(here, (list, tuple)):
            waiting += [(one, depth + 1) for one in here]
        if not isinstance(here, Mapping):
            continue
        waiting += [(one, depth + 1) for one in here.values()]
        kind, module = here.get("class_name"), here.get("module")
        if not isinstance(kind, str):
            continue
        named = kind in custom or here.get("registered_name") in custom
        if kind in _DANGERS and not named:
            raise ValueError(
                f"{path} has {_DANGERS[kind]} ({kind}), and no code is run from a file. Build the "
                "model in Python, and give it the weights of the file with load_weights."
            )
        if isinstance(module, str) and not named and not _is_known(module, old):
            registered = here.get("registered_name")
            if isinstance(registered, str) and _is_registered(registered):
                continue
            raise ValueError(
                f"{path} has {kind!r} of the module {module!r}, which is neither Keras's nor "
                f"known. If it's yours, give it: custom_objects={{{registered or kind!r}: ...}}"
            )


def _is_known(module: str, old: bool) -> bool:
    package = module.partition(".")[0]
    if old and package in ("keras", "tf_keras"):
        return True
    return package == "statewise" or is_module_of_files(module)


def _is_registered(name: str) -> bool:
    return keras.saving.get_registered_object(name) is not None


def to_ours(config: Any) -> Any:
    """Return a configuration with this package's classes in the place of Keras's.

    Args:
        config: of a model or of a part of one, as Keras 3 writes it; it stays as it is.

    >>> to_ours({"module": "keras.layers", "class_name": "GRU", "registered_name": None,
    ...          "config": {"units": 3}})["registered_name"]
    'statewise>GRU'
    """
    if isinstance(config, list):
        return [to_ours(one) for one in config]
    if not isinstance(config, Mapping):
        return config
    found = {name: to_ours(value) for name, value in config.items()}
    kind, module, registered = (found.get(n) for n in ("class_name", "module", "registered_name"))
    if not (isinstance(kind, str) and isinstance(module, str) and module.startswith("keras")):
        return found
    if registered not in (None, kind):
        return found
    if kind in LAYERS and module.startswith(MODULES_OF_LAYERS):
        return found | {"module": "statewise.layers", "registered_name": f"statewise>{kind}"}
    if kind in MODELS and module in MODULES_OF_MODELS:
        kind = "Functional" if kind == "Model" and "layers" in found.get("config", {}) else kind
        return found | {"module": "statewise.models", "registered_name": f"statewise>{kind}"}
    return found
