"""A call that is interrupted anywhere has happened wholly or not at all, and streams go on."""

import ctypes
import random
import shutil
import threading
import time

import numpy as np
import pytest

from interrupting import Interrupter
from statewise import Sequential, layers
from statewise.streams import Streams
from statewise.streams.slots import Change, SlotTable

# isort: split
import keras

FEATURES, HISTORY = 2, 3
X = np.random.default_rng(8).normal(size=(12, FEATURES)).astype("float32")


def network(native=True):
    keras.utils.set_random_seed(3)
    model = Sequential(
        [
            layers.Input((None, FEATURES)),
            layers.LSTM(3, return_sequences=True),
            layers.Dense(FEATURES, activation="tanh" if native else keras.ops.sin),
        ]
    )
    model.compile(loss="mse", optimizer=keras.optimizers.Adam(0.05))
    return model


MODELS = {"native": network(), "compiled": network(native=False)}

CALLS = {
    "push several": lambda s: s.push({"a": X[4], "b": X[5]}),
    "push one": lambda s: s.push({"b": X[4]}),
    "push steps": lambda s: s.push({"a": X[4:7], "b": X[5]}),
    "push a new key": lambda s: s.push({"a": X[4], "new": X[5]}),
    "push many new keys": lambda s: s.push({f"new {i}": X[i % 12] for i in range(20)}),
    "push by a handle": lambda s: s["a"].push(X[4]),
    "join": lambda s: s.join(["new", "other"]),
    "forget": lambda s: s.forget(["a", "c"]),
    "reset": lambda s: s.reset(["a", "b"]),
    "set a state": lambda s: s.set_state("a", s.state("b")),
    "learn": lambda s: s.learn({"a": (X[4], X[5]), "new": (X[4:6], X[5:7])}),
}
# The engine, store and history with which a call is made.
WAYS = {
    "memory": ("native", False, 0),
    "compiled": ("compiled", False, 0),
    "history": ("native", False, HISTORY),
    "store": ("native", True, 0),
    "store, history": ("native", True, HISTORY),
}


def snapshot(streams, model):
    """Return all that a call could have changed, with the weights."""
    rows = streams._states.gather(streams.keys())
    arrays = [array.tobytes() for array in rows.values()]
    weights = [w.tobytes() for w in model.get_weights()]
    optimizer = [np.asarray(v.value).tobytes() for v in model.optimizer.variables]
    return streams.keys(), arrays, weights, optimizer


def begin(streams):
    streams.forget(streams.keys())
    streams.push({"a": X[:2], "b": X[2], "c": X[3]})


def on_disk(path, model, tmp_path):
    """Return what another process would find, as after a crash."""
    copy = tmp_path / "copy.db"
    for end in ("", "-wal"):
        shutil.copy(f"{path}{end}", f"{copy}{end}")
    with Streams(model, store=copy) as streams:
        kept = snapshot(streams, model)
    return kept


def check_interruptions(way, call, tmp_path, numbers):
    engine, stored, history = WAYS[way]
    model = MODELS[engine]
    path = tmp_path / "streams.db" if stored else None
    parts = ("streams", "models") if call == "learn" else ("streams",)
    interrupter = Interrupter(*parts)
    with Streams(model, store=path, history=history) as streams:
        begin(streams)
        CALLS[call](streams)  # compiles what there is to be compiled
        weights = model.get_weights()
        optimizer = [v.value for v in model.optimizer.variables]

        def restart():
            model.set_weights(weights)
            for variable, value in zip(model.optimizer.variables, optimizer, strict=True):
                variable.assign(value)
            begin(streams)

        restart()
        before = snapshot(streams, model)
        interrupter.run(lambda: CALLS[call](streams))
        after = snapshot(streams, model)
        assert after != before
        total, outcomes, whole = interrupter.count, set(), 0
        places = numbers(total)
        for at in places:
            restart()
            if not interrupter.run(lambda: CALLS[call](streams), at):
                # What streams remember of the calls before makes this one a little shorter.
                whole += 1
                assert at >= interrupter.count
                assert snapshot(streams, model) == after or call == "learn"
            weights_now = snapshot_of_weights(model)
            found = snapshot(streams, model)
            assert found in (before, after), f"{call}: halved before bytecode {at} of {total}"
            assert weights_now == found[2:]  # at once, not only when the streams are looked at
            if stored and at % 7 == 0:
                columns = on_disk(path, model, tmp_path)
                kept = len(streams._signature.state) + 2
                assert columns[:1] == found[:1]
                assert columns[1][:kept] == found[1][:kept]
            outcomes.add(found == after)
            CALLS["push several" if "a" in streams else "push a new key"](streams)  # goes on
        assert whole <= len(places) // 4 or call == "learn"
        return outcomes


def snapshot_of_weights(model):
    weights = [w.tobytes() for w in model.get_weights()]
    return weights, [np.asarray(v.value).tobytes() for v in model.optimizer.variables]


