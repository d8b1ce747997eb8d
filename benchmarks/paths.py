"""Every way through a recurrent layer: ours beside stock Keras on JAX, and PyTorch where it has it.

    python benchmarks/paths.py [--rounds 7] [--peer-python PYTHON] [--paths "LSTM, relu;GRU"]

One layer of 64 units and a `Dense` of one, batches of 64 sequences of 50 steps of 8 features, by
`fit`. The sides are processes of their own that live beside one another and train an epoch in turn;
ours and stock's begin with the same weights, and their losses must agree. Prints a table in
Markdown: a step of each, how many times as fast as the faster of the others, and the same of the
first epoch, which compiles.
"""

import argparse
import sys

import numpy as np

import in_turn
import keras_pair

BATCH, STEPS, FEATURES, UNITS, BATCHES = 64, 50, 8, 64, 24
SIDES = ("statewise", "Keras", "PyTorch")
AGREE = {"float32": 1e-4, "mixed_bfloat16": 0.03, "mixed_float16": 0.005}  # of the losses, relative
GOAL = 2.0  # times as fast as the faster of the others


class Path:
    """A way through a layer.

    Args:
        make: the layers, by Keras's module of recurrent layers and the one of all.
        policy: Keras's policy of dtypes.
        masked: whether a third of the steps is padding.
        torch: the name of PyTorch's module and its options, where it has the same.
    """

    def __init__(self, make, *, policy="float32", masked=False, torch=None):
        self.make, self.policy, self.masked, self.torch = make, policy, masked, torch


def own_function(x):
    """An activation of the user's own."""
    return x / (1 + x * x) ** 0.5


def _own_cell(recurrent, keras):
    class Own(keras.layers.SimpleRNNCell):
        """A cell of the user's own: a SimpleRNN's with another name."""

    return [recurrent.RNN(Own(UNITS))]


def _layer(name, **options):
    return lambda r, k: [getattr(r, name)(UNITS, **options)]


def _cells(name, count):
    def make(r, k):
        cells = [getattr(r, f"{name}Cell")(UNITS) for _ in range(count)]
        return [r.RNN(cells if count > 1 else cells[0])]

    return make


def _paths() -> dict[str, Path]:
    paths = {}
    for name, torch in (("LSTM", "LSTM"), ("GRU", "GRU"), ("SimpleRNN", "RNN")):
        paths[name] = Path(_layer(name), torch=(torch, {}))
        for activation in ("relu", "elu", "softsign", "gelu", "silu"):
            same = (
                ("RNN", {"nonlinearity": "relu"})
                if (name, activation) == ("SimpleRNN", "relu")
                else None
            )
            options = {"activation": activation}
            paths[f"{name}, {activation}"] = Path(_layer(name, **options), torch=same)
        if name != "SimpleRNN":
            gates = {"recurrent_activation": "hard_sigmoid"}
            paths[f"{name}, hard_sigmoid"] = Path(_layer(name, **gates))
        for option in ("dropout", "recurrent_dropout"):
            paths[f"{name}, {option}"] = Path(_layer(name, **{option: 0.2}))
        paths[f"{name}, masked"] = Path(_layer(name), masked=True)
        paths[f"{name}, both ways"] = Path(
            lambda r, k, n=name: [r.Bidirectional(getattr(r, n)(UNITS))],
            torch=(torch, {"bidirectional": True}),
        )
        paths[f"RNN({name}Cell)"] = Path(_cells(name, 1))
        paths[f"RNN([{name}Cell, {name}Cell])"] = Path(_cells(name, 2))
        paths[f"{name}, mixed_bfloat16"] = Path(_layer(name), policy="mixed_bfloat16")
        paths[f"{name}, own function"] = Path(_layer(name, activation=own_function))
    paths["SimpleRNN, relu"].torch = ("RNN", {"nonlinearity": "relu"})
    paths["LSTM, mixed_float16"] = Path(_layer("LSTM"), policy="mixed_float16")
    paths["GRU, reset before"] = Path(_layer("GRU", reset_after=False))
    paths["LSTM, go_backwards"] = Path(_layer("LSTM", go_backwards=True))
    paths["LSTM, both dropouts"] = Path(_layer("LSTM", dropout=0.2, recurrent_dropout=0.2))
    paths["RNN(a cell of the user's own)"] = Path(_own_cell)
    return paths


PATHS = _paths()


