"""What the fields of a layer's configuration were called, and what they mean today."""

from collections.abc import Mapping
from typing import Any

import keras

from statewise.recurrence.activations import old_hard_sigmoid

# Fields of Keras 1, by today's classes; "" stands for every class. A name in front of others of its
# kind is asked first.
KERAS1_FIELDS: dict[str, dict[str, str]] = {
    "Embedding": {
        "init": "embeddings_initializer",
        "W_regularizer": "embeddings_regularizer",
        "W_constraint": "embeddings_constraint",
        "output_dim": "output_dim",
    },
    "BatchNormalization": {"beta_init": "beta_initializer", "gamma_init": "gamma_initializer"},
    "": {
        "init": "kernel_initializer",
        "inner_init": "recurrent_initializer",
        "inner_activation": "recurrent_activation",
        "output_dim": "units",
        "W_regularizer": "kernel_regularizer",
        "U_regularizer": "recurrent_regularizer",
        "b_regularizer": "bias_regularizer",
        "W_constraint": "kernel_constraint",
        "U_constraint": "recurrent_constraint",
        "b_constraint": "bias_constraint",
        "dropout_W": "dropout",
        "dropout_U": "recurrent_dropout",
        "bias": "use_bias",
        "p": "rate",
        "sigma": "stddev",
        "nb_filter": "filters",
        "filter_length": "kernel_size",
        "subsample_length": "strides",
        "border_mode": "padding",
        "pool_length": "pool_size",
        "stride": "strides",
        "atrous_rate": "dilation_rate",
    },
}
# What classes were called.
RENAMED_CLASSES = {
    "Convolution1D": "Conv1D",
    "Convolution2D": "Conv2D",
    "BatchNormalizationV1": "BatchNormalization",
    "BatchNormalizationV2": "BatchNormalization",
    "CuDNNLSTM": "LSTM",
    "CuDNNGRU": "GRU",
}
# Fields that have no bearing on any result, whatever they hold.
WITHOUT_BEARING = {
    "implementation",
    "consume_less",
    "input_dtype",
    "batch_input_shape",
    "input_shape",
    "build_config",
    "shared_object_id",
    "input_spec",
    "fused",
    "build_input_shape",
}
# Fields that today's classes haven't, and the values at which they say what happens today anyway.
AS_TODAY: dict[str, tuple] = {
    "time_major": (False, None),
    "ragged": (False, None),
    "sparse": (False, None),
    "num_constants": (None, 0),
    "renorm": (False, None),
    "renorm_clipping": (None,),
    "renorm_momentum": (0.99, None),
    "virtual_batch_size": (None,),
    "adjustment": (None,),
    "noise_shape": (None,),
    "reverse_state_order": (False, None),
    "dynamic": (False, None),
    "mode": (0, None),
    "causal": (False, None),
    "is_placeholder": (True, None),
    "experimental_run_tf_function": (True, False, None),
    "dim_ordering": ("default", "tf", "channels_last", None),
    "batch_size": (None,),
}
# Fields that act while a network is trained, and not afterwards.
IN_TRAINING_ALONE = {"dropout": (0, 0.0, None)}

_KERAS1_INITIALIZERS = {
    "zero": "zeros",
    "one": "ones",
    "normal": "random_normal",
    "uniform": "random_uniform",
}
_ACTIVATIONS = {"softmax_v2": "softmax", "relu_v2": "relu"}


def activation_of(value: Any, custom: Mapping[str, Any]) -> Any:
    """Return what a field that names an activation means: a function, or a name of today.

    ``hard_sigmoid`` was another function in Keras 1 and 2.

    Raises:
        ValueError: naming what isn't known.

    >>> activation_of("hard_sigmoid", {}) is old_hard_sigmoid
    True
    """
    if isinstance(value, Mapping):
        inner = value.get("config")
        named = value.get("class_name")
        if isinstance(inner, Mapping) and isinstance(named, str) and named != "function":
            kind = custom.get(named, getattr(keras.layers, named, None))
            if isinstance(kind, type) and issubclass(kind, keras.Layer):
                return kind(**_without(inner, WITHOUT_BEARING | {"module"}))
        value = inner if isinstance(inner, str) else named
    if value is None:
        return None
    if not isinstance(value, str):
        raise ValueError(f"an activation is named by a text, not by {value!r:.80}")
    if value in custom:
        return custom[value]
    value = _ACTIVATIONS.get(value, value)
    if value == "hard_sigmoid":
        return old_hard_sigmoid
    known = getattr(keras.activations, value, None) if not value.startswith("_") else None
    if value in ("get", "serialize", "deserialize") or not callable(known):
        raise ValueError(
            f"the activation {value!r} isn't known. Give it: custom_objects={{{value!r}: ...}}"
        )
    return known


def part_of(kind: str, value: Any, custom: Mapping[str, Any]) -> Any:
    """Return an initializer, regularizer or constraint from its configuration.

    Args:
        kind: the name of Keras's module of them, "initializers" for one.
        value: a name, a configuration (``class_name`` and ``config``, or Keras 1's ``name`` and
            arguments), or None.
        custom: classes and functions of the user's own, by name.

    Raises:
        ValueError: naming what isn't known.
    """
    module = getattr(keras, kind)
    if isinstance(value, str):
        value = _KERAS1_INITIALIZERS.get(value, value)
        if value in custom:
            return custom[value]
        return _known(kind, value, lambda: module.get(value))
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r:.80} isn't one of Keras's {kind}")
    value = dict(value)
    if "class_name" in value:
        name, arguments = value["class_name"], dict(value.get("config") or {})
    else:
        name, arguments = value.pop("name", None), value
    if not isinstance(name, str):
        raise ValueError(f"{value!r:.80} isn't one of Keras's {kind}")
    if name in custom:
        return custom[name](**arguments)
    if kind == "regularizers":
        name = {"WeightRegularizer": "L1L2", "ActivityRegularizer": "L1L2"}.get(name, name)
    if kind == "constraints":
        name = {"maxnorm": "MaxNorm", "nonneg": "NonNeg", "unitnorm": "UnitNorm"}.get(name, name)
        if "m" in arguments:
            arguments["max_value"] = arguments.pop("m")
    if kind == "initializers":
        arguments.pop("dtype", None)  # TensorFlow 1 said it here
        arguments.pop("partition_info", None)
        if arguments.get("distribution") == "normal":
            arguments["distribution"] = "truncated_normal"
    found = getattr(module, name, None)
    base = {"initializers": "Initializer", "regularizers": "Regularizer"}.get(kind, "Constraint")
    if not (isinstance(found, type) and issubclass(found, getattr(module, base))):
        raise ValueError(
            f"{name!r} isn't one of Keras's {kind}. Give it: custom_objects={{{name!r}: ...}}"
        )
    return _known(kind, name, lambda: found(**arguments))


def dtype_of(value: Any) -> Any:
    """Return the name of a dtype or of a policy of dtypes."""
    if isinstance(value, Mapping):
        inner = value.get("config")
        value = inner.get("name") if isinstance(inner, Mapping) else None
    if value is not None and not isinstance(value, str):
        raise ValueError(f"a dtype is named by a text, not by {value!r:.80}")
    return value


def _known(kind: str, name: str, make):
    try:
        return make()
    except Exception as error:  # whatever Keras makes of wrong arguments
        raise ValueError(f"{name!r} isn't one of Keras's {kind} ({error!s:.200})") from error


def _without(config: Mapping, names: set[str]) -> dict:
    return {name: value for name, value in config.items() if name not in names}
