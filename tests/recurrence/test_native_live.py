"""The live step: equal to the recurrence one step at a time, exact about what it refuses."""

import concurrent.futures

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import numpy_cells
from statewise.recurrence import GRU, LSTM, SimpleRNN, Weights, native, scan
from statewise.recurrence.native import Dense, live_step

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)
CELLS = {
    "SimpleRNN": SimpleRNN(),
    "LSTM": LSTM(),
    "GRU": GRU(),
    "GRU, reset before": GRU(reset_after=False),
}


def single(*arrays):
    return [None if a is None else np.asarray(a, "float32") for a in arrays]


def layer(name, features, units, rng, **options):
    weights = numpy_cells.random_weights(name, features, units, rng, **options)
    return CELLS[name], Weights(*single(*weights))


@pytest.fixture
def stack(rng):
    """Return a live step of LSTM(5) on 3 features with one output."""
    return live_step([layer("LSTM", 3, 5, rng), Dense(*single(rng.normal(size=(5, 1))))])


def draw(rng, *shape):
    return rng.normal(size=shape).astype("float32")


@pytest.mark.parametrize("batch", [1, 2, 33])
@pytest.mark.parametrize("name", CELLS)
def test_step_by_step_equals_the_whole_sequence(name, batch, rng):
    units = 17
    cell, weights = layer(name, 3, units, rng, use_bias=name != "LSTM")
    live = live_step([(cell, weights)])
    x = draw(rng, batch, 6, 3)
    state = tuple(draw(rng, batch, units) for _ in cell.state_type._fields)
    expected = scan(cell, x, cell.state_type(*map(jnp.asarray, state)), weights)
    for t in range(6):
        before = [array.copy() for array in state]
        y, after = live.step(x[:, t], state)
        np.testing.assert_array_equal(state, before)  # step changes nothing that it was given
        np.testing.assert_allclose(y, expected.outputs[:, t], atol=1e-5)
        state = after
    for found, last in zip(state, expected.state, strict=True):
        np.testing.assert_allclose(found, last, atol=1e-5)


