"""Models by their old arguments, and what becomes of them when they are saved."""

import inspect
import pickle

import numpy as np
import pytest

import statewise
from statewise.interop import keras1
from statewise.interop.keras1 import OldSpellingWarning
from statewise.interop.keras1.layers import GRU, LSTM, Dense, Input
from statewise.interop.keras1.models import Model, Sequential, load_model

old = pytest.warns(OldSpellingWarning)


def sequential():
    return Sequential([LSTM(4, batch_input_shape=(2, 3, 1), stateful=True), Dense(1)])


def functional():
    inputs = Input(batch_shape=(2, 3, 1), name="series")
    return Model(input=inputs, output=Dense(1)(GRU(4)(inputs)))


KINDS = {"Sequential": sequential, "Functional": functional}


@pytest.fixture(params=KINDS)
def model(request):
    with old:
        return KINDS[request.param]()


def test_epochs_by_their_old_name(model, rng):
    x, y = rng.normal(size=(6, 3, 1)), rng.normal(size=(6, 1))
    model.compile(loss="mean_squared_error", optimizer="adam")
    with pytest.warns(OldSpellingWarning) as caught:
        history = model.fit(x, y, nb_epoch=3, batch_size=2, verbose=0)
    model.fit(x, y, nb_epoch=3, batch_size=2, verbose=0)  # not said again
    assert len(history.history["loss"]) == 3
    (warning,) = caught
    assert str(warning.message) == "nb_epoch= is an old spelling. Today: epochs=."
    assert warning.filename == __file__
    with pytest.raises(TypeError, match="fit got both epochs and its old spelling nb_epoch"):
        model.fit(x, y, nb_epoch=3, epochs=3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'number_of_epochs'"):
        model.fit(x, y, number_of_epochs=3)


def test_inputs_and_outputs_by_their_old_names():
    inputs = Input((3, 1))
    with pytest.warns(OldSpellingWarning) as caught:
        model = Model(input=inputs, output=GRU(4)(inputs), name="page")
    assert [str(warning.message) for warning in caught] == [
        "input= is an old spelling. Today: inputs=.",
        "output= is an old spelling. Today: outputs=.",
    ]
    assert {warning.filename for warning in caught} == {__file__}
    assert isinstance(model, keras1.models.Model)
    assert isinstance(model, statewise.Model)
    assert model.name == "page"
    assert model.output_shape == (None, 4)
    assert Model(inputs, GRU(4)(inputs)).output_shape == (None, 4)
    with pytest.raises(TypeError, match="Model got both inputs and its old spelling input"):
        Model(inputs=inputs, input=inputs, outputs=inputs)


def test_a_model_of_ones_own(rng):
    class Mean(Model):
        def __init__(self):
            super().__init__()
            self.dense = Dense(1)

        def call(self, x):
            return self.dense(x.mean(axis=1))

    model = Mean()
    model.compile(loss="mse", optimizer="sgd")
    with old:
        model.fit(rng.normal(size=(6, 3, 1)), rng.normal(size=(6, 1)), nb_epoch=1, verbose=0)
    assert type(model) is Mean


@pytest.mark.parametrize("suffix", [".keras", "pickle"])
def test_a_saved_model_is_one_of_todays(model, tmp_path, rng, suffix):
    x = rng.normal(size=(2, 3, 1)).astype("float32")
    if suffix == "pickle":
        loaded = pickle.loads(pickle.dumps(model))
    else:
        model.save(tmp_path / f"model{suffix}")
        loaded = statewise.load_model(tmp_path / f"model{suffix}")
    assert type(loaded) in (statewise.Sequential, statewise.models.Functional)
    assert type(loaded) in inspect.getmro(type(model))
    assert loaded.input_shape == (2, 3, 1)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), model.predict(x, verbose=0))


def test_a_model_loaded_here_takes_old_arguments(model, tmp_path, rng):
    x, y = rng.normal(size=(2, 3, 1)), rng.normal(size=(2, 1))
    model.compile(loss="mse", optimizer="adam")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = load_model(tmp_path / "model.keras")
    assert type(loaded) is type(model)
    with old:
        loaded.fit(x, y, nb_epoch=2, verbose=0)


def test_todays_files_are_loaded_as_ever(tmp_path):
    statewise.Sequential([Input((3, 1)), GRU(2)]).save(tmp_path / "model.keras")
    assert type(statewise.load_model(tmp_path / "model.keras")) is statewise.Sequential
    assert type(load_model(tmp_path / "model.keras")) is Sequential
