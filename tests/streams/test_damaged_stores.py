"""What isn't as it was written is noticed: flipped bits, moved files, full disks, old stores."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import statewise
from statewise.streams import StateStore
from statewise.streams.records import Column

COLUMNS = [
    Column("lstm:h", "LSTM:h", (5,), np.dtype("float32")),
    Column("on", "on", (3,), np.dtype("bool")),
    Column("steps", "steps", (), np.dtype("int64")),
]
KEYS = [*(f"tank {i}" for i in range(60)), *range(60), "naïve"]


def rows(count, seed=0):
    rng = np.random.default_rng(seed)
    return {
        "lstm:h": rng.normal(size=(count, 5)).astype("float32"),
        "on": rng.random((count, 3)) < 0.5,
        "steps": rng.integers(0, 1 << 40, count),
    }


def content(path):
    with StateStore(path, COLUMNS) as store:
        keys, values = store.read()
        return keys, {name: array.tobytes() for name, array in values.items()}, store.weights


def written(path, *, writes=1):
    """Write a store as a killed process leaves it, with a log where there are several writes."""
    with StateStore(path, COLUMNS, weights="w") as store:
        for number in range(writes):
            store.write(KEYS, rows(len(KEYS), number))
            store.write([f"new {number}"], rows(1, number))
        if writes == 1:
            return
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", f"{path}.copy{end}")
    for end in ("", "-wal"):
        shutil.move(f"{path}.copy{end}", f"{path}{end}")


def flipped(data, bit):
    changed = bytearray(data)
    changed[bit // 8] ^= 1 << bit % 8
    return bytes(changed)


def check_flips(tmp_path, end, count, writes):
    path = tmp_path / "streams.db"
    written(path, writes=writes)
    whole = {
        e: Path(f"{path}{e}").read_bytes() for e in ("", "-wal") if Path(f"{path}{e}").exists()
    }
    expected = content(path)
    rng, outcomes = random.Random(4), {"same": 0, "refused": 0, "warned": 0}
    copy = tmp_path / "copy.db"
    for _ in range(count):
        bit = rng.randrange(8 * len(whole[end]))
        for e in ("", "-wal"):
            Path(f"{copy}{e}").unlink(missing_ok=True)
        for e, data in whole.items():
            Path(f"{copy}{e}").write_bytes(flipped(data, bit) if e == end else data)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            try:
                assert content(copy) == expected, f"bit {bit} of {path.name}{end} went unnoticed"
                outcomes["same"] += 1  # where nothing is written
            except UserWarning as warning:
                assert "isn't whole, and is left out" in str(warning)  # noqa: PT017
                outcomes["warned"] += 1
            except (ValueError, OSError) as error:
                assert str(copy) in str(error)  # noqa: PT017
                outcomes["refused"] += 1
    return outcomes


@pytest.mark.parametrize(("end", "writes"), [("", 1), ("-wal", 4)])
def test_flipped_bits_are_noticed(tmp_path, end, writes):
    outcomes = check_flips(tmp_path, end, 60, writes)
    assert outcomes["refused"] > 10, outcomes  # a third of the file is empty
    if end:
        assert outcomes["same"] == 0


@pytest.mark.slow
@pytest.mark.parametrize(("end", "writes"), [("", 1), ("", 3), ("-wal", 6)])
def test_many_flipped_bits_are_noticed(tmp_path, end, writes):
    check_flips(tmp_path, end, 1500, writes)


def test_every_bit_of_a_record_and_of_a_key_counts(tmp_path):
    path = tmp_path / "streams.db"
    with StateStore(path, COLUMNS, weights="w") as store:
        store.write(["ab", 7], rows(2))
    with sqlite3.connect(path) as connection:
        found = dict(connection.execute("SELECT key, record FROM streams").fetchall())
    connection.close()

    def put(key, record, old):
        with sqlite3.connect(path) as connection:
            connection.execute(
                "UPDATE streams SET key = ?, record = ? WHERE key = ?", (key, record, old)
            )
        connection.close()

    rng = random.Random(1)
    changed = [("ab", flipped(found["ab"], bit)) for bit in range(0, 8 * len(found["ab"]), 11)]
    for _ in range(20):  # several at once, the highest bits of the numbers among them
        record = found["ab"]
        for bit in rng.sample(range(8 * len(record)), 4):
            record = flipped(record, bit)
        changed.append(("ab", record))
    record = flipped(flipped(found["ab"], 31), 63)
    changed += [("ab", record), ("aB", found["ab"]), (8, found["ab"]), ("7", found["ab"])]
    for key, record in changed:
        put(key, record, "ab")
        with (
            StateStore(path, COLUMNS) as store,
            pytest.raises(ValueError, match="have its checksum"),
        ):
            store.read()
        put("ab", found["ab"], key)
    assert content(path)[0] == ["ab", 7]


def test_what_a_store_says_about_itself_has_a_checksum(tmp_path):
    path = tmp_path / "streams.db"
    for name, value, message in [
        ("weights", "v", "doesn't have its checksum"),
        ("columns", "[]", "doesn't have its checksum"),
        ("checksum", "00", "doesn't have its checksum"),
        ("format", "statewise-streams-9", "its format is 'statewise-streams-9'"),
    ]:
        path.unlink(missing_ok=True)
        written(path)
        with sqlite3.connect(path) as connection:
            connection.execute("UPDATE about SET value = ? WHERE name = ?", (value, name))
        connection.close()
        with pytest.raises(ValueError, match=message):
            StateStore(path, COLUMNS)
    path.unlink()
    StateStore(path, COLUMNS).close()
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM about WHERE name = 'columns'")
    connection.close()
    with pytest.raises(ValueError, match="what it says about itself isn't whole"):
        StateStore(path, COLUMNS)


def old_store(path, keys, values, columns=None):
    """Write a store as releases did that had no checksums."""
    described = [
        {"name": c.name, "kind": c.kind, "shape": list(c.shape), "dtype": str(c.dtype)}
        for c in COLUMNS
    ]
    with sqlite3.connect(path) as connection:
        connection.executescript(
            "PRAGMA journal_mode = WAL;"
            "CREATE TABLE about (name TEXT PRIMARY KEY, value TEXT NOT NULL);"
            "CREATE TABLE streams (key PRIMARY KEY NOT NULL, record BLOB NOT NULL);"
        )
        about = {"format": "statewise-streams-1", "weights": "w"}
        about["columns"] = columns or json.dumps(described)
        connection.executemany("INSERT INTO about VALUES (?, ?)", about.items())
        for i, key in enumerate(keys):
            record = b"".join(values[c.name][i].tobytes() for c in COLUMNS)
            connection.execute("INSERT INTO streams VALUES (?, ?)", (key, record))
    connection.close()


def test_an_old_store_is_given_checksums(tmp_path):
    path, keys, values = tmp_path / "old.db", ["a", 1, "1", "b"], rows(4)
    old_store(path, keys, values)
    for _ in range(2):  # the first time it is rewritten
        got, found, weights = content(path)
        assert (got, weights) == (keys, "w")
        assert found == {name: array.tobytes() for name, array in values.items()}
    with StateStore(path, COLUMNS) as store:
        store.write(["a", "c"], changed := rows(2, 1), weights="v")
    with StateStore(path, COLUMNS) as store:
        got, found = store.read()
        assert (got, store.weights) == ([*keys, "c"], "v")
        np.testing.assert_array_equal(found["lstm:h"][[0, 4]], changed["lstm:h"])
    with sqlite3.connect(path) as connection:
        (kind,) = connection.execute("SELECT value FROM about WHERE name = 'format'").fetchone()
        assert kind == "statewise-streams-2"
    connection.close()
    for columns in ("{", "[1]", '[{"name": 1}]'):
        broken = tmp_path / "broken.db"
        broken.unlink(missing_ok=True)
        old_store(broken, [], values, columns)
        with pytest.raises(ValueError, match="its columns are"):
            StateStore(broken, COLUMNS)


def test_keys_and_records_of_other_types(tmp_path):
    path = tmp_path / "streams.db"
    for change, message in [
        ("UPDATE streams SET key = CAST(x'ff' AS TEXT) WHERE key = 3", "can't be read as a store"),
        ("UPDATE streams SET key = 1.5 WHERE key = 3", "it has a key 1.5"),
        ("UPDATE streams SET key = x'00' WHERE key = 3", "it has a key b'"),
        ("UPDATE streams SET record = 'text' WHERE key = 3", "with a record 'text'"),
        ("UPDATE streams SET record = 1 WHERE key = 3", "with a record 1"),
    ]:
        path.unlink(missing_ok=True)
        written(path)
        with sqlite3.connect(path) as connection:
            connection.execute(change)
        connection.close()
        with StateStore(path, COLUMNS) as store, pytest.raises(ValueError, match=message):
            store.read()


def moved(path):
    path.rename(path.with_name("elsewhere.db"))


def overwritten(path):
    shutil.copyfile(path.with_name("other.db"), path)


def replaced(path):
    path.with_name("other.db").rename(path)


def without_log(path):
    Path(f"{path}-wal").unlink()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (moved, "was moved or deleted while it was open, so nothing more is written"),
        (Path.unlink, "was moved or deleted while it was open"),
        (replaced, "was replaced by another file while it was open"),
        (overwritten, "was written to by something else while it was open"),
        (without_log, "lost its log, PATH-wal"),
    ],
)
def test_a_file_that_isn_t_there_any_more_takes_no_writes(tmp_path, change, message):
    path = tmp_path / "streams.db"
    written(tmp_path / "other.db")
    store = StateStore(path, COLUMNS)
    store.write(["a"], rows(1))
    change(path)
    for attempt in (lambda: store.write(["a"], rows(1)), lambda: store.delete(["a"]), store.read):
        with pytest.raises(OSError, match=message):
            attempt()
    if change is moved:
        (tmp_path / "elsewhere.db").rename(path)
        store.write(["b"], rows(1))  # all is as it was
        store.close()
        assert content(path)[0] == ["a", "b"]
    store.close()
    with pytest.raises(OSError, match="is closed; open it again"):
        store.write(["a"], rows(1))


def test_the_log_is_moved_into_the_file_and_that_is_no_other_s_doing(tmp_path, monkeypatch):
    monkeypatch.setattr("statewise.streams.store_files._CHECKPOINT_PAGES", 5)
    path, sizes = tmp_path / "streams.db", []
    with StateStore(path, COLUMNS) as store:
        for number in range(20):
            if number == 10:  # interrupted after the log was moved, before that was noted
                monkeypatch.setattr(store._file, "note", lambda: None)
            store.write(KEYS, rows(len(KEYS), number))
            sizes.append(Path(f"{path}-wal").stat().st_size)
            if number == 10:
                monkeypatch.delattr(store._file, "note")
        found = store.read()[1]
    assert max(sizes) < 300_000
    np.testing.assert_array_equal(found["lstm:h"], rows(len(KEYS), 19)["lstm:h"])


def test_another_folder_is_no_other_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = StateStore("streams.db", COLUMNS)
    (tmp_path / "deeper").mkdir()
    monkeypatch.chdir(tmp_path / "deeper")
    store.write(["a"], rows(1))
    store.close()
    assert content(tmp_path / "streams.db")[0] == ["a"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs a limit on the size of files")
def test_a_disk_that_is_full(tmp_path):
    """When a store is made, when it is written to; afterwards all is as it was before."""
    code = """
import resource, sys
import numpy as np
from pathlib import Path
from statewise.streams.records import Column
from statewise.streams.store import StateStore
column = Column("h", "RNN:h", (1000,), np.dtype("float32"))
path = Path(sys.argv[1])
def limited(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
limited(3000)
try:
    StateStore(path, [column])
except OSError as error:
    assert "can't be made" in str(error), error
assert not list(path.parent.iterdir()), list(path.parent.iterdir())
limited(resource.RLIM_INFINITY)
store = StateStore(path, [column])
store.write(["a"], {"h": np.zeros((1, 1000), "float32")})
limited(60_000)
for _ in range(3):
    try:
        store.write(range(100), {"h": np.ones((100, 1000), "float32")})
        raise AssertionError("written")
    except OSError as error:
        assert str(path) in str(error), error
assert store.read()[0] == ["a"]
limited(resource.RLIM_INFINITY)
store.write(["b"], {"h": np.zeros((1, 1000), "float32")})
store.close()
print(StateStore(path, [column]).read()[0])
"""
    folder = tmp_path / "disk"
    folder.mkdir()
    source = str(Path(statewise.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder / "streams.db")],
        env={**os.environ, "PYTHONPATH": source},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "['a', 'b']\n", done.stderr
