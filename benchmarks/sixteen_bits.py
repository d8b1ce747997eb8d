"""Training in 16 bits beside training in float32, and both beside stock Keras on JAX.

    python benchmarks/sixteen_bits.py [--rounds 5] [--units 256,512] [--layers LSTM,GRU]
                                      [--batch 64]

A layer and a `Dense` of one, batches of 64 sequences of 50 steps of as many features as the layer
has units, by `fit`, in float32 and by Keras's policies `mixed_bfloat16` and `mixed_float16`. The
sides are processes of their own that live beside one another and train an epoch in turn. Prints a
table in Markdown: a step of each in milliseconds, how much of float32's step it takes here, and how
many times as fast as stock; the losses, which must agree with stock's.
"""

import argparse
import sys

import numpy as np

import in_turn
import keras_pair

STEPS, BATCHES = 50, 8
POLICIES = ("float32", "mixed_bfloat16", "mixed_float16")
AGREE = {"float32": 1e-4, "mixed_bfloat16": 0.03, "mixed_float16": 0.01}  # of the losses, relative


def epoch(side: str, policy: str, layer: str, units: int, batch: int):
    """Return what trains an epoch on one side and gives its loss."""
    models, recurrent, keras = keras_pair.library(side)
    keras.config.set_dtype_policy(policy)
    model = models.Sequential(
        [
            keras.Input((STEPS, units)),
            getattr(recurrent, layer)(units),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )
    keras_pair.begin(model)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(batch * BATCHES, STEPS, units)).astype("float32")
    y = rng.normal(size=(len(x), 1)).astype("float32")
    options = {"batch_size": batch, "shuffle": False, "verbose": 0}
    return lambda: model.fit(x, y, **options).history["loss"][-1]


def lines(layer: str, units: int, batch: int, rounds: int) -> tuple[list[str], bool]:
    """Return the lines of a layer's size, and whether all losses agree."""
    sides = {
        f"{side}, {policy}": in_turn.Side(
            sys.executable, __file__, side, policy, layer, str(units), str(batch)
        )
        for policy in POLICIES
        for side in ("statewise", "Keras")
    }
    found = in_turn.measure(sides, ("fit",), rounds)
    step = {side: 1e3 * t / BATCHES for side, t in found["seconds"]["fit"].items()}
    values = found["values"]["fit"]
    told, all_agree = [], True
    for policy in POLICIES:
        ours, theirs = (step[f"{side}, {policy}"] for side in ("statewise", "Keras"))
        losses = values[f"statewise, {policy}"]
        agree = in_turn.differ(losses, values[f"Keras, {policy}"]) <= AGREE[policy]
        all_agree &= agree
        cells = [
            f"{layer}({units})",
            policy,
            f"{ours:.1f}",
            f"{ours / step['statewise, float32']:.2f}",
            f"{theirs:.1f}",
            f"{theirs / ours:.2f}",
            f"{losses[-1]:.5g}",
            "yes" if agree else "**NO**",
        ]
        told.append(f"| {' | '.join(cells)} |")
    return told, all_agree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--units", default="256,512")
    parser.add_argument("--layers", default="LSTM,GRU")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--serve", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        side, policy, layer, units, batch = arguments.serve
        in_turn.serve({"fit": epoch(side, policy, layer, int(units), int(batch))})
        return
    from machine import machine

    print(machine().replace(", float32", ""))
    print()
    head = ["layer", "policy", "ms a step", "of float32's", "stock's ms", "times as fast as stock"]
    head += ["loss", "agrees with stock's"]
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    all_agree = True
    for layer in arguments.layers.split(","):
        for units in map(int, arguments.units.split(",")):
            told, agree = lines(layer, units, arguments.batch, arguments.rounds)
            all_agree &= agree
            print("\n".join(told), flush=True)
    sys.exit(not all_agree)


if __name__ == "__main__":
    main()
