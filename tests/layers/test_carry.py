"""The state as a value: `Carry` around a call, `Memory` within a layer."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from layer_registry import FEATURES, new, sequences
from statewise import layers
from statewise.layers import Carry
from statewise.layers.carry import current_carry

BATCH, TIME = 2, 6
flags = st.lists(st.lists(st.booleans(), min_size=TIME, max_size=TIME), min_size=2, max_size=2)


@pytest.fixture(scope="module")
def compiled():
    """A layer of each kind, and its run over fixed inputs: ``(state, mask, resets) -> ...``."""
    rng, runs = np.random.default_rng(3), {}
    for name in ("LSTM", "GRU", "cell of the user's own"):
        layer, x = new(name, rng, return_sequences=True), sequences(rng, BATCH, TIME)

        def run(state, mask, resets, layer=layer, x=x):
            with Carry({layer: state}, resets=resets) as carry:
                outputs = layer(x, mask=mask)
            return outputs, carry.final[layer]

        runs[name] = jax.jit(run), keras.tree.flatten(layer.get_initial_state(BATCH))
    return runs


@pytest.mark.parametrize("name", ["LSTM", "GRU", "cell of the user's own"])
@settings(max_examples=20, deadline=None)
@given(mask=flags, resets=flags, cut=st.integers(0, TIME))
def test_cut_anywhere(name, compiled, mask, resets, cut):
    """The steps before a cut, then the steps after it: the same outputs and the same state."""
    run, begin = compiled[name]
    mask, resets, before = np.array(mask), np.array(resets), np.arange(TIME) < cut
    whole, end = run(begin, mask, resets)
    first, state = run(begin, mask & before, resets & before)
    second, state = run(state, mask & ~before, resets & ~before)
    np.testing.assert_allclose(first[:, :cut], whole[:, :cut], atol=1e-6)
    np.testing.assert_allclose(second[:, cut:], whole[:, cut:], atol=1e-6)
    for array, expected in zip(state, end, strict=True):
        np.testing.assert_allclose(array, expected, atol=1e-6)


@pytest.mark.parametrize("name", ["LSTM", "GRU", "cell of the user's own"])
@settings(max_examples=20, deadline=None)
@given(mask=flags, resets=flags, row=st.integers(0, 1))
def test_rows_do_not_meet(name, compiled, mask, resets, row):
    """What one row is given never changes the other."""
    run, begin = compiled[name]
    mask, resets = np.array(mask), np.array(resets)
    other_mask, other_resets = mask.copy(), resets.copy()
    other_mask[row], other_resets[row] = ~mask[row], ~resets[row]
    (one, _), (two, _) = run(begin, mask, resets), run(begin, other_mask, other_resets)
    np.testing.assert_array_equal(one[1 - row], two[1 - row])


def test_a_reset_at_every_step_forgets_everything(rng):
    layer, x = new("GRU", rng, return_sequences=True), sequences(rng)
    with Carry({layer: [rng.normal(size=(2, 3))]}, resets=np.ones((2, 5), bool)):
        outputs = layer(x)
    alone = layer(x.reshape(10, 1, FEATURES)).reshape(2, 5, 3)
    np.testing.assert_allclose(outputs, alone, atol=1e-6)


def test_outside_there_is_no_carry(rng):
    layer = new("LSTM", rng)
    assert current_carry() is None
    with Carry({layer: None}) as outer:
        with Carry({}) as inner:
            assert current_carry() is inner
        assert current_carry() is outer
    with pytest.raises(KeyError, match="lost"), Carry({layer: None}):
        raise KeyError("lost")
    assert current_carry() is None


def test_a_layer_called_twice_goes_on(rng):
    layer, x = new("LSTM", rng), sequences(rng)
    with Carry({layer: None}):
        layer(x[:, :2])
        in_two = layer(x[:, 2:])
    np.testing.assert_allclose(in_two, layer(x), atol=1e-6)


def test_a_layer_that_is_not_called_keeps_what_it_was_given(rng):
    called, idle = new("GRU", rng), new("LSTM", rng)
    given_arrays = [jnp.ones((2, 3))] * 2
    with Carry({called: None, idle: given_arrays}) as carry:
        called(sequences(rng))
    assert carry.final[idle] is given_arrays
    assert [a.shape for a in carry.final[called]] == [(2, 3)]


def test_a_carry_comes_before_the_layers_own_memory(rng):
    layer, x = new("LSTM", rng, stateful=True), sequences(rng)
    layer(x)
    kept = [np.array(v.value) for v in layer.states]
    with Carry({layer: None}):
        fresh = layer(x)
    for array, variable in zip(kept, layer.states, strict=True):
        np.testing.assert_array_equal(array, variable.value)
    layer.reset_states()
    np.testing.assert_allclose(layer(x), fresh, atol=1e-6)


def test_no_state_is_kept_while_tracing(rng):
    layer, x = new("LSTM", rng, stateful=True), sequences(rng)
    eager = layer(x)
    state = [np.array(v.value) for v in layer.states]
    traced = jax.jit(lambda x: layer(x))(x)  # begins at the initial state, and drops the last
    np.testing.assert_allclose(traced, eager, atol=1e-6)
    for array, variable in zip(state, layer.states, strict=True):
        np.testing.assert_array_equal(array, variable.value)


def test_truncated_gradients(rng):
    """Values cross from chunk to chunk, gradients only if the carry is inside what is derived."""
    layer, x = new("GRU", rng), jnp.asarray(sequences(rng))

    def of_both(x):
        with Carry({layer: None}) as first:
            layer(x[:, :3])
        with Carry(first.final):
            return jnp.sum(layer(x[:, 3:]))

    def of_the_second(x):
        with Carry({layer: None}) as first:
            layer(x[:, :3])
        with Carry({layer: jax.lax.stop_gradient(first.final[layer])}):
            return jnp.sum(layer(x[:, 3:]))

    full, cut = jax.grad(of_both)(x), jax.grad(of_the_second)(x)
    np.testing.assert_allclose(full, jax.grad(lambda x: jnp.sum(layer(x)))(x), atol=1e-6)
    assert np.all(full[:, :3])
    assert not np.any(cut[:, :3])
    np.testing.assert_allclose(full[:, 3:], cut[:, 3:], atol=1e-6)


def test_a_state_of_other_samples_is_refused(rng):
    layer, x = new("LSTM", rng), sequences(rng)
    message = r"shapes \[\(1, 3\), \(1, 3\)\], but 2 samples came, whose state is 2 arrays"
    with pytest.raises(ValueError, match=message):
        layer(x, initial_state=[np.zeros((1, 3), "float32")] * 2)
    with pytest.raises(ValueError, match=r"shapes \[\(2, 3\)\], but .* is 2 arrays"):
        layer(x, initial_state=[np.zeros((2, 3), "float32")])
    with pytest.raises(ValueError, match=message), Carry({layer: [jnp.zeros((1, 3))] * 2}):
        layer(x)


def test_the_state_can_be_assigned(rng):
    layer, x = new("LSTM", rng, stateful=True), sequences(rng)
    layer(x)
    values = [rng.normal(size=(2, 3)).astype("float32") for _ in range(2)]
    for variable, value in zip(layer.states, values, strict=True):
        variable.assign(value)
    second = layer(x)
    layer.reset_states()
    np.testing.assert_allclose(second, layer(x, initial_state=values), atol=1e-6)
    with pytest.raises(AttributeError, match=r"can't be replaced; assign\(\) to its variables"):
        layer.states = values


def test_a_known_batch_size_has_its_state_from_the_start(rng):
    layer = layers.LSTM(3, stateful=True)
    layer.build((4, None, FEATURES))
    assert [v.shape for v in layer.states] == [(4, 3)] * 2
    assert layer(sequences(rng, batch=2)).shape == (2, 3)  # nothing is carried yet
    assert [v.shape for v in layer.states] == [(2, 3)] * 2