def data(path: Path):
    """Return inputs and targets."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(BATCH * BATCHES, STEPS, FEATURES)).astype("float32")
    if path.masked:
        lengths = rng.integers(STEPS // 3, STEPS + 1, len(x))
        x[np.arange(STEPS) >= lengths[:, None]] = 0
    return x, rng.normal(size=(len(x), 1)).astype("float32")


def keras_epoch(side: str, path: Path):
    """Return what trains an epoch on one of Keras's sides and gives its loss."""
    models, recurrent, keras = keras_pair.library(side)
    keras.config.set_dtype_policy(path.policy)
    masking = [keras.layers.Masking()] if path.masked else []
    model = models.Sequential(
        [
            keras.Input((STEPS, FEATURES)),
            *masking,
            *path.make(recurrent, keras),
            keras.layers.Dense(1, dtype="float32"),
        ]
    )
    keras_pair.begin(model)
    x, y = data(path)
    options = {"batch_size": BATCH, "shuffle": False, "verbose": 0}
    return lambda: model.fit(x, y, **options).history["loss"][-1]


def torch_epoch(path: Path):
    """Return what trains an epoch in PyTorch, eager, as its users write it."""
    import torch

    torch.manual_seed(0)
    name, options = path.torch
    layer = getattr(torch.nn, name)(FEATURES, UNITS, batch_first=True, **options)
    head = torch.nn.Linear(UNITS * (2 if options.get("bidirectional") else 1), 1)
    optimizer = torch.optim.Adam([*layer.parameters(), *head.parameters()], lr=0.001, eps=1e-7)
    x, y = map(torch.from_numpy, data(path))

    def epoch():
        total = 0.0
        for first in range(0, len(x), BATCH):
            outputs, _ = layer(x[first : first + BATCH])
            loss = torch.nn.functional.mse_loss(head(outputs[:, -1]), y[first : first + BATCH])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach()
        return float(total) / BATCHES

    return epoch


def measure(name: str, rounds: int, pythons: dict[str, str]) -> dict:
    """Return what `in_turn.measure` finds of a path, on the sides that have it."""
    sides = {
        side: in_turn.Side(pythons[side], __file__, side, name)
        for side in SIDES
        if side != "PyTorch" or PATHS[name].torch
    }
    return in_turn.measure(sides, ("fit",), rounds)


def line(name: str, found: dict) -> tuple[str, bool]:
    """Return a line of the table, and whether ours and stock's losses agree."""
    step = {side: 1e3 * t / BATCHES for side, t in found["seconds"]["fit"].items()}
    first = found["first"]["fit"]
    ratios = [
        min(t for side, t in taken.items() if side != "statewise") / taken["statewise"]
        for taken in (step, first)
    ]
    values = found["values"]["fit"]
    agree = in_turn.differ(values["statewise"], values["Keras"]) <= AGREE[PATHS[name].policy]
    cells = [f"{step[side]:.2f}" if side in step else "" for side in SIDES]
    cells += [f"{ratio:.2f}" if ratio >= 1 else f"**{ratio:.2f}**" for ratio in ratios]
    cells += [f"{values[side][-1]:.6g}" for side in ("statewise", "Keras")]
    return f"| {name} | " + " | ".join([*cells, "yes" if agree else "**NO**"]) + " |", agree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python with Keras, torch")
    parser.add_argument("--paths", help="names, separated by semicolons; all if not given")
    parser.add_argument("--serve", nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        side, name = arguments.serve
        path = PATHS[name]
        epoch = torch_epoch(path) if side == "PyTorch" else keras_epoch(side, path)
        in_turn.serve({"fit": epoch})
        return
    from machine import machine

    print(machine())
    print()
    head = ["path", *(f"{side}, ms a step" for side in SIDES), "times", "first epoch"]
    head += ["loss", "stock's", "they agree"]
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    peer = arguments.peer_python
    pythons = {"statewise": sys.executable, "Keras": peer, "PyTorch": peer}
    failed = []
    for name in arguments.paths.split(";") if arguments.paths else PATHS:
        try:
            text, agree = line(name, measure(name, arguments.rounds, pythons))
        except RuntimeError as error:
            text, agree = f"| {name} | failed: {error} " + "| " * 7 + "|", False
        print(text, flush=True)
        if not agree:
            failed.append(name)
    if failed:
        sys.exit(f"The losses differ, or a side failed: {', '.join(failed)}.")


if __name__ == "__main__":
    main()
