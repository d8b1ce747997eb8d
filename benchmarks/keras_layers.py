"""Networks of one Keras layer each, ours beside stock Keras on JAX: `fit`, `evaluate`, `predict`.

    python benchmarks/keras_layers.py [--rounds 9] [--peer-python PYTHON] [--layers Conv1D,Dropout]

Each network is an input, the layer (or two, where a name has a plus), a `Flatten` and a `Dense` of
one unit, in two sizes: a small one, where what is called in between counts, and a usual one, where
the arithmetic does. Both sides are processes of their own that live for the whole of a layer, with
the same weights; they compile and warm up before the clock starts, and then run an epoch in turn,
so that what else the machine does falls on both. Prints a table in Markdown: how many times as fast
as stock, by the medians, and the losses of both sides, which must agree.
"""

import argparse
import sys
from dataclasses import dataclass

import numpy as np

import in_turn
import keras_pair

BATCHES = 24
WHAT = ("fit", "evaluate", "predict")
SIDES = ("statewise", "Keras")
AGREE = 1e-4  # relative difference of the losses
ENOUGH = 1.0  # times as fast as stock


@dataclass(frozen=True)
class Size:
    """How large the networks of a table are.

    Attributes:
        batch: samples of a batch.
        time: steps of a sequence; a picture has as many pixels as fit into half of its root.
        features: of a step.
        units: filters, or whatever a layer has of its own.
    """

    batch: int
    time: int
    features: int
    units: int


SIZES = {"small": Size(4, 12, 4, 4), "usual": Size(32, 50, 16, 32)}


def _pictures(size: Size) -> tuple[int, int]:
    return (8, 8) if size.time < 20 else (16, 16)


def _sequence(size):
    return (size.time, size.features)


def _picture(size):
    return (*_pictures(size), 3)


def _film(size):
    return (6, *_pictures(size), 3)


def _rows(size):
    return (6, size.time, size.features)


def _words(size):
    return (size.time,)


# name: (the shape of an input, the layers of a size by Keras's module of layers and the recurrent
# ones of the side)
LAYERS = {
    "Conv1D": (_sequence, lambda k, r, s: [k.Conv1D(s.units, 5, padding="causal")]),
    "Conv1D, strides, dilation": (
        _sequence,
        lambda k, r, s: [k.Conv1D(s.units, 3, strides=2), k.Conv1D(s.units, 2, dilation_rate=2)],
    ),
    "Conv1D + LSTM": (
        _sequence,
        lambda k, r, s: [k.Conv1D(s.units, 5, padding="same", activation="relu"), r.LSTM(s.units)],
    ),
    "Conv2D": (_picture, lambda k, r, s: [k.Conv2D(s.units, 3, activation="relu")]),
    "Conv2D, channels first": (
        lambda s: (3, *_pictures(s)),
        lambda k, r, s: [k.Conv2D(s.units, 3, data_format="channels_first")],
    ),
    "TimeDistributed(Conv2D)": (_film, lambda k, r, s: [r.TimeDistributed(k.Conv2D(8, 3))]),
    "Conv3D": (_film, lambda k, r, s: [k.Conv3D(8, 3)]),
    "ConvLSTM1D": (_rows, lambda k, r, s: [k.ConvLSTM1D(8, 3)]),
    "ConvLSTM2D": (_film, lambda k, r, s: [k.ConvLSTM2D(4, 3)]),
    "Embedding + Conv1D": (
        _words,
        lambda k, r, s: [k.Embedding(500, s.features), k.Conv1D(s.units, 5)],
    ),
    "SeparableConv1D": (_sequence, lambda k, r, s: [k.SeparableConv1D(s.units, 5)]),
    "SeparableConv2D": (_picture, lambda k, r, s: [k.SeparableConv2D(s.units, 3)]),
    "DepthwiseConv1D": (_sequence, lambda k, r, s: [k.DepthwiseConv1D(5)]),
    "DepthwiseConv2D": (_picture, lambda k, r, s: [k.DepthwiseConv2D(3)]),
    "Conv1D, groups": (_sequence, lambda k, r, s: [k.Conv1D(s.units, 3, groups=2)]),
    "Conv1DTranspose": (_sequence, lambda k, r, s: [k.Conv1DTranspose(s.units, 4, strides=2)]),
    "Conv2DTranspose": (_picture, lambda k, r, s: [k.Conv2DTranspose(8, 3, strides=2)]),
    "MaxPooling1D": (_sequence, lambda k, r, s: [k.Dense(s.units), k.MaxPooling1D(2)]),
    "MaxPooling2D": (_picture, lambda k, r, s: [k.Dense(8), k.MaxPooling2D(2)]),
    "AveragePooling1D": (_sequence, lambda k, r, s: [k.Dense(s.units), k.AveragePooling1D(2)]),
    "AveragePooling2D": (_picture, lambda k, r, s: [k.Dense(8), k.AveragePooling2D(2)]),
    "GlobalMaxPooling1D": (_sequence, lambda k, r, s: [k.Dense(s.units), k.GlobalMaxPooling1D()]),
    "GlobalAveragePooling1D": (
        _sequence,
        lambda k, r, s: [k.Dense(s.units), k.GlobalAveragePooling1D()],
    ),
    "UpSampling1D": (_sequence, lambda k, r, s: [k.Dense(s.units), k.UpSampling1D(2)]),
    "UpSampling2D": (_picture, lambda k, r, s: [k.Dense(8), k.UpSampling2D(2)]),
    # Without a bias: its gradient would be nothing but rounding, which Adam makes steps of.
    "BatchNormalization": (
        _sequence,
        lambda k, r, s: [k.Dense(s.units, use_bias=False), k.BatchNormalization()],
    ),
    "LayerNormalization": (_sequence, lambda k, r, s: [k.Dense(s.units), k.LayerNormalization()]),
    "Dropout": (_sequence, lambda k, r, s: [k.Dense(s.units), k.Dropout(0.5)]),
    "SpatialDropout1D": (_sequence, lambda k, r, s: [k.Dense(s.units), k.SpatialDropout1D(0.5)]),
    "GaussianNoise": (_sequence, lambda k, r, s: [k.Dense(s.units), k.GaussianNoise(0.1)]),
    "MultiHeadAttention": (_sequence, lambda k, r, s: [_Attention(k, s.features)]),
    "Embedding": (_words, lambda k, r, s: [k.Embedding(500, s.features)]),
    "Dense, Dense": (_sequence, lambda k, r, s: [k.Dense(s.units, "relu"), k.Dense(s.units)]),
    "EinsumDense": (_sequence, lambda k, r, s: [k.EinsumDense("abc,cd->abd", (s.time, s.units))]),
    "Reshape, Permute": (
        _sequence,
        lambda k, r, s: [k.Permute((2, 1)), k.Reshape((-1, s.features)), k.Dense(s.units)],
    ),
    "LSTM": (_sequence, lambda k, r, s: [r.LSTM(s.units)]),
    "GRU": (_sequence, lambda k, r, s: [r.GRU(s.units, return_sequences=True)]),
    "SimpleRNN": (_sequence, lambda k, r, s: [r.SimpleRNN(s.units)]),
    "Bidirectional(LSTM)": (_sequence, lambda k, r, s: [r.Bidirectional(r.LSTM(s.units))]),
}


