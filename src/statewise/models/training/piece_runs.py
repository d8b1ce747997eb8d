"""Running the batches of a piece: values out of the variables, program, values back."""

import jax
import keras
import numpy as np

from statewise._keras_compat import assign_values, values_of
from statewise._runtime.forks import check_not_forked
from statewise._runtime.processes import together
from statewise.models.training.batches import Batches
from statewise.models.training.carried import Carried
from statewise.models.training.piece import Piece
from statewise.models.training.programs import Programs, Span
from statewise.models.training.shares import SharedOut, whole
from statewise.models.training.sparse import samples_in


@together
def train_piece(model, programs: Programs, piece: Piece, span: Span) -> list[dict]:
    """Train on the batches of a span of a piece; return the metrics of each of its epochs.

    The values in the model's variables are replaced only after the program has run: an error or an
    interruption leaves the model as it was before the call.
    """
    # Each list is put together by looking at every layer, so once is enough.
    variables = (*_both_kinds(model), model.optimizer.variables, programs.metrics)
    trainable, other, optimizer, metrics = (values_of(group) for group in variables)
    given = _carried(programs, other, piece) if programs.layers else other
    fresh = programs.fresh_metrics if programs.joins_epochs else metrics
    state, logs = programs.train(
        (trainable, given, optimizer, metrics),
        piece.data,
        piece.orders,
        span,
        fresh,
        batch_size=piece.batch_size,
    )
    if programs.shares is not None and programs.shares.several:
        jax.block_until_ready(state)  # what failed is found before it's in the variables
    trainable, other, optimizer, metrics = state
    if programs.layers:
        programs.states.end(other.states)
        other = other.variables
    for group, values in zip(variables, (trainable, other, optimizer, metrics), strict=True):
        assign_values(group, values)
    logs = jax.tree.map(np.asarray, logs)
    return [jax.tree.map(lambda rows, i=i: rows[i], logs) for i in range(span.epochs)]


@together
def evaluate_piece(model, programs: Programs, piece: Piece, start: int = 0, stop: int = 1) -> dict:
    """Evaluate batches ``start`` to ``stop`` of a piece, and return the metrics so far."""
    (trainable, others), metrics = _both_kinds(model), model.metrics_variables
    (carried, values), logs = programs.test(
        values_of(trainable),
        (_carried(programs, values_of(others), piece), values_of(metrics)),
        piece.data,
        None,
        start,
        stop,
        batch_size=piece.batch_size,
    )
    programs.states.end(carried.states)
    assign_values(others, carried.variables)
    assign_values(metrics, values)
    return jax.tree.map(np.asarray, logs)


@together
def predict_piece(model, programs: Programs, piece: Piece):
    """Return the outputs for the batches of a piece, NumPy arrays with the samples first."""
    check_not_forked()
    trainable, others = _both_kinds(model)
    carried, outputs = programs.predict(
        values_of(trainable),
        _carried(programs, values_of(others), piece),
        piece.data,
        piece.steps,
        batch_size=piece.batch_size,
    )
    programs.states.end(carried.states)
    assign_values(others, carried.variables)
    capacity = samples_in(piece.data) // piece.batch_size

    def rows(array):
        array = whole(array)
        if isinstance(piece.data, SharedOut) and programs.compiled and capacity > 1:
            array = array.reshape(-1, *array.shape[2:])
        return array[: array.shape[0] // capacity * piece.steps]

    return keras.tree.map_structure(rows, outputs)


def rows_of_piece(piece: Piece, start: int, stop: int) -> Piece:
    """Return batches ``start`` to ``stop`` of a piece whose samples come in order."""
    if (start, stop) == (0, piece.steps):
        return piece
    batches = slice(start, stop)
    if isinstance(piece.data, SharedOut):
        data = jax.tree.map(lambda a: a[batches], piece.data)
        return Piece(piece.first + start, stop - start, piece.batch_size, data, None)
    rows = slice(start * piece.batch_size, stop * piece.batch_size)
    data = jax.tree.map(lambda a: a[rows], piece.data)
    return Piece(piece.first + start, stop - start, piece.batch_size, data, None)


def no_outputs(model, x):
    """Return the outputs for inputs without a sample: arrays of no rows, nothing is computed."""
    rows = model._rows_of_a_batch(x, None, None) or 1

    def sample(array):
        dtype = keras.backend.standardize_dtype(getattr(array, "dtype", keras.config.floatx()))
        if dtype.startswith(("float", "bfloat")):
            dtype = keras.config.floatx()
        return np.zeros((rows, *array.shape[1:]), dtype)

    x = keras.tree.map_structure(sample, x)
    programs = model._prepare(Batches(x, batch_size=rows), targets=False)
    trainable, others = _both_kinds(model)
    piece = Piece(0, 1, rows, (x,), None)
    _, outputs = jax.eval_shape(
        lambda: programs._predict(
            values_of(trainable),
            _carried(programs, values_of(others), piece),
            piece.data,
            1,
            batch_size=rows,
        )
    )
    return keras.tree.map_structure(lambda a: np.zeros((0, *a.shape[1:]), a.dtype), outputs)


def _carried(programs: Programs, variables: list, piece: Piece) -> Carried:
    states = programs.states.begin(piece.batch_size)
    if programs.shares is not None:
        states = jax.tree.map(programs.shares.lay_rows, states)
    return Carried(variables, states, programs.layers)


def _both_kinds(model) -> tuple[list, list]:
    """Return the model's trainable variables and the others, looking at every layer once."""
    variables = model.variables
    if not model.trainable:
        return [], variables
    return [v for v in variables if v.trainable], [v for v in variables if not v.trainable]
