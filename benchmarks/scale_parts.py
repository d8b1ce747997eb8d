"""Processor time of the parts of which larger runs are made: what `scale_plan.py` reckons with.

    python benchmarks/scale_parts.py

Of a push of sharded streams (an LSTM(64), 8 features): what the router does, what a shard does in
memory and with a store on disk, what opening a store takes for each key. Of a folder: how many
rows a process reads in blocks of whole series. Processor time is steadier than a clock where a
machine has other work; what waits for the disk isn't in it. Medians.
"""

import os
import pickle
import statistics
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd

from forecast_common import head, row
from machine import machine
from scale import FEATURES, KEYS, UNITS

SERIES, STEPS = 20_000, 120


def taken(call, times=15):
    found = []
    for _ in range(times):
        begun = time.process_time()
        call()
        found.append(time.process_time() - begun)
    return statistics.median(found)


def pushes(folder):
    """Print what the parts of a push take."""
    import statewise
    from statewise.distributed.sharded.layout import even
    from statewise.distributed.sharded.routing import outputs_by_key, parts_of
    from statewise.streams.arrivals import batches_of
    from statewise.streams.keys import by_plain_key
    from statewise.streams.shard import Shard
    from statewise.streams.tickets import Ticket

    layers = statewise.layers
    model = statewise.Sequential([layers.Input((None, FEATURES)), layers.LSTM(UNITS)])
    x = np.random.default_rng(0).normal(size=(KEYS, FEATURES)).astype("float32")
    values = {f"tank {i}": x[i] for i in range(KEYS)}
    memory, stored = Shard(model), Shard(model, folder / "one.db")
    signature, shard_of, number = memory.streams._signature, even(8), iter(range(10**6))

    def push(shard, batches):
        return shard.push(Ticket("one", next(number)), batches)

    def cut():
        return parts_of(batches_of(by_plain_key(values), signature, "raise"), shard_of)

    batches, parts = batches_of(values, signature, "raise"), cut()
    answers = {shard: push(Shard(model), part) for shard, part in parts.items()}
    found = {
        "router: checks and cuts": taken(cut),
        "router: puts together": taken(lambda: outputs_by_key(parts, answers)),
        "both ways pickled": taken(lambda: pickle.loads(pickle.dumps((parts, answers), 5))),
        "shard in memory": taken(lambda: push(memory, batches)),
        "shard with a store": taken(lambda: push(stored, batches)),
    }
    stored.close()
    found["opening a store"] = taken(lambda: Shard(model, folder / "one.db").close(), 5)
    head("part", "keys for a second of processor time")
    for name, seconds in found.items():
        row(name, round(KEYS / seconds, -3))
    size = os.path.getsize(folder / "one.db") / KEYS
    sent = sum(len(pickle.dumps(part, 5)) for part in parts.values()) / KEYS
    back = sum(len(pickle.dumps(answer, 5)) for answer in answers.values()) / KEYS
    print(f"\nA key: {size:.0f} bytes of a store, {sent:.0f} sent with a step, {back:.0f} back.")


def reading(folder):
    """Print how many rows a process reads."""
    from statewise.sequences import scan_panel

    table = pd.DataFrame(
        {
            "unique_id": np.repeat([f"shop {i:06}" for i in range(SERIES)], STEPS),
            "ds": np.tile(pd.date_range("2014-01-01", periods=STEPS, freq="MS"), SERIES),
            "y": np.random.default_rng(0).normal(size=SERIES * STEPS),
        }
    )
    table.to_parquet(folder / "panel.parquet")
    seconds = taken(lambda: sum(map(len, scan_panel(folder).blocks(rows=1 << 18))), 5)
    size = os.path.getsize(folder / "panel.parquet") / len(table)
    print(
        f"\nRead in blocks of whole series: {len(table) / seconds / 1e6:.1f} million rows for a "
        f"second of processor time, {size:.1f} bytes each in Parquet."
    )


def main():
    print(machine())
    print(f"Load: {os.getloadavg()[0]:.1f}.\n")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "panel").mkdir()
        pushes(Path(folder))
        reading(Path(folder) / "panel")


if __name__ == "__main__":
    main()
