"""What is wrong with a panel's files is told by file, column, key and time."""

import os

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyarrow import parquet

from statewise.sequences import DataError, scan_panel


def frame_of(keys, start="2024-01-01", steps=6):
    days = pd.date_range(start, periods=steps)
    return pd.concat(
        [pd.DataFrame({"unique_id": key, "ds": days, "y": np.arange(steps) + 0.5}) for key in keys],
        ignore_index=True,
    )


def write(frame, path, **options):
    table = pa.Table.from_pandas(frame, preserve_index=False)
    parquet.write_table(table, path, write_page_checksum=True, use_dictionary=False, **options)


def corrupt(path, at, size=8):
    with open(path, "r+b") as file:
        file.seek(at)
        old = file.read(size)
        file.seek(at)
        file.write(bytes(255 - one for one in old))


@pytest.fixture
def thousands(tmp_path):
    table = pa.Table.from_pandas(frame_of("k", steps=3), preserve_index=False)
    for i in range(1200):
        table = table.set_column(0, "unique_id", pa.array([f"k{i:04}"] * 3))
        parquet.write_table(table, tmp_path / f"{i:04}.parquet")
    return tmp_path


def test_a_corrupt_file_among_thousands(thousands):
    bad = thousands / "0777.parquet"
    os.truncate(bad, bad.stat().st_size // 2)
    with pytest.raises(DataError, match=r"0777\.parquet can't be read: .*corrupt=\"skip\""):
        scan_panel(thousands)
    scan = scan_panel(thousands, corrupt="skip")
    found = pd.concat(scan.blocks(500))
    assert found["unique_id"].nunique() == 1199
    assert "k0777" not in set(found["unique_id"])
    assert [one.path for one in scan.skipped] == [str(bad)]
    assert scan.skipped[0].reason


@pytest.mark.parametrize("column", ["unique_id", "y"])
def test_a_file_that_is_damaged_in_its_middle(tmp_path, column):
    for i in range(3):
        keys = [f"k{i}{j}" for j in range(8)]
        write(frame_of(keys), tmp_path / f"{i}.parquet", row_group_size=7)
    bad = tmp_path / "1.parquet"
    names = ["unique_id", "ds", "y"]
    place = parquet.ParquetFile(bad).metadata.row_group(4).column(names.index(column))
    corrupt(bad, place.data_page_offset + place.total_compressed_size - 6, 4)
    scan = scan_panel(tmp_path)
    with pytest.raises(DataError, match=r"1\.parquet can't be read"):
        list(scan.blocks())
    scan = scan_panel(tmp_path, corrupt="skip")
    found = pd.concat(scan.blocks(20))
    assert [one.path for one in scan.skipped] == [str(bad)]
    counts = found.groupby("unique_id").size()
    assert (counts == 6).all()  # no series is cut off
    kept = set(counts.index)
    assert {f"k{i}{j}" for i in (0, 2) for j in range(8)} <= kept
    assert "k10" in kept
    assert "k17" not in kept


def test_a_file_that_is_none(tmp_path):
    write(frame_of("a"), tmp_path / "a.parquet")
    (tmp_path / "b.parquet").write_bytes(b"")
    (tmp_path / "c.parquet").write_bytes(b"PAR1 of no use PAR1")
    scan = scan_panel(tmp_path, corrupt="skip")
    assert [one.path[-9:] for one in scan.skipped] == ["b.parquet", "c.parquet"]
    (tmp_path / "a.parquet").unlink()
    with pytest.raises(DataError, match="none of the 2 files of"):
        scan_panel(tmp_path, corrupt="skip")


def test_a_schema_that_changes(tmp_path):
    write(frame_of("a"), tmp_path / "a.parquet")
    write(frame_of("b").rename(columns={"y": "z"}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"schema changes: .*b\.parquet has no column 'y'.* it has: "
                       "unique_id, ds, z"):  # fmt: skip
        scan_panel(tmp_path)
    write(frame_of("b").astype({"y": str}), tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"the column 'y' is string in .*b\.parquet, but double in"):
        scan_panel(tmp_path)
    write(frame_of([1]), tmp_path / "b.parquet")
    with pytest.raises(DataError, match="the column 'unique_id' is int64 in"):
        scan_panel(tmp_path)
    zoned = frame_of("b")
    zoned["ds"] = zoned["ds"].dt.tz_localize("UTC")
    write(zoned, tmp_path / "b.parquet")
    with pytest.raises(DataError, match="the column 'ds' is timestamp"):
        scan_panel(tmp_path)


def test_a_schema_that_changes_in_size_alone(tmp_path):
    one = frame_of("a").astype({"y": np.float32})
    other = frame_of("b").assign(y=np.arange(6), further="x")[["y", "further", "ds", "unique_id"]]
    other["ds"] = other["ds"].astype("datetime64[s]")
    other["unique_id"] = other["unique_id"].astype("category")
    write(one, tmp_path / "a.parquet")
    write(other, tmp_path / "b.parquet")
    found = pd.concat(scan_panel(tmp_path, columns=["y"]).blocks())
    assert found["y"].tolist() == [*one["y"], *other["y"]]
    assert found["unique_id"].tolist() == ["a"] * 6 + ["b"] * 6
    assert found["ds"].tolist() == [*one["ds"], *one["ds"]]


def test_a_key_whose_time_goes_back_between_files(tmp_path):
    write(frame_of("abc", "2024-02-01"), tmp_path / "part-1.parquet")
    write(frame_of("bcd", "2024-01-01"), tmp_path / "part-2.parquet")
    with pytest.raises(DataError, match=r"the time of series 'b' goes back, from 2024-02-06.* in "
                       r".*part-1\.parquet to 2024-01-01.* in .*part-2\.parquet.*as a list.*"
                       r"scan_parquet"):  # fmt: skip
        list(scan_panel(tmp_path).blocks())
    paths = [tmp_path / "part-2.parquet", tmp_path / "part-1.parquet"]
    found = pd.concat(scan_panel(paths).blocks())
    assert found.groupby("unique_id").size().to_dict() == {"a": 6, "b": 12, "c": 12, "d": 6}


def test_a_key_that_goes_on_at_the_end_of_a_file_with_its_time_back(tmp_path):
    write(frame_of("ab", "2024-02-01"), tmp_path / "part-1.parquet")
    write(frame_of("bc", "2024-01-01"), tmp_path / "part-2.parquet")
    with pytest.raises(DataError, match="the time of series 'b' goes back"):
        list(scan_panel(tmp_path).blocks())


@pytest.mark.parametrize("most", [3, 1000])
def test_rows_that_are_not_sorted(tmp_path, most):
    frame = frame_of("abc")
    write(frame.sort_values(["ds", "unique_id"]), tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"rows of series 'a' of .* are not together.*sort\('uniq"):
        list(scan_panel(tmp_path / "a.parquet").blocks(most))
    write(frame.iloc[::-1], tmp_path / "a.parquet")
    with pytest.raises(DataError, match=r"time of series 'c' goes back, from 2024-01-06 to 2024-0"):
        list(scan_panel(tmp_path).blocks(most))


def test_missing_keys_and_times(tmp_path):
    for column in ("unique_id", "ds"):
        frame = frame_of("ab")
        frame.loc[8, column] = None
        write(frame, tmp_path / "a.parquet")
        with pytest.raises(DataError, match=f"column '{column}' of .* is missing in 1 of 12"):
            list(scan_panel(tmp_path).blocks())


def test_arguments_that_cannot_be(tmp_path):
    write(frame_of("a").assign(text="x", other=pd.Timestamp("2024-01-01")), tmp_path / "a.parquet")
    for options, fault in [
        ({"key": "shop"}, "has no column 'shop'; it has: unique_id, ds, y, text, other.* by key="),
        ({"key": "y"}, "'y' of .* can't be the key: it holds double"),
        ({"time": "text"}, "'text' of .* can't be the time: it holds string"),
        ({"columns": ["y", "y"]}, "'y' is named twice"),
        ({"columns": ["z"]}, "no column 'z'"),
    ]:
        with pytest.raises(DataError, match=fault):
            scan_panel(tmp_path, **options)
    with pytest.raises(ValueError, match='corrupt must be "raise" or "skip", but is None'):
        scan_panel(tmp_path, corrupt=None)
    with pytest.raises(TypeError, match=r"columns=\['y'\]"):
        scan_panel(tmp_path, columns="y")
    with pytest.raises(TypeError, match="not DataFrame"):
        scan_panel(frame_of("a"))
    with pytest.raises(DataError, match="there is no file or folder"):
        scan_panel(tmp_path / "b")
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="has no Parquet or CSV files"):
        scan_panel(tmp_path / "empty")
    write(frame_of("a").rename(columns={"ds": "t"}).assign(u=pd.Timestamp("2024-01-01")),
          tmp_path / "a.parquet")  # fmt: skip
    with pytest.raises(DataError, match="several columns of dates, t, u: say by time="):
        scan_panel(tmp_path)
