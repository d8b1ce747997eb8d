"""The store: what was written is read, and nothing else is taken for a store."""

import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import statewise
from statewise.streams import StateStore
from statewise.streams.records import Column

COLUMNS = [
    Column("lstm:h", "LSTM:h", (3,), np.dtype("float32")),
    Column("lstm:c", "LSTM:c", (3,), np.dtype("float32")),
    Column("steps", "steps", (), np.dtype("int64")),
]


def rows(rng, count):
    return {
        "lstm:h": rng.normal(size=(count, 3)).astype("float32"),
        "lstm:c": rng.normal(size=(count, 3)).astype("float32"),
        "steps": rng.integers(0, 1 << 40, count),
    }


def test_what_was_written_is_read(tmp_path, rng):
    path = tmp_path / "streams.db"
    keys = ["a", 1, "1", -(1 << 63), "", "naïve \x00 key", np.int64(5), np.str_("b")]
    written = rows(rng, len(keys))
    with StateStore(path, COLUMNS, weights="w") as store:
        assert store.read()[0] == []
        store.write(keys, written)
        store.write(["1", "new"], changed := rows(rng, 2))
    store.close()  # again
    with StateStore(path, COLUMNS) as store:
        got, values = store.read()
        assert store.weights == "w"
        store.write([], rows(rng, 0), weights="v")
        assert store.weights == "v"
    assert got == [*keys, "new"]
    assert [type(key) for key in got[-3:]] == [int, str, str]
    for name in written:
        written[name][2] = changed[name][0]
        np.testing.assert_array_equal(values[name][:-1], written[name])
        np.testing.assert_array_equal(values[name][-1], changed[name][1])
        assert values[name].flags.writeable
    with StateStore(path, COLUMNS) as store:
        assert store.weights == "v"
        store.delete(["1", "a", np.int64(5)])
        assert store.read()[0] == [1, *keys[3:6], "b", "new"]


def test_it_needs_neither_jax_nor_keras():
    code = (
        "import sys, statewise.streams.store\n"
        "assert not {'jax', 'keras', 'pandas'} & sys.modules.keys(), sys.modules.keys()"
    )
    source = str(Path(statewise.__file__).parents[1])
    subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": source})


def test_one_at_a_time(tmp_path):
    path = tmp_path / "streams.db"
    with (
        StateStore(path, COLUMNS),
        pytest.raises(BlockingIOError, match="open elsewhere; a store serves one process"),
    ):
        StateStore(path, COLUMNS)
    StateStore(path, COLUMNS).close()


def test_a_write_that_fails_changes_nothing(tmp_path, rng):
    with StateStore(tmp_path / "streams.db", COLUMNS, weights="w") as store:
        store.write(["a", "b"], before := rows(rng, 2))
        with pytest.raises(ValueError, match=r"lstm:h: expected \(1, 3\) float32, got \(2, 3\)"):
            store.write(["a"], rows(rng, 2))
        with pytest.raises(TypeError, match="text or an integer; got True, a bool"):
            store.write(["a", True], rows(rng, 2))
        # SQLite refuses the third row, after two were written.
        store._connection.execute(
            "CREATE TRIGGER full BEFORE INSERT ON streams WHEN NEW.key = 'c' "
            "BEGIN SELECT RAISE(ABORT, 'the disk is full'); END"
        )
        with pytest.raises(OSError, match=r"streams\.db: the disk is full"):
            store.write(["a", "b", "c"], rows(rng, 3), weights="v")
        assert store.weights == "w"
        keys, after = store.read()
    assert keys == ["a", "b"]
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])


def test_columns_of_another_model(tmp_path):
    path = tmp_path / "streams.db"
    StateStore(path, COLUMNS).close()
    renamed = [column._replace(name=f"other {i}") for i, column in enumerate(COLUMNS)]
    StateStore(path, renamed).close()  # the same model, with other names of layers
    wider = COLUMNS[0]._replace(shape=(4,))
    with pytest.raises(
        ValueError,
        match=r"another model: the store has lstm:h \(LSTM:h\) \(3,\) float32, "
        r"the model lstm:h \(LSTM:h\) \(4,\) float32\.",
    ):
        StateStore(path, [wider, *COLUMNS[1:]])
    with pytest.raises(ValueError, match=r"the store has steps .*, the model nothing more"):
        StateStore(path, COLUMNS[:2])
    gru = COLUMNS[0]._replace(kind="GRU:h")
    with pytest.raises(ValueError, match=r"the model lstm:h \(GRU:h\)"):
        StateStore(path, [gru, *COLUMNS[1:]])
    StateStore(path, COLUMNS).close()  # a refusal leaves it as it was, and free


