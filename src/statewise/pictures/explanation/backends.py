"""What runs each recurrent layer of a model, and why nothing faster."""

import jax
import keras
import pandas as pd

from statewise._keras_compat import all_layers
from statewise.layers.known_cells import Served, noting_what_serves
from statewise.pictures.render.names import legible
from statewise.pictures.trace.inputs import inputs_of

COLUMNS = ["layer", "cell", "serves", "why not natively"]

_SERVES = {"cpu": "native kernels", "reference": "the reference", "loop": "a loop over time"}
_NOT_NATIVE = ("parallel scan", "reference", "loop")
_STOCK = "it is a layer of Keras itself; the layer of the same name in statewise.layers may be"


def explain_backend(
    model: keras.Model, x=None, *, steps: int | None = None, training: bool = True
) -> pd.DataFrame:
    """Say what computes each recurrent layer of a model on this machine and, if not natively, why.

    The model is traced with arrays of the given shape; nothing is computed.

    Args:
        model: a model of Keras or statewise.
        x: the shape of what goes in, ``(batch, time steps, features)``, or data of that shape; for
            several inputs a list. None is what the model says, in batches of 32.
        steps: time steps, where neither says; by default 5.
        training: whether dropout is active, as it is in ``fit``.

    Returns:
        A row for each cell that is run: layer, cell, what serves it, and why it isn't native (empty
        where it is).

    Raises:
        TypeError: for something that isn't a model.
        ValueError: where the shape doesn't fit.

    >>> from statewise import Sequential, layers, recurrence
    >>> soft = layers.LSTM(4, activation=lambda x: x / (1 + x**2) ** 0.5, name="soft")
    >>> model = Sequential([layers.Input((9, 1)), soft, layers.Dense(1)])
    >>> table = explain_backend(model)
    >>> table["layer"].item(), table["serves"].item()
    ('soft', 'the reference')
    """
    inputs = inputs_of(model, x, steps)
    batch = 32 if inputs.batch is None else inputs.batch
    arrays = [
        jax.ShapeDtypeStruct((batch, *shape[1:]), dtype)
        for shape, dtype in zip(inputs.shapes, inputs.dtypes, strict=True)
    ]
    with noting_what_serves() as noted:
        jax.eval_shape(
            lambda trainable, others, given: model.stateless_call(
                trainable, others, given if len(given) > 1 else given[0], training=training
            ),
            [v.value for v in model.trainable_variables],
            [v.value for v in model.non_trainable_variables],
            arrays,
        )
    rows = [_row(served) for served in noted]
    ours = {id(served.layer) for served in noted}
    for layer in all_layers(model):
        if isinstance(layer, keras.layers.RNN) and id(layer) not in ours:
            rows.append((legible(layer.name), type(layer.cell).__name__, "Keras", _STOCK))
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(served: Served) -> tuple[str, str, str, str]:
    cell = served.layer.cell if served.cell is None else served.cell
    serves = _SERVES.get(served.backend, served.backend)
    native = served.backend not in _NOT_NATIVE
    reasons = [reason for name, reason in served.reasons.items() if name not in _NOT_NATIVE]
    reason = "" if native else "; ".join(reasons)
    return legible(served.layer.name), type(cell).__name__, serves, reason
