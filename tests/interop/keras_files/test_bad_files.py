"""Files that are damaged, or made to do harm: a sentence that names the file, and nothing more."""

import io
import json
import shutil
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

import interop_ways
from damaged_files import check_damaged
from statewise import load

WHOLE = {
    "stock.keras": ("archive", ".keras"),
    "keras2.h5": ("trained with Adam", ".h5"),
    "keras1.h5": ("keras1, gpu", ".h5"),
    "keras1.json": ("keras1, json", ".json"),
}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """Return the folder of one whole file of each form."""
    folder = tmp_path_factory.mktemp("whole")
    with zipfile.ZipFile(interop_ways.FIXTURES / "keras2_more.zip") as packed:
        for name, (inside, ending) in WHOLE.items():
            (folder / name).write_bytes(packed.read(f"{inside}{ending}"))
        (folder / "keras1_weights.h5").write_bytes(packed.read("keras1, json.h5"))
    model = keras.Sequential([keras.layers.Input((5, 2)), keras.layers.LSTM(3)])
    model.compile("adam", "mse")
    model.save(folder / "stock.keras")
    return folder


def tell(path: Path) -> str:
    """Load a damaged file; return what is said, or nothing where what is left of it loads."""
    try:
        load(path)
    except ValueError as error:
        return str(error)
    except (FileNotFoundError, UserWarning) as error:
        return f"{path}: {error}"
    return ""


def check_file(whole: Path, name: str, rng, folder: Path, count: int) -> None:
    if name.endswith(".json"):
        shutil.copy(whole / "keras1_weights.h5", folder / f"{Path(name).stem}.h5")
    check_damaged(folder / name, (whole / name).read_bytes(), rng, count, tell)


@pytest.mark.parametrize("name", WHOLE)
def test_some_damaged_files_are_named(whole, name, rng, tmp_path):
    check_file(whole, name, rng, tmp_path, 8)


@pytest.mark.slow
@pytest.mark.parametrize("name", WHOLE)
def test_two_hundred_damaged_files_are_named(whole, name, rng, tmp_path):
    check_file(whole, name, rng, tmp_path, 200)


@pytest.fixture
def archive(whole, tmp_path):
    """Return a function that writes an archive with parts changed or added."""

    def write(**parts):
        path = tmp_path / "made.keras"
        with zipfile.ZipFile(whole / "stock.keras") as old, zipfile.ZipFile(path, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                changed = parts.pop(name, content)
                new.writestr(name, changed(content) if callable(changed) else changed)
            for name, content in parts.items():
                new.writestr(name, content)
        return path

    return write


@pytest.mark.parametrize("name", ["../out.txt", "/etc/out.txt", "a/../../out", "..\\out", "C:out"])
def test_a_part_that_leads_out_is_refused(archive, tmp_path, name):
    before = set(tmp_path.parent.iterdir())
    with pytest.raises(ValueError, match="leads out of the file"):
        load(archive(**{name: b"x"}))
    assert set(tmp_path.parent.iterdir()) == before


def test_a_part_that_would_fill_the_memory_is_refused(archive, tmp_path):
    path = tmp_path / "bomb.keras"
    with zipfile.ZipFile(archive()) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, old.read(name))
        new.writestr("assets/zeros", bytes(1 << 26))
    with pytest.raises(ValueError, match="made to fill the memory"):
        load(path)


def changing(find: str, put: str):
    return lambda content: content.decode().replace(find, put).encode()


@pytest.mark.parametrize(
    ("kind", "module", "said"),
    [
        ("Lambda", "keras.layers", "layer that holds code of its own"),
        ("TFSMLayer", "keras.layers", "from elsewhere"),
        ("TorchModuleWrapper", "keras.layers", "pickled"),
        ("system", "os", "of the module 'os'"),
        ("get_file", "keras.utils", "of the module 'keras.utils'"),
        ("load_model", "keras.saving", "of the module 'keras.saving'"),
    ],
)
def test_what_would_run_code_is_refused(archive, kind, module, said):
    config = json.dumps({"module": module, "class_name": kind, "config": {}})
    put = f'"layers": [{config}, '
    with pytest.raises(ValueError, match=said):
        load(archive(**{"config.json": changing('"layers": [', put)}))


