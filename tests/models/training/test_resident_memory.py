"""A panel that is larger than what may be held is trained on with a bounded resident memory."""

import json
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

SERIES, STEPS, FEATURES = 400, 50_000, 8
# The limits of a small machine, so that a panel of 640 MB is a large one.
PROGRAM = """
import json, sys
from pathlib import Path

import statewise
from statewise import layers
from statewise.models.training import lane_batches
from statewise.sequences import lanes, scan_panel
from statewise.sequences.scanning import numbers

lane_batches.WHOLE_LIMIT = 1 << 22
numbers.MEMORY = 1 << 25


def resident(which):
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(which)) * 1024


def train(source):
    scan = scan_panel(source, key="key", time="time")
    data = lanes(scan, lanes=16, steps=250, targets=[0], seed=0)
    model = statewise.Sequential([
        layers.Input((None, 8)), layers.GRU(2, return_sequences=True), layers.Dense(1)])
    model.compile(loss="mse", optimizer="sgd")
    return model.fit(data, epochs=1, verbose=0).history["loss"][0], data.balance.useful_steps


train(sys.argv[1])  # brings along what is imported and compiled
before = resident("VmRSS")
loss, steps = train(sys.argv[2])
print(json.dumps({"more": resident("VmHWM") - before, "loss": loss, "steps": steps}))
"""


def write(folder, series):
    folder.mkdir()
    rng = np.random.default_rng(series)
    base = rng.standard_normal((STEPS, FEATURES), np.float32)
    writer = None
    for number in range(series):
        columns = {"key": np.full(STEPS, number), "time": np.arange(STEPS)}
        shifted = np.roll(base, number, 0) + np.float32(number % 5)
        columns |= {f"x{i}": shifted[:, i] for i in range(FEATURES)}
        table = pa.table(columns)
        if writer is None:
            writer = parquet.ParquetWriter(
                folder / "0.parquet", table.schema, compression="none", use_dictionary=["key"]
            )
        writer.write_table(table)
    writer.close()


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_training_on_files_holds_a_part_of_them(tmp_path):
    write(tmp_path / "small", 16)
    write(tmp_path / "large", SERIES)
    program = [sys.executable, "-c", PROGRAM, tmp_path / "small", tmp_path / "large"]
    done = subprocess.run(program, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    found = json.loads(done.stdout)
    assert found["steps"] == SERIES * STEPS - SERIES
    assert np.isfinite(found["loss"])
    assert found["more"] < 0.7 * SERIES * STEPS * FEATURES * 4, found
