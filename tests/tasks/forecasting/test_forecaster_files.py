"""Files of forecasters: what they keep, and what is refused of those that somebody has changed."""

import json
import os
import resource
import struct
import zipfile
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import safetensors.numpy

from statewise.sequences import DataError
from statewise.tasks import Forecaster

QUICK = {"units": 3, "epochs": 1, "lookback": 8}


def wide(columns, steps=30):
    rng = np.random.default_rng(1)
    values = rng.normal(size=(steps, len(columns))).cumsum(0)
    return pd.DataFrame(dict(zip(columns, values.T, strict=True)))


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """The file of a fitted panel, and its forecasts."""
    path = tmp_path_factory.mktemp("saved") / "forecaster.zip"
    forecaster = Forecaster(horizon=3, **QUICK).fit(wide(["a", "b"]))
    forecaster.save(path)
    return path, forecaster.predict(level=[80])


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    path = tmp_path_factory.mktemp("local") / "forecaster.zip"
    Forecaster(horizon=3, units=2, epochs=1).fit(wide(["a"])["a"]).save(path)
    return path


def parts_of(path):
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def rewritten(path, parts, target):
    """Write a file with other parts; without a checksum, as one who changes it would."""
    plain = json.loads(parts["forecaster.json"])
    if plain["format"] == 2:
        parts["forecaster.json"] = json.dumps(plain | {"format": 1})
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as file:
        for name, part in parts.items():
            file.writestr(name, part)
    return target


def with_plain(path, change, target):
    parts = parts_of(path)
    plain = json.loads(parts["forecaster.json"])
    change(plain)
    return rewritten(path, parts | {"forecaster.json": json.dumps(plain)}, target)


@pytest.mark.slow
@pytest.mark.parametrize(
    "columns",
    [
        ["a", 1],
        [1, 2.5, "1"],
        [("north", 1), ("south", 2)],
        [pd.Timestamp("2024-01-01"), "b"],
        [date(2024, 1, 1), Decimal("1.50")],
        [True, "True"],
    ],
    ids=str,
)
def test_keys_of_every_type_are_saved(columns, tmp_path):
    forecaster = Forecaster(horizon=3, **QUICK).fit(wide(columns))
    forecaster.save(tmp_path / "a.zip")
    again = Forecaster.load(tmp_path / "a.zip")
    assert list(map(type, again.keys_)) == list(map(type, forecaster.keys_))
    assert again.keys_.tolist() == columns
    pd.testing.assert_frame_equal(again.predict(), forecaster.predict())


def test_what_cannot_be_saved_is_told(tmp_path):
    forecaster = Forecaster(horizon=3, **QUICK).fit(wide(["a", frozenset({1})]))
    with pytest.raises(DataError, match=r"the key frozenset\(\{1\}\) is of the type frozenset"):
        forecaster.save(tmp_path / "a.zip")
    assert list(tmp_path.iterdir()) == []


def test_categories_of_several_types_and_numpy_arguments(tmp_path):
    frame = wide(["y"]).assign(unique_id="a", ds=np.arange(30), kind=[1, "x"] * 15)
    names = {"future": ["kind"]}
    forecaster = Forecaster(horizon=np.int64(3), units=np.int8(3), epochs=1, lookback=8)
    forecaster.fit(frame, columns=names).save(tmp_path / "a.zip")
    ahead = pd.DataFrame({"unique_id": "a", "ds": [30, 31, 32], "kind": ["x", 1, 1]})
    again = Forecaster.load(tmp_path / "a.zip")
    pd.testing.assert_frame_equal(again.predict(future=ahead), forecaster.predict(future=ahead))


def test_small_integers_of_numpy_are_numbers_as_others():
    frame = wide(["a", "b"], 300)
    small = Forecaster(horizon=np.int8(100), units=np.int8(3), epochs=np.int8(1), seed=np.uint8(3))
    small.lookback = np.int8(100)
    usual = Forecaster(horizon=100, units=3, epochs=1, seed=3, lookback=100)
    pd.testing.assert_frame_equal(small.fit(frame).predict(), usual.fit(frame).predict())


@pytest.mark.parametrize("zone", ["Europe/Berlin", "UTC", "-03:00"])
def test_stamps_keep_their_zone(zone, tmp_path):
    stamps = pd.date_range("2024-03-10", periods=30, tz=zone)
    forecaster = Forecaster(horizon=3, **QUICK).fit(wide(["a", "b"]).set_index(stamps))
    forecaster.save(tmp_path / "a.zip")
    told = Forecaster.load(tmp_path / "a.zip").predict()
    pd.testing.assert_frame_equal(told, forecaster.predict())
    assert str(told.index.tz) == str(stamps.tz)


