"""The extension's nonlinearities over their whole range, and whether it's there at all."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from numpy_activations import FUNCTIONS
from statewise.recurrence import native
from statewise.recurrence.native.numbers import ACTIVATION_NUMBERS

needs_extension = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)
TANH = ACTIVATION_NUMBERS["tanh"]
EXP = -1  # the number of a function that no cell has
CORE = ("exp", "tanh", "sigmoid")  # what the others are made of
# Of those, and of the others, relative to their values.
TOLERANCE = {"float32": (3e-7, 1e-6), "float64": (1e-15, 3e-15)}
AT_THE_ENDS = {  # infinity, minus infinity, no number, zero
    "exp": [np.inf, 0, np.nan, 1],
    "tanh": [1, -1, np.nan, 0],
    "sigmoid": [1, 0, np.nan, 0.5],
    "linear": [np.inf, -np.inf, np.nan, 0],
    "relu": [np.inf, 0, np.nan, 0],
    "hard_tanh": [1, -1, np.nan, 0],
    "hard_sigmoid": [1, 0, np.nan, 0.5],
    "old_hard_sigmoid": [1, 0, np.nan, 0.5],
    "elu": [np.inf, -1, np.nan, 0],
}
# Beyond these exp gives 0 or infinity already; a little inside of the numbers' own limits.
EXP_LIMIT = {"float32": (-87.3, 88.37), "float64": (-708.3, 709.4)}


def whole_range(dtype):
    """Return numbers of all sizes that a dtype has, and a dense stretch around zero."""
    info = np.finfo(dtype)
    powers = np.exp2(np.linspace(info.minexp, info.maxexp - 0.01, 40_001))
    dense = np.linspace(-110, 110, 200_001)
    far = np.linspace(-800, 800, 50_001)
    return np.concatenate([-powers, powers, dense, far]).astype(dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", ["exp", *FUNCTIONS])
def test_a_nonlinearity_over_its_whole_range(module, name, dtype):
    x, least = whole_range(dtype), np.finfo(dtype).tiny
    if name == "exp":
        low, high = EXP_LIMIT[dtype]
        outside = module.nonlinearity(EXP, x[(x < 1.01 * low) | (x > 1.01 * high)])
        assert set(np.unique(outside)) == {0.0, np.inf}
        x = x[(x > low) & (x < high)]
    if name not in CORE:
        least *= 1000  # products with what is zero below the normal numbers
    found = module.nonlinearity(EXP if name == "exp" else ACTIVATION_NUMBERS[name], x)
    assert found.dtype == dtype
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        expected = (np.exp if name == "exp" else FUNCTIONS[name].value)(x.astype(np.longdouble))
    normal = (np.abs(expected) >= least) & (np.abs(expected) <= np.finfo(dtype).max)
    error = np.abs(found - expected)[normal] / np.abs(expected[normal])
    assert error.max() < TOLERANCE[dtype][0 if name in CORE else 1]
    assert (np.abs(found[np.abs(expected) < least]) <= least).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_slope_over_its_whole_range(module, name, dtype):
    x = whole_range(dtype)
    found = module.nonlinearity(ACTIVATION_NUMBERS[name], x, slope=True)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        expected = FUNCTIONS[name].slope(x.astype(np.longdouble))
    known = np.isfinite(expected)  # infinity times zero, far out
    assert known.mean() > 0.9
    assert np.abs(found - expected)[known].max() < TOLERANCE[dtype][1]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nonlinearities_at_the_ends(module, dtype):
    x = np.array([np.inf, -np.inf, np.nan, 0.0], dtype)
    for name, expected in AT_THE_ENDS.items():
        number = EXP if name == "exp" else ACTIVATION_NUMBERS[name]
        np.testing.assert_array_equal(module.nonlinearity(number, x), expected, err_msg=name)


@needs_extension
@given(arrays(np.float32, st.integers(1, 40), elements=st.floats(width=32)))
def test_each_number_is_treated_alike_wherever_it_stands(x):
    together = native.extension.extension().nonlinearity(TANH, x)
    alone = [native.extension.extension().nonlinearity(TANH, x[i : i + 1]) for i in range(len(x))]
    np.testing.assert_array_equal(together, np.concatenate(alone))


@needs_extension
def test_a_wrong_dtype_or_name_is_refused():
    module = native.extension.extension()
    with pytest.raises(ValueError, match="Expected float32 or float64"):
        module.nonlinearity(TANH, np.zeros(3, "int32"))
    with pytest.raises(ValueError, match="There is no such function"):
        module.nonlinearity(ACTIVATION_NUMBERS["softmax"], np.zeros(3, "float32"))


@needs_extension
def test_the_number_of_threads_can_be_set():
    module = native.extension.extension()
    module.set_thread_count(3)
    assert module.thread_count() == 3
    module.set_thread_count(0)
    assert module.thread_count() >= 1


def python(code, **environment):
    """Return what a fresh Python prints."""
    import os

    run = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return run.stdout


def test_switched_off_the_reference_serves():
    code = """
import jax.numpy as jnp
from statewise.recurrence import LSTM, Weights, native, run, show_config
x, cell = jnp.ones((1, 2, 3)), LSTM()
print(run(cell, x, cell.initial_state(1, 2, x.dtype), Weights(x[0, :1].T @ jnp.ones((1, 8)),
    jnp.ones((2, 8)))).outputs.shape)
show_config()
try:
    native.live_step([])
except RuntimeError as error:
    print(error)
"""
    printed = python(code, STATEWISE_NATIVE="0")
    assert "(1, 2, 2)" in printed
    assert "the reference (a compiled lax.scan), because the environment variable" in printed
    assert "not available: the environment variable STATEWISE_NATIVE switches it off." in printed


@needs_extension
def test_the_instruction_set_and_threads_can_be_chosen_from_outside():
    code = """
from statewise.recurrence import native
module = native.extension.extension()
print(module.instruction_set(), module.thread_count())
"""
    printed = python(code, STATEWISE_ISA="portable", STATEWISE_NUM_THREADS="5")
    assert printed.split() == ["portable", "5"]


@needs_extension
@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("STATEWISE_ISA", "avx513", "choose one of .*portable"),
        ("STATEWISE_ISA", "AVX2", "choose one of .*portable"),
        ("STATEWISE_NUM_THREADS", "two", "a whole number of threads"),
        ("STATEWISE_NUM_THREADS", "0", "a whole number of threads"),
        ("STATEWISE_NATIVE", "of", "one of 0, off"),
    ],
)
def test_a_misspelt_choice_is_refused(name, value, says):
    code = "from statewise.recurrence import show_config; show_config()"
    environment = {**os.environ, name: value}
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert run.returncode == 1
    last = run.stderr.strip().splitlines()[-1]
    assert re.match(f"ValueError: The environment variable {name} is '{value}'.*{says}", last)