CASES = [(way, call) for way in WAYS for call in CALLS]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", CALLS)
def test_some_interruptions(way, call, tmp_path):
    """As many as time allows; which ones, the name of the case says."""
    rng = random.Random(f"{way} {call}")
    some = 6 if call == "learn" else 25
    check_interruptions(way, call, tmp_path, lambda total: rng.sample(range(total), some))


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", CALLS)
def test_interruptions_everywhere(way, call, tmp_path):
    most = 400 if call == "learn" else 1200  # every third or so of the longest calls' bytecodes

    def numbers(total):
        return range(0, total, -(-total // most))

    outcomes = check_interruptions(way, call, tmp_path, numbers)
    assert outcomes == {True, False}  # early ones come to nothing, late ones are too late


class SentError(Exception):
    """What another thread raises."""


def replayed(steps):
    """Return the state of a stream after so many steps of what `pushing` pushes."""
    streams = Streams(MODELS["native"])
    streams.push({"a": X[np.arange(steps) % len(X)]})
    return streams.state("a")


def assert_state(streams, key):
    for name, arrays in replayed(streams.steps(key)).items():
        for array, value in arrays.items():
            np.testing.assert_allclose(streams.state(key)[name][array], value, atol=1e-5)


@pytest.mark.parametrize("stored", [False, True])
def test_what_another_thread_raises(tmp_path, stored):
    streams = Streams(MODELS["native"], store=tmp_path / "s.db" if stored else None)
    streams.join(["a", "b", "c"])
    handle, over, caught = streams["c"], threading.Event(), []

    def pushing():
        while not over.is_set():
            n = streams.steps("a")
            streams.push(dict.fromkeys(["a", "b"], X[n % len(X)]))
            handle.push(X[streams.steps("c") % len(X)])

    def worker():
        while not over.is_set():
            try:
                pushing()
            except SentError:
                caught.append(1)

    thread = threading.Thread(target=worker, daemon=True)
    thread.start()
    rng, end = random.Random(2), time.monotonic() + 1.5
    while thread.is_alive() and time.monotonic() < end:  # one that comes in `except` ends it
        time.sleep(rng.uniform(0, 2e-3))
        ctypes.pythonapi.PyThreadState_SetAsyncExc(
            ctypes.c_ulong(thread.ident), ctypes.py_object(SentError)
        )
    over.set()
    thread.join(timeout=20)
    assert not thread.is_alive()
    assert caught
    assert streams.steps("a") == streams.steps("b") > 0
    for key in streams:
        assert_state(streams, key)
    streams.close()


def test_an_interruption_of_what_mends_an_interruption():
    """Whatever is left half applied is applied again."""
    rows = {"h": np.zeros(2), "output": np.zeros(1), "steps": np.zeros((), int)}

    def full(count):
        return {name: np.ones((count, *row.shape)) for name, row in rows.items()}

    interrupter, at, reached = Interrupter("streams"), 0, True
    while reached:
        table = SlotTable(rows, state=["h"])
        table.put([(["a", "b"], full(2))])
        change = table.planned([(["a", "new"], full(2))])
        change.decided.append(True)
        table.change = change
        reached = interrupter.run(table.settle, at)
        assert list(table) == ["a", "b", "new"]
        change = table.planned_removal(["a"])
        change.decided.append(True)
        table.change = change
        interrupter.run(table.settle, at)
        assert list(table) == ["b", "new"]
        table.put([([f"more {i}" for i in range(40)], full(40))])
        assert sorted(table.find(list(table)).tolist()) == sorted({*table.find(list(table))})
        assert all(
            (column[table.find(list(table))] == 1).all() for column in table.columns.values()
        )
        at += 1
    assert at > 50


def test_what_was_not_decided_is_undone_and_what_was_is_not():
    undone = []
    table = SlotTable({"h": np.zeros(2)})
    table.put([(["a"], {"h": np.ones((1, 2))})])
    table.change = Change([(np.array([0]), {"h": np.zeros((1, 2))})], undo=lambda: undone.append(1))
    assert table.gather(table.find(["a"]))["h"].all()
    assert undone == [1]
    assert table.change is None


def test_want_of_memory_while_it_is_applied(monkeypatch):
    """The push is done, and said to have failed; the next look at it finds it whole."""
    streams = Streams(MODELS["native"])
    streams.push({"a": X[0], "b": X[1]})
    apply, calls = Change.apply, []

    def fails(change, table):
        calls.append(1)
        if len(calls) < 3:
            raise MemoryError
        apply(change, table)

    monkeypatch.setattr(Change, "apply", fails)
    with pytest.raises(MemoryError):
        streams.push({"a": X[1:3], "b": X[1]})
    assert (streams.steps("a"), streams.steps("b")) == (3, 2)
    np.testing.assert_allclose(
        streams.push({"a": X[3]})["a"], Streams(MODELS["native"]).push({"a": X[:4]})["a"][-1], 1e-5
    )
