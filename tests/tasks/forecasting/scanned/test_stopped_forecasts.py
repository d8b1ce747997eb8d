"""Forecasts that are stopped anywhere are gone on with: each key comes once, in order."""

import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import pytest
from pyarrow import parquet

import forecast_until_killed
import statewise
from forecast_until_killed import REQUEST, last_values, scanned, write
from statewise.sequences import DataError
from statewise.tasks.forecasting.scanned import job

KILLS = 20


class StoppedError(Exception):
    """Somebody stopped it."""


def until(count):
    """Return a forecast that is stopped at a block."""
    left = [count]

    def forecast(panel):
        left[0] -= 1
        if left[0] < 0:
            raise StoppedError
        return last_values(panel)

    return forecast


@pytest.fixture(scope="module")
def want(folder, tmp_path_factory):
    """Return the forecasts that nobody stopped."""
    output = tmp_path_factory.mktemp("undisturbed") / "out"
    about = write(scanned(folder), output)
    assert len(about.files) > 12
    return pd.read_parquet(output)


def names(output):
    return sorted(file.name for file in output.iterdir() if file.suffix == ".parquet")


@pytest.mark.parametrize("blocks", [0, 5])
def test_the_same_call_goes_on(blocks, folder, want, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(StoppedError):
        write(scanned(folder), output, until(blocks))
    assert len(names(output)) == blocks
    (output / ".0123456789ab.part.parquet").write_bytes(b"of a process that was killed")
    seen = []
    about = write(scanned(folder), output, lambda p: seen.extend(p.keys) or last_values(p))
    pd.testing.assert_frame_equal(pd.read_parquet(output), want, check_exact=True)
    assert (about.found + about.series, about.series) == (37, len(seen))
    assert (about.found > 0) == (blocks > 0)
    assert len(about.files) == len(names(output))
    assert json.loads((output / "_forecast.json").read_text())["finished"]
    assert not list(output.glob(".*.part*"))


def test_what_is_finished_or_of_another_request_is_left_alone(folder, want, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(StoppedError):
        write(scanned(folder), output, until(3))
    before = {file.name: file.read_bytes() for file in output.iterdir()}
    for other in ({"horizon": 3}, {"forecaster": "another"}):
        with pytest.raises(FileExistsError, match=f"another request .another {next(iter(other))}."):
            write(scanned(folder), output, request=REQUEST | other)
    assert {file.name: file.read_bytes() for file in output.iterdir()} == before
    write(scanned(folder), output)
    with pytest.raises(FileExistsError, match="all forecasts of this request already"):
        write(scanned(folder), output)
    strange = tmp_path / "strange"
    strange.mkdir()
    want.to_parquet(strange / "part-00000.parquet")
    with pytest.raises(FileExistsError, match=r"aren't known \(part-00000.parquet\)"):
        write(scanned(folder), strange)
    (strange / "_forecast.json").write_text("{")
    with pytest.raises(DataError, match=r"_forecast.json can't be read"):
        write(scanned(folder), strange)


def test_a_damaged_file_and_those_after_it_are_made_again(folder, want, tmp_path):
    output = tmp_path / "out"
    with pytest.raises(StoppedError):
        write(scanned(folder), output, until(7))
    damaged = output / "part-00004.parquet"
    damaged.write_bytes(damaged.read_bytes()[:-9])
    about = write(scanned(folder), output)
    assert 0 < about.found < 20
    pd.testing.assert_frame_equal(pd.read_parquet(output), want, check_exact=True)


def test_one_process_at_a_time(folder, tmp_path):
    output = tmp_path / "out"

    def forecast(panel):
        with pytest.raises(FileExistsError, match="another process is writing"):
            write(scanned(folder), output)
        return last_values(panel)

    write(scanned(folder), output, forecast)


@contextmanager
def full_disk(most):
    """Let files grow to some bytes only: what comes after fails as it does on a full disk."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


def test_a_full_disk_leaves_whole_files(folder, want, tmp_path):
    output, table = tmp_path / "out", tmp_path / "a.parquet"
    table.write_bytes(b"old")
    with pytest.raises(StoppedError):
        write(scanned(folder), output, until(2))
    with full_disk(500):
        for place in (output, table):
            with pytest.raises(OSError, match=r"(?i)file too large"):
                write(scanned(folder), place)
    assert names(output) == ["part-00000.parquet", "part-00001.parquet"]
    assert table.read_bytes() == b"old"
    assert len(list(tmp_path.iterdir())) == 2
    write(scanned(folder), output)
    pd.testing.assert_frame_equal(pd.read_parquet(output), want, check_exact=True)


def test_files_that_cannot_be_read_are_named_or_left_out(folder, table, tmp_path):
    files = sorted(folder.iterdir())
    sources = tmp_path / "in"
    sources.mkdir()
    for file in files:
        content = file.read_bytes()
        (sources / file.name).write_bytes(content if file != files[2] else content[:100])
    with pytest.raises(DataError, match=r"2.parquet can't be read"):
        scanned(sources)
    scan = forecast_until_killed.scan_panel(
        sources, key="shop", time="day", columns=["sold"], corrupt="skip"
    )
    panel = forecast_until_killed.ScannedPanel(scan, scanned(folder).columns, 60)
    about = write(panel, tmp_path / "out")
    assert [Path(one.path).name for one in about.skipped] == ["2.parquet"]
    noted = json.loads((tmp_path / "out" / "_forecast.json").read_text())["skipped"]
    assert [Path(one["path"]).name for one in noted] == ["2.parquet"]
    there = pd.concat([pd.read_parquet(f) for f in files if f != files[2]])["shop"].unique()
    assert pd.read_parquet(tmp_path / "out")["shop"].unique().tolist() == there.tolist()


def test_a_file_is_whole_or_as_it_was(folder, want, tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("old")
    with pytest.raises(StoppedError):
        write(scanned(folder), path, until(4))
    assert path.read_text() == "old"
    write(scanned(folder), path)
    found = pd.read_csv(path, parse_dates=["day"])
    pd.testing.assert_frame_equal(found, want, check_dtype=False)
    write(scanned(folder), tmp_path / "a.parquet")
    assert parquet.ParquetFile(tmp_path / "a.parquet").num_row_groups > 12
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), want)


def test_a_folder_of_texts(folder, want, tmp_path):
    (tmp_path / "in").mkdir()
    for file in folder.iterdir():
        pd.read_parquet(file).to_csv(tmp_path / "in" / f"{file.stem}.csv", index=False)
    write(scanned(tmp_path / "in"), tmp_path / "out")
    found = pd.read_parquet(tmp_path / "out")
    pd.testing.assert_frame_equal(found, want, check_dtype=False)


def test_a_job_removes_what_it_wrote_and_nothing_else(folder, tmp_path):
    write(scanned(folder), tmp_path)
    (tmp_path / "mine.parquet").write_bytes(b"mine")
    job.remove(tmp_path)
    assert sorted(file.name for file in tmp_path.iterdir()) == [".lock", "mine.parquet"]
    assert len(write(scanned(folder), tmp_path).files) > 12


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forecasts_that_are_killed_at_any_moment(folder, want, tmp_path):
    rng, rounds, found = random.Random(0), 0, 0
    output = tmp_path / "out0"
    with subprocess.Popen(
        [sys.executable, forecast_until_killed.__file__, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(statewise.__file__).parents[1])},
    ) as parent:
        for _ in range(KILLS):
            parent.stdin.write(f"{output}\n".encode())
            parent.stdin.flush()
            child = int(parent.stdout.readline().split()[1])
            time.sleep(rng.uniform(0, 0.2))
            os.kill(child, signal.SIGKILL)
            assert parent.stdout.readline() == b"dead\n"
            # What the killed process had begun lies beside, hidden; the next one clears it.
            parts = [pd.read_parquet(part) for part in sorted(output.glob("part-*.parquet"))]
            there = pd.concat(parts or [want[:0]], ignore_index=True)
            pd.testing.assert_frame_equal(there, want[: len(there)], check_exact=True)
            assert len(there) >= found  # nothing that was there is lost
            found = len(there)
            if found == len(want):  # what is whole has been shown to be: once more
                rounds, found = rounds + 1, 0
                output = tmp_path / f"out{rounds}"
        parent.stdin.close()
    write(scanned(folder), output)
    pd.testing.assert_frame_equal(pd.read_parquet(output), want, check_exact=True)