ACTIVATIONS = {
    "linear": lambda x: x,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "relu": jax.nn.relu,
    "softmax": jax.nn.softmax,
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("batch", [1, 130])
def test_a_stack_with_dense_layers(activation, batch, rng):
    layers = [layer("GRU", 4, 9, rng), layer("LSTM", 9, 20, rng)]
    kernel, bias = single(rng.normal(size=(20, 33)), rng.normal(size=33))
    live = live_step([*layers, Dense(kernel, bias, activation)])
    assert (live.features, live.outputs, live.state_units) == (4, 33, (9, 20, 20))
    x, state = draw(rng, batch, 4), [draw(rng, batch, n) for n in live.state_units]
    y, after = live.step(x, state)
    (gru, gru_weights), (lstm, lstm_weights) = layers
    one = scan(gru, x[:, None], gru.state_type(state[0]), gru_weights)
    two = scan(lstm, one.outputs, lstm.state_type(*state[1:]), lstm_weights)
    expected = ACTIVATIONS[activation](two.last @ kernel + bias)
    np.testing.assert_allclose(y, expected, atol=2e-5)
    for found, last in zip(after, (*one.state, *two.state), strict=True):
        np.testing.assert_allclose(found, last, atol=2e-5)


def test_update_changes_the_state_in_place(stack, rng):
    x, state = draw(rng, 4, 3), [draw(rng, 4, 5) for _ in range(2)]
    y, after = stack.step(x, state)
    np.testing.assert_array_equal(stack.update(x, state), y)
    np.testing.assert_array_equal(state, after)


def test_update_of_some_rows_leaves_the_others(stack, rng):
    x, state = draw(rng, 3, 3), [draw(rng, 10, 5) for _ in range(2)]
    rows = np.array([7, 0, 4])
    before = [array.copy() for array in state]
    y, after = stack.step(x, [array[rows] for array in state])
    np.testing.assert_array_equal(stack.update(x, state, rows=rows), y)
    others = np.setdiff1d(np.arange(10), rows)
    for array, old, new in zip(state, before, after, strict=True):
        np.testing.assert_array_equal(array[rows], new)
        np.testing.assert_array_equal(array[others], old[others])


@pytest.mark.parametrize("units", [5, 40])  # 40: enough work for several threads
def test_many_rows_are_worked_on_in_blocks(units, rng):
    count = 1000  # several blocks, and no multiple of one
    live = live_step([layer("LSTM", 3, units, rng), layer("GRU", units, 4, rng)])
    x, state = draw(rng, count, 3), [draw(rng, 1200, n) for n in (units, units, 4)]
    rows = rng.permutation(1200)[:count]
    parts = [
        live.step(x[i : i + 100], [array[rows[i : i + 100]] for array in state])
        for i in range(0, count, 100)
    ]
    expected = np.concatenate([y for y, _ in parts])
    after = [np.concatenate(arrays) for arrays in zip(*(new for _, new in parts), strict=True)]
    y, new = live.step(x, [array[rows] for array in state])
    np.testing.assert_allclose(y, expected, atol=1e-6)
    np.testing.assert_allclose(live.update(x, state, rows=rows), expected, atol=1e-6)
    for array, in_place, alone in zip(new, state, after, strict=True):
        np.testing.assert_allclose(array, alone, atol=1e-6)
        np.testing.assert_allclose(in_place[rows], alone, atol=1e-6)


@pytest.mark.parametrize("units", [5, 40])
def test_an_update_keeps_the_outputs_and_gives_them_by_key(units, rng):
    count, capacity = 700, 900
    live = live_step([layer("GRU", 3, units, rng), Dense(*single(rng.normal(size=(units, 2))))])
    x, h, kept = draw(rng, count, 3), draw(rng, capacity, units), draw(rng, capacity, 2)
    for rows in (rng.permutation(capacity)[:count], np.arange(count) + 50):
        expected, _ = live.step(x, (h[rows],))
        before, into = kept.copy(), dict.fromkeys(map(str, range(count)))
        y = live.update(x, (h,), rows=rows, kept=kept, into=into)
        np.testing.assert_array_equal(y, expected)
        np.testing.assert_array_equal(kept[rows], y)
        others = np.setdiff1d(np.arange(capacity), rows)
        np.testing.assert_array_equal(kept[others], before[others])
        assert list(into) == [str(i) for i in range(count)]
        np.testing.assert_array_equal(list(into.values()), y)
        into["3"][:] = 7  # views of y, which is not what is kept
        assert (y[3] == 7).all()
        assert not (kept == 7).any()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"kept": np.zeros((4, 2), "f4")}, r"kept has the shape \(4, 2\); expected \(4, 1\)"),
        ({"kept": np.zeros((3, 1), "f4")}, r"kept has the shape \(3, 1\); expected \(4, 1\)"),
        ({"kept": np.zeros((4, 1))}, "kept has the dtype float64; expected float32"),
        ({"kept": [[0.0]] * 4}, "kept is no NumPy array"),
        ({"into": {"a": 0}}, "into is <class 'dict'> of another length.*each of the 2 rows"),
        ({"into": ["a", "b"]}, "into is <class 'list'> of another length, or no dictionary"),
        ({"rows": None, "kept": np.zeros((4, 1), "f4")}, "rows is None; expected the rows'"),
        ({"rows": None, "into": {"a": 0, "b": 0}}, "rows is None; expected the rows'"),
    ],
)
def test_where_outputs_cannot_be_put_is_refused(given, message, stack):
    x, state = np.ones((2, 3), "f4"), [np.zeros((4, 5), "f4") for _ in range(2)]
    with pytest.raises(ValueError, match=message):
        stack.update(x, state, **{"rows": np.array([1, 3]), **given})
    assert not np.any(state)


def test_memory_of_any_kind_is_read(stack, rng):
    x, state = draw(rng, 2, 3), tuple(draw(rng, 2, 5) for _ in range(2))
    y, after = stack.step(x, state)

    def misaligned(array):
        raw = np.zeros(array.nbytes + 1, "uint8")
        view = raw[1:].view("float32").reshape(array.shape)
        view[:] = array
        assert not view.flags.aligned
        return view

    for other in (np.asfortranarray, misaligned, lambda a: a.astype(">f4"), jnp.asarray):
        if other is jnp.asarray:
            given = other(x), [other(array) for array in state]
        else:
            given = other(x), [other(array) for array in state]
        again, state_again = stack.step(*given)
        np.testing.assert_array_equal(again, y)
        np.testing.assert_array_equal(state_again, after)


def test_no_rows_give_no_rows(stack):
    y, state = stack.step(np.zeros((0, 3), "float32"), [np.zeros((0, 5), "float32")] * 2)
    assert y.shape == (0, 1)
    assert [array.shape for array in state] == [(0, 5), (0, 5)]


