"""What else old files have: CuDNN's layers, optimizers, JSON beside weights, time-major layers."""

import io
import json
import warnings
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import interop_ways
from page_blocks import block_with
from statewise import layers, load, models
from statewise.interop import FileWarning
from statewise.recurrence import native
from statewise.recurrence.activations import old_hard_sigmoid

CUDNN = ["CuDNNLSTM", "CuDNNLSTM, both ways", "CuDNNGRU", "CuDNNGRU, both ways"]
OPTIMIZERS = ["Adam", "Adam of before", "RMSprop", "RMSprop of before", "SGD", "SGD of before"]


@pytest.fixture
def unpacked(tmp_path):
    """Return the path of a file among the fixtures, and the arrays beside it."""

    def unpack(name: str, ending: str = ".h5", archive: str = "keras2_more"):
        with zipfile.ZipFile(interop_ways.FIXTURES / f"{archive}.zip") as packed:
            path = tmp_path / f"model{ending}"
            path.write_bytes(packed.read(f"{name}{ending}"))
            if f"{name}.json" in packed.namelist():
                (tmp_path / "model.json").write_bytes(packed.read(f"{name}.json"))
            with np.load(io.BytesIO(packed.read(f"{name}.npz"))) as file:
                return path, [file[one] for one in file.files]

    return unpack


def assert_close(got, expected, tolerance=1e-6):
    got = np.asarray(got)
    assert got.shape == expected.shape
    assert np.abs(got - expected).max() <= tolerance * np.abs(expected).max()


def change(path: Path, field: str, new) -> None:
    """Change the configuration of an HDF5 file: ``new`` gets it, and returns another or None."""
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs[field])
        changed = new(config)
        file.attrs[field] = json.dumps(config if changed is None else changed)


@pytest.mark.parametrize("name", CUDNN)
def test_weights_of_cudnn_layers_are_put_in_our_order(unpacked, name):
    path, (x, expected) = unpacked(name)
    model = load(path)
    assert_close(model(x), expected)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_training_goes_on_as_the_old_library_went_on(unpacked, name):
    path, (x, y, *expected) = unpacked(f"trained with {name}")
    model = load(path)
    assert int(model.optimizer.iterations) == 3
    assert [m.name for m in model.metrics] == ["loss", "compile_metrics"]
    before = model.get_weights()
    for _ in range(2):
        model.train_on_batch(x, y)
    for start, got, wanted in zip(before, model.get_weights(), expected, strict=True):
        # To a part of what two steps changed: without what was gathered it's far off.
        assert np.abs(got - wanted).max() < 2e-3 * np.abs(wanted - start).max()


def test_without_compile_there_is_no_optimizer(unpacked):
    path, _ = unpacked("trained with Adam")
    assert not load(path, compile=False).compiled


def test_an_optimizer_of_today_alone_begins_anew_and_says_so(unpacked):
    path, (x, y, *_) = unpacked("trained with Adam")

    def another(config):
        config["optimizer_config"]["class_name"] = "Nadam"
        del config["optimizer_config"]["config"]["amsgrad"]

    change(path, "training_config", another)
    with pytest.warns(FileWarning, match="understood of Adam"):
        model = load(path)
    assert int(model.optimizer.iterations) == 0
    model.train_on_batch(x, y)


def test_settings_that_are_not_there_leave_the_model_uncompiled_and_say_so(unpacked):
    path, (x, *_) = unpacked("trained with Adam")
    change(path, "training_config", lambda c: c.update(loss="my_loss"))
    with pytest.warns(FileWarning, match="my_loss"):
        model = load(path)
    assert not model.compiled
    assert model(x).shape == (4, 2)
    mine = {"my_loss": lambda y, z: keras.ops.mean((y - z) ** 2, axis=-1)}
    assert load(path, custom_objects=mine).compiled


