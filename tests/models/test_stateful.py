"""What `stateful=True` carries from batch to batch and from call to call."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers


def stateful_model(units=3, **options):
    keras.utils.set_random_seed(2)
    model = sw.Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(units, stateful=True, return_sequences=True),
            layers.GRU(2, stateful=True, return_sequences=True),
        ]
    )
    model.compile(loss="mse", optimizer="adam", **options)
    return model


@pytest.fixture
def tanks(rng):
    return rng.normal(size=(4, 5, 2)).astype("float32")


@pytest.mark.parametrize("call", ["__call__", "predict", "predict_on_batch"])
def test_batches_of_two_and_three_steps_equal_one_of_five(tanks, call):
    model = stateful_model()
    run = getattr(model, call)
    options = {"verbose": 0} if call == "predict" else {}
    whole = np.asarray(run(tanks, **options))
    model.reset_states()
    parts = [np.asarray(run(part, **options)) for part in (tanks[:, :2], tanks[:, 2:])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-5, atol=1e-6)
    again = np.asarray(run(tanks, **options))  # goes on: the state is carried
    assert np.abs(again - whole).max() > 1e-3


def test_one_step_at_a_time_equals_the_whole_sequence(tanks):
    model = stateful_model()
    whole = model.predict(tanks, verbose=0)
    model.reset_states()
    steps = [model.predict(tanks[:, t : t + 1], verbose=0) for t in range(5)]
    np.testing.assert_allclose(np.concatenate(steps, axis=1), whole, rtol=1e-5, atol=1e-6)


def test_the_batches_of_one_call_continue_one_another(tanks):
    model = stateful_model()
    whole = model.predict(tanks, verbose=0)
    model.reset_states()
    # Batch 1 has steps 0 and 1 of every tank, batch 2 has steps 2 and 3.
    batches = np.concatenate([tanks[:, :2], tanks[:, 2:4]])
    outputs = model.predict(batches, batch_size=4, verbose=0)
    np.testing.assert_allclose(outputs[:4], whole[:, :2], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(outputs[4:], whole[:, 2:4], rtol=1e-5, atol=1e-6)


def test_rows_can_be_reset(tanks):
    model = stateful_model()
    first = model.predict(tanks, verbose=0)
    model.reset_states(rows=[1, 3])
    second = model.predict(tanks, verbose=0)
    np.testing.assert_allclose(second[[1, 3]], first[[1, 3]], rtol=1e-5, atol=1e-6)
    assert np.abs(second[[0, 2]] - first[[0, 2]]).max() > 1e-3


def test_any_batch_size_after_a_reset(tanks):
    model = stateful_model()
    whole = model.predict(tanks, verbose=0)
    model.reset_states()
    np.testing.assert_allclose(model.predict(tanks[:1], verbose=0), whole[:1], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("call", ["__call__", "predict", "train_on_batch"])
def test_another_batch_size_with_a_carried_state_is_refused(tanks, call):
    model = stateful_model()
    model.predict(tanks, verbose=0)
    args = (tanks[:3], tanks[:3]) if call == "train_on_batch" else (tanks[:3],)
    with pytest.raises(ValueError, match=r"batch of 4 samples, but 3 came\. Either call reset_sta"):
        getattr(model, call)(*args)
    model.reset_states()
    model.predict(tanks[:3], verbose=0)  # more rows than are carried, and no multiple of them
    args = (tanks, tanks) if call == "train_on_batch" else (tanks,)
    with pytest.raises(ValueError, match=r"batch of 3 samples, but 4 came\. Either call reset_sta"):
        getattr(model, call)(*args)


def test_a_batch_left_over_is_refused_before_training(tanks):
    model = stateful_model()
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"batch_size=3 leaves 1 samples over"):
        model.fit(tanks, tanks, batch_size=3, verbose=0)
    np.testing.assert_array_equal(before[0], model.get_weights()[0])


def test_all_rows_are_one_batch_unless_something_else_is_said(rng):
    many = rng.normal(size=(64, 2, 2)).astype("float32")
    model = stateful_model()
    whole = model.predict(many, verbose=0)
    np.testing.assert_allclose(
        whole[40:], stateful_model().predict(many[40:], verbose=0), rtol=1e-5, atol=1e-6
    )
    model.reset_states()
    model.predict(many[:32], verbose=0)
    parts = model.predict(many, verbose=0)  # as many rows as the carried state has, twice
    assert np.abs(parts - whole).max() > 1e-3


def test_training_carries_the_state_and_evaluation_too(tanks):
    model = stateful_model()
    fresh = model.evaluate(tanks, tanks, verbose=0)
    carried = model.evaluate(tanks, tanks, verbose=0)
    assert abs(fresh - carried) > 1e-6
    model.reset_states()
    assert model.evaluate(tanks, tanks, verbose=0) == pytest.approx(fresh, rel=1e-5)


def test_validation_leaves_the_training_state_alone(tanks, rng):
    states = []
    other = rng.normal(size=(2, 7, 2)).astype("float32")
    for validation in (None, (tanks, tanks), (other, other)):
        model = stateful_model()
        model.fit(
            tanks, tanks, batch_size=4, epochs=2, shuffle=False, verbose=0,
            validation_data=validation,
        )  # fmt: skip
        states.append(model.layers[0].states[0].numpy())
    np.testing.assert_array_equal(states[0], states[1])
    np.testing.assert_array_equal(states[0], states[2])


def test_validation_goes_on_from_training(tanks):
    keras.utils.set_random_seed(0)
    model = stateful_model(run_eagerly=False)
    model.optimizer.learning_rate = 0.0
    history = model.fit(
        tanks[:, :3], tanks[:, :3], batch_size=4, shuffle=False, verbose=0,
        validation_data=(tanks[:, 3:], tanks[:, 3:]),
    ).history  # fmt: skip
    expected = np.mean((stateful_model().predict(tanks, verbose=0)[:, 3:] - tanks[:, 3:]) ** 2)
    assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_keras_own_stateful_layer_is_refused(tanks):
    model = sw.Sequential(
        [layers.Input(batch_shape=(4, 5, 2)), keras.layers.LSTM(2, stateful=True)]
    )
    model.compile(loss="mse", optimizer="sgd")
    with pytest.raises(TypeError, match=r"Use statewise\.layers\.LSTM instead"):
        model.fit(tanks, tanks[:, 0], verbose=0)


def test_a_stateful_model_with_a_train_step_of_its_own_is_refused(tanks):
    class Own(sw.Sequential):
        def train_step(self, state, batch):
            return super().train_step(state, batch)

    model = Own([layers.Input((5, 2)), layers.GRU(2, stateful=True)])
    model.compile(loss="mse", optimizer="sgd")
    with pytest.raises(ValueError, match="train_step of its own, which would not carry the state"):
        model.fit(tanks, tanks[:, 0], verbose=0)


def test_nested_models_carry_and_forget(tanks):
    inner = stateful_model()
    inputs = layers.Input((None, 2))
    model = sw.Model(inputs, layers.Dense(1)(inner(inputs)))
    whole = model.predict(tanks, verbose=0)
    model.reset_states()
    parts = [model.predict(part, verbose=0) for part in (tanks[:, :2], tanks[:, 2:])]
    np.testing.assert_allclose(np.concatenate(parts, axis=1), whole, rtol=1e-5, atol=1e-6)
