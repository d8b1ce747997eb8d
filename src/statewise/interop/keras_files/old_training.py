"""How models of Keras 1 and 2 were compiled, and what their optimizers had gathered."""

import warnings
from collections.abc import Mapping
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types
import keras

from statewise._keras_compat import slots_of
from statewise.interop.keras1 import OldSpellingWarning, optimizers
from statewise.interop.keras_files.faults import FileWarning
from statewise.interop.keras_files.hdf5 import names_of, numbers_at

# What the optimizers of Keras 2 called what they gather, and Keras 3's names of it.
_SLOTS = {
    "Adam": {"m": "momentums", "v": "velocities", "vhat": "velocity_hats"},
    "AdamW": {"m": "momentums", "v": "velocities", "vhat": "velocity_hats"},
    "RMSprop": {
        "rms": "velocities",
        "velocity": "velocities",
        "momentum": "momentums",
        "mg": "average_gradients",
        "average_gradient": "average_gradients",
    },
    "SGD": {"momentum": "momentums", "m": "momentums"},
}
# Fields of optimizers that say nothing of what they do.
_OF_OPTIMIZERS = ("name", "jit_compile", "is_legacy_optimizer", "schedule_decay")
_LOSSES = {"reduction": {"auto": "sum_over_batch_size", "none": None}}


def compile_as_it_was(
    model: keras.Model, config: Any, group, names: Mapping[str, Any] | None, path, custom: Mapping
) -> None:
    """Compile a loaded model with the optimizer, loss and metrics of a file.

    What of it isn't there today is named in a `FileWarning`; the model itself is whole then.

    Args:
        model: with its weights.
        config: the file's ``training_config``.
        group: the file's group of what the optimizer had gathered; None where there is none.
        names: the model's trained variables by their names in the file; None where these don't
            correspond one to one.
        path: of the file.
        custom: classes and functions of the user's own, by name.
    """
    try:
        settings = {
            "optimizer": _optimizer(
                config.get("optimizer_config", config.get("optimizer")), custom
            ),
            "loss": _nested(config.get("loss"), _loss, custom),
            "metrics": _nested(config.get("metrics"), _metric, custom) or None,
            "weighted_metrics": _nested(config.get("weighted_metrics"), _metric, custom) or None,
            "loss_weights": config.get("loss_weights") or None,
        }
        if config.get("sample_weight_mode") not in (None, {}, []):
            raise ValueError("sample_weight_mode isn't there: give sample_weight as (batch, time)")
        model.compile(**settings)
    except Exception as error:  # whatever Keras makes of settings of another time
        warnings.warn(
            f"{path}: the model isn't compiled, since its settings aren't those of today "
            f"({error!s:.300}). Call compile() to train it.",
            FileWarning,
            stacklevel=2,
        )
        return
    if isinstance(group, h5py.Group):
        why = _give_slots(model, group, names, path)
        if why is not None:
            warnings.warn(
                f"{path}: what the optimizer had gathered isn't taken over ({why}); trained "
                "further, it begins anew.",
                FileWarning,
                stacklevel=2,
            )


def _optimizer(described: Any, custom: Mapping) -> keras.optimizers.Optimizer:
    if isinstance(described, str):
        return keras.optimizers.get(described)
    kind = described["class_name"].rpartition(">")[2]
    config = {k: v for k, v in described["config"].items() if k not in _OF_OPTIMIZERS}
    if kind in custom:
        return custom[kind](**config)
    if config.get("epsilon", 0) is None:
        del config["epsilon"]
    if isinstance(config.get("learning_rate"), Mapping):
        rate = config["learning_rate"]
        schedule = getattr(keras.optimizers.schedules, rate["class_name"])
        config["learning_rate"] = schedule(**rate["config"])
    if config.get("ema_overwrite_frequency") is None:
        config.pop("ema_overwrite_frequency", None)
    found = getattr(optimizers, kind)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpellingWarning)
        return found(**config)


