"""Every example in a command's help runs as it stands."""

import re
import shlex

import pytest
from click.testing import CliRunner

from statewise.cli import main

FILES = {"sales.csv", "shops.csv", "strides.csv"}  # of the user's, which examples may name


def examples(command):
    """Return the lines of a command's help that are commands themselves."""
    help_ = main.commands[command].help or ""
    return [line.strip() for line in help_.splitlines() if line.strip().startswith("statewise ")]


def with_no_file_of_the_user():
    every = [line for name in sorted(main.commands) for line in examples(name)]
    return [line for line in every if not FILES & set(shlex.split(line))]


@pytest.mark.parametrize(
    "command",
    ["anomalies", "backtest", "classify", "explain", "export", "forecast", "learn", "look"],
)
def test_there_is_an_example(command):
    assert examples(command)


@pytest.mark.parametrize(
    "line",
    [
        pytest.param(line, marks=() if line.startswith("statewise explain") else pytest.mark.slow)
        for line in with_no_file_of_the_user()
    ],
)
def test_an_example_runs(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    _, *arguments = shlex.split(line)
    result = CliRunner().invoke(main, arguments, prog_name="statewise")
    assert result.exit_code == 0, result.output


def test_the_sketch_in_the_help_is_the_one_that_runs():
    text = main.commands["explain"].help
    (inline,) = re.findall(r'layers typed here: ("[^"]+")', text)
    assert f"statewise explain {inline}" in examples("explain")
