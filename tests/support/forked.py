"""What processes do that are forked, or begin anew, after a model was used.

``python forked.py`` forks in several ways and prints what came of each; the functions are what the
workers of a pool run.
"""

import multiprocessing
import os
import pickle
import signal
import sys
import warnings
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import numpy as np

import statewise  # noqa: F401  (chooses Keras's engine)

# isort: split
import keras

from statewise import Model, Sequential, layers
from statewise.streams import Streams

X = np.random.default_rng(0).normal(size=(3, 5, 2)).astype("float32")


def network(native=True):
    keras.utils.set_random_seed(1)
    activation = None if native else keras.ops.sin
    return Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(3, return_sequences=True),
            layers.Dense(2, activation=activation),
        ]
    )


def functional():
    inputs = layers.Input((None, 2))
    return Model(inputs, layers.GRU(3)(inputs))


def predicted(model):
    return model.predict(X, verbose=0)


def unpickled(content):
    model, streams = pickle.loads(content)
    pushed = streams.push({"a": X[0, 0]})["a"]
    return os.getpid(), predicted(model), pushed


def pushed(streams):
    return streams.push({"a": X[0, 1]})


def in_child(call):
    """Return the text of what a forked child makes of a call; fail where it hangs."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(20)
        try:
            text = f"done: {call()}"
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writing, text.encode()[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        text = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    return text if not status else f"killed by {status}"


def main(folder):
    warnings.simplefilter("ignore")  # JAX warns of a fork
    early = in_child(lambda: predicted(network()).shape)  # before anything is computed
    model, compiled = network(), network(native=False)
    expected = predicted(model)
    streams, others = Streams(model), Streams(compiled)
    for one in (streams, others):
        one.push({"a": X[0, 0], "b": X[1, 0]})
    stored = Streams(model, store=Path(folder) / "a.db")
    stored.push({"a": X[0, 0]})
    print("early", early, sep="|")
    for name, call in {
        "predict": lambda: predicted(model),
        "predict with callbacks": lambda: model.predict(X, batch_size=1, verbose=0),
        "call": lambda: model(X),
        "step": lambda: model.step(X),
        "forecast": lambda: model.forecast(X, 2),
        "functional": functional,
        "compiled push": lambda: others.push({"a": X[0, 1]}),
        "new streams": lambda: Streams(model),
        "native push": lambda: (
            streams.push({"a": X[0, 1], "b": X[1, 1]}),
            streams["a"].push(X[0, 2]),
            streams.steps("a"),
        )[-1],
        "stored push": lambda: stored.push({"a": X[0, 1]}),
        "stored forget": lambda: stored.forget("a"),
        "stored close": stored.close,
        "opened anew": lambda: Streams(model, store=Path(folder) / "a.db"),
    }.items():
        print(name, in_child(call), sep="|")
    child = os.fork()
    if not child:
        sys.exit(0)  # runs all that runs at an exit: none of it may touch the parent's store
    os.waitpid(child, 0)
    stored.push({"a": X[0, 1]})
    print("parent", stored.steps("a"), streams.steps("a"), sep="|")
    for end in ("", "-wal"):
        (Path(folder) / f"copy.db{end}").write_bytes((Path(folder) / f"a.db{end}").read_bytes())
    with Streams(model, store=Path(folder) / "copy.db") as copy:
        print("on the disk", copy.steps("a"), sep="|")
    with multiprocessing.get_context("fork").Pool(2) as pool:
        for name, function, given in (
            ("fork pool", predicted, model),
            ("fork pool, streams", pushed, streams),
        ):
            try:
                pool.map_async(function, [given]).get(timeout=60)
            except RuntimeError as error:
                print(name, error, sep="|")
    content = pickle.dumps((model, streams))
    output = streams.push({"a": X[0, 0]})["a"]
    for way in sys.argv[2:]:
        context = multiprocessing.get_context(way)
        with ProcessPoolExecutor(2, mp_context=context) as executor:
            found = list(executor.map(unpickled, [content] * 2))
        same = all(np.allclose(y, expected) and np.allclose(p, output) for _, y, p in found)
        print(way, same and os.getpid() not in {pid for pid, _, _ in found}, sep="|")


if __name__ == "__main__":
    main(sys.argv[1])
