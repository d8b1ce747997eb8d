"""A training step of a `MinGRU`, natively, by a parallel scan and by a loop; a `GRU` beside it.

    python benchmarks/minimal.py [--rounds 15]

The ways take turns in one process. Prints a table in Markdown: the median of a step's wall time and
of its processor time, in milliseconds. A step is the gradient of a squared error by the weights,
and the weights moved against it; 8 features.
"""

import argparse
import time

import jax
import jax.numpy as jnp
import numpy as np

from statewise.recurrence import GRU, Call, MinGRU, Weights, run_call
from statewise.recurrence.backends import linear, reference

SIZES = [(64, 50, 64), (64, 50, 256), (16, 1024, 64), (16, 1024, 256)]
FEATURES = 8
WAYS = {
    "MinGRU, native": (MinGRU(), linear.run_natively),
    "MinGRU, lax.associative_scan": (MinGRU(), linear.run_in_parallel),
    "MinGRU, lax.scan": (MinGRU(), reference.run),
    "GRU, native": (GRU(), run_call),
}


def step_of(cell, run):
    """Return a compiled training step: ``(weights, x, y, state) -> weights``."""

    def loss(weights, x, y, state):
        return jnp.mean((run(Call(cell, x, state, weights)).outputs - y) ** 2)

    @jax.jit
    def step(weights, x, y, state):
        gradient = jax.grad(loss)(weights, x, y, state)
        return jax.tree.map(lambda w, g: w - 0.01 * g, weights, gradient)

    return step


def case(cell, batch, time_steps, units, rng):
    """Return weights, inputs, what should come out and the state before."""

    def drawn(*shape):
        return jnp.asarray(rng.normal(size=shape) * 0.3, "float32")

    wide = len(cell.gates) * units
    gru = isinstance(cell, GRU)
    weights = Weights(
        drawn(FEATURES, wide), drawn(units, wide) if gru else None, drawn(*(2,) * gru, wide)
    )
    x, y = drawn(batch, time_steps, FEATURES), drawn(batch, time_steps, units)
    return weights, x, y, cell.initial_state(batch, units, "float32")


def measure(size, rounds, rng):
    """Return the medians of each way: wall and processor time in milliseconds."""
    steps = {name: (step_of(*way), case(way[0], *size, rng)) for name, way in WAYS.items()}
    times = {name: [] for name in steps}
    for turn in range(rounds + 1):
        for name, (step, given) in steps.items():
            begin = time.perf_counter(), time.process_time()
            jax.block_until_ready(step(*given))
            if turn:  # the first one compiles
                ends = time.perf_counter(), time.process_time()
                times[name].append([1e3 * (e - b) for b, e in zip(begin, ends, strict=True)])
    return {name: np.median(taken, axis=0) for name, taken in times.items()}


def main():
    """Measure all sizes and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15)
    rounds, rng = parser.parse_args().rounds, np.random.default_rng(0)
    print(f"| batch, steps, units | {' | '.join(WAYS)} |\n|---|{'---|' * len(WAYS)}")
    for size in SIZES:
        found = measure(size, rounds, rng)
        told = " | ".join(f"{wall:.2f} ({processor:.2f})" for wall, processor in found.values())
        print(f"| {', '.join(map(str, size))} | {told} |", flush=True)


if __name__ == "__main__":
    main()
