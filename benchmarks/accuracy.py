"""How far a layer's values and gradients are from those in float64, by instruction set and dtype.

    python benchmarks/accuracy.py [--units 256] [--steps 100]

Prints a table in Markdown. An error is the norm of the difference, as a part of the norm of what
float64 gives for the same numbers; of the outputs, and the greatest of all the gradients'. Rounded
once is what float64's result has lost when it has been rounded to the dtype; the reference is
JAX's own loop in that dtype throughout.
"""

import argparse

import jax
import jax.numpy as jnp
import numpy as np

from statewise.recurrence import GRU, LSTM, Call, Weights, native
from statewise.recurrence.backends import cpu, reference

CELLS = {"LSTM": LSTM(), "GRU": GRU()}
BATCH, FEATURES = 32, 128


def case(cell, units, steps, dtype, rng):
    """Return inputs, state, weights and what the outputs' gradient is, all of a dtype."""

    def drawn(*shape, scale=1.0):
        return jnp.asarray(rng.normal(size=shape) * scale, dtype)

    wide = len(cell.gates) * units
    bias = (2, wide) if isinstance(cell, GRU) else (wide,)
    weights = Weights(
        drawn(FEATURES, wide, scale=FEATURES**-0.5),
        drawn(units, wide, scale=units**-0.5),
        drawn(*bias, scale=0.3),
    )
    state = cell.state_type(*(drawn(BATCH, units) for _ in cell.state_type._fields))
    return drawn(BATCH, steps, FEATURES), state, weights, drawn(BATCH, steps, units)


def both(cell, run):
    """Return a function that gives outputs and gradients."""

    def outputs(x, state, weights):
        return run(Call(cell, x, state, weights)).outputs

    @jax.jit
    def values_and_gradients(x, state, weights, cotangent):
        values, pull = jax.vjp(outputs, x, state, weights)
        return values, pull(cotangent)

    return values_and_gradients


def errors(found, exact):
    """Return the error of the outputs, and the greatest of the gradients'."""
    parts = [
        float(np.linalg.norm(np.asarray(one, "float64") - other) / np.linalg.norm(other))
        for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(exact), strict=True)
    ]
    return parts[0], max(parts[1:])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--units", type=int, default=256)
    parser.add_argument("--steps", type=int, default=100)
    options = parser.parse_args()
    module = native.extension.extension()
    rows = {}
    with jax.enable_x64(True):
        for name, cell in CELLS.items():
            for dtype in ("float32", "bfloat16", "float16"):
                rng = np.random.default_rng(0)
                given = case(cell, options.units, options.steps, dtype, rng)
                wide = jax.tree.map(lambda a: a.astype("float64"), given)
                exact = both(cell, reference.run)(*wide)
                ways = {"rounded once": jax.tree.map(lambda a, to=dtype: a.astype(to), exact)}
                for instruction_set in module.instruction_sets():
                    module.use_instruction_set(instruction_set)
                    # What is computed later would be by the next instruction set.
                    ways[instruction_set] = jax.block_until_ready(both(cell, cpu.run)(*given))
                ways["the reference"] = both(cell, reference.run)(*given)
                for way, found in ways.items():
                    rows.setdefault(way, {})[name, dtype] = errors(found, exact)
    columns = list(next(iter(rows.values())))
    print("| | " + " | ".join(f"{name}, {dtype}" for name, dtype in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for way, found in rows.items():
        cells = (f"{values:.1e}, {gradients:.1e}" for values, gradients in found.values())
        print(f"| {way} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