def test_threads_may_share_one(stack, rng):
    x, state = draw(rng, 2000, 3), [draw(rng, 2000, 5) for _ in range(2)]
    expected, _ = stack.step(x, state)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        for y, _ in pool.map(lambda _: stack.step(x, state), range(20)):
            np.testing.assert_allclose(y, expected, atol=1e-6)


REFUSED = {
    r"x has the shape \(2, 4\); expected \(batch, 3\)": {"x": np.zeros((2, 4), "f4")},
    r"x has the shape \(3,\); expected \(batch, 3\)": {"x": np.zeros(3, "f4")},
    "x has the dtype float64; expected float32": {"x": np.zeros((2, 3))},
    "x has the dtype object; expected float32": {"x": None},
    "state has 1 arrays; expected 2": {"state": [np.zeros((2, 5), "f4")]},
    "state is no sequence": {"state": 3},
    r"state\[1\] has the shape \(3, 5\); expected \(2, 5\)": {
        "state": [np.zeros((2, 5), "f4"), np.zeros((3, 5), "f4")]
    },
    r"state\[0\] has the dtype int64": {"state": [np.zeros((2, 5), int)] * 2},
}


@pytest.mark.parametrize("message", REFUSED)
def test_what_does_not_fit_is_refused(message, stack):
    arguments = {"x": np.zeros((2, 3), "f4"), "state": [np.zeros((2, 5), "f4")] * 2}
    with pytest.raises(ValueError, match=message):
        stack.step(**(arguments | REFUSED[message]))
    if "arrays" in message or "sequence" in message or message[0] == "x":
        with pytest.raises(ValueError, match=message):
            stack.update(**(arguments | REFUSED[message]))


def test_a_state_that_cannot_be_changed_is_refused(stack):
    x, fixed = np.zeros((2, 3), "f4"), np.zeros((2, 5), "f4")
    fixed.flags.writeable = False
    for state in ([fixed] * 2, [np.zeros((5, 2), "f4").T] * 2):
        with pytest.raises(ValueError, match=r"state\[0\] is read-only or not contiguous"):
            stack.update(x, state)
    with pytest.raises(ValueError, match=r"state\[0\] is no NumPy array"):
        stack.update(x, [jnp.zeros((2, 5))] * 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([0, 9], "rows has 9; expected numbers from 0 to 3"),
        ([-1, 0], "rows has -1; expected"),
        ([1, 1], "rows has 1 twice; expected each row once"),
        ([0], r"rows has the shape \(1,\) and the dtype int64; expected integers"),
        ([0.0, 1.0], "dtype float64; expected integers, one for each of the 2 rows of x"),
    ],
)
def test_rows_that_do_not_fit_are_refused(rows, message, stack):
    state = [np.zeros((4, 5), "f4") for _ in range(2)]
    with pytest.raises(ValueError, match=message):
        stack.update(np.zeros((2, 3), "f4"), state, rows=np.array(rows))


def test_layers_that_do_not_fit_are_refused(rng):
    with pytest.raises(ValueError, match="layers is empty"):
        live_step([])
    with pytest.raises(
        ValueError, match=r"layers\[1\]: kernel has the shape \(4, 12\); expected \(5"
    ):
        live_step([layer("LSTM", 3, 5, rng), layer("LSTM", 4, 3, rng)])
    with pytest.raises(ValueError, match=r"layers\[0\]: .* is not served natively"):
        live_step([(LSTM(activation=jax.nn.leaky_relu), layer("LSTM", 3, 5, rng)[1])])
    with pytest.raises(
        ValueError, match=r"layers\[0\]: activation is 'mish'; expected one of linear"
    ):
        live_step([Dense(np.ones((2, 2)), None, "mish")])
    cell, weights = layer("GRU", 3, 5, rng)
    with pytest.raises(ValueError, match=r"bias has the shape \(3,\); expected 30 values"):
        live_step([(cell, weights._replace(bias=np.ones(3)))])
    with pytest.raises(ValueError, match=r"recurrent_kernel has the shape \(5, 14\); expected"):
        live_step([(cell, weights._replace(recurrent_kernel=np.ones((5, 14))))])


def test_rows_of_layers_without_a_state_are_refused(rng):
    dense = live_step([Dense(draw(rng, 3, 2))])
    assert dense.step(draw(rng, 4, 3), ())[0].shape == (4, 2)
    with pytest.raises(ValueError, match="rows is given; expected None for layers without a state"):
        dense.update(draw(rng, 4, 3), (), rows=np.arange(4))