@pytest.mark.parametrize("name", ["json", "keras1, json"])
def test_a_configuration_with_its_weights_beside(unpacked, name, tmp_path):
    path, (x, expected) = unpacked(name)
    model = load(path.with_suffix(".json"))
    assert_close(model(x), expected)
    other = tmp_path / "elsewhere.h5"
    path.rename(other)
    with pytest.raises(ValueError, match=r"no model\.h5 beside it. Name the file: .*weights="):
        load(path.with_suffix(".json"))
    assert_close(load(path.with_suffix(".json"), weights=other)(x), expected)
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load(path.with_suffix(".json"), weights=tmp_path / "nowhere.h5")
    with pytest.raises(ValueError, match="holds weights and no model"):
        load(other)


def test_keras1_with_its_gates_in_one_matrix(unpacked):
    path, (x, expected) = unpacked("keras1, gpu")
    model = load(path)
    assert_close(model(x), expected)
    assert model.layers[0].recurrent_activation is old_hard_sigmoid


def test_an_archive_of_keras2(unpacked):
    path, (x, expected) = unpacked("archive", ".keras")
    model = load(path)
    assert interop_ways.no_stock_layers(model)
    assert_close(model(x), expected)


def test_a_time_major_model_takes_the_samples_first_and_says_so(unpacked):
    path, (x, expected) = unpacked("time-major")
    with pytest.warns(FileWarning, match="exchange the first two axes"):
        model = load(path)
    assert model.input_shape == (4, 6, 3)
    assert_close(model(x), expected)


def test_time_major_beside_other_layers_is_refused(unpacked):
    path, _ = unpacked("time-major")

    def one_other(config):
        config["config"]["layers"][2]["config"]["time_major"] = False

    change(path, "model_config", one_other)
    with pytest.raises(ValueError, match=r"is time-major.*'gru.*isn't or may mix"):
        load(path)


def fields(path, number: int, **new):
    """Change fields of a layer of a Sequential; None takes one away."""

    def changed(config):
        old = config["config"]["layers"][number]["config"]
        old |= new
        for name in [name for name, value in new.items() if value is None]:
            del old[name]

    change(path, "model_config", changed)


def test_the_defaults_of_the_time_are_kept(unpacked):
    """A GRU without reset_after, of before there was one; layers in a list, until Keras 2.2."""
    path, expected = unpacked("GRU, reset before, hard_sigmoid", archive="keras2")
    fields(path, 1, reset_after=None, batch_input_shape=[None, 6, 4])
    change(path, "model_config", lambda c: {**c, "config": c["config"]["layers"][1:]})
    model = load(path)
    x = interop_ways.arrays("GRU, reset before, hard_sigmoid")[0]
    assert_close(model(x[0]), expected[0])
    assert not model.layers[0].reset_after


@pytest.mark.parametrize(
    ("new", "said"),
    [
        ({"swish_it": 3}, r"layer 'lstm\w*' \(LSTM\).*field swish_it=3 isn't known"),
        ({"activation": "mine"}, r"activation 'mine' isn't known"),
        ({"kernel_initializer": {"class_name": "Mine", "config": {}}}, "'Mine' isn't one of"),
        ({"kernel_regularizer": {"class_name": "L1L2", "config": {"l7": 1}}}, "L1L2"),
        ({"recurrent_constraint": "whatever"}, "'whatever' isn't one of Keras's constraints"),
        ({"units": "five"}, r"LSTM\) can't be made"),
        ({"units": 6}, "weights of layer 'lstm"),
        ({"units": 10**9}, "units=1000000000, but no array"),
        ({"zero_output_for_mask": True, "num_constants": 2}, "num_constants=2"),
        ({"dtype": {"class_name": "Policy", "config": {"name": 7}}}, "dtype"),
    ],
    ids=str,
)
def test_a_field_that_is_not_known_is_named(unpacked, new, said):
    path, _ = unpacked("LSTM", archive="keras2")
    fields(path, 1, **new)
    with pytest.raises(ValueError, match=said) as caught:
        load(path)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "new",
    [
        {"implementation": 1},
        {"time_major": False},
        {"dtype": {"class_name": "Policy", "config": {"name": "float32"}}},
        {"kernel_initializer": {"class_name": "RandomUniform", "config": {"dtype": "float32"}}},
        {"activity_regularizer": {"class_name": "L1L2", "config": {"l1": 0.1, "l2": 0.0}}},
        {"kernel_constraint": {"class_name": "MaxNorm", "config": {"max_value": 2, "axis": 0}}},
        {"activation": {"class_name": "function", "config": "tanh"}},
        {"input_spec": None, "name": "another"},
    ],
    ids=str,
)
def test_fields_of_old_make_no_difference(unpacked, new):
    path, expected = unpacked("LSTM", archive="keras2")
    fields(path, 1, **{name: value for name, value in new.items() if value is not None})
    assert_close(load(path)(interop_ways.arrays("LSTM")[0][0]), expected[0])