class _Attention:
    """Self-attention as a layer of a stack: called with its input as query and as value."""

    def __init__(self, layers, features):
        self.attention = layers.MultiHeadAttention(2, max(2, features // 2))

    def __call__(self, x):
        return self.attention(x, x)


def network(side: str, name: str, size: Size):
    """Return the network of a side, compiled, with weights that depend on their shapes alone."""
    models, recurrent, keras = keras_pair.library(side)
    shape, layers = LAYERS[name]
    x = inputs = keras.Input(shape(size), dtype="int32" if shape is _words else "float32")
    for layer in layers(keras.layers, recurrent, size):
        x = layer(x)
    model = models.Model(inputs, keras.layers.Dense(1)(keras.layers.Flatten()(x)))
    keras_pair.begin(model)
    return model


def data(name: str, size: Size):
    """Return inputs and targets."""
    rng = np.random.default_rng(0)
    shape = (BATCHES * size.batch, *LAYERS[name][0](size))
    if LAYERS[name][0] is _words:
        x = rng.integers(0, 500, shape).astype("int32")
    else:
        x = rng.normal(size=shape).astype("float32")
    return x, rng.normal(size=(len(x), 1)).astype("float32")


def serve(side: str, name: str, size: Size):
    """Run what the lines of the standard input name; print what each took."""
    x, y = data(name, size)
    model = network(side, name, size)
    options = {"batch_size": size.batch, "verbose": 0}

    def fit():
        return model.fit(x, y, shuffle=False, **options).history["loss"][-1]

    def evaluate():
        return model.evaluate(x, y, **options)

    def predict():
        return float(np.abs(model.predict(x, **options)).mean())

    in_turn.serve({"fit": fit, "evaluate": evaluate, "predict": predict})


def measure(name: str, size: str, rounds: int, pythons: dict[str, str]) -> dict:
    """Return for each of ``WHAT`` the median seconds of both sides, and all that they computed."""
    sides = {side: in_turn.Side(pythons[side], __file__, side, name, size) for side in SIDES}
    return in_turn.measure(sides, WHAT, rounds)


def line(name: str, size: str, found: dict) -> tuple[str, bool]:
    """Return a line of the table, and whether the losses agree."""
    cells, agree = [], True
    for what in WHAT:
        ours, theirs = (found["seconds"][what][side] for side in SIDES)
        ratio = theirs / ours
        shown = f"{ratio:.2f}" if ratio >= ENOUGH else f"**{ratio:.2f}**"
        if what == "fit":
            per_batch = [f"{1e3 * t / BATCHES:.2f} ms" for t in (ours, theirs)]
            cells += [*per_batch]
        cells.append(shown)
        agree = agree and in_turn.differ(*(found["values"][what][side] for side in SIDES)) <= AGREE
    losses = [f"{found['values']['fit'][side][-1]:.6g}" for side in SIDES]
    verdict = "yes" if agree else "**NO**"
    return f"| {name} | {size} | " + " | ".join([*cells, *losses, verdict]) + " |", agree


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has Keras")
    parser.add_argument("--layers", help="names, separated by semicolons; all if not given")
    parser.add_argument("--sizes", default=",".join(SIZES))
    parser.add_argument("--serve", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        side, name, size = arguments.serve
        serve(side, name, SIZES[size])
        return
    from machine import machine

    print(machine())
    print()
    head = ["layer", "size", "a batch of fit", "stock", *WHAT, "loss", "stock's", "they agree"]
    print("| " + " | ".join(head) + " |")
    print("|" + "---|" * len(head))
    pythons = dict(zip(SIDES, (sys.executable, arguments.peer_python), strict=True))
    names = arguments.layers.split(";") if arguments.layers else LAYERS
    apart = []
    for name in names:
        for size in arguments.sizes.split(","):
            try:
                text, agree = line(name, size, measure(name, size, arguments.rounds, pythons))
            except RuntimeError as error:
                text, agree = f"| {name} | {size} | failed: {error} " + "| " * 7 + "|", False
            print(text, flush=True)
            if not agree:
                apart.append(f"{name} ({size})")
    if apart:
        sys.exit(f"The losses differ, or a side failed: {', '.join(apart)}.")


if __name__ == "__main__":
    main()
