"""What is chosen for a whole model where JAX computes on a GPU; cuDNN's call is written out."""

import io

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from gpu_stand_in import pretend_a_gpu
from statewise import Sequential, draw, layers
from statewise.models.training import programs, updates
from statewise.pictures.trace import model_call
from statewise.recurrence import show_config
from statewise.recurrence.backends import cpu, gpu
from statewise.streams import Streams


def padded(rng):
    x = rng.normal(size=(12, 7, 2)).astype("float32")
    x[:4, 5:] = 0.0  # padded behind their ends
    return x, x.sum(axis=(1, 2))[:, None]


def trained(x, y):
    keras.utils.set_random_seed(0)
    hidden = layers.LSTM(5, return_sequences=True), layers.GRU(3)
    model = Sequential([layers.Input((None, 2)), layers.Masking(), *hidden, layers.Dense(1)])
    model.compile(loss="mse", optimizer="adam")
    history = model.fit(x, y, batch_size=4, epochs=2, verbose=0)
    return model.get_weights(), history.history["loss"], model.predict(x, verbose=0)


def refuse(call):
    raise AssertionError("a native kernel for the CPU was asked to run on a GPU")


@pytest.mark.slow
def test_a_model_trains_and_predicts_with_cudnn(rng, monkeypatch):
    x, y = padded(rng)
    expected = trained(x, y)
    pretend_a_gpu(monkeypatch)
    monkeypatch.setattr(cpu, "recurrence", refuse)
    monkeypatch.setattr(updates.native, "adam", refuse)
    asked, run = [], gpu.cudnn.lstm
    monkeypatch.setattr(gpu.cudnn, "lstm", lambda *given: asked.append(given) or run(*given))
    found = trained(x, y)
    assert asked
    for one, other in zip(*map(jax.tree.leaves, (found, expected)), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


def test_streams_forecasts_and_pictures_work_with_cudnn(rng, monkeypatch):
    pretend_a_gpu(monkeypatch)
    keras.utils.set_random_seed(0)
    model = Sequential(
        [layers.Input((None, 2)), layers.LSTM(4, return_sequences=True), layers.Dense(2)]
    )
    model.compile(loss="mse", optimizer="adam")
    x = rng.normal(size=(2, 6, 2)).astype("float32")
    assert model.forecast(x, horizon=3).shape == (2, 3, 2)
    assert draw(model, (2, 6, 2)).picture == "many-to-many"
    streams = Streams(model)
    streams.join(0)
    steps = np.stack([streams[0].push(step) for step in x[0]])
    np.testing.assert_allclose(steps, model.predict(x, verbose=0)[0], atol=1e-5)


def test_what_is_made_for_cpus_stays_there(monkeypatch):
    gradients = [jnp.ones((1000, 1000))]
    assert model_call.quick_options()
    assert programs._compiler_options(100)
    pretend_a_gpu(monkeypatch)
    assert not updates._pays(gradients)
    assert programs._compiler_options(100) == {}
    assert model_call.quick_options() == {}


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        ("", "cuDNN's LSTM (STATEWISE_GPU=reference switches it off), masked or not"),
        ("kernels", "anything else: our own kernels, never measured"),
        ("reference", "the reference (a compiled lax.scan), because STATEWISE_GPU=reference"),
    ],
)
def test_the_configuration_says_what_serves_on_a_gpu(choice, said, monkeypatch):
    pretend_a_gpu(monkeypatch, choice)
    monkeypatch.setattr("statewise.recurrence.config.has_cudnn", lambda: True)
    text = io.StringIO()
    show_config(text)
    assert said in text.getvalue()
    assert "because it compiles them for a gpu" in text.getvalue()
    monkeypatch.setattr("statewise.recurrence.config.has_cudnn", lambda: False)
    text = io.StringIO()
    show_config(text)
    assert ("has no cuDNN" in text.getvalue()) == (choice != "reference")
