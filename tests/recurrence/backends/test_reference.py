"""The scan against NumPy, against its own pieces, and against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import numpy_cells
import random_cases
from all_pairs import all_pairs
from drawn_sizes import CELLS
from quick import quick_jit
from statewise.recurrence import LSTM, DropoutMasks, scan
from statewise.recurrence.layout import starts_backwards

OPTIONS = {
    "units": [3, 1],
    "time": [5, 1],
    "batch": [4, 1],
    "bias": [True, False],
    "mask": [False, True],
    "resets": [False, True],
    "go_backwards": [False, True],
    "zero_output_for_mask": [False, True],
    "all_outputs": [True, False],
    "unroll": [False, True],
}
each_cell = pytest.mark.parametrize("name", CELLS)


@pytest.fixture(autouse=True)
def double_precision():
    with jax.enable_x64(True):
        yield


def random_case(name, rng, **sizes):
    """Return inputs, a state and weights, in float64."""
    return random_cases.random_case(name, rng, dtype="float64", **{"units": 3} | sizes)[1:]


@each_cell
@pytest.mark.parametrize("options", all_pairs(OPTIONS))
def test_the_equations(name, options, rng):
    options = dict(options)
    sizes = {key: options.pop(key) for key in ("units", "time", "batch", "bias")}
    x, state, weights = random_case(name, rng, **sizes)
    flags = x.shape[:2]
    options["mask"] = rng.random(flags) < 0.6 if options["mask"] else None
    options["resets"] = rng.random(flags) < 0.4 if options["resets"] else None
    result = quick_jit(lambda *arrays: scan(CELLS[name], *arrays, **options))(x, state, weights)

    all_outputs, _ = options.pop("all_outputs"), options.pop("unroll")
    outputs, ends = numpy_cells.run(name, np.asarray(x), state, weights, **options)
    assert (result.outputs is not None) == all_outputs
    if all_outputs:
        np.testing.assert_allclose(result.outputs, outputs, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(result.last, outputs[:, -1], rtol=1e-12, atol=1e-12)
    for array, end in zip(result.state, ends, strict=True):
        np.testing.assert_allclose(array, end, rtol=1e-12, atol=1e-12)


@each_cell
def test_gradients_agree_with_finite_differences(name, rng):
    x, state, weights = random_case(name, rng, batch=2, time=3)
    mask = jnp.array([[True, False, True], [True, True, False]])
    resets = jnp.array([[False, False, True], [False, False, False]])

    weigh = jnp.asarray(rng.normal(size=(2, 3, 3)))

    def value(x, state, weights):
        result = scan(CELLS[name], x, state, weights, mask=mask, resets=resets)
        return jnp.sum(result.outputs * weigh) + sum(map(jnp.sum, result.state))

    arguments, small = (x, state, weights), 1e-5
    gradient = quick_jit(jax.grad(value, argnums=(0, 1, 2)))(*arguments)
    value = quick_jit(value)
    for _ in range(5):
        way = jax.tree.map(lambda a: rng.normal(size=a.shape), arguments)
        ahead, behind = (
            value(*jax.tree.map(lambda a, w, by=by: a + by * w, arguments, way))
            for by in (small, -small)
        )
        slope = sum(jax.tree.leaves(jax.tree.map(lambda g, w: jnp.sum(g * w), gradient, way)))
        np.testing.assert_allclose((ahead - behind) / (2 * small), slope, rtol=1e-6, atol=1e-8)


@each_cell
@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_reset_is_a_new_sequence(name, go_backwards, rng):
    """One run with resets equals runs over the pieces alone, in values and in all gradients."""
    time, begins = 7, [0, 2, 3]
    x, state, weights = random_case(name, rng, batch=2, time=time)
    mask = jnp.asarray(rng.random((2, time)) < 0.7)
    resets = jnp.zeros((2, time), bool).at[:, jnp.array(begins[1:])].set(True)
    pieces = [slice(a, b) for a, b in zip(begins, [*begins[1:], time], strict=True)]
    if go_backwards:
        pieces.reverse()
    weigh = jnp.asarray(rng.normal(size=(2, time, 3)))

    def whole(x, state, weights):
        kwargs = {"mask": mask, "resets": resets, "go_backwards": go_backwards}
        result = scan(CELLS[name], x, state, weights, **kwargs)
        return jnp.sum(result.outputs * weigh), result

    def in_pieces(x, state, weights):
        outputs = []
        for piece in pieces:
            kwargs = {"mask": mask[:, piece], "go_backwards": go_backwards}
            result = scan(CELLS[name], x[:, piece], state, weights, **kwargs)
            outputs.append(result.outputs)
            state = jax.tree.map(jnp.zeros_like, state)
        result = result._replace(outputs=jnp.concatenate(outputs, axis=1))
        return jnp.sum(result.outputs * weigh), result

    runs = [
        quick_jit(jax.value_and_grad(f, argnums=(0, 1, 2), has_aux=True))(x, state, weights)
        for f in (whole, in_pieces)
    ]
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), *runs)


@each_cell
def test_no_gradient_crosses_a_reset(name, rng):
    x, state, weights = random_case(name, rng)
    resets = jnp.zeros((3, 5), bool).at[:, 3].set(True)

    def last(x, state):
        return jnp.sum(scan(CELLS[name], x, state, weights, resets=resets).last)

    by_x, by_state = quick_jit(jax.grad(last, argnums=(0, 1)))(x, state)
    assert not np.any(by_x[:, :3])
    assert np.all(by_x[:, 3:])
    assert not any(np.any(array) for array in by_state)


@each_cell
def test_a_fully_masked_row_keeps_its_state(name, rng):
    x, state, weights = random_case(name, rng)
    mask = jnp.ones((3, 5), bool).at[1].set(False)
    result = quick_jit(lambda *arrays: scan(CELLS[name], *arrays, mask=mask))(x, state, weights)
    for array, before in zip(result.state, state, strict=True):
        np.testing.assert_array_equal(array[1], before[1])
    np.testing.assert_array_equal(result.outputs[1], np.broadcast_to(state.h[1], (5, 3)))


TIME = 6
flags = st.lists(st.lists(st.booleans(), min_size=TIME, max_size=TIME), min_size=2, max_size=2)


@pytest.fixture(scope="module")
def compiled():
    """For each cell a random case and its compiled run, with masks, resets and a state to set."""
    rng, runs = np.random.default_rng(11), {}
    with jax.enable_x64(True):
        for name, cell in CELLS.items():
            x, state, weights = random_case(name, rng, batch=2, time=TIME)

            def run(state, mask, resets, cell=cell, x=x, weights=weights):
                return scan(cell, x, state, weights, mask=mask, resets=resets)

            runs[name] = jax.jit(run), np.asarray(x), state, weights
    return runs


@each_cell
@settings(max_examples=25, deadline=None)
@given(mask=flags, resets=flags)
def test_masks_and_resets_together(name, compiled, mask, resets):
    run, x, state, weights = compiled[name]
    mask, resets = np.array(mask), np.array(resets)
    result = run(state, mask, resets)
    outputs, ends = numpy_cells.run(name, x, state, weights, mask=mask, resets=resets)
    np.testing.assert_allclose(result.outputs, outputs, atol=1e-12)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-12), [*result.state], ends)


@each_cell
@settings(max_examples=25, deadline=None)
@given(mask=flags, resets=flags, cut=st.integers(0, TIME))
def test_masked_steps_can_be_cut_anywhere(name, compiled, mask, resets, cut):
    """The steps before a cut, then those after it from the carried state: the whole."""
    run, *_, state, _ = compiled[name]
    mask, resets = np.array(mask), np.array(resets)
    before = np.arange(TIME) < cut
    first = run(state, mask & before, resets & before)
    second = run(first.state, mask & ~before, resets & ~before)
    whole = run(state, mask, resets)
    for array, expected in zip(second.state, whole.state, strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-12)


@pytest.mark.parametrize(
    ("name", "each_gate"),
    [(name, False) for name in CELLS] + [(name, True) for name in CELLS if name != "SimpleRNN"],
)
def test_dropout_masks_multiply_inputs_and_outputs(name, each_gate, rng):
    """Dropping a feature or a unit equals zeros in the rows of the weights it meets."""
    x, state, weights = random_case(name, rng, batch=1)
    count = len(CELLS[name].gates) if each_gate else 1
    masks = DropoutMasks(
        inputs=jnp.asarray(2.0 * (rng.random((count, 1, 2)) < 0.5)),
        recurrent=jnp.asarray(1.5 * (rng.random((count, 1, 3)) < 0.5)),
    )
    blocks = len(CELLS[name].gates)

    def scaled(kernel, mask):
        rows = np.broadcast_to(np.asarray(mask), (blocks, 1, kernel.shape[0]))
        by_gate = np.split(np.asarray(kernel), blocks, axis=1)
        return np.concatenate([k * m.T for k, m in zip(by_gate, rows, strict=True)], axis=1)

    same = (
        scaled(weights.kernel, masks.inputs),
        scaled(weights.recurrent_kernel, masks.recurrent),
        weights.bias,
    )
    given_masks = masks if each_gate else DropoutMasks(masks.inputs[0], masks.recurrent[0])
    run = quick_jit(lambda *arrays: scan(CELLS[name], *arrays, dropout=given_masks))
    result = run(x, state, weights)
    outputs, _ = numpy_cells.run(name, np.asarray(x), state, same)
    np.testing.assert_allclose(result.outputs, outputs, atol=1e-12)


def test_no_time_steps(rng):
    x, state, weights = random_case("LSTM", rng)
    with pytest.raises(ValueError, match=r"no time steps: its shape .* is \(3, 0, 2\)"):
        scan(LSTM(), x[:, :0], state, weights)


def test_backwards_a_sequence_starts_one_step_earlier():
    resets = jnp.array([[True, False, True, True], [False, True, False, False]])
    expected = [[False, True, True, False], [True, False, False, False]]
    assert starts_backwards(resets).tolist() == expected
