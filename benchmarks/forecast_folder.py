"""A folder larger than memory: time and resident memory of learning from it and forecasting it.

    python benchmarks/forecast_folder.py [--series 50000] [--rows 262144] [--in-memory]

Writes daily series with a week of their own (see `forecast_ten_thousand`) to a folder of Parquet
files, 5,000 series in each, and forecasts 14 days of all of them within a process of its own, block
by block: a table of key, time and two intervals is written to another folder. With ``--in-memory``
the same as one table beside it. Memory is the most that was resident, of which the engine itself
takes what stands in the first row. Prints a table in Markdown.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from forecast_ten_thousand import HORIZON, KNOWN, LOOKBACK, panel
from machine import machine

_IN_A_FILE = 5000
_NAMES = {"engine": "the engine, 100 series", "scanned": "block by block", "memory": "one table"}


def write(folder, series):
    """Write the folder; return the days to forecast, (series, days)."""
    import pandas as pd

    days, truth = pd.date_range("2024-01-01", periods=KNOWN), []
    for number, begin in enumerate(range(0, series, _IN_A_FILE)):
        count = min(_IN_A_FILE, series - begin)
        values = panel(count, number)
        truth.append(values[:, KNOWN:])
        frame = pd.DataFrame(
            {
                "unique_id": np.repeat([f"{begin + i:09}" for i in range(count)], KNOWN),
                "ds": np.tile(days, count),
                "y": values[:, :KNOWN].ravel(),
            }
        )
        frame.to_parquet(folder / f"{number:05}.parquet", index=False)
    return np.concatenate(truth)


def measure(way, folder, output, rows):
    """Learn and forecast; print what it took as JSON."""
    import pandas as pd

    from statewise.tasks import Forecaster

    forecaster = Forecaster(horizon=HORIZON, lookback=LOOKBACK)
    phases, begin = {}, time.perf_counter()

    def told(phase, done, most, loss):
        phases[phase] = time.perf_counter() - begin

    if way == "scanned":
        forecaster.fit(folder, rows=rows, progress=told)
        fitted = time.perf_counter() - begin
        forecaster.predict(level=[80, 95], output=output)
    else:
        frame = pd.read_parquet(folder if way == "memory" else next(folder.iterdir()))
        frame = frame[: 100 * KNOWN] if way == "engine" else frame
        forecaster.fit(frame)
        fitted = time.perf_counter() - begin
        output.mkdir()
        forecaster.predict(level=[80, 95]).to_parquet(output / "all.parquet")
    print(
        json.dumps(
            {
                "fit": fitted,
                "forecast": time.perf_counter() - begin - fitted,
                "phases": phases,
                "epochs": forecaster.epochs_,
                "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
            }
        )
    )


def in_process(way, folder, output, rows):
    """Measure in a process of its own."""
    command = [sys.executable, __file__, "--measure", way, str(folder), str(output)]
    done = subprocess.run(
        [*command, "--rows", str(rows)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def main():
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=50_000)
    parser.add_argument("--rows", type=int, default=1 << 18)
    parser.add_argument("--in-memory", action="store_true")
    parser.add_argument("--measure", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure:
        way, folder, output = given.measure
        measure(way, Path(folder), Path(output), given.rows)
        return
    import pandas as pd

    print(machine())
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "in"
        folder.mkdir()
        truth = write(folder, given.series)
        held = sum(file.stat().st_size for file in folder.iterdir()) / 2**30
        rows = given.series * KNOWN
        print(f"\n{given.series:,} series, {rows:,} rows, {held:.2f} GiB of Parquet files\n")
        print("| way | learn, s | of it reading, s | forecast, s | epochs | memory, GiB | MAE |")
        print("|---|---|---|---|---|---|---|")
        for way in ("engine", "scanned", *(["memory"] if given.in_memory else [])):
            output = Path(name) / f"out {way}"
            found = in_process(way, folder, output, given.rows)
            points = pd.read_parquet(output)["model"].to_numpy().reshape(-1, HORIZON)
            error = np.abs(points - truth).mean() if len(points) == len(truth) else np.nan
            print(
                f"| {_NAMES[way]} | {found['fit']:.1f} | {found['phases'].get('reading', 0):.1f} "
                f"| {found['forecast']:.1f} | {found['epochs']} | {found['memory']:.2f} "
                f"| {error:.4f} |".replace("nan", ""),
                flush=True,
            )


if __name__ == "__main__":
    main()
