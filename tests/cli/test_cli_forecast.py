import _thread
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from statewise import __version__
from statewise.cli import main

MONTHS = pd.date_range("2000-01-01", periods=40, freq="MS").strftime("%Y-%m").tolist()
QUICK = ("--units", "2", "--epochs", "2")


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path, monkeypatch):
    """Let nothing be written into the folder that the tests are run from."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def table(tmp_path):
    """Write a table and return its path."""

    def write(name="sales.csv", **columns):
        path = tmp_path / name
        frame = pd.DataFrame(columns or {"month": MONTHS, "sales": np.arange(40.0) ** 2})
        if path.suffix == ".parquet":
            frame.to_parquet(path)
        else:
            frame.to_csv(path, index=False)
        return str(path)

    return write


def call(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def forecast(*arguments):
    return call("forecast", *arguments)


def with_cell(values, row, value):
    values = list(values)
    values[row] = value
    return values


def test_airline_passengers_without_any_argument(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    result = forecast(*QUICK)
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    for words in (
        r"144 monthly steps of passengers: the first 120 \(1949-01-01 to 1958-12-01\) to learn",
        r"last 24 .* held out and forecast in closed loop",
        r"\[samples, time steps, features\] = \[1, \d+, 1\]; .*all fitted on the 120 steps",
        r"horizon 24, season 12, lookback \d+, cell lstm, units 2, epochs 2, seed 0",
        r"24 held-out steps +MAE +RMSE +MAPE % +MASE",
        r"seasonal naive +71\.25 +76\.99 +15\.52",
        r"The model (beats|does not beat) the naive forecast",
        r"Of the true values the 80 % intervals hold \d+\.\d %",
        r"Future +learned anew from all that is known .* 1961-01-01 to 1962-12-01",
        r"month +model +from \(80 %\) +to \(80 %\) +naive +seasonal naive",
        r"24 steps beyond the end\. 12 more are in the file\.",
        r"Written +forecast\.csv and forecast\.png",
    ):
        assert re.search(words, result.output), result.output
    assert "\x1b" not in result.output
    assert (
        max(map(len, result.output.split("24 held-out")[1].split("The model")[0].split("\n"))) < 80
    )
    written = pd.read_csv("forecast.csv", parse_dates=["month"])
    ends = ["forecast-lo-80", "forecast-hi-80"]
    others = ["naive", "seasonal_naive"]
    assert list(written.columns) == ["month", "part", "truth", "forecast", *ends, *others]
    assert written["part"].tolist() == ["held out"] * 24 + ["future"] * 24
    assert written["truth"].iloc[23] == 432
    assert written["truth"].iloc[24:].isna().all()
    assert (written["month"].diff().dropna() > pd.Timedelta(0)).all()
    assert written["month"].iloc[[0, -1]].tolist() == [
        pd.Timestamp("1959-01-01"),
        pd.Timestamp("1962-12-01"),
    ]
    assert written.drop(columns="truth").notna().all(axis=None)
    assert written["forecast"].between(written[ends[0]], written[ends[1]]).all()
    assert (tmp_path / "forecast.png").read_bytes()[:4] == b"\x89PNG"


def test_beyond_the_end(table, tmp_path):
    path = table("a.parquet", day=pd.date_range("2020-01-01", periods=40), visits=np.full(40, 3))
    folder = tmp_path / "new" / "folder"
    options = ("--no-holdout", "--cell", "gru", "--output", folder, "--horizon", 14)
    result = forecast(path, "--time", "day", "--target", "visits", *options, *QUICK)
    assert result.exit_code == 0, result.output
    assert "40 daily steps of visits: all of them" in result.output
    assert "14 steps beyond the end. 2 more are in the file." in result.output
    written = pd.read_csv(folder / "forecast.csv")
    ends = ["forecast-lo-80", "forecast-hi-80"]
    assert list(written.columns[:5]) == ["day", "forecast", *ends, "naive"]
    assert (written.drop(columns="day") == 3).all(axis=None)
    assert written["day"].tolist()[::13] == ["2020-02-10", "2020-02-23"]


def test_one_step_ahead_over_missing_values(table, tmp_path):
    path = table(sales=with_cell(np.arange(40.0), 36, None))
    options = ("--one-step", "--train-fraction", 0.8, "--lookback", 5, "--missing", "fill")
    result = forecast(path, "--output", tmp_path, *options, *QUICK)
    assert result.exit_code == 0, result.output
    assert "1 of 40 rows filled by linear interpolation" in result.output
    assert "the last 8 (32 to 39) held out and forecast one step ahead" in result.output
    assert "one step ahead there are neither intervals nor anything beyond" in result.output
    assert "lookback 5," in result.output
    written = pd.read_csv(tmp_path / "forecast.csv")
    assert written.columns[0] == "step"
    assert written["truth"].isna().sum() == 1


SALES = np.arange(40.0)
REPEATED = with_cell(MONTHS, 7, MONTHS[6])
BACK = with_cell(MONTHS, 7, MONTHS[3])
UNEVEN = [f"2000-01-{day:02}" for day in (1, 2, 5, 9, 14, 20, 27)]


@pytest.mark.parametrize(
    ("columns", "options", "words"),
    [
        ({}, ["--time", "date"], r"no column 'date'; its columns are: month, sales"),
        ({}, ["--target", "profit"], r"no column 'profit'; its columns are: month, sales"),
        ({"sales": with_cell(SALES, 4, "shut")}, [], r"line 6: 'shut' is .*--missing-value shut"),
        ({"sales": with_cell(SALES, 4, None)}, ["--missing", "raise"], r"1 missing value"),
        ({"sales": with_cell(SALES, 4, np.inf)}, [], r"1 infinite value, the first in line 6"),
        ({"m": REPEATED, "sales": SALES}, [], r"time stamps repeat: line 9 has the same as line 8"),
        ({"m": BACK, "sales": SALES}, [], r"time stamps repeat: line 9 has the same as line 5"),
        ({"m": UNEVEN, "sales": range(7)}, [], r"time stamps are uneven"),
        ({}, ["--every", "often"], r"every='often' is no step of time"),
        ({}, ["--decimal", ";"], r"'--decimal': ';' is not one of '.', ','"),
        ({}, ["--missing-value", "none", "--sheet", "x"], r"is no workbook, it has no sheets"),
        ({"sales": range(12)}, ["--horizon", "3"], r"9 time steps .* lookback 8 \+ horizon 3 need"),
        ({}, ["--lookback", "30"], r"34 time steps .* lookback 30 \+ horizon 6 need at least 36"),
        ({}, ["--horizon", "50"], r"has 40 time steps, so 50 can't be held out"),
        ({}, ["--horizon", "0"], r"'--horizon': 0 is not in the range x>=1"),
        ({}, ["--lookback", "1"], r"'--lookback': 1 is not in the range x>=2"),
        ({}, ["--units", "few"], r"'--units': 'few' is not a valid integer"),
        ({}, ["--cell", "tcn"], r"'--cell': 'tcn' is not one of 'lstm', 'gru', 'rnn'"),
        ({}, ["--train-fraction", "0.5"], r"--train-fraction goes with --one-step only"),
        ({}, ["--one-step", "--no-holdout"], r"--one-step needs held-out steps"),
        ({}, ["--one-step", "--horizon", "2"], r"--one-step has a horizon of 1"),
        ({}, ["--one-step", "--train-fraction", "1"], r"'--train-fraction': 1(\.0)? is not in"),
        ({}, ["--one-step", "--train-fraction", "0.001"], r"train_fraction=0.001 would leave 0"),
        ({}, ["--foo"], r"No such option.*--foo.*statewise forecast --help|main forecast --help"),
    ],
)
def test_wrong_input_is_one_line_and_exit_code_2(table, columns, options, words):
    result = forecast(table(**columns), *options)
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("statewise: ")
    assert result.stderr.count("\n") == 1
    assert re.search(words, result.stderr), result.stderr


@pytest.mark.parametrize(
    ("name", "words"),
    [("none.csv", "no such file"), ("a/b.txt", "no such file"), ("", "holds no Parquet files")],
)
def test_wrong_files(tmp_path, name, words):
    result = forecast(tmp_path / name)
    assert (result.exit_code, result.stdout) == (2, "")
    assert words in result.stderr


def test_output_that_is_no_folder(table):
    path = table()
    result = forecast(path, "--output", path)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is no folder to write to: File exists" in result.stderr
    assert result.stderr.count("\n") == 1


def test_ctrl_c_is_one_line(table, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("statewise.tasks.Forecaster.fit", interrupted)
    result = forecast(table())
    assert (result.exit_code, result.stderr) == (130, "statewise: stopped; nothing was written.\n")


@pytest.fixture
def hears_ctrl_c():
    """Let this process hear Ctrl-C: one that a shell began in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Deaf:
    def __del__(self):
        raise KeyboardInterrupt