def test_every_flipped_bit_is_noticed(saved, tmp_path):
    path, before = saved
    data = path.read_bytes()
    rng = np.random.default_rng(0)
    target = tmp_path / "flipped.zip"
    for place in rng.integers(0, 8 * len(data), 400):
        changed = bytearray(data)
        changed[place // 8] ^= 1 << (place % 8)
        target.write_bytes(changed)
        with pytest.raises(DataError, match="is no file of a forecaster, or is damaged"):
            Forecaster.load(target)
    for cut in rng.integers(0, len(data), 40):
        target.write_bytes(data[:cut])
        with pytest.raises(DataError, match="is no file of a forecaster, or is damaged"):
            Forecaster.load(target)
    pd.testing.assert_frame_equal(Forecaster.load(path).predict(level=[80]), before)


def test_files_without_a_checksum_still_load(saved, tmp_path):
    path, before = saved
    old = rewritten(path, parts_of(path), tmp_path / "old.zip")
    pd.testing.assert_frame_equal(Forecaster.load(old).predict(level=[80]), before)


def test_files_of_old_words_still_load(saved, local, tmp_path):
    """What 0.1 wrote: the local model was called alone, a request had fields for experiments."""
    gone = {"logs": [True, False], "starts": ["naive", "seasonal"], "options": []}

    def older(plain):
        plain["engine"] = {"local": "alone"}.get(plain["engine"], plain["engine"])
        plain["columns"] = {"id" if k == "key" else k: v for k, v in plain["columns"].items()}
        if "request" in plain["parts"]:
            plain["parts"]["request"] |= gone

    for path in (saved[0], local):
        assert json.loads(parts_of(path)["forecaster.json"])["engine"] in ("local", "global")
        old = Forecaster.load(with_plain(path, older, tmp_path / "old.zip"))
        pd.testing.assert_frame_equal(
            pd.DataFrame(old.predict(level=[80])), Forecaster.load(path).predict(level=[80])
        )
        assert old.transform_ == Forecaster.load(path).transform_


def mended(plain, *where, value):
    for name in where[:-1]:
        plain = plain[name]
    if value is None:
        del plain[where[-1]]
    else:
        plain[where[-1]] = value


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("parts",), None),
        (("parts",), [1]),
        (("parts", "plan"), "x"),
        (("parts", "plan", "units"), 50_000),
        (("parts", "plan", "units"), "3"),
        (("parts", "plan", "units"), True),
        (("parts", "plan", "units"), -1),
        (("parts", "plan", "layers"), 10**7),
        (("parts", "plan", "inputs"), 10**12),
        (("parts", "plan", "categories"), [10**12]),
        (("parts", "plan", "lookback"), 10**12),
        (("parts", "plan", "cell"), "os"),
        (("parts", "plan", "cell"), ["lstm"]),
        (("parts", "members"), 10**9),
        (("parts", "request"), {}),
        (("parts", "held"), "x"),
        (("parts", "encoder"), [1]),
        (("parts", "candidate"), [1, 2, 3]),
        (("params", "horizon"), 10**12),
        (("params", "horizon"), "many"),
        (("params", "lookback"), 10**12),
        (("params", "colour"), "red"),
        (("params",), 3),
        (("engine",), "subprocess"),
        (("engine",), None),
        (("season",), 10**12),
        (("season",), "x"),
        (("form", "layout"), "x"),
        (("form", "backend"), "os"),
        (("form",), [1, 2]),
        (("channels",), 10**12),
        (("channels",), "1"),
        (("columns", "key"), ["a"]),
        (("columns", "future"), ["price"]),
        (("columns",), {}),
        (("calendars",), []),
        (("calendars", 0), {"unit": "time", "step": "x"}),
        (("format",), [1]),
    ],
    ids=str,
)
def test_what_somebody_has_changed_is_refused(where, value, saved, tmp_path):
    path = with_plain(saved[0], lambda p: mended(p, *where, value=value), tmp_path / "a.zip")
    with pytest.raises(DataError, match=r"damaged|has the format"):
        Forecaster.load(path)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("parts", "units"), 50_000),
        (("parts", "networks"), 10**7),
        (("parts", "cell"), 3),
        (("parts", "chain"), {"transforms": [{"kind": "os"}]}),
        (("parts", "lags"), 7),
        (("parts", "curves"), [1]),
        (("parts", "validation", 1), []),
        (("parts", "validation"), 3),
    ],
    ids=str,
)
def test_one_series_that_somebody_has_changed_is_refused(where, value, local, tmp_path):
    path = with_plain(local, lambda p: mended(p, *where, value=value), tmp_path / "a.zip")
    with pytest.raises(DataError, match="is no file of a forecaster, or is damaged"):
        Forecaster.load(path)


