"""Data without a sample: predictions of no rows, and words where nothing can be computed."""

import jax
import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

X, Y = np.ones((4, 5, 2), "float32"), np.ones((4, 3), "float32")


def model_of(**options):
    model = sw.Sequential([layers.Input((5, 2)), layers.LSTM(3, **options)])
    model.compile("sgd", "mse")
    return model


@pytest.mark.parametrize("method", ["predict", "predict_on_batch"])
def test_predictions_have_no_rows(method):
    predict = getattr(model_of(), method)
    outputs = predict(X[:0])
    assert outputs.shape == (0, 3)
    assert outputs.dtype == np.float32
    np.testing.assert_array_equal(np.concatenate([outputs, predict(X)]), predict(X))


def test_predictions_of_models_that_are_not_built_yet():
    model = sw.Sequential([layers.GRU(3), layers.Dense(2)])
    assert model.predict(X[:0].astype("float64"), verbose=0).shape == (0, 2)
    assert model.predict(X, verbose=0).shape == (4, 2)


def test_predictions_in_the_structure_of_the_outputs():
    inputs = {name: layers.Input((2,), name=name) for name in "ab"}
    both = layers.Concatenate()(list(inputs.values()))
    model = sw.Model(inputs, {"one": layers.Dense(1)(both), "two": [both]})
    outputs = model.predict({name: np.ones((0, 2)) for name in "ab"}, verbose=0)
    assert outputs["one"].shape == (0, 1)
    assert outputs["two"][0].shape == (0, 4)


def test_integer_inputs():
    model = sw.Sequential([layers.Input((5,), dtype="int32"), layers.Embedding(7, 2)])
    assert model.predict(np.zeros((0, 5), int), verbose=0).shape == (0, 5, 2)


@pytest.mark.parametrize("batch", [None, 4])
def test_a_stateful_model_keeps_its_state(batch):
    shape = {"shape": (5, 2)} if batch is None else {"batch_shape": (4, 5, 2)}
    model = sw.Sequential([layers.Input(**shape), layers.LSTM(3, stateful=True)])
    assert model.predict(X[:0], verbose=0).shape == (0, 3)
    model.predict(X, verbose=0)
    before = model.get_state()
    assert model.predict(X[:0], verbose=0).shape == (0, 3)
    for array, after in zip(*map(jax.tree.leaves, (before, model.get_state())), strict=True):
        np.testing.assert_array_equal(array, after)
    assert model.get_state().batch_size == 4


@pytest.mark.parametrize("method", ["fit", "evaluate", "train_on_batch", "test_on_batch"])
def test_no_loss_of_no_samples(method):
    with pytest.raises(ValueError, match="x holds no samples"):
        getattr(model_of(), method)(X[:0], Y[:0])


class Empty(keras.utils.PyDataset):
    def __len__(self):
        return 0

    def __getitem__(self, index):
        raise IndexError


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
@pytest.mark.parametrize("method", ["fit", "evaluate", "predict"])
def test_data_without_a_batch(method):
    with pytest.raises(ValueError, match=r"no batch|at least one"):
        getattr(model_of(), method)(Empty(), verbose=0)


def test_training_ends_where_a_generator_does():
    model = model_of()
    batches = ((X, Y) for _ in range(4))
    with pytest.warns(UserWarning, match="ran out of data"):
        history = model.fit(batches, steps_per_epoch=2, epochs=5, shuffle=False, verbose=0).history
    assert len(history["loss"]) == 2
    assert all(history["loss"])
