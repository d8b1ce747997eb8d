"""Characters a second that are written from one prompt, beside a loop in PyTorch.

    python benchmarks/text_generation.py [--rounds 5] [--peer-python PYTHON] [--quick]

Networks of 1 and 2 x LSTM(512) and LSTM(128) for 66 characters, untrained: what a step costs
doesn't depend on the weights. "statewise" is what `TextGenerator.generate` does (the native live
step), "compiled" the loop that XLA compiles. Each side is a process of its own; all take turns.
"""

import argparse
import json
import sys

import in_turn
import text_sides

SHAPES = ((1, 128), (1, 512), (2, 512))


def measure(given, layers: int, units: int) -> dict[str, float]:
    """Return the characters a second of each side."""
    length = 200 if given.quick else 2000
    sizes = sizes_of(layers, units, length)
    pythons = {"statewise": sys.executable, "PyTorch": given.peer_python}
    sides = {
        side: in_turn.Side(python, text_sides.__file__, side, json.dumps(sizes))
        for side, python in pythons.items()
    }
    times = {side: [] for side in ("statewise", "compiled", "PyTorch")}
    try:
        for _ in range(given.rounds + 1):
            for side, of, what in (
                ("statewise", "statewise", "write"),
                ("compiled", "statewise", "write_compiled"),
                ("PyTorch", "PyTorch", "write"),
            ):
                times[side].append(sides[of].run(what)[0])
    finally:
        for side in sides.values():
            side.end()
    medians = {side: sorted(t[1:])[len(t[1:]) // 2] for side, t in times.items()}
    return {side: length / seconds for side, seconds in medians.items()}


def sizes_of(layers: int, units: int, length: int) -> dict:
    """Return the sizes of a network that writes."""
    shape = {"layers": layers, "units": units, "embedding": 64, "tokens": 66}
    return shape | {"lanes": 2, "steps": 4, "batches": 2, "length": length}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--quick", action="store_true", help="fewer characters")
    given = parser.parse_args()
    for layers, units in SHAPES:
        found = measure(given, layers, units)
        told = ", ".join(f"{side} {speed:,.0f}" for side, speed in found.items())
        print(f"{layers} x LSTM({units}), characters a second: {told}", flush=True)


if __name__ == "__main__":
    main()
