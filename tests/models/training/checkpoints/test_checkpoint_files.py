"""Checkpoints in files: whole or not there, the newest whole one, damage told by name."""

import errno
import os
import resource
from contextlib import contextmanager

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from statewise.models.training.checkpoints import container
from statewise.models.training.checkpoints.container import DamagedCheckpointError, read, write
from statewise.models.training.checkpoints.folder import Folder

TYPES = ["float32", "float64", "float16", "int8", "int32", "uint32", "int64", "bool"]


@contextmanager
def full_disk(most):
    """Let files grow to some bytes only: what comes after fails as it does on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def filled(path, numbers=(10, 20, 30), **options):
    """Return a folder with some checkpoints."""
    made = Folder(path, **{"keep": 5, **options})
    for number in numbers:
        made.write(number, {"a": np.arange(number)}, {"batches": number})
    return made


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_any_arrays_come_back_to_the_bit(data, tmp_path_factory):
    shapes = hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4)
    kinds = st.sampled_from(TYPES)
    some = data.draw(st.lists(kinds.flatmap(lambda kind: hnp.arrays(kind, shapes)), max_size=4))
    arrays = {f"weights/{i}": a[..., ::-1] if a.ndim else a for i, a in enumerate(some)}
    arrays["half"] = np.arange(5).astype(ml_dtypes.bfloat16)
    document = {"loss": [float("nan"), float("-inf"), 0.1], "name": "ж", "big": 1 << 80}
    path = tmp_path_factory.mktemp("any") / "a.safetensors"
    write(path, arrays, document)
    found, text = read(path)
    assert repr(text) == repr(document)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
        assert found[name].tobytes() == array.tobytes()
    assert os.listdir(path.parent) == [path.name]


def test_every_flipped_bit_and_every_cut_is_noticed(tmp_path):
    path, rng = tmp_path / "a.safetensors", np.random.default_rng(3)
    write(path, {"kernel": rng.normal(size=(3, 4)), "b": rng.integers(9, size=5)}, {"epoch": 4})
    content = path.read_bytes()
    for at in range(len(content)):
        changed = bytearray(content)
        changed[at] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        with pytest.raises(DamagedCheckpointError, match=r"a\.safetensors"):
            read(path)
        if at % 7 == 0:
            path.write_bytes(content[:at])
            with pytest.raises(DamagedCheckpointError, match=r"a\.safetensors"):
                read(path)


def test_the_last_ones_stay_and_other_files_too(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    made = filled(tmp_path, range(5, 60, 5), keep=3)
    assert made.numbers() == [45, 50, 55]
    assert made.newest().document == {"batches": 55}
    assert made.newest().number == 55
    assert (tmp_path / "notes.txt").read_text() == "mine"
    assert len(os.listdir(tmp_path)) == 4
    assert Folder(tmp_path / "none").newest() is None


def test_a_damaged_one_is_named_and_the_one_before_is_taken(tmp_path):
    made = filled(tmp_path)
    (tmp_path / made.name(30)).write_bytes(b"no checkpoint")
    with pytest.warns(UserWarning, match=rf"{made.name(30)} can't be read.*{made.name(20)}"):
        found = made.newest()
    assert found.number == 20
    with pytest.raises(DamagedCheckpointError, match=made.name(30)):
        made.newest("refuse")
    for number in (10, 20):
        os.truncate(tmp_path / made.name(number), 40)
    with pytest.raises(DamagedCheckpointError, match=r"No checkpoint in .* is whole"):
        made.newest()


def test_a_damaged_newer_one_costs_no_whole_one(tmp_path):
    made = filled(tmp_path, (10, 30), keep=1)
    (tmp_path / made.name(30)).write_bytes(b"")
    made.write(10, {}, {})
    made.write(20, {}, {"batches": 20})
    assert made.numbers() == [20, 30]
    with pytest.warns(UserWarning, match="30"):
        assert made.newest().number == 20
    made.write(30, {}, {"batches": 30})
    assert made.newest().document == {"batches": 30}


def test_a_file_of_another_kind_or_version_is_no_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "a.safetensors"
    container.save_file({"a": np.ones(3)}, path)
    with pytest.raises(DamagedCheckpointError, match="its format is None"):
        read(path)
    monkeypatch.setattr(container, "FORMAT", "statewise-training-99")
    write(path, {}, {})
    monkeypatch.undo()
    with pytest.raises(DamagedCheckpointError, match="'statewise-training-99', expected"):
        read(path)


def test_a_full_disk_leaves_the_one_before(tmp_path):
    made = filled(tmp_path, (1,), keep=1)
    before = (tmp_path / made.name(1)).read_bytes()
    with full_disk(len(before) + 500), pytest.raises(OSError, match="could not be written") as info:
        made.write(2, {"a": np.zeros(1000)}, {})
    assert info.value.errno == errno.EFBIG
    assert f"the one before, {made.name(1)}, is whole" in str(info.value)
    assert os.listdir(tmp_path) == [made.name(1)]
    assert (tmp_path / made.name(1)).read_bytes() == before
    with full_disk(100), pytest.raises(OSError, match="there is none before it"):
        Folder(tmp_path / "new").write(1, {"a": np.zeros(1000)}, {})


def test_what_a_kill_left_is_removed(tmp_path):
    made = filled(tmp_path)
    left = tmp_path / ".0123456789ab.part.safetensors"
    left.write_bytes(b"half")
    assert made.numbers() == [10, 20, 30]
    made.clean()
    assert not left.exists()
    assert made.numbers() == [10, 20, 30]
