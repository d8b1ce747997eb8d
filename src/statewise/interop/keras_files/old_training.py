"""How models of Keras 1 and 2 were compiled, and what their optimizers had gathered."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import keras

from statewise.interop.keras1 import OldSpellingWarning, optimizers
from statewise.interop.keras_files.faults import FileWarning

# Fields of optimizers that say nothing of what they do.
_OF_OPTIMIZERS = ("name", "jit_compile", "is_legacy_optimizer", "schedule_decay")
_LOSSES = {"reduction": {"auto": "sum_over_batch_size", "none": None}}


def compile_as_it_was(
    model: keras.Model,
    config: Any,
    gathered: Callable[[keras.Model], str | None] | None,
    path,
    custom: Mapping,
) -> None:
    """Compile a loaded model with the optimizer, loss and metrics of a file.

    What of it isn't there today is named in a `FileWarning`; the model itself is whole then.

    Args:
        model: with its weights.
        config: the file's ``training_config``.
        gathered: gives the model's optimizer what it had gathered, and returns why not, where it
            can't be; None where the file has nothing.
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
    if gathered is not None:
        why = gathered(model)
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
        unnamed = {k: v for k, v in rate["config"].items() if (k, v) != ("name", None)}
        config["learning_rate"] = schedule(**unnamed)
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
