"""``statewise forecast`` on a folder that is larger than memory: written, stopped, gone on with."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

import statewise
from statewise.cli import main
from statewise.tasks import Forecaster
from statewise.tasks.forecasting.scanned import writing

QUICK = ("--units", 2, "--epochs", 1, "--lookback", 7, "--horizon", 3, "--season", 7)
BLOCKS = ("--rows", 240)
COLUMNS = {"key": "shop", "time": "day", "target": "sold"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write the daily sales of some shops, some of them in each file."""
    path, rng = tmp_path_factory.mktemp("sales"), np.random.default_rng(2)
    days = pd.date_range("2024-03-01", periods=28)
    for number in range(6):
        parts = [
            pd.DataFrame(
                {"shop": f"shop {i:02}", "day": days, "sold": 30 + i + rng.normal(size=len(days))}
            )
            for i in range(4 * number, 4 * number + 4)
        ]
        pd.concat(parts).to_parquet(path / f"{number}.parquet", index=False)
    return path


def call(*arguments):
    return CliRunner().invoke(main, ["forecast", *map(str, arguments)])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["{in}", *BLOCKS], "name a folder for them by --output"),
        (["{in}", *BLOCKS, "--output", "{in}/out"], "would be files beside its own"),
        (["{in}", *BLOCKS, "--output", "{in}"], "would be files beside its own"),
        (["{in}", *BLOCKS, "--output", "{out}", "--wide"], "--wide is for what fits into memory"),
        (["{in}", *BLOCKS, "--output", "{out}", "--peers"], "--peers is for what fits into memory"),
        (["{in}", *BLOCKS, "--output", "{out}", "--every", "1W"], "--every is for what fits"),
        (["{in}", *BLOCKS, "--output", "{out}", "--missing", "fill"], "is for one series"),
        (["{in}", *BLOCKS, "--output", "{out}", "--key", "a,b"], "has one column of keys"),
        (["{in}", *BLOCKS, "--output", "{out}", "--target", "price"], "no column 'price'"),
        (["{in}/0.parquet", *BLOCKS], "--rows and --corrupt go with one folder only"),
        (["--corrupt", "skip"], "--rows and --corrupt go with one folder only"),
        (["{in}", "--rows", "0", "--output", "{out}"], "'--rows'"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_learned(
    arguments, message, folder, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    output = tmp_path / "out"
    places = {"{in}": str(folder), "{out}": str(output)}
    given = [re.sub("{in}|{out}", lambda m: places[m[0]], str(one)) for one in arguments]
    result = call(*given)
    assert result.exit_code == 2, result.output
    assert message in result.stderr
    assert not output.exists()
    assert len(list(folder.iterdir())) == 6


def test_a_file_that_cannot_be_read_is_named(folder, tmp_path):
    for file in folder.iterdir():
        content = file.read_bytes()
        (tmp_path / file.name).write_bytes(content if file.stem != "3" else content[:-200])
    result = call(tmp_path, *BLOCKS, "--output", tmp_path.parent / "out", *QUICK)
    assert result.exit_code == 2
    assert re.search(r"3.parquet can't be read: .*corrupt", result.stderr)


def test_a_folder_without_tables_is_told_as_before(tmp_path):
    (tmp_path / "notes.txt").write_text("no table")
    result = call(tmp_path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert str(tmp_path) in result.stderr
    assert len(result.stderr.splitlines()) == 1
    result = call(tmp_path, *BLOCKS, "--output", tmp_path.parent / "out")
    assert result.exit_code == 2
    assert "has no Parquet or CSV files" in result.stderr


@pytest.mark.slow
def test_files_that_cannot_be_read_are_left_out_and_listed(folder, tmp_path):
    source, output = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for file in folder.iterdir():
        content = file.read_bytes()
        (source / file.name).write_bytes(content if file.stem != "3" else content[:-200])
    options = (*BLOCKS, "--output", output, *QUICK, "--no-holdout", "--corrupt", "skip")
    result = call(source, *options)
    assert result.exit_code == 0, result.output
    assert re.search(r"Note +left out: .*3.parquet can't be read", result.output)
    assert "beyond the end of 20 series" in result.output
    left = {f"shop {i:02}" for i in range(12, 16)}
    assert set(pd.read_parquet(output)["shop"]) == {f"shop {i:02}" for i in range(24)} - left


@pytest.fixture(scope="module")
def written(folder, tmp_path_factory):
    """Return what the command says, and where it wrote to."""
    output = tmp_path_factory.mktemp("forecasts") / "out"
    return call(folder, *BLOCKS, "--output", output, *QUICK), output


@pytest.mark.slow
def test_the_forecasts_of_a_folder(folder, written, tmp_path):
    result, output = written
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for words in (
        r"learned from 24 series of 672 rows, block by block; season, scale",
        r"Held out: the same, learned from a sample of 2 series alone",
        r"6 held-out steps +MAE",
        r"3 steps beyond the end of 24 series, with intervals of 80, 95 %\.",
        r"Written +.*out: 3 Parquet files",
    ):
        assert re.search(words, result.output), result.output
    frame = pd.read_parquet(output)
    ends = [f"forecast-{end}-{level}" for level in (80, 95) for end in ("lo", "hi")]
    assert list(frame.columns) == ["shop", "day", "forecast", *ends]
    assert frame["shop"].tolist() == [f"shop {i:02}" for i in range(24) for _ in range(3)]
    options = {"units": 2, "epochs": 1, "lookback": 7, "horizon": 3, "season": 7}
    made = Forecaster(**options).fit(folder, columns=COLUMNS, rows=240)
    made.predict(level=[80, 95], output=tmp_path / "out", rows=240)
    same = pd.read_parquet(tmp_path / "out")
    assert frame.to_numpy().tolist() == same.to_numpy().tolist()


@pytest.mark.slow
def test_a_command_that_was_stopped_goes_on(folder, written, tmp_path, monkeypatch):
    output, again = tmp_path / "out", (folder, *BLOCKS, "--output", tmp_path / "out", *QUICK)
    kept, blocks = writing.PartsFolder.write, []

    def write(self, frame, series):
        blocks.append(series)
        if len(blocks) == 2:
            raise KeyboardInterrupt
        kept(self, frame, series)

    monkeypatch.setattr(writing.PartsFolder, "write", write)
    result = call(*again, "--no-holdout")
    assert result.exit_code == 130
    assert re.search(r"stopped; what is done stays in .*out, and the same command", result.stderr)
    assert (output / "part-00000.parquet").exists()
    monkeypatch.setattr(Forecaster, "fit", None)  # what was learned is there
    result = call(*again, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["future"] == {"steps": 3, "series": 16, "found": 8, "left_out": 0}
    assert told["source"] == {"files": 6, "series": 24}
    assert [Path(path).name for path in told["files"]] == [
        f"part-0000{i}.parquet" for i in range(3)
    ]
    want = pd.read_parquet(written[1])
    pd.testing.assert_frame_equal(pd.read_parquet(output), want, check_exact=True)
    result = call(*again)
    assert result.exit_code == 2
    assert "has all forecasts of this request already" in result.stderr
    result = call(*again, "--seed", 3)
    assert result.exit_code == 2
    assert "another job was begun" in result.stderr
    assert "seed is 0, not 3" in result.stderr


@pytest.mark.slow
def test_a_command_that_is_killed_goes_on(folder, written, tmp_path):
    output = tmp_path / "out"
    command = [sys.executable, "-m", "statewise", "forecast", folder, *BLOCKS, *QUICK]
    command = [*map(str, command), "--no-holdout", "--output", str(output)]
    environment = {**os.environ, "PYTHONPATH": str(Path(statewise.__file__).parents[1])}
    for sign in ("_forecaster.zip", "part-00000.parquet"):  # at different moments
        with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL) as process:
            while not (output / sign).exists() and process.poll() is None:
                time.sleep(0.001)
            process.send_signal(signal.SIGKILL)
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, 2)  # 2: all was there before the kill
    want = pd.read_parquet(written[1])
    pd.testing.assert_frame_equal(pd.read_parquet(output), want, check_exact=True)
