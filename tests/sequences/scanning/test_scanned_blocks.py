"""Blocks of whole series out of files: each series once, whole, in order of time."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import dataset, parquet

from statewise.sequences import DataError, scan_panel


def panel_of(rng, keys, least=1, most=40):
    frames = []
    for key in keys:
        steps = int(rng.integers(least, most + 1))
        days = pd.date_range("2024-01-01", periods=steps)
        frames.append(pd.DataFrame({
            "unique_id": key, "ds": days, "y": rng.normal(size=steps).astype(np.float32),
            "n": rng.integers(0, 9, steps)}))  # fmt: skip
    return pd.concat(frames, ignore_index=True)


def write(frame, path, group=17):
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), path,
                        row_group_size=group, write_page_checksum=True)  # fmt: skip


def joined(blocks):
    return pd.concat(list(blocks), ignore_index=True)


def check_whole(blocks, expected, rows):
    blocks = list(blocks)
    seen = set()
    for block in blocks:
        keys = set(block["unique_id"])
        assert not keys & seen
        seen |= keys
        assert len(block) <= rows or len(keys) == 1
    assert blocks
    pd.testing.assert_frame_equal(joined(blocks), expected)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25), st.integers(1, 6), st.integers(1, 90))
def test_series_that_go_on_in_the_next_file(tmp_path_factory, seed, count, files, rows):
    rng = np.random.default_rng(seed)
    panel = panel_of(rng, [f"k{i:02}" for i in range(count)])
    folder = tmp_path_factory.mktemp("scan")
    cuts = np.sort(rng.integers(0, len(panel) + 1, files - 1))
    for i, part in enumerate(np.split(np.arange(len(panel)), cuts)):
        write(panel.iloc[part], folder / f"part-{i}.parquet", group=int(rng.integers(1, 30)))
    check_whole(scan_panel(folder).blocks(rows), panel, rows)


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 25), st.integers(1, 13), st.integers(1, 90))
def test_files_that_hold_the_same_keys(tmp_path_factory, seed, count, files, rows):
    rng = np.random.default_rng(seed)
    panel = panel_of(rng, rng.permutation(100)[:count]).sort_values(["unique_id", "ds"])
    panel = panel.reset_index(drop=True)
    folder = tmp_path_factory.mktemp("scan")
    which = (panel["ds"].dt.day * files) // 32  # a file for some days of the month
    which += panel["ds"].dt.month * files
    for number, part in panel.groupby(which):
        write(part, folder / f"{number}.parquet", group=int(rng.integers(1, 30)))
    check_whole(scan_panel(folder).blocks(rows), panel, rows)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 5), st.integers(1, 90))
def test_keys_that_do_not_rise_but_stand_together(tmp_path_factory, seed, count, files, rows):
    rng = np.random.default_rng(seed)
    panel = panel_of(rng, [f"k{i}" for i in range(count)])  # k9, k10
    folder = tmp_path_factory.mktemp("scan")
    write(panel, folder / "all.parquet")
    check_whole(scan_panel(folder).blocks(rows), panel, rows)
    table = pa.Table.from_pandas(panel, preserve_index=False)
    batches = table.to_batches(max_chunksize=int(rng.integers(1, 50)))
    reader = pa.RecordBatchReader.from_batches(table.schema, batches)
    check_whole(scan_panel(reader).blocks(rows), panel, rows)


def test_small_files_in_turn_without_rising_keys(tmp_path):
    rng = np.random.default_rng(3)
    panel = panel_of(rng, ["z", "m", "q", "a"], least=5)
    for i, part in enumerate((panel[: len(panel) // 2], panel[len(panel) // 2 :])):
        write(part, tmp_path / f"{i}.parquet")
    blocks = scan_panel(tmp_path).blocks(7)
    with pytest.raises(DataError, match=r"Sort the rows once|sorted by"):
        list(blocks)


def test_what_pyarrow_has(tmp_path):
    panel = panel_of(np.random.default_rng(5), "abcd")
    write(panel, tmp_path / "a.parquet")
    found = dataset.dataset(tmp_path)
    kept = panel[panel["unique_id"] != "b"].reset_index(drop=True)
    where = dataset.field("unique_id") != "b"
    pd.testing.assert_frame_equal(joined(scan_panel(found).blocks()), panel)
    pd.testing.assert_frame_equal(joined(scan_panel(found.filter(where)).blocks()), kept)
    scanner = found.scanner(filter=where, batch_size=3)
    pd.testing.assert_frame_equal(joined(scan_panel(scanner).blocks()), kept)
    table = pa.Table.from_pandas(panel)
    pd.testing.assert_frame_equal(joined(scan_panel(table).blocks()), panel)


def test_a_reader_reads_once():
    table = pa.Table.from_pandas(panel_of(np.random.default_rng(5), "ab"), preserve_index=False)
    scan = scan_panel(pa.RecordBatchReader.from_batches(table.schema, table.to_batches()))
    assert len(joined(scan.blocks())) == len(table)
    with pytest.raises(DataError, match="read already"):
        list(scan.blocks())


def test_text_files_have_the_same_blocks(tmp_path):
    panel = panel_of(np.random.default_rng(6), ["001", "02", "NA"]).drop(columns="n")
    panel["ds"] = panel["ds"].astype("datetime64[s]")
    panel["y"] = np.arange(len(panel)) / 4
    for name, part in panel.groupby("unique_id"):
        part.to_csv(tmp_path / f"{name}.csv", index=False, sep=";")
    pd.testing.assert_frame_equal(joined(scan_panel(tmp_path).blocks(5)), panel, check_dtype=False)


def test_folders_that_name_a_key(tmp_path):
    panel = panel_of(np.random.default_rng(7), ["001", "002"])
    for name, part in panel.groupby("unique_id"):
        (tmp_path / f"store={name}").mkdir()
        write(part.drop(columns="unique_id"), tmp_path / f"store={name}" / "a.parquet")
    found = joined(scan_panel(tmp_path, key="store", columns=["y"]).blocks(5))
    assert found.columns.tolist() == ["store", "ds", "y"]
    assert found["store"].tolist() == panel["unique_id"].tolist()
    assert (found["y"] == panel["y"]).all()


def test_going_on_behind_a_series():
    panel = panel_of(np.random.default_rng(8), range(30))
    scan = scan_panel(pa.Table.from_pandas(panel))
    rest = joined(scan.blocks(25, after=17))
    expected = panel[panel["unique_id"] > 17].reset_index(drop=True)
    pd.testing.assert_frame_equal(rest, expected)
    assert list(scan.blocks(after=29)) == []
    with pytest.raises(DataError, match="after=99: the table has no series"):
        list(scan.blocks(after=99))
    with pytest.raises(DataError, match="after='x' is no key: keys are int64"):
        list(scan.blocks(after="x"))
