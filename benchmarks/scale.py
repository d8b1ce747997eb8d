"""What more workers gain: forecasts by key, trainings side by side, pushes of sharded streams.

    python benchmarks/scale.py [--workers 1,2,4] [--series 4096] [--rounds 3] [--ray]

* forecasting: `statewise.distributed.predict` of a panel by key, on `Processes` (and with --ray on
  `Ray`) of so many workers, each of which computes on one thread. Workers are warm: the first round
  of each, in which they start and compile, isn't counted. Efficiency is the rate of so many workers
  over that of the fewest, by the cores that they can have more: min(workers, cores).
* training: `statewise.distributed.backtest` with ``refit``, a window a task: how long trainings
  take that don't wait for each other.
* streams: pushes of all keys of `ShardedStreams`, shards in actors of Ray (only with --ray), in
  memory, and with stores on disk; beside them `Streams` in this process.

All that is compared runs in turn, round after round; medians. Results are compared before times.
Prints a table in Markdown, and how loaded the machine was.
"""

import argparse
import os
import statistics
import tempfile
import time
from contextlib import nullcontext

import numpy as np
import pandas as pd

from forecast_common import head, row
from machine import machine

STEPS, HORIZON, SEASON = 120, 12, 12
KEYS, FEATURES, UNITS = 20_000, 8, 64
WINDOWS = 4


def cores():
    return len(os.sched_getaffinity(0))


def panel(series):
    rng = np.random.default_rng(0)
    season = np.sin(2 * np.pi * np.arange(STEPS) / SEASON)
    values = 50 + 10 * season + rng.normal(0, 2, (series, STEPS)) + 20 * rng.random((series, 1))
    keys = np.repeat([f"shop {i}" for i in range(series)], STEPS)
    stamps = np.tile(pd.date_range("2014-01-01", periods=STEPS, freq="MS"), series)
    return pd.DataFrame({"unique_id": keys, "ds": stamps, "y": values.ravel()})


def timed(given, task):
    """Do a task in a worker; return its result, and the processor time that it took."""
    function, shared = given
    begun = time.process_time()
    result = function(shared, task)
    return result, time.process_time() - begun


class Kept:
    """Processes that stay between runs, so that a round measures work and not their start.

    What is shared is taken from the first run: it's the same in all runs of one kind.
    """

    def __init__(self, workers):
        self.workers, self.busy, self._crew = workers, 0.0, None

    def run(self, function, tasks, shared=None, *, finished=None):
        from statewise.distributed.executors import processes
        from statewise.distributed.executors.in_order import in_order

        if self._crew is None:
            self._crew = processes._Crew(timed, (function, shared), self.workers, 1, 3)
        self.busy = 0.0
        for result, seconds in in_order(self._crew, tasks, self.workers, finished):
            self.busy += seconds
            yield result

    def close(self):
        if self._crew is not None:
            self._crew.dismiss()


def executors(counts, on_ray):
    from statewise.distributed import Ray

    found = {("Processes", count): Kept(count) for count in counts}
    if on_ray:
        found |= {("Ray", count): Ray(workers=count) for count in counts}
    return found


def forecasting(counts, series, rounds, on_ray, likelihood):
    """Print how many series a second are forecast: points, or intervals of drawn paths."""
    from statewise import Forecaster
    from statewise.distributed import predict

    table = panel(series)
    some = table[table["unique_id"].isin(table["unique_id"].unique()[:200])]
    forecaster = Forecaster(horizon=HORIZON, season=SEASON, epochs=1, likelihood=likelihood)
    fitted, level = forecaster.fit(some), 80 if likelihood else None
    expected = fitted.predict(new_data=table)
    sides, times, here, there = executors(counts, on_ray), {}, [], []
    for number in range(rounds + 1):
        for side, executor in sides.items():
            begun, own = time.perf_counter(), time.process_time()
            got = predict(fitted, table, executor=executor, level=level)
            taken = time.perf_counter() - begun
            if number and side == ("Processes", counts[0]):
                here.append(time.process_time() - own)
                there.append(executor.busy)
            np.testing.assert_allclose(got["model"], expected["model"], rtol=1e-4)
            if number:
                times.setdefault(side, []).append(taken)
    for side, executor in sides.items():
        if side[0] == "Processes":
            executor.close()
    what = f"forecasting, {'points' if likelihood is None else 'intervals of paths'}"
    head(what, "workers", "series a second", "efficiency")
    for (name, count), taken in times.items():
        median = statistics.median(taken)
        alone = statistics.median(times[name, counts[0]])
        could = min(count, cores()) / min(counts[0], cores())
        row(name, count, round(series / median), f"{100 * alone / median / could:.0f} %")
    own, others = (1e6 * statistics.median(taken) / series for taken in (here, there))
    print(
        f"\nProcessor time for a series: {others:.0f} microseconds of a worker, {own:.0f} of this "
        f"process (which reads the table, cuts it and puts the forecasts together): it keeps "
        f"{others / own:.1f} workers busy."
    )


