"""A saved model comes back compiled, so that its training goes on where it stopped."""

import pickle

import keras
import numpy as np
import pytest

import statewise
from statewise import layers


@pytest.fixture
def trained(rng):
    x = rng.normal(size=(12, 5, 2)).astype("float32")
    y = rng.normal(size=(12, 1)).astype("float32")
    model = statewise.Sequential([layers.Input((5, 2)), layers.GRU(3), layers.Dense(1)])
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])
    model.fit(x, y, epochs=2, shuffle=False, verbose=0)
    return model, x, y


def reload_keras(model, tmp_path):
    model.save(tmp_path / "model.keras")
    return statewise.load_model(tmp_path / "model.keras")


def reload_pickle(model, tmp_path):
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize("reload", [reload_keras, reload_pickle])
def test_training_goes_on_as_if_it_had_not_been_saved(trained, tmp_path, reload):
    model, x, y = trained
    loaded = reload(model, tmp_path)
    assert type(loaded) is statewise.Sequential
    assert loaded.evaluate(x, y, verbose=0) == pytest.approx(model.evaluate(x, y, verbose=0))
    for each in (model, loaded):
        each.fit(x, y, epochs=3, shuffle=False, verbose=0)
    for ours, theirs in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@keras.saving.register_keras_serializable(package="tests")
class OwnCompile(statewise.Sequential):
    def compile(self, **kwargs):
        super().compile(**kwargs)


def test_a_compile_of_ones_own_is_left_to_its_owner(trained, tmp_path):
    _, x, y = trained
    model = OwnCompile([layers.Input((5, 2)), layers.GRU(3), layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    with pytest.warns(UserWarning, match="should also override"):
        statewise.load_model(tmp_path / "model.keras")