def test_marshalled_code_is_refused_in_old_files(whole, tmp_path):
    path = tmp_path / "code.h5"
    shutil.copy(whole / "keras2.h5", path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        code = {"function": ["4wEAAAAA\n", None, None], "function_type": "lambda", "name": "odd"}
        config["config"]["layers"].append({"class_name": "Lambda", "config": code})
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(ValueError, match=r"layer 'odd' \(Lambda\).*no code is run from a file"):
        load(path)


def test_links_to_other_files_are_not_followed(whole, tmp_path):
    secret = tmp_path / "secret.h5"
    with h5py.File(secret, "w") as file:
        file["weights"] = np.ones(3)
    (tmp_path / "raw").write_bytes(bytes(4000))
    path, name = tmp_path / "linked.h5", "bidirectional"
    for make, said in {
        lambda file: h5py.ExternalLink(str(secret), "/weights"): "link to elsewhere",
        lambda file: h5py.SoftLink("/model_weights/dense"): "link to elsewhere",
        None: "stored in another file",
    }.items():
        shutil.copy(whole / "keras2.h5", path)
        with h5py.File(path, "r+") as file:
            if make is None:
                outside = [(str(tmp_path / "raw"), 0, 4000)]
                file.create_dataset("model_weights/more", (1000,), "f4", external=outside)
            else:
                name = next(iter(file["model_weights"]))
                del file["model_weights"][name]
                file["model_weights"][name] = make(file)
        with pytest.raises(ValueError, match=said):
            load(path)


def test_sizes_that_the_file_does_not_hold_are_refused(whole, tmp_path):
    path = tmp_path / "huge.h5"
    shutil.copy(whole / "keras2.h5", path)
    with h5py.File(path, "r+") as file:
        file.create_dataset("model_weights/dense/huge", (1 << 40,), "f4", chunks=(1024,))
    with pytest.raises(ValueError, match=r"has 4,398,046,511,104 bytes, but holds 0"):
        load(path)


def test_texts_without_a_length_are_refused_before_hdf5_goes_round_for_ever(whole, tmp_path):
    content = bytearray((whole / "keras1.h5").read_bytes())
    heap = content.find(b"GCOL")
    size = int.from_bytes(content[heap + 8 : heap + 16], "little")
    at = heap + 16
    while any(content[at : at + 2]):  # the number of an object, 0 for what is free
        at += 16 + -(-int.from_bytes(content[at + 8 : at + 16], "little") // 8) * 8
    assert int.from_bytes(content[at + 8 : at + 16], "little") == heap + size - at  # what is free
    content[at + 8 : at + 16] = bytes(8)
    (tmp_path / "round.h5").write_bytes(content)
    with pytest.raises(ValueError, match=r"round\.h5 is damaged: the texts that it keeps at byte"):
        load(tmp_path / "round.h5")


def test_weights_within_an_archive_are_looked_at_too(archive):
    def linked(content):
        packed = io.BytesIO(content)
        with h5py.File(packed, "r+") as file:
            file["layers/more"] = h5py.ExternalLink("elsewhere.h5", "/")
        return packed.getvalue()

    with pytest.raises(ValueError, match=r"model\.weights\.h5\) has a link to elsewhere"):
        load(archive(**{"model.weights.h5": linked}))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.h5", b"", "it's empty"),
        ("text.keras", b"hello", "no .keras file does"),
        ("model.pkl", b"\x80\x04K\x01.", "pickle, which runs code"),
        ("model.yaml", b"class_name: Model", "YAML can run code"),
        ("saved_model.pb", b"\x08\x01", "tf_keras"),
        ("list.json", b"[1, 2]", "no .json file does"),
        ("other.json", b'{"a": 1}', r"no other\.h5 beside it"),
        ("deep.json", b'{"a":' * 100_000, "can't be read as JSON"),
        ("table.csv", b"a,b\n1,2\n", "read are .keras, .h5 and .json"),
        ("model.onnx", b"\x08\x08\x12\tstatewise", "ONNX files are written, and not read"),
    ],
)
def test_other_files_are_told(tmp_path, name, content, said):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(ValueError, match=said) as caught:
        load(path)
    assert name in str(caught.value)


def test_a_saved_model_is_told_what_to_do(tmp_path):
    (tmp_path / "saved_model.pb").write_bytes(b"\x08\x01")
    with pytest.raises(ValueError, match=r"is a SavedModel.*tf_keras"):
        load(tmp_path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nowhere.h5")
