"""What every recurrent layer promises."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from layer_registry import FEATURES, LAYERS, ONE_WAY, new, numbers, sequences
from quick import quick_jit
from statewise import layers
from statewise.layers import Carry


@pytest.fixture(autouse=True)
def step_by_step():
    """Run loops over time as Python loops: a loop that is met outside of jit costs a compilation
    in every call, and there are hundreds here. What is compiled is tested against Keras's layers.
    """
    with jax.disable_jit():
        yield


# Their cells stand in "stack of the further cells" too; alone they run in the slow suite.
IN_THE_STACK = ("LayerNormLSTM", "ProjectedLSTM", "MinGRU", "MinLSTM", "projected, both ways")


def named(names):
    """Parametrize by name."""
    cases = [pytest.param(n, marks=pytest.mark.slow) if n in IN_THE_STACK else n for n in names]
    return pytest.mark.parametrize("name", cases)


every_layer = named(LAYERS)
every_one_way = named(ONE_WAY)


def assert_close(a, b, atol=1e-5):
    for one, other in zip(jax.tree.leaves(a), jax.tree.leaves(b), strict=True):
        np.testing.assert_allclose(numbers(one), numbers(other), atol=atol)


@every_one_way
def test_two_steps_and_three_are_five(name, rng):
    layer = new(name, rng, stateful=True, return_sequences=True)
    x = sequences(rng)
    parts = [layer(x[:, :2]), layer(x[:, 2:])]
    layer.reset_states()
    assert_close(jnp.concatenate(parts, axis=1), layer(x))


@every_one_way
def test_one_step_at_a_time_is_the_whole_sequence(name, rng):
    layer = new(name, rng, return_sequences=True)
    x, state, steps = sequences(rng, time=4), None, []
    for t in range(4):
        with Carry({layer: state}) as carry:
            steps.append(layer(x[:, t : t + 1]))
        state = carry.final[layer]
    assert_close(jnp.concatenate(steps, axis=1), layer(x))


@every_one_way
def test_the_returned_state_goes_on(name, rng):
    layer = new(name, rng, return_state=True)
    x = sequences(rng)
    _, *state = layer(x[:, :3])
    assert_close(layer(x[:, 3:], initial_state=state), layer(x))


@every_one_way
def test_a_carried_state_under_jit(name, rng):
    layer = new(name, rng, stateful=True)
    x = sequences(rng)
    with Carry({layer: None}):
        whole = layer(x)

    @quick_jit
    def run(x, state):
        with Carry({layer: state}) as carry:
            return layer(x), carry.final[layer]

    with jax.disable_jit(False):
        _, state = run(x[:, :2], None)
        output, _ = run(x[:, 2:], state)
    assert_close(output, whole)
    assert layer.states is None  # nothing was kept beside what was returned


@every_layer
def test_any_batch_size_after_a_reset(name, rng):
    layer, fresh = new(name, rng, stateful=True), new(name, rng)
    fresh.set_weights(layer.get_weights())
    for batch in (2, 3):
        x = sequences(rng, batch)
        assert_close(layer(x), fresh(x))
        layer.reset_states()


@every_layer
def test_the_state_of_other_sequences_is_refused(name, rng):
    layer = new(name, rng, stateful=True)
    layer(sequences(rng, batch=2))
    with pytest.raises(ValueError, match=r"the state of a batch of 2 samples, but 3 came\. Either"):
        layer(sequences(rng, batch=3))
    layer(sequences(rng, batch=2))


@every_one_way
def test_some_rows_begin_again(name, rng):
    layer = new(name, rng, stateful=True)
    first, second = sequences(rng, batch=3), sequences(rng, batch=3)
    layer(first)
    going_on = layer(second)
    layer.reset_states()
    fresh = layer(second)
    layer.reset_states()
    layer(first)
    layer.reset_states([0, 2])
    mixed = layer(second)
    assert_close(mixed, jnp.stack([fresh[0], going_on[1], fresh[2]]))


@every_one_way
def test_rows_that_do_not_exist(name, rng):
    layer = new(name, rng, stateful=True)
    layer(sequences(rng, batch=3))
    with pytest.raises(ValueError, match=r"rows .* \[1, 3\]; .*batch of 3 samples.* 0 to 2"):
        layer.reset_states([1, 3])


@every_one_way
def test_the_states_are_what_is_returned(name, rng):
    layer = new(name, rng, stateful=True, return_state=True)
    assert layer.states is None
    _, *state = layer(sequences(rng))
    assert_close(layer.states, state)
    layer.reset_states()
    assert_close(layer.states, layer.get_initial_state(2))


@every_one_way
@pytest.mark.parametrize("go_backwards", [False, True])
def test_resets_are_new_sequences(name, go_backwards, rng):
    layer = new(name, rng, return_sequences=True, go_backwards=go_backwards)
    x, mask, resets = sequences(rng), rng.random((2, 5)) < 0.8, np.zeros((2, 5), bool)
    resets[0, 2] = True
    with Carry({layer: None}, resets=resets):
        together = layer(x, mask=mask)
    parts = [layer(x[:, part], mask=mask[:, part]) for part in (slice(2), slice(2, None))]
    if go_backwards:
        parts.reverse()
    assert_close(together[0], jnp.concatenate(parts, axis=1)[0])
    assert_close(together[1], layer(x, mask=mask)[1])


@every_one_way
def test_no_gradient_crosses_a_reset(name, rng):
    layer = new(name, rng)
    resets = np.zeros((2, 5), bool)
    resets[:, 3] = True

    def last(x):
        with Carry({layer: None}, resets=resets):
            return jnp.sum(layer(x))

    with jax.disable_jit(False):
        gradient = quick_jit(jax.grad(last))(sequences(rng))
    assert not np.any(gradient[:, :3])
    assert np.all(gradient[:, 3:])


@every_one_way
def test_padding_on_the_right_changes_nothing(name, rng):
    layer = new(name, rng, return_state=True)
    x, mask = sequences(rng), np.arange(5) < np.array([[3], [3]])
    assert_close(layer(x, mask=mask), layer(x[:, :3]))


@every_layer
def test_its_config_makes_it_again(name, rng):
    layer = new(name, rng, return_sequences=True, stateful=True)
    again = type(layer).from_config(layer.get_config())
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    again.build((None, None, FEATURES))
    again.set_weights(layer.get_weights())
    x = sequences(rng)
    assert_close(again(x), layer(x))


@every_layer
def test_a_saved_model_computes_the_same(name, rng, tmp_path):
    inputs = keras.Input((None, FEATURES))
    layer = new(name, stateful=True)
    model = keras.Model(inputs, layer(inputs))
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert type(loaded.layers[1]) is type(layer)
    x = sequences(rng)
    assert_close(loaded(x), model(x))


@every_layer
def test_a_clone_has_the_same_form(name, rng):
    inputs = keras.Input((None, FEATURES))
    model = keras.Model(inputs, new(name)(inputs))
    clone = keras.models.clone_model(model)
    clone.set_weights(model.get_weights())
    x = sequences(rng)
    assert_close(clone(x), model(x))


@every_layer
def test_a_symbolic_call_needs_neither_batch_nor_time(name, rng):
    inputs = keras.Input((None, FEATURES))
    layer = new(name, return_sequences=True, stateful=True)
    model = keras.Model(inputs, layer(inputs))
    assert model.output_shape[:2] == (None, None)
    for batch, time in ((2, 3), (3, 2)):
        assert model(sequences(rng, batch, time)).shape == (batch, time, model.output_shape[2])
        layer.reset_states()


@pytest.mark.parametrize("name", ["GRU", "LSTM", "stack with the user's own"])
def test_half_precision(name, rng):
    exact = new(name, rng, return_sequences=True, stateful=True)
    policy = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        layer = new(name, rng, return_sequences=True, stateful=True)
    finally:
        keras.config.set_dtype_policy(policy)
    layer.set_weights(exact.get_weights())
    x, mask, resets = sequences(rng), rng.random((2, 5)) < 0.8, rng.random((2, 5)) < 0.3
    for one in (layer, exact):
        one(x, mask=mask)
    with Carry({}, resets=resets):
        output, expected = layer(x), exact(x)
    assert output.dtype == "bfloat16"
    assert all(variable.dtype == "bfloat16" for variable in keras.tree.flatten(layer.states))
    assert_close(output, expected, atol=0.05)


@every_layer
def test_no_time_steps(name, rng):
    with pytest.raises(ValueError, match=r"needs at least one time step; .* \(2, 0, 2\)"):
        new(name, rng)(np.zeros((2, 0, FEATURES), "float32"))


def test_after_an_error_dropout_is_drawn_anew(rng):
    layer = layers.LSTM(3, dropout=0.5, seed=1)
    with pytest.raises(Exception, match="mask"):
        layer(sequences(rng, batch=2), mask="no mask", training=True)
    assert layer(sequences(rng, batch=3), training=True).shape == (3, 3)