@pytest.mark.parametrize("part", [0.02, 0.3, 0.5, 0.7, 0.95])
def test_a_file_cut_short(tmp_path, rng, part):
    path = tmp_path / "streams.db"
    with StateStore(path, COLUMNS) as store:
        store.write(range(2000), rows(rng, 2000))
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * part)])
    with pytest.raises(ValueError, match=r"streams\.db (is damaged|can't be read as a store)"):
        StateStore(path, COLUMNS)


def test_files_that_are_no_stores(tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("nothing to see here\n" * 100)
    with pytest.raises(ValueError, match="can't be read as a store"):
        StateStore(text, COLUMNS)
    empty = tmp_path / "empty.db"
    empty.touch()
    with pytest.raises(ValueError, match="is empty, which a store never is"):
        StateStore(empty, COLUMNS)
    other = tmp_path / "other.db"
    with sqlite3.connect(other) as connection:
        connection.execute("CREATE TABLE films (title)")
    connection.close()
    with pytest.raises(ValueError, match="is an SQLite file, but no store of streams"):
        StateStore(other, COLUMNS)
    future = tmp_path / "future.db"
    StateStore(future, COLUMNS).close()
    with sqlite3.connect(future) as connection:
        connection.execute("UPDATE about SET value = 'statewise-streams-9' WHERE name = 'format'")
    connection.close()
    with pytest.raises(ValueError, match="its format is 'statewise-streams-9'"):
        StateStore(future, COLUMNS)
    with pytest.raises(FileNotFoundError, match=r"there is no folder .*nowhere\. Make it first"):
        StateStore(tmp_path / "nowhere" / "streams.db", COLUMNS)
    assert text.read_text() == "nothing to see here\n" * 100


def test_a_record_of_the_wrong_size(tmp_path, rng):
    path = tmp_path / "streams.db"
    with StateStore(path, COLUMNS) as store:
        store.write(["a"], rows(rng, 1))
        store._connection.execute("UPDATE streams SET record = x'00'")
    with (
        StateStore(path, COLUMNS) as store,
        pytest.raises(ValueError, match="the record of key 'a' has 1 bytes, expected 40"),
    ):
        store.read()


def test_the_newest_writes_are_in_the_log_beside_the_file(tmp_path, rng):
    path, copy = tmp_path / "streams.db", tmp_path / "copy.db"
    with StateStore(path, COLUMNS) as store:
        store.write(["a", "b"], written := rows(rng, 2))
        for end in ("", "-wal"):  # as a killed process leaves them
            shutil.copy(f"{path}{end}", f"{copy}{end}")
    with StateStore(copy, COLUMNS) as store:
        keys, values = store.read()
    assert keys == ["a", "b"]
    np.testing.assert_array_equal(values["lstm:c"], written["lstm:c"])
    assert sorted(p.name for p in tmp_path.iterdir()) == ["copy.db", "streams.db"]


def test_a_store_that_another_process_makes_meanwhile_is_kept(tmp_path, rng, monkeypatch):
    path = tmp_path / "streams.db"
    link = os.link

    def first(temporary, target):
        with StateStore(path, COLUMNS) as other:
            other.write(["theirs"], rows(rng, 1))
        link(temporary, target)

    def quicker(temporary, target):
        monkeypatch.setattr(os, "link", link)
        first(temporary, target)

    monkeypatch.setattr(os, "link", quicker)
    with StateStore(path, COLUMNS) as store:
        assert store.read()[0] == ["theirs"]
    assert [file.name for file in tmp_path.iterdir()] == ["streams.db"]


def test_a_file_system_without_links(tmp_path, rng, monkeypatch):
    def refused(*_):
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refused)
    with StateStore(tmp_path / "streams.db", COLUMNS) as store:
        store.write(["a"], rows(rng, 1))
        assert store.read()[0] == ["a"]
    assert [file.name for file in tmp_path.iterdir()] == ["streams.db"]


def test_the_log_of_a_lost_store_is_no_new_store_s(tmp_path, rng):
    path, log = tmp_path / "streams.db", tmp_path / "streams.db-wal"
    with StateStore(path, COLUMNS) as store:
        store.write(["a"], rows(rng, 1))
        kept = log.read_bytes()
    path.unlink()
    log.write_bytes(kept)
    with pytest.raises(ValueError, match="isn't there, but the newest writes of a store"):
        StateStore(path, COLUMNS)
    log.unlink()
    with StateStore(path, COLUMNS) as store:
        assert store.read()[0] == []


def test_a_folder_is_no_store(tmp_path):
    with pytest.raises(IsADirectoryError, match="is a folder; a store is a file"):
        StateStore(tmp_path, COLUMNS)
