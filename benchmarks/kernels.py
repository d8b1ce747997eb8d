"""The native kernels against the reference and plain PyTorch: a forward pass and a gradient.

    python benchmarks/kernels.py [--rounds 7] [--threads 2] [--job "LSTM(64), batch 64"]
                                 [--torch PYTHON] [--no-reference] [--huge-pages]

All sides are measured in turn, in every round. The native kernels and the reference are compiled by
the same ``jax.jit``, compilation left out; PyTorch runs in a process of its own, with the
interpreter that ``--torch`` names and as many threads. The peak is the best matrix product that XLA
or PyTorch (oneDNN, MKL) reaches in the same run; a gradient counts as three times the forward
arithmetic. It is taken with respect to all weights, of the sum of the squared outputs. With
``--huge-pages`` the memory allocator of all processes asks for transparent huge pages
(``GLIBC_TUNABLES=glibc.malloc.hugetlb=1``). Prints a Markdown table; a row that fails stays in it.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from statewise.recurrence import GRU, LSTM, Cell, SimpleRNN, Weights, native, scan
from statewise.recurrence.backends import cpu as kernels

HUGE_PAGES = "glibc.malloc.hugetlb=1"


class Job(NamedTuple):
    """A stack of layers and the sequences it is run over."""

    letter: str  # of the table of jobs
    cell: Cell
    batch: int
    time: int
    features: int
    units: tuple[int, ...]

    @property
    def name(self) -> str:
        sizes = f"batch {self.batch}, {self.time} steps, {self.features} features"
        kind = type(self.cell).__name__
        if isinstance(self.cell, GRU) and not self.cell.reset_after:
            kind = "GRU, reset before, "
        return f"{kind}({', '.join(map(str, self.units))}), {sizes}"

    @property
    def widths(self) -> list[tuple[int, int]]:
        """The features and units of each layer."""
        return list(zip((self.features, *self.units), self.units, strict=False))

    @property
    def work(self) -> float:
        """Multiplications and additions of a forward pass."""
        weights = sum(units * (features + units) for features, units in self.widths)
        return 2.0 * self.batch * self.time * len(self.cell.gates) * weights


JOBS = (
    Job("a", LSTM(), 1, 3, 1, (4,)),
    Job("b", LSTM(), 64, 50, 8, (64,)),
    Job("b", GRU(), 64, 50, 8, (64,)),
    Job("c", LSTM(), 400, 1, 8, (64,)),
    Job("d", LSTM(), 1, 1000, 8, (32,)),
    Job("d", GRU(), 1, 1000, 8, (32,)),
    Job("e", LSTM(), 64, 200, 32, (256, 256)),
    Job("f", LSTM(), 32, 100, 128, (512,)),
    Job("f", GRU(), 32, 100, 128, (512,)),
    Job("f", GRU(reset_after=False), 32, 100, 128, (512,)),
    Job("g", GRU(), 32, 50, 128, (512, 128)),
    Job("i", LSTM(), 128, 48, 8, (64,) * 6),
    Job("", SimpleRNN(), 64, 50, 8, (64,)),
)
PASSES = {"forward": 1, "gradient": 3}


def sweep() -> list[Job]:
    """Return the jobs of "j": an LSTM against length, batch and units, one of them at a time."""
    lengths = [Job("j", LSTM(), 32, length, 8, (64,)) for length in (10, 100, 1000, 10000)]
    batches = [Job("j", LSTM(), 2**i, 50, 8, (64,)) for i in range(11)]
    units = [Job("j", LSTM(), 32, 50, 8, (2**i,)) for i in range(2, 11)]
    return lengths + batches + units


def programs(job: Job, run: Callable) -> dict[str, Callable[[], object]]:
    """Return for each pass a function that runs it to its end."""
    rng = np.random.default_rng(0)

    def draw(*shape, scale=0.3):
        return jnp.asarray(rng.normal(scale=scale, size=shape), "float32")

    def layer(features, units):
        gates = len(job.cell.gates) * units
        bias = (2, gates) if isinstance(job.cell, GRU) and job.cell.reset_after else (gates,)
        return Weights(
            draw(features, gates, scale=features**-0.5),
            draw(units, gates, scale=units**-0.5),
            draw(*bias),
        )

    stack = [layer(*width) for width in job.widths]
    x = draw(job.batch, job.time, job.features)

    def forward(stack):
        y = x
        for weights, units in zip(stack, job.units, strict=True):
            state = job.cell.initial_state(job.batch, units, x.dtype)
            y = run(job.cell, y, state, weights).outputs
        return y

    def ready(function):
        compiled = jax.jit(function)
        return lambda: jax.block_until_ready(compiled(stack))

    gradient = jax.grad(lambda stack: jnp.sum(forward(stack) ** 2))
    return {"forward": ready(forward), "gradient": ready(gradient)}


def seconds_of(function: Callable[[], object], count: int) -> float:
    """Return the time of one call of ``count`` in a row."""
    start = time.perf_counter()
    for _ in range(count):
        function()
    return (time.perf_counter() - start) / count


def clock(function: Callable[[], object], seconds: float) -> Callable[[], float]:
    """Return a function that measures one call, repeated for about so long; compiled and warm."""
    function()
    count = max(1, int(seconds / seconds_of(function, 1)))
    return lambda: seconds_of(function, count)


class Torch:
    """PyTorch in another process (``kernels_torch.py``): one line of JSON to it, one back."""

    def __init__(self, python: str, threads: int, seconds: float):
        script = Path(__file__).with_name("kernels_torch.py")
        self._process = subprocess.Popen(
            [python, script, str(threads), str(seconds)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version = self.ask("version")

    def ask(self, *words):
        """Return the answer to a question."""
        print(json.dumps(words), file=self._process.stdin, flush=True)
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["answer"]

    def clocks(self, job: Job) -> dict[str, Callable[[], float]]:
        """Return for each pass a function that measures one call."""
        if isinstance(job.cell, GRU) and not job.cell.reset_after:
            return {}  # PyTorch has no such cell
        self.ask("prepare", type(job.cell).__name__, *job[2:])
        return {kind: lambda kind=kind: self.ask("measure", kind) for kind in PASSES}

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def matrix_peak(rounds: int, torch: Torch | None) -> dict[str, float]:
    """Return the best rate of each library's matrix product, in operations a second."""
    best = {}
    for size in (512, 1024, 2048):
        a, product = jnp.ones((size, size)), jax.jit(lambda a: a @ a)
        clocks = {"XLA": clock(lambda a=a, f=product: f(a).block_until_ready(), 0.1)}
        if torch:
            torch.ask("prepare product", size)
            clocks["PyTorch"] = lambda: torch.ask("measure", "product")
        for _ in range(rounds):
            for name, measure in clocks.items():
                best[name] = max(best.get(name, 0.0), 2.0 * size**3 / measure())
    return best