def interrupted(*_, **__):
    """Be interrupted where Python ignores exceptions, and go on."""
    Deaf()
    time.sleep(10)


@pytest.mark.slow
def test_ctrl_c_is_heard_where_python_ignores_exceptions(table, monkeypatch, hears_ctrl_c):
    monkeypatch.setattr("statewise.tasks.Forecaster.fit", interrupted)
    result = forecast(table())
    assert (result.exit_code, result.stderr) == (130, "statewise: stopped; nothing was written.\n")


@pytest.mark.slow
def test_ctrl_c_is_heard_on_a_busy_machine(table, monkeypatch, hears_ctrl_c):
    """The thread that repeats it is ready before the place that ignored it is left."""

    start = _thread.start_new_thread

    def slowly(*given):
        result = start(*given)
        time.sleep(0.3)  # still in the hook
        return result

    monkeypatch.setattr("_thread.start_new_thread", slowly)
    monkeypatch.setattr("statewise.tasks.Forecaster.fit", interrupted)
    result = forecast(table())
    assert (result.exit_code, result.stderr) == (130, "statewise: stopped; nothing was written.\n")


@pytest.mark.slow
def test_a_terminal_shows_progress(table, monkeypatch, tmp_path):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    result = forecast(table(), "--output", tmp_path, "--seed", 5, *QUICK)
    assert result.exit_code == 0, result.output
    assert "Training on all that is known" in result.output
    assert "\x1b[1m" in result.output


