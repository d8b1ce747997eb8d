"""One step of each cell, and what a cell says of itself."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import numpy_cells
from statewise.recurrence import CELLS as NAMED_CELLS
from statewise.recurrence import GRU, LSTM, GRUState, LSTMState, SimpleRNN, SimpleRNNState, Weights

FUNCTIONS = {"tanh": jnp.tanh, "relu": jax.nn.relu, "sigmoid": jax.nn.sigmoid}
CELLS = {
    "SimpleRNN": lambda act, _: SimpleRNN(act),
    "LSTM": LSTM,
    "GRU": GRU,
    "GRU, reset before": lambda act, gate: GRU(act, gate, reset_after=False),
}


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("activation", "gate"), [("tanh", "sigmoid"), ("relu", "tanh")])
def test_a_step_is_the_equations(name, activation, gate, rng):
    cell = CELLS[name](FUNCTIONS[activation], FUNCTIONS[gate])
    with jax.enable_x64(True):
        weights = numpy_cells.random_weights(name, 2, 3, rng)
        x, state = rng.normal(size=(4, 2)), rng.normal(size=(len(cell.state_type._fields), 4, 3))
        arrays = Weights(*map(jnp.asarray, weights))
        after = cell.step(
            cell.project(jnp.asarray(x), arrays), cell.state_type(*map(jnp.asarray, state)), arrays
        )
    _, expected = numpy_cells.run(
        name, x[:, None], state, weights, activation=activation, recurrent_activation=gate
    )
    assert type(after) is cell.state_type
    for array, end in zip(after, expected, strict=True):
        np.testing.assert_allclose(array, end, atol=1e-12)


@pytest.mark.parametrize("name", CELLS)
def test_the_inputs_part_of_all_steps_is_one_product(name, rng):
    cell = CELLS[name](jnp.tanh, jax.nn.sigmoid)
    weights = Weights(*map(jnp.float32, numpy_cells.random_weights(name, 2, 3, rng)))
    x = jnp.float32(rng.normal(size=(5, 4, 2)))
    products = str(jax.make_jaxpr(lambda a: cell.project(a, weights))(x)).count("dot_general")
    assert products == 1
    by_step = jnp.stack([cell.project(a, weights) for a in x])
    np.testing.assert_allclose(cell.project(x, weights), by_step, atol=1e-6)


def test_states_are_named_zeros():
    for cell, state_type in [
        (SimpleRNN(), SimpleRNNState),
        (GRU(), GRUState),
        (LSTM(), LSTMState),
    ]:
        state = cell.initial_state(2, 3, "bfloat16")
        assert type(state) is state_type
        assert all(a.shape == (2, 3) and a.dtype == "bfloat16" and not a.any() for a in state)


def test_cells_are_values():
    """Equal cells share what was compiled for them."""
    assert LSTM() == LSTM()
    assert hash(GRU(reset_after=False)) == hash(GRU(reset_after=False))
    assert GRU() != GRU(reset_after=False)


@pytest.mark.parametrize(("name", "gates"), [("lstm", "ifco"), ("gru", "zrh"), ("rnn", "h")])
def test_cells_by_name(name, gates):
    assert "".join(NAMED_CELLS[name].gates) == gates
