"""What the forecasting benchmarks share: peers in an environment of their own, measures, tables."""

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
DATA = HERE.parents[1] / "shared" / "data"
SEEDS = range(5)
LIMIT = 1200  # seconds after which a peer's job is given up


def arguments(parser, *, data=None):
    """Add the options that the benchmarks have in common, and parse."""
    parser.add_argument("--seeds", type=int, default=len(SEEDS), help="run seeds 0 to N - 1")
    parser.add_argument(
        "--peer-python",
        default=os.environ.get("PEER_PYTHON"),
        help="a Python that has neuralforecast and statsforecast; without it their rows are absent",
    )
    if data is not None:
        parser.add_argument("--data", type=Path, default=DATA / data, help="the folder of the data")
    return parser.parse_args()


def peer(python, job, arrays, **options):
    """Run a job of forecast_peers.py by another Python; return its arrays, and what it measured.

    A job that fails, or takes too long, gives ``{"error": its last line}``.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder)
        np.savez(path / "given.npz", **arrays)
        command = [python, str(HERE / "forecast_peers.py"), job, folder, json.dumps(options)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, check=False, cwd=folder, timeout=LIMIT
            )
        except subprocess.TimeoutExpired:
            return {"error": f"not done after {LIMIT} s"}
        if done.returncode or not (path / "found.json").exists():
            return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
        with np.load(path / "found.npz") as found:
            result = {name: found[name] for name in found.files}
        return result | json.loads((path / "found.json").read_text())


def in_process(script, *options):
    """Run a measurement of a script in a process of its own; return the JSON of its last line."""
    command = [sys.executable, script, "--measure", *map(str, options)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def timed(run):
    """Return what ``run`` gives, and the seconds it took."""
    begun = time.perf_counter()
    result = run()
    return result, time.perf_counter() - begun


def smape(truth, forecast):
    """Return the mean sMAPE of M4, in percent."""
    return float(200 * np.mean(np.abs(truth - forecast) / (np.abs(truth) + np.abs(forecast))))


def covered(truth, low, high):
    """Return how many percent of the truths lie within."""
    return float(100 * np.mean((truth >= low) & (truth <= high)))


def head(*columns):
    """Print the head of a table in Markdown."""
    print("\n| " + " | ".join(columns) + " |")
    print("|---" * len(columns) + "|", flush=True)


def row(*cells):
    """Print a row of a table in Markdown."""
    shown = [f"{cell:.4g}" if isinstance(cell, float) else str(cell) for cell in cells]
    print("| " + " | ".join(shown) + " |", flush=True)