def test_help_names_every_option():
    result = forecast("--help")
    assert result.exit_code == 0
    names = "time target horizon season lookback cell units epochs seed output no-holdout one-step"
    for name in [*names.split(), "train-fraction", "missing"]:
        assert f"--{name}" in result.output
    assert call("--version").output == f"statewise {__version__}\n"
    assert call().exit_code == 2


def test_help_loads_nothing_heavy():
    code = (
        "import sys, statewise.cli\n"
        "try: statewise.cli.main(['forecast', '--help'])\n"
        "except SystemExit as end: assert end.code == 0\n"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & {"keras", "jax", "numpy", "pandas", "matplotlib", "rich"}


@pytest.mark.slow
def test_as_a_process(tmp_path):
    command = [sys.executable, "-m", "statewise", "forecast", str(tmp_path / "none.csv")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"statewise: {tmp_path / 'none.csv'}: no such file\n"


@pytest.mark.slow
@pytest.mark.parametrize("command", ["forecast", "backtest"])
def test_a_misspelt_instruction_set_is_refused_before_the_training(command, tmp_path):
    command = [sys.executable, "-m", "statewise", command, "--output", str(tmp_path)]
    environment = os.environ | {"STATEWISE_ISA": "avx513"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "STATEWISE_ISA is 'avx513'" in line
    assert "choose one of" in line
