"""A panel larger than memory is trained on: how much is resident, and how long computing waits.

    python benchmarks/larger_than_memory.py [FOLDER] [--gigabytes 20] [--store parquet]
        [--way lanes] [--units 16] [--steps 3000] [--row-group 131072] [--resident 2]
        [--seconds 300]

A panel of so many gigabytes (8 features of float32, and for Parquet a key and a time) is made in a
process of its own; series have half to one and a half times `--steps` steps. Then a process of its
own opens it and trains an epoch of it, shuffled by a seed, with a GRU: by lanes (256 lanes, chunks
of 64 steps) or by windows (24 steps in, 1 out, every 12th, batches of 1024). Said are

* the resident memory at its highest, after importing and after the epoch (`VmHWM` of Linux), which
  is to stay below `--resident` gigabytes;
* the seconds that opening takes (for Parquet a pass over key and time) and the epoch;
* for how much of the epoch computing waited for data, which is to be below 5 %;
* the processor's seconds of that process, and a gigabyte's.

With `--seconds` the epoch is stopped after so many, and it's said how many batches that were.
What is already in FOLDER is used again. A file that was just written lies in the page cache: to
measure the disk, too, let the panel be larger than the machine's memory.
"""

import argparse
import json
import subprocess
import sys
import threading
import time
from itertools import pairwise
from pathlib import Path

import numpy as np

FEATURES = 8
LANES, CHUNK = 256, 64
LOOKBACK, STRIDE, BATCH = 24, 12, 1024
FILE_BYTES = 1 << 28
MOST_WAITED = 0.05


