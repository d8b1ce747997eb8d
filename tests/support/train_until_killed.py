"""Trainings with checkpoints that are killed, and what must hold of them.

``python train_until_killed.py`` forks a child for each line on its standard input, a JSON with

* ``kind``: which training, one of `KINDS`;
* ``folder``: of its checkpoints, or null for none;
* ``moment``: at which step of training or saving it kills itself, or null;
* ``seconds``: after how long it's killed from outside, or null;
* ``result``: where it writes what it has come to, if it comes to an end;

and tells with which code the child ended. The modules are imported once, and
nothing is computed before the fork, so that a child begins in a tenth of the time.
"""

import json
import os
import pickle
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

import statewise  # noqa: F401  (chooses Keras's engine)

# isort: split
import keras

from statewise import Sequential, _whole_files, layers
from statewise.models.training.checkpoints import container, saving
from statewise.models.training.checkpoints.folder import Folder
from statewise.sequences import lanes

KEEP = 2


def network(every_step=False, optimizer="adam"):
    """Return a fresh model, the same one in every process."""
    keras.utils.set_random_seed(4)
    model = Sequential(
        [
            layers.Input((None, 2)),
            layers.LSTM(6, dropout=0.2, return_sequences=every_step),
            layers.Dense(1 + every_step),
        ]
    )
    model.compile(loss="mse", optimizer=optimizer)
    return model


def kept(folder, every):
    """Return the options of `fit` for a folder of checkpoints; None for none."""
    checkpoint = {"checkpoint": folder, "every": every, "keep": KEEP} if folder else {}
    return {"verbose": 0, **checkpoint}


def of_arrays(folder):
    """Train on shuffled arrays, with callbacks that have a state of their own."""
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(90, 6, 2)), rng.normal(size=(90, 1))
    model = network(optimizer=keras.optimizers.Adam(0.05))
    callbacks = [
        keras.callbacks.EarlyStopping("val_loss", patience=4, restore_best_weights=True),
        keras.callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=0.01),
    ]
    given = {"batch_size": 8, "validation_split": 0.2, "callbacks": callbacks, "epochs": 7}
    return model, model.fit(x, y, **given, **kept(folder, 3))


def of_lanes(folder):
    """Train on lanes that are shuffled by a seed."""
    rng = np.random.default_rng(2)
    series = [rng.normal(size=(n, 2)) for n in (40, 9, 25, 31, 12)]
    model = network(every_step=True)
    laid = lanes(series, lanes=3, steps=5, seed=3)
    return model, model.fit(laid, epochs=6, **kept(folder, 2))


def of_a_generator(folder):
    """Train on a generator, at each epoch's end."""

    def give():
        rng = np.random.default_rng(5)
        while True:
            yield rng.normal(size=(7, 6, 2)), rng.normal(size=(7, 1))

    model = network(optimizer="rmsprop")
    given = {"steps_per_epoch": 5, "epochs": 6, "shuffle": False}
    return model, model.fit(give(), **given, **kept(folder, "epoch"))


KINDS = {"arrays": of_arrays, "lanes": of_lanes, "generator": of_a_generator}


# ---- the children --------------------------------------------------------------------------------


def train(line):
    """Do what a line says, in a child."""
    if line["moment"] is not None:
        die_at(line["moment"])
    model, history = KINDS[line["kind"]](line["folder"])
    values = [np.asarray(v.value) for v in (*model.variables, *model.optimizer.variables)]
    with open(line["result"], "wb") as file:
        pickle.dump(([v.tobytes() for v in values], history.history, history.epoch), file)


