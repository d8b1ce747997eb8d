"""Streams with a store go on after a restart where they were."""

import numpy as np
import pytest

from statewise import Sequential, layers
from statewise.streams import Streams

# isort: split
import keras


def network(units=4, seed=2, cell=layers.LSTM):
    keras.utils.set_random_seed(seed)
    return Sequential([layers.Input((None, 2)), cell(units), layers.Dense(2)])


def test_a_restart_goes_on_where_it_stopped(tmp_path, rng):
    path, model = tmp_path / "tanks.db", network()
    x = rng.normal(size=(8, 2)).astype("float32")
    memory = Streams(model)
    memory.push({"north": x[:5], 7: x[1:3]})
    with Streams(model, store=path) as streams:
        assert repr(streams).endswith("tanks.db>")
        streams.join(["north", "gone", "idle"])
        streams["north"].push(x[0])
        streams.push({"north": x[1:4], 7: x[1]})
        streams.push({"north": x[4], 7: x[2], "gone": x[0]})
        streams.forget("gone")
        streams.push({"reset": x})
        streams.reset("reset")
        streams.set_state("set", memory.state("north"))
        with pytest.raises(ValueError, match="key 7 hold NaN"):
            streams.push({"north": x[5], 7: [np.nan, 0]})
    with Streams(network(), store=path) as streams:  # layers have other names now
        assert set(streams) == {"north", 7, "idle", "reset", "set"}
        steps = {key: streams.steps(key) for key in streams}
        assert steps == {"north": 5, 7: 2, "idle": 0, "reset": 0, "set": 0}
        forecasts = streams.forecast(["north", 7], 3)
        for key, forecast in memory.forecast(["north", 7], 3).items():
            np.testing.assert_allclose(forecasts[key], forecast, atol=1e-6)
        pushed = streams.push({"north": x[5:], 7: x[3:], "set": x[5:], "reset": x[0]})
        expected = memory.push({"north": x[5:], 7: x[3:], "new": x[0]})
        np.testing.assert_allclose(pushed["north"], expected["north"], atol=1e-6)
        np.testing.assert_allclose(pushed["set"], expected["north"], atol=1e-6)
        np.testing.assert_allclose(pushed[7], expected[7], atol=1e-6)
        np.testing.assert_allclose(pushed["reset"], expected["new"], atol=1e-6)


def test_a_push_that_the_store_refuses_changes_nothing(tmp_path, rng):
    x = rng.normal(size=(2, 2))
    with Streams(network(), store=tmp_path / "tanks.db") as streams:
        streams.push({"a": x})
        before = streams.forecast("a", 2)["a"]
        streams._states.store.close()  # as good as a disk that is gone
        for attempt in (
            lambda: streams.push({"a": x, "b": x}),
            lambda: streams.join("b"),
            lambda: streams.forget("a"),
            lambda: streams.reset(),
        ):
            with pytest.raises(OSError, match="closed"):
                attempt()
        np.testing.assert_array_equal(streams.forecast("a", 2)["a"], before)
        assert list(streams) == ["a"]
        assert streams.steps("a") == 2


def test_the_store_of_another_model(tmp_path, rng):
    path = tmp_path / "tanks.db"
    with Streams(network(), store=path) as streams:
        streams.push({"a": rng.normal(size=2)})
    with pytest.raises(ValueError, match=r"the store has lstm\S*:h \S+ \(4,\) float32, the model"):
        Streams(network(units=5), store=path)
    with pytest.raises(ValueError, match=r"the model simple_rnn\S*:h \(SimpleRNN:h\)"):
        Streams(network(cell=layers.SimpleRNN), store=path)
    with pytest.warns(UserWarning, match="made with other weights than those of model 'seq"):
        Streams(network(seed=3), store=path).close()
    with (
        pytest.warns(UserWarning, match="made with other weights"),
        Streams(network(seed=3), store=path) as streams,
    ):
        streams.push({"a": rng.normal(size=2)})  # from here on these are the weights
    Streams(network(seed=3), store=path).close()


def test_learning_notes_the_new_weights_with_the_states(tmp_path, rng):
    path, model = tmp_path / "tanks.db", network()
    model.compile(loss="mse", optimizer="sgd")
    with Streams(model, store=path, history=2) as streams:
        streams.learn({"a": (rng.normal(size=2), np.ones(2))})
        state = streams.state("a")
    with Streams(model, store=path) as streams:
        for name, arrays in streams.state("a").items():
            for array, value in arrays.items():
                np.testing.assert_array_equal(value, state[name][array])
        assert streams.steps("a") == 1
    with pytest.warns(UserWarning, match="made with other weights"):
        Streams(network(), store=path).close()
