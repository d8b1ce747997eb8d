"""What examples/to_copy has is complete: copied to its place, it works as it stands."""

import doctest
import importlib.util
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.recurrence import LSTM, Weights, choice, run, scan

FOLDER = Path(__file__).parents[1] / "examples" / "to_copy"


def load(name: str, room: str):
    """Return a module as if it stood in a room of the house."""
    spec = importlib.util.spec_from_file_location(f"{room}.{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow
def test_a_kind_of_task():
    code = (
        "import sys, pytest, statewise.tasks\n"
        f"statewise.tasks.__path__.append({str(FOLDER)!r})\n"
        f"sys.exit(pytest.main(['-q', '--doctest-modules', {str(FOLDER / 'labels')!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_backend(monkeypatch, rng):
    backend = load("unrolled", "statewise.recurrence.backends").BACKEND
    served = []

    def counted(call):
        served.append(call.x.shape)
        return backend.run(call)

    backends = (backend._replace(run=counted), *choice.BACKENDS)
    monkeypatch.setattr(choice, "BACKENDS", backends)
    cell, weights = LSTM(), Weights(*(rng.normal(size=(rows, 12)) for rows in (2, 3)))
    for time in (3, 9):
        x = jnp.asarray(rng.normal(size=(40, time, 2)), "float32")
        weights = jax.tree.map(lambda w: jnp.asarray(w, "float32"), weights)
        state = cell.initial_state(40, 3, x.dtype)
        found, expected = (f(cell, x, state, weights) for f in (run, scan))
        np.testing.assert_allclose(found.outputs, expected.outputs, atol=1e-5)
    assert served == [(40, 3, 2)]


def test_a_format():
    module = load("npz", "statewise.interop")
    assert doctest.testmod(module).failed == 0