def die_at(moment):
    """Let this process kill itself at a step of training or saving, counted from its begin."""
    count = [0]

    def step():
        count[0] += 1
        if count[0] == moment:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(owner, name):
        call = getattr(owner, name)

        def counted(*args, **kwargs):
            step()
            result = call(*args, **kwargs)
            step()
            return result

        setattr(owner, name, counted)

    def cut(arrays, path, metadata):
        write(arrays, path, metadata=metadata)
        content = Path(path).read_bytes()
        for part in (0, 9, len(content) // 2):  # a process that is killed as it writes
            os.truncate(path, part)
            step()
        Path(path).write_bytes(content)
        step()

    write, container.save_file = container.save_file, cut
    for owner, name in (
        (saving.Saving, "trained"),
        (saving.Saving, "epoch_ended"),
        (saving.contents, "taken"),
        (saving.contents, "put"),
        (_whole_files.os, "fsync"),
        (_whole_files.os, "replace"),
        (Path, "unlink"),
    ):
        around(owner, name)


def fork_on_demand():
    for line in sys.stdin:
        child = os.fork()
        if not child:
            code = 1
            try:
                train(json.loads(line))
                code = 0
            finally:
                os._exit(code)
        os.write(1, b"%d\n" % ended(child, json.loads(line)["seconds"]))


def ended(child, seconds):
    """Return the exit code of a child, which is killed after so many seconds, or isn't."""
    begin, found = time.monotonic(), 0
    while seconds is not None and not found and time.monotonic() - begin < seconds:
        time.sleep(0.002)
        found, status = os.waitpid(child, os.WNOHANG)
    if not found:
        if seconds is not None:
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status)


# ---- the one who kills ---------------------------------------------------------------------------


class Fault(AssertionError):  # noqa: N818
    """What must hold doesn't."""


class Trainings:
    """A process that trains in children; to be closed."""

    def __init__(self, room: Path):
        self.room = room
        self._process = subprocess.Popen(
            [sys.executable, "-u", __file__],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=os.environ | {"STATEWISE_CACHE": str(room / "programs")},
        )

    def close(self):
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()

    def run(self, kind, folder=None, moment=None, seconds=None):
        """Train; return what it came to, or None if it was killed.

        Args:
            kind: which training.
            folder: of its checkpoints.
            moment: at which step it kills itself.
            seconds: after how long it's killed from outside.
        """
        result = self.room / "result"
        result.unlink(missing_ok=True)
        line = {"kind": kind, "folder": folder and str(folder), "result": str(result)}
        line |= {"moment": moment, "seconds": seconds}
        self._process.stdin.write(json.dumps(line) + "\n")
        self._process.stdin.flush()
        code = int(self._process.stdout.readline())
        if code == -signal.SIGKILL:
            return None
        if code:
            raise Fault(f"{kind}: a training ended with the code {code}; see above")
        return pickle.loads(result.read_bytes())


def kill(trainings, kinds, kills, rng: random.Random, by_time=0.5, tell=lambda text: None):
    """Kill trainings so many times; raise `Fault` where one that ends isn't as if never killed.

    Args:
        trainings: where they run.
        kinds: which of them.
        kills: how many times.
        rng: what is drawn from.
        by_time: the part of the kills that come from outside, at any time.
        tell: is told how it goes.
    """
    done, ended = 0, 0
    whole = {kind: trainings.run(kind) for kind in kinds}
    while done < kills:
        kind = kinds[ended % len(kinds)]
        folder = trainings.room / f"{ended} {kind}"
        newest, of_this, most = 0, 0, rng.randint(3, 12)
        while True:
            how = {"moment": rng.choice([rng.randint(1, 12), rng.randint(1, 150)])}
            if rng.random() < by_time:
                how = {"seconds": rng.uniform(0.1, 1.5)}
            if of_this >= most or done >= kills:
                how = {}
            result = trainings.run(kind, folder, **how)
            now = newest_whole(folder)
            if now < newest:
                raise Fault(f"{kind}: the checkpoint of batch {newest} is lost, {now} is there")
            newest = now
            if result is not None:
                break
            done, of_this = done + 1, of_this + 1
        if result != whole[kind]:
            raise Fault(f"{kind}: after {of_this} kills the training ended otherwise")
        if len(left := sorted(folder.iterdir())) > KEEP:
            raise Fault(f"{kind}: more files than {KEEP} are left: {[f.name for f in left]}")
        ended += 1
        tell(f"{done} kills, {ended} trainings came to their end ({kind} after {of_this} kills)")
        shutil.rmtree(folder)
    return done, ended


def newest_whole(folder: Path) -> int:
    """Return the number of the newest checkpoint; all that are there must be whole."""
    found = Folder(folder, KEEP)
    for number in found.numbers():
        found.read(number)
    return max(found.numbers(), default=0)


if __name__ == "__main__":
    fork_on_demand()
