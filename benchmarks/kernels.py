"""The native kernels against the reference, a forward pass and a gradient, in turn.

python benchmarks/kernels.py [--rounds 7] [--threads 2] [--job "LSTM(64), batch 64"]

Both sides are compiled by the same ``jax.jit``; compilation is left out. The peak is the best
matrix product that XLA reaches in the same run; a gradient counts as three times the forward
arithmetic. Prints a Markdown table.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.recurrence import GRU, LSTM, Cell, Weights, kernels, native, scan


class Job(NamedTuple):
    """A layer and the sequences it is run over."""

    letter: str  # of DESIGN's list of jobs
    cell: Cell
    batch: int
    time: int
    features: int
    units: int

    @property
    def name(self) -> str:
        sizes = f"batch {self.batch}, {self.time} steps, {self.features} features"
        return f"{type(self.cell).__name__}({self.units}), {sizes}"

    @property
    def work(self) -> float:
        """Multiplications and additions of a forward pass."""
        gates = len(self.cell.gates) * self.units
        return 2.0 * self.batch * self.time * gates * (self.features + self.units)


JOBS = (
    Job("a", LSTM(), 1, 3, 1, 4),
    Job("b", LSTM(), 64, 50, 8, 64),
    Job("b", GRU(), 64, 50, 8, 64),
    Job("c", LSTM(), 400, 1, 8, 64),
    Job("d", LSTM(), 1, 1000, 8, 32),
    Job("d", GRU(), 1, 1000, 8, 32),
    Job("e", LSTM(), 64, 200, 32, 256),
    Job("e", LSTM(), 64, 200, 256, 256),
    Job("f", LSTM(), 32, 100, 128, 512),
    Job("f", GRU(), 32, 100, 128, 512),
)


def programs(job: Job) -> dict[tuple[str, str], Callable[[], object]]:
    """Return what is measured: (side, pass) and a function that runs it to its end."""
    rng = np.random.default_rng(0)

    def draw(*shape, scale=0.3):
        return jnp.asarray(rng.normal(scale=scale, size=shape), "float32")

    gates = len(job.cell.gates) * job.units
    bias = (2, gates) if isinstance(job.cell, GRU) else (gates,)
    weights = Weights(
        draw(job.features, gates), draw(job.units, gates, scale=job.units**-0.5), draw(*bias)
    )
    x = draw(job.batch, job.time, job.features)
    state = job.cell.initial_state(job.batch, job.units, x.dtype)

    def sides(run):
        def forward(weights):
            return run(job.cell, x, state, weights).outputs

        return {"forward": forward, "gradient": jax.grad(lambda w: jnp.sum(forward(w) ** 2))}

    def ready(function):
        compiled = jax.jit(function)
        return lambda: jax.block_until_ready(compiled(weights))

    runs = {"native": kernels.run, "reference": scan}
    return {
        (side, kind): ready(function)
        for side, run in runs.items()
        for kind, function in sides(run).items()
    }


def measured(functions: dict, rounds: int, seconds: float = 0.1) -> dict:
    """Return the median over the rounds of each function's time for one call, all in turn."""
    counts, times = {}, {key: [] for key in functions}
    for key, function in functions.items():
        function()  # compiles
        start = time.perf_counter()
        function()
        counts[key] = max(1, int(seconds / (time.perf_counter() - start)))
    for _ in range(rounds):
        for key, function in functions.items():
            start = time.perf_counter()
            for _ in range(counts[key]):
                function()
            times[key].append((time.perf_counter() - start) / counts[key])
    return {key: float(np.median(values)) for key, values in times.items()}


def matrix_peak(rounds: int) -> float:
    """Return the best rate, in operations a second, of XLA's matrix product."""
    best = 0.0
    for size in (512, 1024, 2048):
        a = jnp.ones((size, size))
        product = jax.jit(lambda a: a @ a)
        (spent,) = measured(
            {size: lambda a=a, p=product: p(a).block_until_ready()}, rounds
        ).values()
        best = max(best, 2.0 * size**3 / spent)
    return best


def processor() -> str:
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":")[1].strip() for line in lines if "model name" in line]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=0, help="of the native kernels; 0: all")
    parser.add_argument("--job", default="", help="run only the jobs whose name holds this")
    options = parser.parse_args()
    extension = native.extension.extension()
    extension.set_thread_count(options.threads)
    peak = matrix_peak(options.rounds)
    versions = ", ".join(f"{name} {version(name)}" for name in ("jax", "jaxlib", "numpy"))
    print(
        f"{processor()}, {os.cpu_count()} processors, {extension.thread_count()} threads of the "
        f"native kernels ({extension.instruction_set()}), load "
        f"{os.getloadavg()[0]:.1f}; Python {platform.python_version()}, {versions}; float32; "
        f"medians of {options.rounds} rounds in turn; "
        f"XLA's matrix product: {peak / 1e9:.0f} GFLOP/s."
    )
    print()
    print("| | job | pass | reference, ms | native, ms | ratio | native, GFLOP/s | of the peak |")
    print("|---|---|---|---|---|---|---|---|")
    for job in JOBS:
        if options.job not in job.name:
            continue
        times = measured(programs(job), options.rounds)
        for kind, factor in (("forward", 1), ("gradient", 3)):
            own, other = times["native", kind], times["reference", kind]
            rate = factor * job.work / own
            print(
                f"| {job.letter} | {job.name} | {kind} | {other * 1e3:.3f} | {own * 1e3:.3f} | "
                f"{other / own:.2f} | {rate / 1e9:.0f} | {rate / peak:.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
