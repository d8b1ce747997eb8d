"""Numbers that training would change without a word are refused; whole numbers are any kind's."""

import functools
import re

import keras
import numpy as np
import pytest

from statewise import Sequential, layers


@pytest.fixture
def model():
    model = Sequential([layers.Input((3, 2)), layers.GRU(2), layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    return model


class Given(keras.utils.PyDataset):
    """Batches of given arrays."""

    def __init__(self, *arrays):
        super().__init__()
        self.arrays = arrays

    def __len__(self):
        return 2

    def __getitem__(self, i):
        return tuple(array[2 * i : 2 * i + 2] for array in self.arrays)


WITH_TARGETS = {
    "fit": lambda model, *data: model.fit(*data, verbose=0),
    "evaluate": lambda model, *data: model.evaluate(*data, verbose=0),
    "train_on_batch": lambda model, *data: model.train_on_batch(*data),
    "test_on_batch": lambda model, *data: model.test_on_batch(*data),
    "validation": lambda model, *data: model.fit(
        np.ones((2, 3, 2)), np.ones(2), validation_data=data, verbose=0
    ),
    "split": lambda model, *data: model.fit(*data, validation_split=0.5, verbose=0),
    "generator": lambda model, *data: model.fit(Given(*data), verbose=0),
    "evaluated generator": lambda model, *data: model.evaluate(Given(*data), verbose=0),
}
WITHOUT = {
    "predict": lambda model, x: model.predict(x, verbose=0),
    "in batches": lambda model, x: model.predict(x, batch_size=2),
    "predict_on_batch": lambda model, x: model.predict_on_batch(x),
    "generator": lambda model, x: model.predict(Given(x), verbose=0),
}


@pytest.mark.parametrize("way", WITH_TARGETS)
def test_complex_numbers_do_not_lose_their_imaginary_part(model, way, rng):
    x, y = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 1))
    run = functools.partial(WITH_TARGETS[way], model)
    for data in ((x * 1j, y), (x, y * 1j)):
        with pytest.raises(TypeError, match=r"complex numbers \(complex(128|64)\).*\.imag"):
            run(*data)
    run(x, y)


@pytest.mark.parametrize("way", WITHOUT)
def test_complex_inputs_for_a_prediction(model, way, rng):
    x = rng.normal(size=(4, 3, 2))
    with pytest.raises(TypeError, match="x holds complex numbers"):
        WITHOUT[way](model, x * 1j)
    assert WITHOUT[way](model, x).shape == (4, 1)


@pytest.mark.parametrize("way", ["fit", "evaluate", "train_on_batch", "test_on_batch", "split"])
def test_what_is_under_a_mask_is_not_used(model, way, rng):
    x, y = rng.normal(size=(4, 3, 2)), rng.normal(size=(4, 1))
    for data in ((np.ma.masked_less(x, 0), y), (x, np.ma.masked_less(y, 0))):
        with pytest.raises(ValueError, match="mask"):
            WITH_TARGETS[way](model, *data)
    WITH_TARGETS[way](model, np.ma.array(x).data, y)


def test_complex_weights(model):
    with pytest.raises(TypeError, match="sample_weight holds complex numbers"):
        model.fit(np.ones((4, 3, 2)), np.ones(4), sample_weight=np.ones(4) * 1j)


def test_masked_inputs_for_a_prediction(model, rng):
    x = rng.normal(size=(4, 3, 2))
    with pytest.raises(ValueError, match="x is a masked array with 1 masked value,"):
        model.predict(np.ma.masked_equal(x, x[0, 0, 0]), verbose=0)


@pytest.mark.parametrize("kind", [np.int8, np.uint8, np.int64])
def test_whole_numbers_of_numpy(model, kind):
    x, y = np.ones((300, 3, 2)), np.ones((300, 1))
    many = kind(100)
    history = model.fit(
        x,
        y,
        batch_size=many,
        epochs=kind(3),
        initial_epoch=kind(1),
        validation_data=(x, y),
        validation_batch_size=many,
        validation_steps=kind(2),
        validation_freq=kind(1),
        verbose=0,
    )
    assert len(history.history["val_loss"]) == 2
    model.fit(x, y, batch_size=2, steps_per_epoch=many, verbose=0)
    assert model.evaluate(x, y, batch_size=many, verbose=0) >= 0
    assert model.predict(x, batch_size=many, verbose=0).shape == (300, 1)
    assert model.predict(x, batch_size=many, steps=kind(2), verbose=0).shape == (200, 1)


@pytest.mark.parametrize(
    ("value", "kind", "message"),
    [
        (2.0, TypeError, "=2.0: expected a whole number of"),
        ("2", TypeError, "='2': expected a whole number of"),
        (True, TypeError, "=True: expected a whole number of"),
        (0, ValueError, "=0: expected at least 1 of"),
        (-1, ValueError, "=-1: expected at least"),
    ],
)
def test_what_is_no_number_of_samples_batches_or_epochs(model, value, kind, message):
    x, y = np.ones((4, 3, 2)), np.ones((4, 1))
    message = re.escape(message)
    for call in (
        lambda: model.fit(x, y, batch_size=value),
        lambda: model.fit(x, y, validation_data=(x, y), validation_batch_size=value),
        lambda: model.evaluate(x, y, batch_size=value),
        lambda: model.predict(x, batch_size=value),
        lambda: model.predict(x, batch_size=value, verbose=0),
    ):
        with pytest.raises(kind, match="batch_size" + message):
            call()
    for call in (
        lambda: model.fit(x, y, steps_per_epoch=value),
        lambda: model.fit(x, y, validation_data=(x, y), validation_steps=value),
        lambda: model.evaluate(x, y, steps=value),
        lambda: model.predict(x, steps=value),
    ):
        with pytest.raises(kind, match="steps" + message):
            call()
    if value != 0:
        with pytest.raises(kind, match="epochs" + message):
            model.fit(x, y, epochs=value)
    else:
        assert model.fit(x, y, epochs=0).history == {}