def lengths_of(gigabytes, steps):
    """Return the steps of each series."""
    rng = np.random.default_rng(0)
    count = max(LANES, round(gigabytes * 1e9 / (FEATURES * 4 * steps)))
    return rng.integers(steps // 2, steps + steps // 2, count, endpoint=True)


def values_of(base, number, steps):
    """Return a series (time, features): a part of what was drawn once, at a level of its own."""
    start = number * 7919 % (len(base) - steps)
    return base[start : start + steps] * np.float32(1 + number % 13) + np.float32(number % 5)


def make(folder, options):
    """Write the panel."""
    lengths = lengths_of(options.gigabytes, options.steps)
    rng = np.random.default_rng(1)
    base = rng.standard_normal((4 * int(lengths.max()), FEATURES), np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    if options.store == "parquet":
        make_parquet(folder, base, lengths, options.row_group)
    else:
        offsets = np.concatenate([[0], np.cumsum(lengths)])
        np.save(folder / "offsets.npy", offsets)
        shape = (int(offsets[-1]), FEATURES)
        if options.store == "memmap":
            whole = np.lib.format.open_memmap(folder / "x.npy", "w+", np.float32, shape)
        else:
            make_zarr(folder, base, lengths)
            (folder / "made").touch()
            return
        first = 0
        while first < len(lengths):  # some megabytes at a time
            last = int(np.searchsorted(offsets, offsets[first] + 2**20, "right"))
            parts = [values_of(base, i, lengths[i]) for i in range(first, min(last, len(lengths)))]
            end = first + len(parts)
            whole[int(offsets[first]) : int(offsets[end])] = np.concatenate(parts)
            first = end
    (folder / "made").touch()


def make_zarr(folder, base, lengths):
    import zarr

    group = zarr.create_group(folder / "x.zarr")
    for i, steps in enumerate(lengths.tolist()):
        array = group.create_array(f"s{i:08}", shape=(steps, FEATURES), dtype="f4",
                                   chunks=(min(steps, 4096), FEATURES))  # fmt: skip
        array[:] = values_of(base, i, steps)


def make_parquet(folder, base, lengths, row_group):
    import pyarrow as pa
    from pyarrow import parquet

    writer, written, number = None, 0, 0
    pending, rows = [], 0

    def flush():
        nonlocal pending, rows, writer, written, number
        if not pending:
            return
        table = pa.concat_tables(pending)
        if writer is None:
            path = folder / f"part-{number}.parquet"
            writer = parquet.ParquetWriter(path, table.schema, write_page_checksum=True,
                                           use_dictionary=["unique_id"])  # fmt: skip
            number += 1
        writer.write_table(table, row_group_size=row_group)
        written += table.nbytes
        pending, rows = [], 0
        if written > FILE_BYTES:
            writer.close()
            writer, written = None, 0

    for i, steps in enumerate(lengths.tolist()):
        values = values_of(base, i, steps)
        columns = {"unique_id": pa.repeat(f"series_{i:08}", steps), "ds": np.arange(steps)}
        columns |= {f"x{j}": np.ascontiguousarray(values[:, j]) for j in range(FEATURES)}
        pending.append(pa.table(columns))
        rows += steps
        if rows >= row_group:
            flush()
    flush()
    if writer is not None:
        writer.close()


def resident():
    """Return the gigabytes that were resident at most."""
    lines = Path("/proc/self/status").read_text("utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 / 1e9 for line in lines if line.startswith("VmHWM"))


def opened(folder, store):
    """Return the panel for ``lanes`` and ``windows``."""
    if store == "parquet":
        return str(folder)
    offsets = np.load(folder / "offsets.npy")
    if store == "memmap":
        whole = np.load(folder / "x.npy", mmap_mode="r")
        return {i: whole[a:b] for i, (a, b) in enumerate(pairwise(offsets))}
    import zarr

    group = zarr.open_group(folder / "x.zarr", mode="r")
    return {int(name[1:]): array for name, array in sorted(group.arrays())}


def train(folder, options):
    """Train an epoch, and print what it took as JSON."""
    import statewise

    # isort: split
    import keras

    from statewise import layers
    from statewise.sequences import ahead, lanes, windows

    waited = 0.0
    close = ahead.Ahead.close

    def noted(self):
        nonlocal waited
        waited += self.waited
        close(self)

    ahead.Ahead.close = noted
    imported = resident()
    begun = time.perf_counter()
    panel = opened(folder, options.store)
    if options.way == "lanes":
        data = lanes(panel, lanes=LANES, steps=CHUNK, targets=[0], seed=0)
        steps, batches = data.balance.useful_steps, data.num_chunks
    else:
        data = windows(panel, LOOKBACK, stride=STRIDE, targets=[0], batch=BATCH, seed=0)
        steps, batches = int(data.lengths.sum()), data.num_batches
    opening = time.perf_counter() - begun
    keras.utils.set_random_seed(0)
    lanewise = options.way == "lanes"
    model = statewise.Sequential(
        [
            layers.Input((None, FEATURES)),
            layers.GRU(options.units, return_sequences=lanewise),
            layers.Dense(1) if lanewise else keras.layers.Dense(1),
            *([] if lanewise else [keras.layers.Reshape((1, 1))]),
        ]
    )
    model.compile(loss="mse", optimizer="adam")
    if options.seconds is not None:
        timer = threading.Timer(options.seconds, setattr, (model, "stop_training", True))
        timer.daemon = True
        timer.start()
    begun, used = time.perf_counter(), time.process_time()
    history = model.fit(data, epochs=1, verbose=0).history
    seconds = time.perf_counter() - begun
    print(json.dumps({
        "series": len(data.keys), "steps": steps, "batches": batches, "opening": opening,
        "epoch": seconds, "waited": waited, "processor": time.process_time() - used,
        "done": int(np.asarray(model.optimizer.iterations)), "imported": imported,
        "resident": resident(), "loss": history["loss"][0],
    }))  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?", default="larger_than_memory", type=Path)
    parser.add_argument("--gigabytes", type=float, default=20.0)
    parser.add_argument("--store", choices=["parquet", "memmap", "zarr"], default="parquet")
    parser.add_argument("--way", choices=["lanes", "windows"], default="lanes")
    parser.add_argument("--units", type=int, default=16)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--row-group", type=int, default=131072)
    parser.add_argument("--resident", type=float, default=2.0)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--do", choices=["make", "train"], help=argparse.SUPPRESS)
    options = parser.parse_args()
    name = f"{options.store}-{options.gigabytes:g}-{options.steps}-{options.row_group}"
    folder = options.folder / name
    if options.do == "make":
        make(folder, options)
    elif options.do == "train":
        train(folder, options)
    else:
        run(folder)


def run(folder):
    again = [sys.executable, __file__, *sys.argv[1:]]
    if not (folder / "made").exists():
        begun = time.perf_counter()
        subprocess.run([*again, "--do", "make"], check=True)
        print(f"made {folder} in {time.perf_counter() - begun:.0f} s", file=sys.stderr)
    said = subprocess.run([*again, "--do", "train"], check=True, stdout=subprocess.PIPE, text=True)
    found = json.loads(said.stdout.splitlines()[-1])
    stored = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) / 1e9
    limit = float(sys.argv[sys.argv.index("--resident") + 1]) if "--resident" in sys.argv else 2.0
    waited = found["waited"] / found["epoch"]
    print("| | |\n|---|---|")
    print(f"| in files | {stored:.2f} GB, {found['series']} series, {found['steps']} steps |")
    print(f"| opening | {found['opening']:.1f} s |")
    print(f"| {found['done']} of the {found['batches']} batches of an epoch "
          f"| {found['epoch']:.1f} s, {found['processor']:.1f} s of the processor |")  # fmt: skip
    print(f"| of which computing waited | {found['waited']:.2f} s, {waited:.1%} |")
    print(f"| resident after importing | {found['imported']:.2f} GB |")
    print(f"| resident at most | {found['resident']:.2f} GB |")
    print(f"| loss | {found['loss']:.6g} |")
    faults = []
    if found["resident"] > limit:
        faults.append(f"more than {limit:g} GB were resident")
    if waited > MOST_WAITED:
        faults.append(f"computing waited for more than {MOST_WAITED:.0%} of the epoch")
    sys.exit("; ".join(faults) or None)


if __name__ == "__main__":
    main()
