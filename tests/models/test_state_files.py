"""Files of states: a flipped bit is noticed, and an older file is read."""

import json
import stat

import numpy as np
import pytest
from safetensors.numpy import save

from statewise.models import State, load_state, save_state


@pytest.fixture
def state(rng):
    def arrays(*names):
        return {name: rng.normal(size=(3, 4)).astype("float32") for name in names}

    return State({"lstm": arrays("h", "c"), "encoder/gru": arrays("h")})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "state.safetensors"


@pytest.mark.parametrize("count", [100, pytest.param(None, marks=pytest.mark.slow)])
def test_flipped_bits_do_not_load(state, path, rng, count):
    save_state(state, path)
    content, damaged = path.read_bytes(), path.with_name("damaged")
    places = range(8 * len(content))
    loaded = 0
    for place in places if count is None else rng.choice(places, count, replace=False):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        damaged.write_bytes(changed)
        try:
            found = load_state(damaged)
        except ValueError as error:
            named = str(error)
        else:
            named, loaded = str(damaged), loaded + 1
            assert found == state
        assert str(damaged) in named
    assert loaded <= len(places) / 100  # spaces in the header, at most


def test_a_file_without_a_checksum_is_read(state, path):
    arrays = {f"{layer}:{name}": state[layer][name] for layer in state for name in state[layer]}
    order = [[layer, list(state[layer])] for layer in state]
    metadata = {"format": "statewise-state-1", "order": json.dumps(order)}
    path.write_bytes(save(arrays, metadata=metadata))
    assert load_state(path) == state
    assert list(load_state(path)["lstm"]) == ["h", "c"]


@pytest.mark.parametrize(
    "order",
    [
        "5",
        "null",
        "{}",
        '{"lstm": 1}',
        "[1]",
        '[["lstm", 5]]',
        '[["lstm", ["h", "x"]]]',
        '[["lstm", ["h"]]]',
        "[" * 100_000,
        "no json",
        None,
    ],
    ids=lambda order: str(order)[:20],
)
def test_parts_of_other_types(state, path, order):
    arrays = {"lstm:h": state["lstm"]["h"], "lstm:c": state["lstm"]["c"]}
    metadata = {"format": "statewise-state-1"}
    if order is not None:
        metadata["order"] = order
    path.write_bytes(save(arrays, metadata=metadata))
    with pytest.raises(ValueError, match=r"can't be read as a state|is damaged"):
        load_state(path)


def test_arrays_that_are_no_state(path):
    metadata = {"format": "statewise-state-1", "order": '[["lstm", ["h", "c"]]]'}
    arrays = {"lstm:h": np.ones((2, 3)), "lstm:c": np.ones((4, 3))}
    path.write_bytes(save(arrays, metadata=metadata))
    with pytest.raises(ValueError, match="can't be read as a state"):
        load_state(path)


def test_a_file_has_the_mode_of_other_files(state, path, tmp_path):
    (tmp_path / "plain").write_text("")
    save_state(state, path)
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE((tmp_path / "plain").stat().st_mode)
    with pytest.raises(FileNotFoundError):
        save_state(state, tmp_path / "nowhere" / "state.safetensors")
    with pytest.raises(OSError, match="a folder, not the file"):
        load_state(tmp_path)
