"""Lanes and windows of a panel in files are those of the same panel in memory."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import dataset, parquet

from statewise.sequences import DataError, lanes, scan_panel, windows
from statewise.sequences.scanning import numbers, strips


def panel_of(rng, count, least=2, most=60):
    frames = []
    for i in rng.permutation(count):
        steps = int(rng.integers(least, most + 1))
        values = rng.normal(size=(steps, 2)).astype(np.float32)
        columns = {"unique_id": f"k{i:03}", "ds": np.arange(steps) * 3}
        frames.append(pd.DataFrame(columns | {"a": values[:, 0], "b": values[:, 1]}))
    return pd.concat(frames, ignore_index=True)


def in_memory(panel):
    return {key: own[["a", "b"]].to_numpy() for key, own in panel.groupby("unique_id", sort=False)}


def write(panel, folder, rng, files, by_time=False):
    if by_time:
        parts = [part for _, part in panel.groupby(panel["ds"] * files // 200)]
    else:
        cuts = np.sort(rng.integers(0, len(panel) + 1, files - 1))
        parts = [panel.iloc[part] for part in np.split(np.arange(len(panel)), cuts)]
    for i, part in enumerate(parts):
        table = pa.Table.from_pandas(part, preserve_index=False)
        group = int(rng.integers(5, 90))
        parquet.write_table(table, folder / f"{i}.parquet", row_group_size=group,
                            write_page_checksum=True)  # fmt: skip


@pytest.fixture(autouse=True)
def little_memory(monkeypatch):
    monkeypatch.setattr(strips, "STRIP_BYTES", 120)
    monkeypatch.setattr(strips, "WHOLE_BYTES", 240)  # smaller row groups are read whole
    monkeypatch.setattr(strips, "_MOST_OPEN", 3)
    monkeypatch.setattr(numbers, "MEMORY", 900)
    monkeypatch.setattr(numbers, "BLOCK_BYTES", 500)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**32), st.integers(1, 30), st.integers(1, 6), st.booleans(), st.booleans())
def test_every_step_of_every_series_once(tmp_path_factory, seed, count, files, by_time, shuffled):
    rng = np.random.default_rng(seed)
    panel = panel_of(rng, count)
    folder = tmp_path_factory.mktemp("scan")
    write(panel, folder, rng, files, by_time)
    expected = in_memory(panel)
    batch, steps = int(rng.integers(1, count + 1)), int(rng.integers(1, 20))
    laid = lanes(folder, lanes=batch, steps=steps, seed=7 if shuffled else None)
    assert set(laid.keys) == set(expected)
    for number in (0, 1):
        chunks = list(laid.epoch(number))
        assert len(chunks) == laid.num_chunks
        for name, shift in (("x", 0), ("y", 1)):
            found = laid.gather(np.stack([getattr(one, name) for one in chunks]), number)
            for key, values in expected.items():
                np.testing.assert_array_equal(found[key], values[shift : len(values) - 1 + shift])
        assert sum(int(one.resets.sum()) for one in chunks) == count
        whole = laid.arrays(number)
        np.testing.assert_array_equal(whole.x, np.stack([one.x for one in chunks]))


def test_chance_on_two_levels(tmp_path):
    rng = np.random.default_rng(2)
    panel = panel_of(rng, 200, least=10, most=10)
    write(panel, tmp_path, rng, 3)

    def order(seed, number):
        chunks = lanes(tmp_path, lanes=4, steps=9, seed=seed).epoch(number)
        return [one.where[:, 0, 0].tolist() for one in chunks]

    first = order(1, 0)
    assert first == order(1, 0)
    assert first != order(1, 1)
    assert first != order(2, 0)
    together = np.concatenate(first)
    assert sorted(together) == list(range(200))
    # 500 bytes are some 6 series; those of 4 such blocks come together, not of all 34.
    assert len(np.unique(together[:24] // 6)) <= 8
    assert (np.diff(together[:24]) != 1).any()


def test_windows_in_order_and_shuffled(tmp_path, monkeypatch):
    from statewise.sequences import window_batches

    monkeypatch.setattr(window_batches, "SPAN_BYTES", 700)
    rng = np.random.default_rng(3)
    panel = panel_of(rng, 23, least=8, most=300)
    write(panel, tmp_path, rng, 4)
    for lookback, horizon, stride, targets in [(5, 2, 1, "b"), (3, 0, 4, None), (1, 1, 7, [1, 0])]:
        names = {"b": 1}
        wanted = names.get(targets, targets) if isinstance(targets, str) else targets
        cut = windows(in_memory(panel), lookback, horizon=horizon, stride=stride, targets=wanted)
        options = {"horizon": horizon, "stride": stride, "targets": targets, "batch": 16}
        plain = windows(tmp_path, lookback, **options)
        assert (len(plain), plain.num_batches) == (len(cut), -(-len(cut) // 16))
        parts = list(plain.epoch())
        assert [len(one.x) for one in parts[:-1]] == [16] * (len(parts) - 1)
        np.testing.assert_array_equal(np.concatenate([one.x for one in parts]), cut.x)
        np.testing.assert_array_equal(np.concatenate([one.y for one in parts]), cut.y)
        shuffled = windows(tmp_path, lookback, **options, seed=1)
        parts = list(shuffled.epoch(2))
        where = np.concatenate([one.where for one in parts])
        order = np.lexsort((where[:, 1], where[:, 0]))
        assert (order != np.arange(len(order))).any()
        np.testing.assert_array_equal(np.concatenate([one.x for one in parts])[order], cut.x)
        np.testing.assert_array_equal(np.concatenate([one.y for one in parts])[order], cut.y)
        np.testing.assert_array_equal(where[order, 1], cut.start)
        again = np.concatenate([one.where for one in shuffled.epoch(2)])
        np.testing.assert_array_equal(where, again)
        other = np.concatenate([one.where for one in shuffled.epoch(3)])
        assert (where != other).any()


def test_little_stays_in_memory(tmp_path):
    rng = np.random.default_rng(4)
    panel = panel_of(rng, 60)
    write(panel, tmp_path, rng, 3)
    scan = scan_panel(tmp_path)
    files, roles = scan.stored()
    kept = strips.Strips(files, roles, np.dtype(np.float32), 700)
    values = np.empty((4, 2), np.float32)
    for place in rng.integers(0, 60, 40):
        group = int(place % files[0].open().num_row_groups)
        rows = files[0].open().metadata.row_group(group).num_rows
        kept.read(0, group, int(rng.integers(0, rows - 3)), values)
        assert sum(one.nbytes for one in kept._kept.values()) == kept._bytes <= 700


def test_gaps_become_nan_and_whole_numbers_stay_whole(tmp_path):
    table = pa.table({"unique_id": ["a"] * 3, "ds": [1, 2, 3], "a": [1, 2, 3], "t": ["x"] * 3})
    parquet.write_table(table, tmp_path / "a.parquet")
    chunk = next(lanes(tmp_path, lanes=1, steps=2).epoch())
    assert chunk.x.dtype == np.int64
    assert chunk.x[..., 0].tolist() == [[1, 2]]  # text is no feature
    table = table.set_column(2, "a", pa.array([1, None, 3]))
    parquet.write_table(table, tmp_path / "a.parquet")
    chunk = next(lanes(dataset.dataset(tmp_path), lanes=1, steps=3, targets=None).epoch())
    np.testing.assert_array_equal(chunk.x[0, :, 0], [1, np.nan, 3])


def test_damage_is_told_where_it_is_met_or_left_out_before(tmp_path):
    rng = np.random.default_rng(5)
    for i in range(3):
        panel = panel_of(rng, 9, least=20)
        panel["unique_id"] = f"{i}" + panel["unique_id"]
        table = pa.Table.from_pandas(panel, preserve_index=False)
        parquet.write_table(table, tmp_path / f"{i}.parquet", row_group_size=25,
                            write_page_checksum=True, use_dictionary=False)  # fmt: skip
    bad = tmp_path / "1.parquet"
    place = parquet.ParquetFile(bad).metadata.row_group(4).column(3)
    with open(bad, "r+b") as file:
        file.seek(place.data_page_offset + place.total_compressed_size - 4)
        file.write(b"\xff\xfe\xfd")
    laid = lanes(tmp_path, lanes=2, steps=5)
    with pytest.raises(DataError, match=r"1\.parquet can't be read"):
        list(laid.epoch())
    scan = scan_panel(tmp_path, corrupt="skip")
    laid = lanes(scan, lanes=2, steps=5)
    assert [one.path for one in scan.skipped] == [str(bad)]
    assert sum(chunk.valid.sum() for chunk in laid.epoch()) == laid.lengths.sum() - len(laid.keys)
    assert {key[0] for key in laid.keys} == {"0", "1", "2"}  # what stands before the damage is kept


def test_what_does_not_lie_in_order(tmp_path):
    rng = np.random.default_rng(6)
    panel = panel_of(rng, 3, least=5)
    path = tmp_path / "a.parquet"
    parquet.write_table(pa.Table.from_pandas(panel.sort_values("ds")), path)
    with pytest.raises(DataError, match=r"are not together: other keys .*scan_parquet"):
        lanes(path, lanes=1, steps=2)
    parquet.write_table(pa.Table.from_pandas(panel.iloc[::-1]), path)
    with pytest.raises(DataError, match="goes back, from"):
        lanes(path, lanes=1, steps=2)
    parquet.write_table(pa.Table.from_pandas(panel.assign(ds=1)), path)
    with pytest.raises(DataError, match=r"does not go forward, from 1 to 1 in .*Keep one row"):
        lanes(path, lanes=1, steps=2)
    for i, part in enumerate([panel.iloc[3:], panel.iloc[:3]]):
        parquet.write_table(pa.Table.from_pandas(part), tmp_path / f"part-{i}.parquet")
    path.unlink()
    with pytest.raises(DataError, match=r"goes back, from .*part-0\.parquet to .*part-1\.parquet"):
        lanes(tmp_path, lanes=1, steps=2)


def test_what_cannot_be_read_at_any_place(tmp_path):
    panel = panel_of(np.random.default_rng(7), 3)
    panel.to_csv(tmp_path / "a.csv", index=False)
    for source in (tmp_path, scan_panel(pa.Table.from_pandas(panel))):
        with pytest.raises(DataError, match="write it as Parquet first, sorted by key and time"):
            lanes(source, lanes=1, steps=2)
    parquet.write_table(pa.Table.from_pandas(panel.assign(t="x")), tmp_path / "a.parquet")
    with pytest.raises(TypeError, match=r"these columns hold string: t; say by columns="):
        lanes(tmp_path, lanes=1, steps=2, columns=["a", "t"])
    with pytest.raises(DataError, match="no columns of numbers besides"):
        lanes(tmp_path, lanes=1, steps=2, columns=[])
    with pytest.raises(TypeError, match="said to scan_panel"):
        lanes(scan_panel(tmp_path), lanes=1, steps=2, key="unique_id")
    with pytest.raises(TypeError, match="say by batch= how many"):
        windows(tmp_path, 3)
    with pytest.raises(ValueError, match="give batch=, too"):
        windows([[1.0] * 9], 3, seed=1)
    with pytest.raises(ValueError, match=r"3 of 3 series are too short: lookback=99 .*'k"):
        windows(scan_panel(tmp_path, columns=["a"]), 99, batch=2)
    with pytest.raises(ValueError, match="no feature 'z'"):
        windows(scan_panel(tmp_path, columns=["a"]), 1, batch=2, targets="z")
