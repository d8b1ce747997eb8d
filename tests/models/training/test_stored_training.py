"""Training on what is read as it is needed: the same as on the same arrays in memory."""

import threading

import keras
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

import statewise as sw
from statewise import layers
from statewise.models.training import lane_batches, window_pieces
from statewise.sequences import Lanes, WindowBatches, lanes, windows


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    frames = []
    for i in range(9):
        steps = int(rng.integers(12, 40))
        values = rng.normal(size=(steps, 2)).astype(np.float32)
        columns = {"unique_id": f"k{i}", "ds": np.arange(steps)}
        frames.append(pd.DataFrame(columns | {"a": values[:, 0], "b": values[:, 1]}))
    table = pa.Table.from_pandas(pd.concat(frames), preserve_index=False)
    parquet.write_table(table, tmp_path / "a.parquet", row_group_size=31)
    return tmp_path


def model_of(steps=False):
    keras.utils.set_random_seed(1)
    model = sw.Sequential(
        [layers.Input((None, 2)), layers.GRU(3, return_sequences=steps), layers.Dense(1)]
    )
    model.compile(loss="mse", optimizer="adam")
    return model


def assert_same(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def no_thread_is_left():
    return not [one for one in threading.enumerate() if one.name == "statewise-ahead"]


@pytest.mark.parametrize(
    "together",
    [3, pytest.param(1, marks=pytest.mark.slow), pytest.param(1000, marks=pytest.mark.slow)],
)
def test_windows_are_trained_on_as_their_arrays_are(folder, together, monkeypatch):
    cut = windows(folder, 5, targets="b", batch=8, seed=2)
    one = 8 * (5 * 2 + 1) * 4
    monkeypatch.setattr(window_pieces, "PIECE_BYTES", one * together)
    stored, arrays = model_of(), model_of()
    stored.fit(cut, epochs=2, verbose=0)
    for number in (0, 1):
        parts = list(cut.epoch(number))
        x, y = (np.concatenate([part[i] for part in parts]) for i in (0, 1))
        arrays.fit(x, y[:, 0], batch_size=8, shuffle=False, verbose=0)
    assert_same(stored, arrays)
    x, y = windows_in_order(cut)
    assert stored.evaluate(cut, verbose=0) == pytest.approx(arrays.evaluate(x, y, verbose=0))
    found = stored.predict(cut, verbose=0)
    np.testing.assert_allclose(found, arrays.predict(x, verbose=0), rtol=1e-5, atol=1e-6)
    assert no_thread_is_left()


def windows_in_order(cut):
    parts = list(cut.in_order().epoch())
    return np.concatenate([part.x for part in parts]), np.concatenate([part.y for part in parts])[
        :, 0
    ]


@pytest.mark.parametrize("together", [4, pytest.param(1, marks=pytest.mark.slow)])
def test_lanes_that_are_read_ahead_train_as_those_in_memory(folder, together, monkeypatch):
    laid = lanes(folder, lanes=3, steps=6, targets="b", seed=3)
    whole, read = model_of(True), model_of(True)
    whole.fit(laid, epochs=2, verbose=0)
    monkeypatch.setattr(lane_batches, "WHOLE_LIMIT", 0)
    monkeypatch.setattr(lane_batches, "PIECE_BYTES", together * -(-laid.nbytes // laid.num_chunks))
    read.fit(laid, epochs=2, verbose=0)
    assert_same(whole, read)
    found, expected = read.predict(laid, verbose=0), whole.predict(laid, verbose=0)
    assert found.keys() == expected.keys()
    for key, values in found.items():
        np.testing.assert_array_equal(values, expected[key])
    assert no_thread_is_left()


def test_a_training_that_stops_lets_the_thread_go(folder, monkeypatch):
    monkeypatch.setattr(lane_batches, "WHOLE_LIMIT", 0)
    monkeypatch.setattr(lane_batches, "PIECE_BYTES", 1)

    class Stop(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        model_of(True).fit(lanes(folder, lanes=3, steps=6, targets=[0]), verbose=0,
                           callbacks=[Stop()])  # fmt: skip
    assert no_thread_is_left()


def test_a_fault_of_the_files_reaches_the_caller(folder):
    cut = windows(folder, 5, targets="b", batch=8)
    laid = lanes(folder, lanes=3, steps=6, targets="b")
    path = folder / "a.parquet"
    place = parquet.ParquetFile(path).metadata.row_group(3).column(2)
    with open(path, "r+b") as file:
        file.seek(place.dictionary_page_offset)
        file.write(b"\xff" * 30)
    for data, steps in ((cut, False), (laid, True)):
        with pytest.raises(ValueError, match=r"a\.parquet can't be read"):
            model_of(steps).fit(data, verbose=0)
    assert no_thread_is_left()


def test_what_windows_say_themselves(folder):
    cut = windows(folder, 5, targets="b", batch=8)
    assert isinstance(cut, WindowBatches)
    with pytest.raises(ValueError, match="batch_size: not to be given with windows that are read"):
        model_of().fit(cut, batch_size=4, verbose=0)
    with pytest.raises(ValueError, match="y: not to be given with lanes"):
        model_of(True).fit(lanes(folder, lanes=3, steps=6), np.ones(3), verbose=0)
    assert isinstance(lanes(folder, lanes=3, steps=6), Lanes)


@pytest.mark.parametrize(
    ("horizon", "targets"),
    [
        (1, None),
        (3, None),
        pytest.param(3, "b", marks=pytest.mark.slow),
        pytest.param(1, "a", marks=pytest.mark.slow),
    ],
)
def test_targets_have_the_axes_of_the_outputs(folder, horizon, targets):
    cut = windows(folder, 5, horizon=horizon, targets=targets, batch=8)
    features = cut.target_features
    y = np.concatenate([part.y for part in cut.epoch()])

    def model(*last):
        model = sw.Sequential([layers.Input((5, 2)), layers.SimpleRNN(3), *last])
        model.compile(loss="mse", optimizer="sgd")
        return model

    flat = model(keras.layers.Dense(horizon * features))
    whole = model(keras.layers.Dense(horizon * features), keras.layers.Reshape((horizon, features)))
    found = whole.predict(cut, verbose=0)
    expected = np.mean((found - y) ** 2)
    assert whole.evaluate(cut, verbose=0) == pytest.approx(expected, rel=1e-5)
    flat.set_weights(whole.get_weights())
    if 1 in (horizon, features):
        assert flat.evaluate(cut, verbose=0) == pytest.approx(expected, rel=1e-5)
    else:
        with pytest.raises(ValueError, match=r"shape \('batch', 6\), but .*Reshape\(\(3, 2\)\)"):
            flat.evaluate(cut, verbose=0)
    steps = sw.Sequential([layers.Input((5, 2)), layers.SimpleRNN(3, return_sequences=True)])
    steps.compile(loss="mse", optimizer="sgd")
    with pytest.raises(ValueError, match=r"shape \('batch', 5, 3\), but the targets"):
        steps.fit(cut, verbose=0)


def test_windows_without_targets_are_for_prediction(folder):
    cut = windows(folder, 5, horizon=0, batch=8)
    model = model_of()
    assert model.predict(cut, verbose=0).shape == (len(cut), 1)
    with pytest.raises(ValueError, match="have no targets: cut them with a horizon"):
        model.fit(cut, verbose=0)
