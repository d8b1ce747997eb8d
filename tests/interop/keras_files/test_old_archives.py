"""Archives of Keras 2 in the midst of a training: what the optimizer had gathered comes along."""

import io
import json
import warnings
import zipfile

import h5py
import numpy as np
import pytest

import interop_ways
from some_slow import some_slow
from statewise import load
from statewise.interop import FileWarning

TRAINED = [
    *("Adam", "AdamW", "RMSprop", "SGD", "SGD with momentum", "Lion", "Adagrad", "Adadelta"),
    *("Adamax", "Ftrl"),
]


@pytest.fixture
def unpacked(tmp_path):
    """Return the path of an archive among the fixtures, and what it is trained on."""

    def unpack(name: str, ending: str = ".keras"):
        with zipfile.ZipFile(interop_ways.FIXTURES / "keras2_archives.zip") as packed:
            path = tmp_path / f"{name}{ending}"
            path.write_bytes(packed.read(f"{name}{ending}"))
            if f"{name}.json" in packed.namelist():
                (tmp_path / f"{name}.json").write_bytes(packed.read(f"{name}.json"))
            with np.load(io.BytesIO(packed.read(f"{name.partition(',')[0]}.npz"))) as file:
                *x, y = (file[one] for one in file.files)
                return path, x, y

    return unpack


def change_weights(path, change):
    """Change the HDF5 file in an archive."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    held = io.BytesIO(parts["model.weights.h5"])
    with h5py.File(held, "r+") as file:
        change(file)
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in (parts | {"model.weights.h5": held.getvalue()}).items():
            archive.writestr(name, part)


def gone_on(path, x, y, after):
    """Load a model that was trained three times, and train it twice more.

    Returns:
        The model, its weights before that, and those that Keras 2 had then.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load(path)
    assert int(model.optimizer.iterations) == 3
    before = model.get_weights()
    for _ in range(2):
        model.train_on_batch(x, y)
    return model, before, load(after, compile=False).get_weights()


@pytest.mark.parametrize("name", some_slow(TRAINED, 10))
def test_a_training_goes_on_as_keras_2_went_on(unpacked, name):
    path, x, y = unpacked(name)
    model, before, expected = gone_on(path, x, y, unpacked(f"{name}, after")[0])
    moved = 0
    for variable, start, wanted in zip(model.weights, before, expected, strict=True):
        # To a part of what two steps changed: without what was gathered it's far off.
        off = np.abs(np.asarray(variable) - wanted).max()
        assert off <= 2e-3 * np.abs(wanted - start).max(), variable.path
        moved += off < np.abs(wanted - start).max()
    assert moved == len(before) - 2  # all but those of the frozen layer


@pytest.mark.slow
@pytest.mark.parametrize(
    "name",
    [
        "Lion",
        *(f"{kind}{when}" for kind in TRAINED[6:] for when in ("", " of before")),
    ],
)
def test_a_training_of_an_h5_file_goes_on(unpacked, name):
    path, (x,), y = unpacked(f"small {name}", ".h5")
    model, before, expected = gone_on(path, x, y, unpacked(f"small {name}, after")[0])
    for start, got, wanted in zip(before, model.get_weights(), expected, strict=True):
        assert np.abs(got - wanted).max() <= 2e-3 * np.abs(wanted - start).max()
        assert np.abs(wanted - start).max() > 0


def test_what_was_not_trained_has_nothing_to_tell(unpacked):
    path, *_ = unpacked("untrained")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = load(path)
    assert int(model.optimizer.iterations) == 0


def exchanged(file):
    file.move("optimizer/vars/1", "other")
    file.move("optimizer/vars/0", "optimizer/vars/1")
    file.move("other", "optimizer/vars/0")


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("Nadam", None, r"that is understood of Adam, .*, and this is Nadam"),
        ("Adam of before", None, r"nothing of it: a legacy optimizer writes it into an \.h5 file"),
        ("SGD", lambda f: f.__delitem__("optimizer/vars/19"), "other shapes than the weights"),
        ("SGD", lambda f: f.move("optimizer/vars/0", "optimizer/vars/30"), "isn't there"),
        ("SGD", exchanged, "isn't that of the updates done"),
    ],
    ids=["Nadam", "legacy", "too few", "no first one", "another first one"],
)
def test_what_cannot_be_taken_over_is_told(unpacked, name, change, said):
    path, *_ = unpacked(name)
    if change is not None:
        change_weights(path, change)
    if said == "isn't there":  # a name that the file should have: it's damaged
        with pytest.raises(ValueError, match=said):
            load(path)
        return
    with pytest.warns(FileWarning, match=said):
        model = load(path)
    assert int(model.optimizer.iterations) == 0


def test_without_compile_nothing_is_said(unpacked):
    path, *_ = unpacked("Nadam")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert not load(path, compile=False).compiled


def test_an_archive_without_its_weights_is_refused(unpacked):
    path, *_ = unpacked("SGD")
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    del parts["model.weights.h5"]
    assert json.loads(parts["metadata.json"])["keras_version"].startswith("2")
    with zipfile.ZipFile(path, "w") as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    with pytest.raises(ValueError, match=r"has no 'model\.weights\.h5' in it"):
        load(path)


def test_weights_with_numbers_for_names_beside_a_json(unpacked, tmp_path):
    path, x, expected = unpacked("weights", ".weights.h5")
    got = np.asarray(load(tmp_path / "weights.json")(x))
    assert np.abs(got - expected).max() <= 1e-6 * np.abs(expected).max()
    other = tmp_path / "weights.h5"
    path.rename(other)
    with pytest.raises(ValueError, match=r"rename it, to weights\.weights\.h5"):
        load(tmp_path / "weights.json")
    with h5py.File(other, "r+") as file:
        del file["layers/gru/cell/vars/1"]
    with pytest.raises(ValueError, match=r"weights\.weights\.h5: its weights don't fit its layers"):
        load(tmp_path / "weights.json", weights=other.rename(path))


def test_layers_of_cudnn_in_an_archive_are_refused_in_words(tmp_path):
    with zipfile.ZipFile(interop_ways.FIXTURES / "keras2_archives.zip") as packed:
        packed.extract("CuDNNLSTM.keras", tmp_path)
    with pytest.raises(ValueError, match=r"CuDNNLSTM\.keras has CuDNNLSTM .*save it as \.h5"):
        load(tmp_path / "CuDNNLSTM.keras")
