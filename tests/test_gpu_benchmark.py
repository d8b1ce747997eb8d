"""The comparison on a GPU: what is planned, how it goes on, what its table says."""

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture
def gpu(monkeypatch):
    monkeypatch.syspath_prepend(str(FOLDER))
    import gpu

    return gpu


def test_the_cases_are_the_jobs_and_the_wide_layers(gpu):
    names = list(gpu.cases(small=False))
    assert "GRU(768), batch 16, 1024 steps, bfloat16, masked" in names
    assert {name[0] for name in names if name[1] == " "} == set("bdefg")
    assert len(names) == 8 + 7
    masked = gpu.cases(small=True)["LSTM(8), batch 2, 6 steps, float32, masked"]
    lengths = sys.modules["gpu_cases"].lengths_of(masked)
    assert lengths.shape == (2,)
    assert ((lengths >= 2) & (lengths <= 6)).all()
    assert [w.shape for w in masked.job.weights()] == [(8, 32), (8, 32), (32,)]


def given_to(tmp_path, **options):
    given = {"output": tmp_path, "seconds": 100.0, "each": 0.01, "peer_python": sys.executable}
    return SimpleNamespace(**given | {"sides": ["statewise", "PyTorch"], "small": True} | options)


@pytest.fixture
def answers(gpu, monkeypatch):
    """Stand in for the sides' processes; return what was asked of them."""
    asked = []

    class Process:
        def __init__(self, python, side, seconds, small):
            self.side = side

        def measure(self, name, limit):
            asked.append((self.side, name))
            if self.side == "PyTorch" and name.startswith("GRU"):
                return None
            value = 1.5 if self.side == "PyTorch" and name.startswith("b ") else 1.0
            time = 0.004 if self.side == "PyTorch" else 0.002
            return {"forward": time, "both": 3 * time, "first": 1.0, "value": value}

        def end(self):
            return "a broken rule"

    monkeypatch.setattr(gpu, "Process", Process)
    monkeypatch.setattr(gpu, "facts", lambda python: {"processor": "a slide rule"})
    return asked


def test_it_goes_on_where_it_was(gpu, answers, tmp_path, capsys):
    gpu.gone_through(given_to(tmp_path, sides=["statewise"]))
    first = len(answers)
    assert first == len(gpu.cases(small=True))
    gpu.gone_through(given_to(tmp_path))
    assert {side for side, _ in answers[first:]} == {"PyTorch"}
    count = len(answers)
    gpu.gone_through(given_to(tmp_path))
    assert len(answers) == count
    assert "All is measured." in capsys.readouterr().out
    with pytest.raises(SystemExit, match="of another size"):
        gpu.gone_through(given_to(tmp_path, small=False))


def test_it_stops_when_its_seconds_are_over(gpu, answers, tmp_path, capsys):
    gpu.gone_through(given_to(tmp_path, seconds=0.0))
    assert answers == []
    assert "30 are left: give the command again." in capsys.readouterr().out


def test_the_table_has_ratios_failures_and_what_differs(gpu, answers, tmp_path):
    gpu.gone_through(given_to(tmp_path))
    text = (tmp_path / "gpu.md").read_text("utf-8")
    assert "| LSTM(8), batch 2, 6 steps, float32 | forward | 2 |  |  | 4 (2.00) |" in text
    assert "| b LSTM(64) | training step | 6 |  |  | 12 (2.00) **differs** |" in text
    assert "failed: ended, or nothing heard for 120 s: a broken rule |" in text
    assert "cuDNN's LSTM in float16 2.01 ms forward, 5.19 both." in text
    kept = json.loads((tmp_path / "gpu.json").read_text("utf-8"))
    assert kept["machine"]["processor"] == "a slide rule"


@pytest.mark.slow
def test_it_runs_here_in_a_small_form(tmp_path):
    command = [sys.executable, str(FOLDER / "gpu.py"), "--small", "--each", "0.01"]
    command += ["--sides", "statewise,Keras on JAX", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    rows = json.loads((tmp_path / "gpu.json").read_text("utf-8"))["rows"]
    assert len(rows) == 30
    for key, row in rows.items():
        assert "error" not in row, (key, row)
        assert row["forward"] > 0
        assert np.isfinite(row["value"])
    assert "differs" not in done.stdout
    assert "failed" not in done.stdout