def test_fields_of_keras1_are_understood(unpacked):
    path, expected = unpacked("LSTM, hard_sigmoid", archive="keras1")
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config["config"][0]["config"] |= {
            "W_regularizer": {"name": "WeightRegularizer", "l1": 0.0, "l2": 0.25},
            "dropout_U": 0.5,
        }
        file.attrs["model_config"] = json.dumps(config)
    model = load(path)
    assert_close(model(interop_ways.arrays("LSTM, hard_sigmoid")[0][0]), expected[0])
    assert float(model.layers[0].kernel_regularizer.l2) == 0.25
    assert model.layers[0].recurrent_dropout == 0.5


def test_the_dropout_of_words_is_named_where_it_is_lost(unpacked):
    path, expected = unpacked("SimpleRNN of words, masked", archive="keras1")

    def dropping(config):
        config["config"][0]["config"]["dropout"] = 0.2

    change(path, "model_config", dropping)
    with pytest.warns(FileWarning, match=r"dropout=0\.2 of Embedding isn't there"):
        model = load(path)
    words = interop_ways.arrays("SimpleRNN of words, masked")[0][0]
    assert_close(model(words), expected[0])


def test_classes_of_ones_own_are_given_by_name(unpacked):
    @keras.saving.register_keras_serializable("interop_tests")
    class Mine(layers.LSTM):
        pass

    path, expected = unpacked("LSTM", archive="keras2")
    change(path, "model_config", lambda c: c["config"]["layers"][1].update(class_name="Own>Mine"))
    with pytest.raises(ValueError, match=r"custom_objects=\{'Mine'"):
        load(path)
    fields(path, 1, implementation=None, time_major=None)
    model = load(path, custom_objects={"Mine": Mine})
    assert type(model.layers[0]) is Mine
    assert_close(model(interop_ways.arrays("LSTM")[0][0]), expected[0])


def test_a_stateful_model_of_an_old_file_carries_its_state(unpacked):
    path, expected = unpacked("LSTM, stateful", archive="keras2")
    model = load(path)
    assert isinstance(model, models.Sequential)
    first, second = interop_ways.arrays("LSTM, stateful")
    for _ in range(2):
        assert_close(model.predict(first[0], batch_size=3, verbose=0), expected[0])
        assert_close(model.predict(second[0], batch_size=3, verbose=0), expected[1])
        model.reset_states()


def test_no_warning_comes_from_a_usual_file(unpacked):
    path, _ = unpacked("both ways on both ways", archive="keras2")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load(path)


def test_a_file_of_2017_becomes_a_fast_stateful_stream(unpacked, tmp_path, monkeypatch, capsys):
    path, expected = unpacked("LSTM, stateful", archive="keras1")  # what two batches put out
    first, second = (batch[0] for batch in interop_ways.arrays("LSTM, stateful"))
    path.rename(tmp_path / "tank.h5")
    monkeypatch.chdir(tmp_path)
    program = block_with("interop.md", "Streams(statewise.load", "python 2017")
    assert len(program.splitlines()) <= 11
    for series in range(3):
        np.savetxt("history.csv", first[series], delimiter=",")
        np.savetxt("arriving.csv", second[series], delimiter=",")
        namespace: dict = {}
        exec(compile(program, "docs/interop.md", "exec"), namespace)
        shown = [
            [float(number) for number in line.split()]
            for line in capsys.readouterr().out.splitlines()
        ]
        assert len(shown) == len(second[series])
        assert_close(shown[-1], expected[1][series])
        assert namespace["streams"]._runner.native is not None or not native.available()