def _nested(config: Any, make, custom: Mapping) -> Any:
    """Return losses or metrics in the structure in which they were given."""
    if config is None or isinstance(config, str):
        return None if config is None else make(config, custom)
    if isinstance(config, Mapping):
        if "class_name" in config:
            return make(config, custom)
        return {name: _nested(one, make, custom) for name, one in config.items()}
    return [_nested(one, make, custom) for one in config]


def _loss(config: Any, custom: Mapping) -> Any:
    if isinstance(config, str):
        return custom[config] if config in custom else keras.losses.get(config)
    kind, arguments = config["class_name"].rpartition(">")[2], dict(config["config"])
    if kind in custom:
        return custom[kind](**arguments)
    arguments.pop("fn", None)
    reduction = arguments.get("reduction")
    if reduction in _LOSSES["reduction"]:
        arguments["reduction"] = _LOSSES["reduction"][reduction]
    return getattr(keras.losses, kind)(**arguments)


def _metric(config: Any, custom: Mapping) -> Any:
    if isinstance(config, str):
        return custom.get(config, config)
    kind, arguments = config["class_name"].rpartition(">")[2], dict(config["config"])
    if kind in custom:
        return custom[kind](**arguments)
    function, name = arguments.get("fn"), arguments.get("name")
    if kind in ("MeanMetricWrapper", "SumOverBatchSizeMetricWrapper"):
        if name in ("accuracy", "acc", "crossentropy", "ce"):
            return name  # by the shape of the targets, as ever
        return custom.get(function, function)
    arguments.pop("fn", None)
    return getattr(keras.metrics, kind)(**arguments)


def _give_slots(model: keras.Model, group: h5py.Group, names, path) -> str | None:
    """Give a model's optimizer what it had gathered; say why not, where it can't be."""
    listed = names_of(group.attrs, "weight_names") or []
    optimizer = model.optimizer
    kind = type(optimizer).__name__
    if not listed:
        return None
    if names is None and f"{kind.lower()}/iteration" in listed:
        return _in_order(model, [numbers_at(group, name, path) for name in listed])
    if names is None:
        return "the file has the weights in another form"
    if kind not in _SLOTS:
        return f"that is understood of {', '.join(_SLOTS)}, and this is {kind}"
    optimizer.build(model.trainable_variables)
    slots, given = slots_of(optimizer), []
    for name in listed:
        plain = name.partition(":")[0]
        if plain.rpartition("/")[2] in ("iter", "iteration", "iterations"):
            given.append((optimizer.iterations, numbers_at(group, name, path)))
            continue
        if plain.rpartition("/")[2] in ("learning_rate", "decay"):
            continue
        place = _place(plain, _SLOTS[kind], names)
        if place is None:
            return f"its array {name!r} is of no variable of the model"
        slot, variable = place
        number = next(i for i, v in enumerate(model.trainable_variables) if v is variable)
        if number >= len(slots.get(slot, ())):
            return f"its array {name!r} has no counterpart"
        given.append((slots[slot][number], numbers_at(group, name, path)))
    if any(tuple(v.shape) != a.shape for v, a in given):
        return "its arrays have other shapes than the weights"
    for variable, array in given:
        variable.assign(array)
    return None


def _in_order(model: keras.Model, arrays: list) -> str | None:
    """Give an optimizer its variables in the order in which Keras 3 wrote them."""
    model.optimizer.build(model.trainable_variables)
    variables = model.optimizer.variables
    if [tuple(v.shape) for v in variables] != [a.shape for a in arrays]:
        return "its arrays have other shapes than the weights"
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array)
    return None


def _place(name: str, slots: Mapping[str, str], names: Mapping[str, Any]) -> tuple | None:
    """Return which slot of which variable an array of an optimizer is."""
    found = []
    for variable in names:
        plain = variable.partition(":")[0]
        for slot, today in slots.items():
            if f"/{name}".endswith((f"/{slot}/{plain}", f"/{plain}/{slot}")):
                found.append((len(plain), today, names[variable]))
    return max(found, key=lambda one: one[0])[1:] if found else None