def test_a_text_nested_too_deeply(saved, tmp_path):
    parts = parts_of(saved[0])
    parts["forecaster.json"] = parts["forecaster.json"][:-1] + b', "x": ' + b"[" * 100_000
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as file:
        for name, part in parts.items():
            file.writestr(name, part)
    with pytest.raises(DataError, match="damaged"):
        Forecaster.load(tmp_path / "a.zip")


def test_a_few_letters_that_claim_many_rows(saved, tmp_path):
    """A table of constant columns is small, however many rows it has."""
    rows = 1 << 24
    table = pa.table({"value_0": np.zeros(rows), "value_1": np.zeros(rows), "time": np.zeros(rows)})
    with pq.ParquetWriter(tmp_path / "rows", table.schema, write_statistics=False) as file:
        for _ in range(5):
            file.write_table(table, row_group_size=rows)
    parts = parts_of(saved[0]) | {"rows.parquet": (tmp_path / "rows").read_bytes()}
    path = rewritten(saved[0], parts, tmp_path / "a.zip")
    assert path.stat().st_size < 1 << 17
    with pytest.raises(DataError, match=r"a table claims 1,342,177,280 bytes, but the file has"):
        Forecaster.load(path)


def test_a_long_text_in_many_rows(saved, tmp_path):
    rows = 2000
    key = pa.DictionaryArray.from_arrays(np.zeros(rows, np.int8), ["k" * 10**6])
    series = pa.table({"key": key, "steps": [1] * rows, "calendar": [0] * rows})
    pq.write_table(series, tmp_path / "series", store_schema=False, write_statistics=False)
    parts = parts_of(saved[0]) | {"series.parquet": (tmp_path / "series").read_bytes()}
    with pytest.raises(DataError, match="steps, its table"):
        Forecaster.load(rewritten(saved[0], parts, tmp_path / "a.zip"))


def test_a_part_that_claims_to_be_huge(saved, tmp_path):
    path = rewritten(saved[0], parts_of(saved[0]), tmp_path / "a.zip")
    data = bytearray(path.read_bytes())
    entry = data.rindex(b"arrays.safetensors") - 46  # of the zip's directory
    data[entry + 24 : entry + 28] = struct.pack("<I", 2**32 - 2)
    path.write_bytes(data)
    with pytest.raises(DataError, match=r"arrays\.safetensors claims 4,294,967,294 bytes"):
        Forecaster.load(path)


@pytest.mark.parametrize("change", ["shape", "type", "absent"])
def test_weights_of_another_kind(change, saved, local, tmp_path):
    for path in (saved[0], local):
        parts = parts_of(path)
        arrays = safetensors.numpy.load(parts["arrays.safetensors"])
        for name in [name for name in arrays if name.startswith("weight")]:
            if change == "shape":
                arrays[name] = np.concatenate([arrays[name], arrays[name]])
            elif change == "type":
                arrays[name] = np.zeros(arrays[name].shape, np.bool_)
            else:
                del arrays[name]
        parts["arrays.safetensors"] = safetensors.numpy.save(arrays)
        with pytest.raises(DataError, match="is no file of a forecaster, or is damaged"):
            Forecaster.load(rewritten(path, parts, tmp_path / "a.zip"))


def test_a_full_disk_leaves_the_file_as_it_was(saved, tmp_path):
    path = tmp_path / "forecaster.zip"
    path.write_bytes(b"before")
    forecaster = Forecaster.load(saved[0])
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (500, limits[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            forecaster.save(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["forecaster.zip"]
    forecaster.save(path)
    Forecaster.load(path)


def test_folders_and_other_files(tmp_path):
    with pytest.raises(DataError, match="is a folder"):
        Forecaster.load(tmp_path)
    (tmp_path / "empty").touch()
    with pytest.raises(DataError, match="damaged"):
        Forecaster.load(tmp_path / "empty")
