"""Tiny Shakespeare: the loss on its last tenth against seconds, and training beside the peers.

    python benchmarks/text_shakespeare.py TEXT [--part curve,speed] [--setting NAME] [--seed 0]
        [--rounds 3] [--peer-python PYTHON] [--output build/text] [--quick]

TEXT is tinyshakespeare.txt (1,115,394 characters). As nanoGPT cuts it, the first 90 % are trained
on and the last 111,540 characters are validated on, each of them, the state carried from the first
to the last. "curve" trains by each setting and writes the loss after every epoch; the clock runs
from the call of `fit`, with compiling (STATEWISE_CACHE=0). "speed" trains LSTMs of several sizes,
64 steps at a time, beside PyTorch and stock Keras, each in a process of its own, in turn.

Published, by nanoGPT's README: 1.4697 by a transformer in about three minutes on an A100, 1.88 by
its setting for a laptop's CPU in about three minutes.
"""

import argparse
import json
import os
import sys
import time
from pathlib import Path

import in_turn
import text_sides
from machine import facts

PUBLISHED = {"nanoGPT on an A100": 1.4697, "nanoGPT on a laptop's CPU": 1.88}
VALIDATED = 111_540
# What differs from the defaults of `TextGenerator`.
# The last two were chosen on the training part alone, whose own last tenth told which is better.
SETTINGS = {
    "10 seconds": {"cell": "gru", "units": 128, "epochs": 1, "learning_rate": 0.008},
    "3 minutes": {"units": 256, "epochs": 7, "learning_rate": 0.006},
    "long": {"units": 512, "epochs": 6, "learning_rate": 0.004, "dropout": 0.2},
}
# What is trained beside the peers; the first is the network of "3 minutes".
SIZES = {
    "LSTM(256), 16 lanes": {"units": 256, "lanes": 16, "batches": 80},
    "LSTM(512), 32 lanes": {"units": 512, "lanes": 32, "batches": 40},
}
SIZE = {"layers": 1, "embedding": 64, "tokens": 66, "steps": 64, "length": 1000}


def curve(text: str, setting: dict, seed: int) -> dict:
    """Train by a setting: losses by epoch with their seconds, and the loss of the last tenth."""
    from statewise import TextGenerator

    begun, points = time.perf_counter(), []

    def note(phase, done, most, loss):
        points.append([time.perf_counter() - begun, loss])
        print(f"  {points[-1][0]:6.1f} s, epoch {done} of {most}: {loss:.4f}", flush=True)

    cut = len(text) - VALIDATED
    generator = TextGenerator(seed=seed, **setting)
    generator.fit(text, progress=note)  # its own last tenth is the same
    seconds = time.perf_counter() - begun
    told = generator.log_likelihood(text[cut:], each=True)
    assert len(told) == VALIDATED
    return {
        "setting": setting,
        "seed": seed,
        "curve": points,
        "seconds": seconds,
        "trained_on": cut,
        "validated_on": len(told),
        "loss": -float(told.mean()),
        "loss_after_the_text_before": -float(
            generator.log_likelihood(text[cut - 2000 :], each=True)[2000:].mean()
        ),
        "sample": generator.generate("ROMEO:", 400, temperature=0.8, seed=0),
    }


def speed(given, size: dict) -> dict:
    """Train beside the peers, in turn."""
    sizes = SIZE | size | ({"batches": 4, "units": 64} if given.quick else {})
    script = text_sides.__file__
    sides = {}
    for side in text_sides.SIDES:
        python = sys.executable if side == "statewise" else given.peer_python
        sides[side] = in_turn.Side(python, script, side, json.dumps(sizes))
    found = in_turn.measure(sides, ("train",), given.rounds)
    seconds = found["seconds"]["train"]
    characters = sizes["batches"] * sizes["lanes"] * sizes["steps"]
    return {
        "sizes": sizes,
        "characters_a_second": {side: characters / s for side, s in seconds.items()},
        "ratio_to_best_peer": min(s for side, s in seconds.items() if side != "statewise")
        / seconds["statewise"],
        "losses": {side: values[-1] for side, values in found["values"]["train"].items()},
    }


def draw(curves: dict, path: Path) -> None:
    """Draw loss against seconds, with what is published as lines."""
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for name, found in curves.items():
        seconds, losses = zip(*found["curve"], strict=True)
        axes.plot(seconds, losses, marker=".", label=f"{name}: {found['loss']:.4f}")
    for name, loss in PUBLISHED.items():
        axes.axhline(loss, color="gray", linestyle=":")
        axes.annotate(
            f"{name}: {loss}",
            (0.99, loss),
            (0, 3),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            ha="right",
        )
    axes.set(xscale="log", xlabel="seconds", ylabel="nats a character, last 111,540 characters")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_xticks([10, 20, 60, 180, 480])
    axes.set_xlim(8, 600)
    axes.legend(frameon=False)
    figure.savefig(path, dpi=100)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path)
    parser.add_argument("--part", default="curve,speed")
    parser.add_argument("--setting", default=",".join(SETTINGS))
    parser.add_argument("--size", default=";".join(SIZES), help="of the part speed")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--output", type=Path, default=Path("build/text"))
    parser.add_argument("--quick", action="store_true", help="to see that it runs: tiny networks")
    given = parser.parse_args()
    os.environ["STATEWISE_CACHE"] = "0"
    given.output.mkdir(parents=True, exist_ok=True)
    path = given.output / "shakespeare.json"
    found = json.loads(path.read_text("utf-8")) if path.exists() else {"curves": {}}
    found["machine"] = facts(given.peer_python)
    text = given.text.read_text("utf-8")
    for name in given.setting.split(",") if "curve" in given.part else ():
        setting = SETTINGS[name] | ({"units": 16, "epochs": 1} if given.quick else {})
        print(name, flush=True)
        one = curve(text, setting, given.seed)
        found["curves"][f"{name}, seed {given.seed}"] = one | {"load": os.getloadavg()[0]}
        print(f"  {one['loss']:.4f} nats on all {VALIDATED:,} characters, {one['seconds']:.0f} s")
    if "speed" in given.part:
        for name in given.size.split(";"):
            one = speed(given, SIZES[name]) | {"load": os.getloadavg()[0]}
            found.setdefault("speed", {})[name] = one
            print(name, json.dumps(one, indent=1), flush=True)
    path.write_text(json.dumps(found, indent=1), "utf-8")
    if found["curves"]:
        draw(found["curves"], given.output / "shakespeare.png")


if __name__ == "__main__":
    main()
