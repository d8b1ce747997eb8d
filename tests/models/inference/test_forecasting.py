"""Warm-up and closed loop in one program equal the loop that the page writes by hand."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers


@pytest.fixture
def tanks(rng):
    return rng.normal(size=(3, 6, 2)).astype("float32")


def sequence_model(**options):
    keras.utils.set_random_seed(1)
    return sw.Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(4, return_sequences=True, **options),
            layers.GRU(2, return_sequences=True, **options),
        ]
    )


def by_hand(model, known, steps):
    """Do what the page does: predict the known steps, then feed back one step at a time."""
    model.reset_states()
    last = model.predict(known, verbose=0)[:, -1:]
    outputs = [last]
    for _ in range(steps - 1):
        last = model.predict(last, verbose=0)
        outputs.append(last)
    model.reset_states()
    return np.concatenate(outputs, axis=1)


def test_equals_the_pages_loop_for_stateful_and_stateless_models(tanks):
    stateful, stateless = sequence_model(stateful=True), sequence_model()
    expected = by_hand(stateful, tanks, 5)
    np.testing.assert_allclose(stateful.forecast(tanks, 5), expected, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(stateless.forecast(tanks, 5), expected, rtol=1e-4, atol=1e-6)


def test_carrying_the_state_equals_growing_the_sequence(tanks):
    model = sequence_model()
    grown = tanks
    for _ in range(4):
        grown = np.concatenate([grown, model.predict(grown, verbose=0)[:, -1:]], axis=1)
    np.testing.assert_allclose(model.forecast(tanks, 4), grown[:, 6:], rtol=1e-4, atol=1e-6)


def test_a_forecast_leaves_the_carried_state_alone(tanks):
    model = sequence_model(stateful=True)
    model.predict(tanks, verbose=0)
    before = model.layers[0].states[0].numpy()
    model.forecast(tanks[:1], 3)
    np.testing.assert_array_equal(before, model.layers[0].states[0].numpy())


def test_a_model_trained_on_windows_is_shown_windows(tanks):
    keras.utils.set_random_seed(1)
    model = sw.Sequential([layers.Input((4, 2)), layers.LSTM(3), layers.Dense(2)])
    shown, expected = tanks[:, -4:], []
    for _ in range(3):
        expected.append(model.predict(shown, verbose=0))
        shown = np.concatenate([shown[:, 1:], expected[-1][:, None]], axis=1)
    np.testing.assert_allclose(
        model.forecast(tanks, 3), np.stack(expected, axis=1), rtol=1e-4, atol=1e-6
    )


def test_one_step_is_the_prediction_itself(tanks):
    model = sequence_model()
    np.testing.assert_allclose(
        model.forecast(tanks, 1)[:, 0], model.predict(tanks, verbose=0)[:, -1], rtol=1e-5, atol=1e-6
    )


def test_tokens_are_chosen_by_feed_back():
    keras.utils.set_random_seed(1)
    model = sw.Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(7, 3),
            layers.GRU(4, return_sequences=True),
            layers.TimeDistributed(layers.Dense(7, activation="softmax")),
        ]
    )
    known = np.array([[1, 2, 3], [4, 5, 6]])

    def likeliest(probabilities, step):
        return jnp.argmax(probabilities, axis=-1)

    probabilities = model.forecast(known, 4, feed_back=likeliest)
    grown = known
    for _ in range(4):
        grown = np.concatenate([grown, model.predict(grown, verbose=0)[:, -1:].argmax(-1)], axis=1)
    np.testing.assert_array_equal(probabilities.argmax(-1), grown[:, 3:])


def test_known_inputs_of_the_future_come_by_feed_back(tanks):
    keras.utils.set_random_seed(1)
    model = sw.Sequential(
        [layers.Input((None, 2)), layers.GRU(3, return_sequences=True), layers.Dense(1)]
    )
    future = jnp.asarray(np.linspace(0, 1, 3 * 4).reshape(3, 4).astype("float32"))

    def with_known(output, step):
        known = jax.lax.dynamic_index_in_dim(future, step, axis=1)
        return jnp.concatenate([output, known], axis=-1)

    got = model.forecast(tanks, 3, feed_back=with_known)
    grown = tanks
    for step in range(3):
        output = model.predict(grown, verbose=0)[:, -1]
        np.testing.assert_allclose(got[:, step], output, rtol=1e-4, atol=1e-6)
        new = np.concatenate([output, np.asarray(future)[:, step : step + 1]], axis=-1)
        grown = np.concatenate([grown, new[:, None]], axis=1)


def test_new_weights_are_used(tanks):
    model = sequence_model()
    before = model.forecast(tanks, 2)
    model.set_weights([w + 0.1 for w in model.get_weights()])
    assert np.abs(model.forecast(tanks, 2) - before).max() > 1e-3


def refused(model, x, match, **options):
    with pytest.raises(ValueError, match=match):
        model.forecast(x, options.pop("horizon", 2), **options)


def test_what_cannot_be_forecast_says_why(tanks):
    one = sw.Sequential([layers.Input((None, 2)), layers.LSTM(4), layers.Dense(1)])
    refused(one, tanks, r"shape \(3, 1\) \(batch, features\), an input step \(3, 2\)")
    both = sw.Sequential(
        [layers.Input((None, 2)), layers.Bidirectional(layers.GRU(1, return_sequences=True))]
    )
    refused(both, tanks, r"Bidirectional\) needs several time steps at once")
    back = sw.Sequential(
        [layers.Input((None, 2)), layers.GRU(2, go_backwards=True, return_sequences=True)]
    )
    refused(back, tanks, "begins at the last time step")
    stock = sw.Sequential([layers.Input((None, 2)), keras.layers.GRU(2, return_sequences=True)])
    refused(stock, tanks, r"take the layer of the same name from statewise\.layers")
    fixed = sw.Sequential([layers.Input((9, 2)), layers.GRU(2)])
    refused(fixed, tanks, "6 known time steps, but the model looks at 9")
    model = sequence_model()
    refused(model, tanks, "horizon=0", horizon=0)
    refused(model, tanks[0, 0], r"its shape is \(2,\)")
    refused(model, tanks[:, :0], "no time steps")
    refused(model, tanks[..., :1], r"shape \(3, 6, 1\), but the model takes \(None, None, 2\)")


def test_the_old_name_of_the_horizon_works_and_says_so(tanks):
    model = sequence_model()
    with pytest.warns(FutureWarning, match="steps= is now called horizon="):
        old = model.forecast(tanks, steps=3)
    np.testing.assert_array_equal(old, model.forecast(tanks, horizon=3))