def medians(clocks: dict[tuple[str, str], Callable], rounds: int) -> dict[tuple[str, str], float]:
    """Return the median over the rounds of each, all being measured in turn."""
    times = {key: [] for key in clocks}
    for _ in range(rounds):
        for key, measure in clocks.items():
            times[key].append(measure())
    return {key: float(np.median(values)) for key, values in times.items()}


def rows(job: Job, torch: Torch | None, options: argparse.Namespace, peak: float) -> list[str]:
    """Measure a job; return its rows of the table."""
    sides = {"native": kernels.run} | ({} if options.no_reference else {"reference": scan})
    clocks = {
        (side, kind): clock(function, options.seconds)
        for side, run in sides.items()
        for kind, function in programs(job, run).items()
    }
    if torch:
        clocks |= {("PyTorch", kind): measure for kind, measure in torch.clocks(job).items()}
    times = medians(clocks, options.rounds)
    lines = []
    for kind, factor in PASSES.items():
        own = times["native", kind]
        rate = factor * job.work / own
        others = []
        for side in ("reference", "PyTorch"):
            other = times.get((side, kind))
            others += ["", ""] if other is None else [f"{other * 1e3:.3f}", f"{other / own:.2f}"]
        lines.append(
            f"| {job.letter} | {job.name} | {kind} | {own * 1e3:.3f} | {rate / 1e9:.0f} | "
            f"{rate / peak:.0%} | " + " | ".join(others) + " |"
        )
    return lines


def processor() -> str:
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            names = [line.split(":")[1].strip() for line in lines if "model name" in line]
        return names[0] if names else platform.machine()
    except OSError:
        return platform.processor() or platform.machine()


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.1, help="of one measurement, about")
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of every side")
    parser.add_argument("--job", default="", help="run only the jobs whose name holds this")
    parser.add_argument("--sweep", action="store_true", help="lengths, batches and units instead")
    parser.add_argument("--torch", metavar="PYTHON", help="an interpreter that has PyTorch")
    parser.add_argument("--no-reference", action="store_true", help="leave the reference out")
    parser.add_argument("--huge-pages", action="store_true", help="for all sides")
    return parser.parse_args()


def main() -> None:
    options = parsed()
    if options.huge_pages and os.environ.get("GLIBC_TUNABLES") != HUGE_PAGES:
        # The allocator reads this once, when a process begins.
        environment = {**os.environ, "GLIBC_TUNABLES": HUGE_PAGES}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)
    extension = native.extension.extension()
    extension.set_thread_count(options.threads)
    torch = Torch(options.torch, options.threads, options.seconds) if options.torch else None
    peaks = matrix_peak(options.rounds, torch)
    versions = {name: version(name) for name in ("jax", "jaxlib", "numpy")}
    versions |= {"torch": torch.version} if torch else {}
    print(
        f"{processor()}, {os.cpu_count()} processors, {extension.thread_count()} threads of the "
        f"native kernels ({extension.instruction_set()}), load {os.getloadavg()[0]:.1f}, allocator "
        f"{'with' if options.huge_pages else 'without'} huge pages; "
        f"Python {platform.python_version()}, {', '.join(map(' '.join, versions.items()))}; "
        f"float32; medians of {options.rounds} rounds in turn; best matrix product, GFLOP/s: "
        f"{', '.join(f'{name} {peak / 1e9:.0f}' for name, peak in peaks.items())}."
    )
    print()
    print("| | job | pass | native, ms | GFLOP/s | of the peak | reference, ms | ratio | ", end="")
    print("PyTorch, ms | ratio |")
    print("|---" * 10 + "|")
    for job in sweep() if options.sweep else JOBS:
        if options.job not in job.name:
            continue
        try:
            lines = rows(job, torch, options, max(peaks.values()))
        except RuntimeError as error:
            lines = [f"| {job.letter} | {job.name} | failed: {error} | | | | | | | |"]
        print("\n".join(lines), flush=True)
    if torch:
        torch.close()


if __name__ == "__main__":
    main()
