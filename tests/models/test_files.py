"""Files of models: an old one stays until the new one is there, and a damaged one is named."""

import contextlib
import json
import os
import re
import resource
import shutil
import stat
import subprocess
import sys
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from statewise import Sequential, layers, load_model
from statewise._whole_files import write_beside


def make(units=16, name="model"):
    model = Sequential([layers.Input((3, 2)), layers.GRU(units), layers.Dense(1)], name=name)
    model.compile(loss="mse", optimizer="sgd")
    return model


class Format:
    """One of Keras's ways to write a model: how it's written, and how it's read again."""

    def __init__(self, name, **options):
        self.name, self.options = name, options

    def save(self, model, path):
        if "weights" in self.name:
            model.save_weights(path, **self.options)
        else:
            model.save(path, **self.options)

    def weights(self, path):
        if "weights" in self.name:
            model = make()
            model.load_weights(path)
        else:
            model = load_model(path, compile=False)
        return model.get_weights()


FORMATS = {
    "keras": Format("model.keras"),
    "h5": Format("model.h5"),
    "folder": Format("model", zipped=False),
    "weights": Format("model.weights.h5"),
    "parts of weights": Format("model.weights.json", max_shard_size=4e-6),
}


@contextlib.contextmanager
def full_disk(limit=2048):
    """No file may grow beyond a few bytes, as on a disk that is nearly full."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def no_room(monkeypatch):
    """Let the disk have no room."""
    usage = shutil.disk_usage(".")
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage._replace(free=1000))


def assert_equal(ours, expected):
    for mine, theirs in zip(ours, expected, strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("name", FORMATS)
def test_without_room_the_old_file_stays(name, tmp_path, request):
    kind, old, new = FORMATS[name], make(), make()
    path = tmp_path / kind.name
    kind.save(old, path)
    listed = sorted(tmp_path.rglob("*"))
    request.getfixturevalue("no_room")
    with pytest.raises(OSError, match=r"No room: \d+ bytes are to be written, 1000 are free"):
        kind.save(new, path)
    assert sorted(tmp_path.rglob("*")) == listed
    assert_equal(kind.weights(path), old.get_weights())
    request.getfixturevalue("monkeypatch").undo()
    kind.save(new, path)
    assert sorted(tmp_path.rglob("*")) == listed
    assert_equal(kind.weights(path), new.get_weights())


def test_a_disk_that_fills_up_leaves_the_old_file(tmp_path):
    kind, old = FORMATS["keras"], make()
    path = tmp_path / kind.name
    for there in (True, False):
        if there:
            kind.save(old, path)
        with pytest.raises(OSError, match="too large"), full_disk():
            kind.save(make(), path)
        assert [p.name for p in tmp_path.iterdir()] == [kind.name] * there
        if there:
            assert_equal(kind.weights(path), old.get_weights())
            path.unlink()


ENDED = """
import resource, sys
from statewise import load_model
model = load_model(sys.argv[1])
model.set_weights([w + 1 for w in model.get_weights()])
resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))
save = model.save_weights if "weights" in sys.argv[2] else model.save
save(sys.argv[2], **eval(sys.argv[3]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("name", ["h5", "folder", "weights", "parts of weights"])
def test_a_process_that_ends_while_it_writes_leaves_the_old_file(name, tmp_path):
    kind, model = FORMATS[name], make()
    path = tmp_path / kind.name
    kind.save(model, path)
    model.save(tmp_path / "base.keras")
    # HDF5 raises an error, or ends the process, where it can't write.
    arguments = [str(tmp_path / "base.keras"), str(path), repr(kind.options)]
    ended = subprocess.run([sys.executable, "-c", ENDED, *arguments], capture_output=True)
    assert ended.returncode != 0
    assert_equal(kind.weights(path), model.get_weights())


@pytest.mark.parametrize("name", ["keras", "weights"])
def test_the_question_whether_to_overwrite_is_asked_once(name, tmp_path, monkeypatch):
    kind, old, new = FORMATS[name], make(), make()
    path, asked = tmp_path / kind.name, []
    asking = Format(kind.name, overwrite=False)
    monkeypatch.setattr("builtins.input", lambda text="": (asked.append(text), answer)[1])
    answer = "n"
    asking.save(old, path)  # nothing is there to ask about
    assert asked == []
    asking.save(new, path)
    assert_equal(kind.weights(path), old.get_weights())
    answer = "y"
    asking.save(new, path)
    assert_equal(kind.weights(path), new.get_weights())
    assert len(asked) == 2


def test_checkpoints(tmp_path):
    model, x, y = make(), np.ones((4, 3, 2)), np.ones((4, 1))
    callbacks = [
        keras.callbacks.ModelCheckpoint(tmp_path / "best.keras", save_best_only=True),
        keras.callbacks.ModelCheckpoint(tmp_path / "{epoch}.weights.h5", save_weights_only=True),
        keras.callbacks.BackupAndRestore(tmp_path / "backup"),
    ]
    model.fit(x, y, epochs=2, validation_data=(x, y), callbacks=callbacks, verbose=0)
    assert_equal(load_model(tmp_path / "best.keras").get_weights(), model.get_weights())
    names = ["1.weights.h5", "2.weights.h5", "best.keras"]
    assert sorted(p.name for p in tmp_path.iterdir() if p.is_file()) == names


def test_links_modes_and_other_files_stay(tmp_path):
    model, kind = make(), FORMATS["keras"]
    (tmp_path / "there").mkdir()
    real, link = tmp_path / "there" / "model.keras", tmp_path / "link.keras"
    kind.save(model, real)
    real.chmod(0o640)
    link.symlink_to(real)
    other = make()
    kind.save(other, link)
    assert link.is_symlink()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert_equal(load_model(real).get_weights(), other.get_weights())
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "notes.txt").write_text("mine")
    FORMATS["folder"].save(model, folder)
    assert (folder / "notes.txt").read_text() == "mine"
    assert_equal(load_model(folder).get_weights(), model.get_weights())
    plain = tmp_path / "plain"
    plain.write_text("")
    new = tmp_path / "new.keras"
    kind.save(model, new)  # by the process's own mask, as any other file
    assert stat.S_IMODE(new.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)


def test_wrong_paths_are_kerass_errors(tmp_path):
    with pytest.raises(ValueError, match=r"Invalid filepath extension"):
        make().save(tmp_path / "model.txt")
    with pytest.raises(FileNotFoundError, match="nowhere"):
        make().save(tmp_path / "nowhere" / "model.keras")
    with pytest.raises(ValueError, match="must end in"):
        make().save_weights(tmp_path / "weights.txt")
    assert list(tmp_path.iterdir()) == []


def test_an_interruption_leaves_what_was_there(tmp_path):
    path = tmp_path / "notes.txt"
    path.write_text("old")

    def interrupted(beside):
        with open(beside, "w") as file:
            file.write("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_beside(path, interrupted)
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["notes.txt"]


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    model = make(4)
    path = tmp_path_factory.mktemp("saved") / "model.keras"
    model.save(path)
    return path, model


def flipped(content: bytes, rng) -> bytes:
    changed = bytearray(content)
    changed[rng.integers(len(changed))] ^= 1 << rng.integers(8)
    return bytes(changed)


def assert_named_or_whole(path, model):
    """Load a file: either it's what was saved, or an error names it."""
    try:
        loaded = load_model(path)
    except ValueError as error:
        loaded, named = None, str(error)
    if loaded is None:
        assert str(path) in named
    else:
        assert_equal(loaded.get_weights(), model.get_weights())
    return loaded is not None


@pytest.mark.parametrize("count", [20, pytest.param(300, marks=pytest.mark.slow)])
def test_flipped_bits_are_named(saved, tmp_path, rng, count):
    path, model = saved
    content, damaged = path.read_bytes(), tmp_path / "damaged.keras"
    whole = 0
    for _ in range(count):
        damaged.write_bytes(flipped(content, rng))
        whole += assert_named_or_whole(damaged, model)
    assert whole < count / 4  # a few bits mean nothing: the times of the parts


@pytest.mark.filterwarnings("ignore:.*HDF5")
@pytest.mark.parametrize("name", ["h5", "folder", "weights", "parts of weights"])
def test_other_numbers_in_a_file_of_weights(name, tmp_path):
    kind, model = FORMATS[name], make()
    path = tmp_path / kind.name
    kind.save(model, path)
    for file in [p for p in tmp_path.rglob("*") if p.is_file() and p.suffix == ".h5"]:
        content = file.read_bytes()
        weights = [w.tobytes() for w in model.get_weights() if w.tobytes() in content]
        for weight in (w for w in weights if any(w)):
            place = content.index(weight) + len(weight) // 2
            file.write_bytes(content[:place] + bytes([content[place] ^ 4]) + content[place + 1 :])
            with pytest.raises(ValueError, match=rf"{re.escape(str(file))} is damaged"):
                kind.weights(path)
        file.write_bytes(content[:100])
        with pytest.raises(ValueError, match=rf"{re.escape(str(file))} can't be read"):
            kind.weights(path)
        file.write_bytes(content)
    assert_equal(kind.weights(path), model.get_weights())


def test_weights_go_to_kerass_models_and_back(tmp_path):
    parts = [layers.Input((3, 2)), layers.GRU(16), layers.Dense(1)]
    ours, path = Sequential(parts), tmp_path / "model.weights.h5"
    stock = keras.Sequential([layers.Input((3, 2)), keras.layers.GRU(16), layers.Dense(1)])
    ours.save_weights(path)
    stock.load_weights(path)
    assert_equal(stock.get_weights(), ours.get_weights())
    stock.save_weights(path)  # without a checksum
    expected = ours.get_weights()
    ours.set_weights([w + 1 for w in expected])
    ours.load_weights(path)
    assert_equal(ours.get_weights(), expected)


@pytest.mark.parametrize("cut", [0, 4, 100, -1])
def test_a_file_that_is_cut_short(saved, tmp_path, cut):
    damaged = tmp_path / "damaged.keras"
    damaged.write_bytes(saved[0].read_bytes()[:cut])
    with pytest.raises(ValueError, match=re.escape(str(damaged))):
        load_model(damaged)


def with_part(path, new, name, content):
    """Write an archive with another part of that name, or without it."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(new, "w") as archive:
        for part in old.namelist():
            if part != name:
                archive.writestr(part, old.read(part))
        if content is not None:
            archive.writestr(name, content)


CONFIGS = {
    "number": 5,
    "list": [],
    "empty": {},
    "numbers for names": {"class_name": 5, "module": 6, "config": 7},
    "no config": {"class_name": "Sequential", "module": "keras", "config": None},
    "layers of other types": {
        "class_name": "Sequential",
        "module": "keras",
        "registered_name": "Sequential",
        "config": {"name": 3, "layers": [1, None, "x"]},
    },
}


@pytest.mark.parametrize("name", CONFIGS)
def test_a_config_of_other_types(saved, tmp_path, name):
    path = tmp_path / "odd.keras"
    with_part(saved[0], path, "config.json", json.dumps(CONFIGS[name]))
    with pytest.raises((ValueError, TypeError), match=r"odd\.keras|Could not (locate|deserialize)"):
        load_model(path)


@pytest.mark.parametrize("depth", [2000, 100_000])
def test_a_config_of_endless_depth(saved, tmp_path, depth):
    path = tmp_path / "deep.keras"
    with_part(saved[0], path, "config.json", "[" * depth + "]" * depth)
    with pytest.raises(ValueError, match=r"deep\.keras"):
        load_model(path)


@pytest.mark.parametrize("part", ["config.json", "model.weights.h5", "metadata.json"])
@pytest.mark.parametrize("content", [None, b"", b"no such thing", b"\xff\xfe\x00"])
def test_missing_and_other_parts(saved, tmp_path, part, content):
    path, model = saved
    odd = tmp_path / "odd.keras"
    with_part(path, odd, part, content)
    whole = assert_named_or_whole(odd, model)
    assert whole == (part == "metadata.json")  # which nobody needs


def test_a_class_that_isnt_known_is_still_said_so(tmp_path):
    @keras.saving.register_keras_serializable(package="gone")
    class Own(keras.layers.Layer):
        def call(self, x):
            return x

    model = Sequential([layers.Input((3, 1)), Own()])
    model.save(tmp_path / "own.keras")
    del keras.saving.get_custom_objects()["gone>Own"]
    with pytest.raises(TypeError, match="Could not locate class 'Own'"):
        load_model(tmp_path / "own.keras")
    assert load_model(tmp_path / "own.keras", custom_objects={"gone>Own": Own}).layers
    with pytest.raises(ValueError, match="File not found"):
        load_model(tmp_path / "none.keras")


def test_a_damaged_backup_is_passed_over_for_the_one_before(tmp_path):
    model = Sequential([layers.Input((5, 2)), layers.LSTM(3)])
    model.compile("sgd", "mse")
    backup = keras.callbacks.BackupAndRestore(tmp_path / "backup", double_checkpoint=True)

    class Interruption(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise RuntimeError("interrupted")

    x, y = np.ones((4, 5, 2), "float32"), np.ones((4, 3), "float32")
    with pytest.raises(RuntimeError, match="interrupted"):
        model.fit(x, y, epochs=4, callbacks=[backup, Interruption()], verbose=0)
    Path(backup._weights_path).write_text("0")
    assert model.fit(x, y, epochs=4, callbacks=[backup], verbose=0).epoch[-1] == 3
