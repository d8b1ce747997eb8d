"""Wrong input of every command: one line that names it, exit code 2, before anything is written."""

import pytest
from click.testing import CliRunner

from statewise.cli import main

WRONG = {
    "anomalies": ["nowhere.csv"],
    "backtest": ["nowhere.csv"],
    "classify": ["nowhere.csv", "--id", "walk", "--label", "kind"],
    "explain": ["nowhere.keras"],
    "export": ["nowhere.keras", "--onnx"],
    "forecast": ["nowhere.csv"],
    "learn": ["--output", "nowhere/page.html"],
    "look": ["nowhere.csv"],
    "text": ["score", "nowhere.model"],
}


def test_there_is_a_wrong_input_for_every_command():
    assert main.commands.keys() == WRONG.keys()


@pytest.mark.parametrize("command", WRONG)
def test_wrong_input_is_one_line(command, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "nowhere").write_text("a file where a folder should be")
    result = CliRunner().invoke(main, [command, *WRONG[command]], prog_name="statewise")
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("statewise: ")
    assert "nowhere" in line
    assert [path.name for path in tmp_path.iterdir()] == ["nowhere"]


@pytest.mark.parametrize("command", WRONG)
def test_a_wrong_option_is_one_line(command):
    result = CliRunner().invoke(main, [command, "--nowhere"], prog_name="statewise")
    assert result.exit_code == 2
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("statewise: ")
    assert f"statewise {command} --help" in line