def training(counts, rounds, on_ray):
    """Print how many trainings an hour are done, a window each."""
    from statewise import Forecaster
    from statewise.distributed import backtest

    table = panel(64)
    forecaster = Forecaster(horizon=6, season=SEASON, epochs=4, units=16)
    sides, times, errors = executors(counts, on_ray), {}, set()
    # Each worker has seen all windows before the first round that counts: it compiles none.
    for number in range(-3, rounds + 1):
        for side, executor in sides.items():
            begun = time.perf_counter()
            result = backtest(forecaster, table, windows=WINDOWS, refit=True, executor=executor)
            taken = time.perf_counter() - begun
            errors.add(round(float(result.table.loc["model", "MAE"]), 3))
            if number > 0:
                times.setdefault(side, []).append(taken)
    for side, executor in sides.items():
        if side[0] == "Processes":
            executor.close()
    assert len(errors) == 1, errors
    head("training", "workers", "trainings an hour", "efficiency")
    for (name, count), taken in times.items():
        median = statistics.median(taken)
        alone = statistics.median(times[name, counts[0]])
        could = min(count, cores()) / min(counts[0], cores())
        row(name, count, round(3600 * WINDOWS / median), f"{100 * alone / median / could:.0f} %")


def streams(counts, rounds, on_ray):
    """Print how many keys a second are pushed."""
    import statewise
    from statewise.distributed import InProcess, RayActors, ShardedStreams
    from statewise.streams import Streams

    # isort: split
    import keras

    keras.utils.set_random_seed(0)
    layers = statewise.layers
    model = statewise.Sequential([layers.Input((None, FEATURES)), layers.LSTM(UNITS)])
    x = np.random.default_rng(0).normal(size=(KEYS, FEATURES)).astype("float32")
    keys = [f"tank {i}" for i in range(KEYS)]
    values = dict(zip(keys, x, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        sides = {}
        for store in (False, True):
            where = "on disk" if store else "in memory"
            path = f"{folder}/one.db" if store else None
            sides["Streams", where, 1] = Streams(model, path)
            path = f"{folder}/here" if store else None
            one = ShardedStreams(model, path, shards=1, hosts=InProcess())
            sides["shards in this process", where, 1] = one
            for count in counts if on_ray else ():
                path = f"{folder}/{count}" if store else None
                actors = ShardedStreams(model, path, shards=count, hosts=RayActors())
                sides["shards on Ray", where, count] = actors
        times, outputs = {}, {}
        for number in range(2 * rounds + 2):
            for side, pushed in sides.items():
                begun = time.perf_counter()
                outputs[side] = pushed.push(values)
                taken = time.perf_counter() - begun
                if number > 1:
                    times.setdefault(side, []).append(taken)
            first = next(iter(outputs.values()))
            for got in outputs.values():
                np.testing.assert_allclose(got[keys[-1]], first[keys[-1]], atol=1e-5)
        head("streams", "states", "shards", "keys a second", "of one push")
        for (name, where, count), taken in times.items():
            median = statistics.median(taken)
            row(name, where, count, round(KEYS / median), f"{1e3 * median:.1f} ms")
        for pushed in sides.values():
            pushed.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workers", default="1,2,4")
    parser.add_argument("--series", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ray", action="store_true", help="on a local Ray, too")
    parser.add_argument("--only", choices=["forecasting", "training", "streams"])
    arguments = parser.parse_args()
    counts = [int(part) for part in arguments.workers.split(",")]
    print(machine())
    print(f"Load before: {os.getloadavg()[0]:.1f} on {cores()} cores.\n")
    with _ray(max(counts)) if arguments.ray else nullcontext():
        if arguments.only in (None, "forecasting"):
            for likelihood in (None, "gaussian"):
                series = arguments.series if likelihood is None else arguments.series // 4
                forecasting(counts, series, arguments.rounds, arguments.ray, likelihood)
        if arguments.only in (None, "training"):
            training(counts, arguments.rounds, arguments.ray)
        if arguments.only in (None, "streams"):
            streams(counts, arguments.rounds, arguments.ray)
    print(f"\nLoad after: {os.getloadavg()[0]:.1f}.")


def _ray(workers):
    """Start a local Ray with room for all workers and shards; it ends with the program."""
    import ray

    return ray.init(
        num_cpus=4 * workers,
        include_dashboard=False,
        log_to_driver=False,
        object_store_memory=500 << 20,
    )


if __name__ == "__main__":
    main()
