"""What comes along with a copy: weights, seeds, states, compile settings, the optimizer's."""

from typing import Any

import jax.numpy as jnp
import keras
from keras import tree

from statewise._keras_compat import all_layers, compile_settings, own_variables
from statewise.interop.accelerating.copies import is_stock


def copy_weights(model: keras.Model, copy: keras.Model) -> None:
    """Give the copy all variables of a model's layers, and the states of stateful ones."""
    for old, new in zip(all_layers(model), all_layers(copy), strict=True):
        new.trainable = old.trainable  # an outer layer's stands before those within
        states = []
        if is_stock(old) and old.stateful and old.states is not None:
            states = tree.flatten(old.states)
            arrays = [value_of(state) for state in states]
            new.memory.store(arrays, carried=any(bool(jnp.any(a != 0)) for a in arrays))
        kept = {id(state) for state in states}
        _give(
            f"Layer {old.name!r} ({type(old).__name__})",
            [v for v in own_variables(old) if id(v) not in kept],
            own_variables(new),
        )


def _give(where: str, theirs: list, mine: list) -> None:
    """Give variables the values of others; refused where these aren't of the same shapes."""
    shapes = [[tuple(v.shape) for v in variables] for variables in (theirs, mine)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"{where} has variables of the shapes {shapes[0]}, and made anew by its get_config of "
            f"{shapes[1]}: they can't be taken over."
        )
    for variable, value in zip(mine, theirs, strict=True):
        variable.assign(value_of(value))


def value_of(variable: keras.Variable) -> Any:
    """Return a variable's value, an array of its own: a training gives its arrays away."""
    return jnp.array(variable.value, copy=True)


def copy_training(model: keras.Model, copy: keras.Model) -> None:
    """Compile the copy as the model is, and give its optimizer what the model's has gathered."""
    if not model.compiled:
        return
    settings = compile_settings(model)
    optimizer = type(model.optimizer).from_config(model.optimizer.get_config())
    metrics = {
        name: tree.map_structure(_metric_like, settings[name])
        for name in ("metrics", "weighted_metrics")
    }
    scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    copy.compile(**settings | metrics | {"optimizer": optimizer, "auto_scale_loss": not scaled})
    if model.optimizer.built:
        copy.optimizer.build(copy.trainable_variables)
        where = f"The optimizer {type(optimizer).__name__}"
        _give(where, model.optimizer.variables, copy.optimizer.variables)


def _metric_like(metric: Any) -> Any:
    if isinstance(metric, keras.metrics.Metric):
        return type(metric).from_config(metric.get_config())
    return metric
