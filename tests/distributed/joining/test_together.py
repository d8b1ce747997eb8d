"""Training in several processes of this machine: the weights of one, and what becomes of faults."""

import time

import numpy as np
import pytest

from run_together import JOIN, together

SETUP = """
rng = np.random.default_rng(7)
x = rng.normal(size=(44, 6, 3)).astype("float32")
y = rng.normal(size=(44, 6, 2)).astype("float32")
series = [rng.normal(size=(n, 3)).astype("float32") for n in rng.integers(5, 30, size=17)]
data = lanes(series, lanes=8, steps=4, targets=[0, 2], seed=1)

def model(**options):
    keras.utils.set_random_seed(3)
    made = statewise.Sequential([
        layers.Input((None, 3)), layers.GRU(5, return_sequences=True, **options), layers.Dense(2),
    ])
    made.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01), metrics=["mae"])
    return made

def save(name, *arrays):
    np.savez(f"{FOLDER}/{name}-{run.process}-of-{run.processes}.npz", *jax.tree.leaves(arrays))
"""
LANES = (
    SETUP
    + """
made = model(dropout=0.2)
save("lanes", made.fit(data, epochs=2, verbose=0).history, made.get_weights())
"""
)
ALL = (
    SETUP
    + """
made = model(dropout=0.2)
history = made.fit(x, y, batch_size=16, epochs=2, verbose=0, validation_data=(x, y)).history
save("arrays", history, made.get_weights(), made.predict(x, batch_size=8, verbose=0))
if run.processes == 1 or run.first:  # one alone may save, load and make models
    made.save(f"{FOLDER}/made.keras")
    again = statewise.load_model(f"{FOLDER}/made.keras")
    close(again.get_weights(), made.get_weights(), 0)
on_lanes = model()
history = on_lanes.fit(data, epochs=2, verbose=0).history
save("lanes", history, on_lanes.get_weights(), *on_lanes.predict(data, verbose=0))
batches = ((x[i:i + 8], y[i:i + 8]) for i in range(0, 40, 8))
save("read", model().fit(batches, verbose=0).history, on_lanes.evaluate(data, verbose=0))
from statewise.sequences import windows
panel = {f"tank {i}": one for i, one in enumerate(series)}
cut = windows(panel, lookback=4, targets=[0, 2], batch=8, seed=1)
on_windows = statewise.Sequential([layers.Input((None, 3)), layers.GRU(5), layers.Dense(2)])
on_windows.compile(loss="mse", optimizer=keras.optimizers.Adam(0.01))
history = on_windows.fit(cut, epochs=2, verbose=0).history
save("windows", history, on_windows.get_weights(), on_windows.predict(cut, verbose=0))
"""
)


def results(folder, name, process, processes):
    with np.load(folder / f"{name}-{process}-of-{processes}.npz") as file:
        return [file[key] for key in file.files]


def assert_as_one(folder, names, processes):
    for name in names:
        alone = results(folder, name, 0, 1)
        for process in range(processes):
            found = results(folder, name, process, processes)
            for a, b in zip(found, alone, strict=True):
                np.testing.assert_allclose(a, b, atol=1e-5, rtol=1e-5)


def ran(done):
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]


def test_two_processes_train_on_lanes_as_one(tmp_path):
    for processes in (1, 2):
        ran(together(tmp_path, processes, LANES))
    assert_as_one(tmp_path, ["lanes"], 2)


@pytest.mark.slow
def test_four_processes_train_evaluate_and_predict_as_one(tmp_path):
    for processes in (1, 4):
        ran(together(tmp_path, processes, ALL))
    assert_as_one(tmp_path, ["arrays", "lanes", "read", "windows"], 4)


KILLED = (
    SETUP
    + """
import os, pathlib, signal, sys
class Fault(keras.callbacks.Callback):
    seen = 0
    def on_train_batch_end(self, batch, logs=None):
        Fault.seen += 1
        mark = pathlib.Path(FOLDER, "done")
        if Fault.seen == 9 and run.process == VICTIM and not mark.exists():
            mark.touch()
            os.kill(os.getpid(), SIGNAL)

made = model(dropout=0.2)
history = made.fit(
    data, epochs=4, verbose=0, callbacks=[Fault()], checkpoint=FOLDER + "/night", every=3
).history
save("end", history, made.get_weights())
"""
)


@pytest.mark.slow
@pytest.mark.parametrize("victim", [0, 1])
def test_a_killed_process_is_named_and_the_run_goes_on_to_the_same_bits(tmp_path, victim):
    undisturbed, killed = tmp_path / "undisturbed", tmp_path / "killed"
    undisturbed.mkdir(), killed.mkdir()
    ran(together(undisturbed, 2, f"VICTIM, SIGNAL = -1, 9\n{KILLED}"))
    done = together(killed, 2, f"VICTIM, SIGNAL = {victim}, 9\n{KILLED}", "--restarts", "1")
    ran(done)
    assert f"process {victim} was ended by SIGKILL; the others end too" in done.stderr
    assert f"[{1 - victim}] " in done.stdout
    assert f"ProcessLostError: Process {victim} of 2 (pid" in done.stdout
    expected = results(undisturbed, "end", 0, 2)
    for process in (0, 1):
        for a, b in zip(results(killed, "end", process, 2), expected, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_process_that_stands_still_is_named_and_the_others_end(tmp_path):
    begin = time.monotonic()
    code = f"VICTIM, SIGNAL = 1, signal.SIGSTOP\n{KILLED}"
    done = together(tmp_path, 2, "import signal\n" + code, "--patience", "5")
    assert done.returncode == 70
    assert "ProcessLostError: Process 1 of 2" in done.stdout
    assert "no sign of life for" in done.stdout
    assert time.monotonic() - begin < 400  # far more than it takes, far less than for ever


@pytest.mark.slow
@pytest.mark.parametrize(
    ("begin", "code", "said"),
    [
        (
            "import os, statewise.distributed.joining.members as members\n"
            "if os.environ['STATEWISE_PROCESS'] == '1':\n    members.__version__ = '0.0.1'\n"
            + JOIN,
            "",
            "statewise is 0.0.1 in process 1",
        ),
        ("import jax\njax.devices()\n" + JOIN, "", "join() comes too late"),
        (
            JOIN,
            SETUP + "model().fit(x + run.process, y, batch_size=4, verbose=0)",
            "In process 1 of 2, x, y and their weights differ from process 0's",
        ),
        (
            JOIN,
            SETUP + "made = model(); np.random.seed(run.process)\n"
            "made.fit(x, y, batch_size=4, verbose=0)",
            "In process 1 of 2, the order of the samples differ from process 0's",
        ),
    ],
    ids=["version", "late", "data", "order"],
)
def test_what_would_go_wrong_is_refused_in_every_process(tmp_path, begin, code, said):
    done = together(tmp_path, 2, code, begin=begin)
    assert done.returncode == 1
    for process in ("[0]", "[1]"):
        assert any(
            line.startswith(process) and said in line for line in done.stdout.splitlines()
        ), done.stdout[-3000:]


@pytest.mark.slow
def test_an_error_in_one_process_ends_the_others_with_its_name(tmp_path):
    code = "if run.process == 1:\n    raise KeyError('mine')\nmodel().fit(data, verbose=0)"
    done = together(tmp_path, 2, SETUP + code)
    assert done.returncode == 1
    assert "Process 1 of 2" in done.stdout
    assert "it ended with an error, KeyError: 'mine'" in done.stdout
