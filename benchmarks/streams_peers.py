"""The peers of ``streams.py``, each in a process of its own; prints one line of JSON.

    python benchmarks/streams_peers.py SIDE GIVEN.npz SECONDS

They are given statewise's weights, and must give its outputs before the clock starts. They get what
arrived as one array and the numbers of its rows, which spares them the mapping by key that
`Streams.push` takes and gives.
"""

import json
import os
import statistics
import sys
import time

import numpy as np

TOLERANCE = 1e-5


def calls(function, seconds, most=20_000):
    """Call a function for about so many seconds; return the seconds of each call."""
    for _ in range(3):
        function()
    taken, end = [], time.perf_counter() + seconds
    while len(taken) < 5 or (len(taken) < most and time.perf_counter() < end):
        begun = time.perf_counter()
        function()
        taken.append(time.perf_counter() - begun)
    return {"median": statistics.median(taken), "p99": float(np.quantile(taken, 0.99))}


def check(outputs, given):
    """Refuse to measure what doesn't compute the same."""
    worst = float(np.abs(outputs - given["outputs"]).max())
    if worst > TOLERANCE:
        raise SystemExit(f"the outputs differ from statewise's by {worst:.1e}")


def keras_stateful(given, seconds):
    """A stateful model of batch 10,000, and one of batch 1; and the states carried by hand.

    On JAX (Keras 3.15.1) calling a stateful model keeps its state, but compiles the loop anew each
    time, and `predict_on_batch` loses the state. So what is measured first is the best that keeps
    it: a model that takes and returns the states, its `stateless_call` under ``jax.jit``. Keras
    steps all rows or none: where some have nothing new, zeros go into their rows, and their states
    stay by ``jnp.where``.
    """
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    import jax.numpy as jnp
    import keras

    features, units = given["x"].shape[-1], given["recurrent"].shape[0]
    weights = [given["kernel"], given["recurrent"], given["bias"]]

    def stateful(batch):
        inputs = keras.layers.Input(batch_shape=(batch, 1, features))
        model = keras.Sequential([inputs, keras.layers.LSTM(units, stateful=True)])
        model.set_weights(weights)
        return model

    def by_hand(batch):
        """Return a step that keeps the states of the rows that have something new."""
        inputs = keras.layers.Input(batch_shape=(batch, 1, features))
        before = [keras.layers.Input(batch_shape=(batch, units)) for _ in "hc"]
        y, *after = keras.layers.LSTM(units, return_state=True)(inputs, initial_state=before)
        model = keras.Model([inputs, *before], [y, *after])
        model.set_weights(weights)
        values = [
            [variable.value for variable in variables]
            for variables in (model.trainable_variables, model.non_trainable_variables)
        ]
        states = [jnp.zeros((batch, units))] * 2

        @jax.jit
        def run(values, states, x, new):
            (y, *after), _ = model.stateless_call(*values, [x, *states])
            return y, [jnp.where(new[:, None], *pair) for pair in zip(after, states, strict=True)]

        def step(x, new):
            nonlocal states
            y, states = run(values, states, x, new)
            return np.asarray(y)

        return step

    many, one = (stateful(batch) for batch in (given["x"].shape[1], 1))
    step_many, step_one = (by_hand(batch) for batch in (given["x"].shape[1], 1))
    always = np.ones(given["x"].shape[1], bool)

    def part(rows, x):
        everything, new = np.zeros(given["x"].shape[1:], "float32"), np.zeros(len(always), bool)
        everything[rows], new[rows] = x, True
        return step_many(everything[:, None], new)[rows]

    for x in given["x"]:
        outputs = step_many(x[:, None], always)
    check(outputs, given)
    x, rows, first = given["x"][0], given["rows"], given["x"][0][:1]
    return {
        "all": calls(lambda: step_many(x[:, None], always), seconds),
        "all, called": calls(lambda: np.asarray(many(x[:, None])), seconds),
        "all, predict_on_batch (state lost)": calls(
            lambda: many.predict_on_batch(x[:, None]), seconds
        ),
        "1 %": calls(lambda: part(rows, x[rows]), seconds),
        "one": calls(lambda: part(rows[:1], first), seconds),
        "one stream": calls(lambda: step_one(first[:, None], always[:1]), seconds),
        "one stream, predict_on_batch (state lost)": calls(
            lambda: one.predict_on_batch(first[:, None]), seconds
        ),
    }


def pytorch(given, seconds):
    """An LSTM with the states of all keys in two tensors, gathered and scattered by hand."""
    import torch

    features, units = given["x"].shape[2], given["recurrent"].shape[0]
    layer, cell = torch.nn.LSTM(features, units), torch.nn.LSTMCell(features, units)
    given_weights = [
        torch.from_numpy(np.ascontiguousarray(given["kernel"].T)),
        torch.from_numpy(np.ascontiguousarray(given["recurrent"].T)),
        torch.from_numpy(given["bias"]),
        torch.zeros(4 * units),
    ]
    with torch.no_grad():
        for module in (layer, cell):
            for own, value in zip(module.parameters(), given_weights, strict=True):
                own.copy_(value)
    h, c = (torch.zeros(1, given["x"].shape[1], units) for _ in range(2))
    alone = [(torch.zeros(1, 1, units), torch.zeros(1, 1, units))]
    alone_cell = [(torch.zeros(1, units), torch.zeros(1, units))]

    def whole(x):
        y, (after_h, after_c) = layer(torch.from_numpy(x)[None], (h, c))
        h.copy_(after_h)
        c.copy_(after_c)
        return y[0].numpy()

    def part(rows, x):
        y, (after_h, after_c) = layer(torch.from_numpy(x)[None], (h[:, rows], c[:, rows]))
        h[:, rows] = after_h
        c[:, rows] = after_c
        return y[0].numpy()

    def one():
        y, alone[0] = layer(torch.from_numpy(first)[None], alone[0])
        return y[0, 0].numpy()

    def one_by_cell():
        alone_cell[0] = cell(torch.from_numpy(first), alone_cell[0])
        return alone_cell[0][0][0].numpy()

    with torch.inference_mode():
        for x in given["x"][:-1]:
            whole(x)
        check(whole(given["x"][-1]), given)
        x, rows = given["x"][0], torch.from_numpy(given["rows"])
        some, first = x[given["rows"]], x[:1]
        measured = {
            "all": calls(lambda: whole(x), seconds),
            "1 %": calls(lambda: part(rows, some), seconds),
        }
        torch.set_num_threads(1)  # for one row, other threads only cost
        return measured | {
            "one": calls(lambda: part(rows[:1], first), seconds),
            "one stream": calls(one, seconds),
            "one stream, LSTMCell": calls(one_by_cell, seconds),
        }


def main():
    side, path, seconds = sys.argv[1:]
    with np.load(path) as file:
        given = {name: file[name] for name in file.files}
    measure = {"Keras": keras_stateful, "PyTorch": pytorch}[side]
    print(json.dumps(measure(given, float(seconds))))


if __name__ == "__main__":
    main()
