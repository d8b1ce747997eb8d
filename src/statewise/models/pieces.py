"""Running the batches of a piece: values out of the variables, program, values back."""

import jax
import keras
import numpy as np

from statewise.models.batches import Piece
from statewise.models.programs import Carried, Programs, Span


def train_piece(model, programs: Programs, piece: Piece, span: Span) -> list[dict]:
    """Train on the batches of a span of a piece; return the metrics of each of its epochs.

    The values in the model's variables are replaced only after the program has run: an error or an
    interruption leaves the model as it was before the call.
    """
    other, metrics = _values(model.non_trainable_variables), _values(model.metrics_variables)
    state = (
        _values(model.trainable_variables),
        _carried(programs, other, piece) if programs.layers else other,
        _values(model.optimizer.variables),
        metrics,
    )
    fresh = programs.fresh_metrics if programs.joins_epochs else metrics
    state, logs = programs.train(
        state, piece.data, piece.orders, span, fresh, batch_size=piece.batch_size
    )
    trainable, other, optimizer, metrics = state
    if programs.layers:
        programs.states.end(other.states)
        other = other.variables
    _assign(model.trainable_variables, trainable)
    _assign(model.non_trainable_variables, other)
    _assign(model.optimizer.variables, optimizer)
    _assign(model.metrics_variables, metrics)
    logs = jax.device_get(logs)
    return [jax.tree.map(lambda rows, i=i: rows[i], logs) for i in range(span.epochs)]


def evaluate_piece(model, programs: Programs, piece: Piece, start: int = 0, stop: int = 1) -> dict:
    """Evaluate batches ``start`` to ``stop`` of a piece, and return the metrics so far."""
    state = (
        _values(model.trainable_variables),
        _carried(programs, _values(model.non_trainable_variables), piece),
        _values(model.metrics_variables),
    )
    (_, carried, metrics), logs = programs.test(
        state, piece.data, None, start, stop, batch_size=piece.batch_size
    )
    programs.states.end(carried.states)
    _assign(model.non_trainable_variables, carried.variables)
    _assign(model.metrics_variables, metrics)
    return jax.device_get(logs)


def predict_piece(model, programs: Programs, piece: Piece):
    """Return the outputs for the batches of a piece, NumPy arrays with the samples first."""
    state = (
        _values(model.trainable_variables),
        _carried(programs, _values(model.non_trainable_variables), piece),
    )
    (_, carried), outputs = programs.predict(
        state, piece.data, piece.steps, batch_size=piece.batch_size
    )
    programs.states.end(carried.states)
    _assign(model.non_trainable_variables, carried.variables)
    room = jax.tree.leaves(piece.data)[0].shape[0] // piece.batch_size

    def rows(array):
        array = np.asarray(array)
        return array[: array.shape[0] // room * piece.steps]

    return keras.tree.map_structure(rows, outputs)


def _carried(programs: Programs, variables: list, piece: Piece) -> Carried:
    return Carried(variables, programs.states.begin(piece.batch_size), programs.layers)


def _values(variables) -> list:
    return [variable.value for variable in variables]


def _assign(variables, values) -> None:
    # Shapes and dtypes come out of the program as they went in: nothing to check or to convert.
    for variable, value in zip(variables, values, strict=True):
        variable._direct_assign(value)
