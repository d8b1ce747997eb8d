"""The first backend that serves a call runs it; all give the same."""

import io

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.recurrence import (
    GRU,
    LSTM,
    Call,
    DropoutMasks,
    Result,
    SimpleRNN,
    Weights,
    choice,
    native,
    native_serves,
    run,
    scan,
    show_config,
)
from statewise.recurrence.backends import cpu, reference
from statewise.recurrence.backends.backend import Backend

needs_extension = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


def case(cell=None, dtype="float32", shape=(2, 3, 4), units=5):
    """Return a cell, inputs, a state and weights."""
    cell, rng = cell or LSTM(), np.random.default_rng(0)
    gates = len(cell.gates) * units
    x = jnp.asarray(rng.normal(size=shape), dtype)
    kernels = (rng.normal(size=(n, gates)) for n in (shape[2], units))
    state = cell.initial_state(shape[0], units, dtype)
    return cell, x, state, Weights(*(jnp.asarray(kernel, dtype) for kernel in kernels))


@needs_extension
@pytest.mark.parametrize(
    "cell",
    [LSTM(), GRU(), GRU(reset_after=False), SimpleRNN()],
    ids=["LSTM", "GRU", "GRU, reset before", "SimpleRNN"],
)
def test_what_is_served(cell):
    assert native_serves(*case(cell)) is None
    for leading in ((), (len(cell.gates),)):
        masks = DropoutMasks(jnp.ones((*leading, 2, 4)), jnp.ones((*leading, 2, 5)))
        assert native_serves(*case(cell), dropout=masks) is None
    assert native_serves(*case(cell, shape=(32, 1, 4))) is None


NOT_SERVED = pytest.mark.parametrize(
    ("arguments", "options", "reason"),
    [
        ({"cell": LSTM(activation=jax.nn.leaky_relu)}, {}, "the activation is none of linear, "),
        ({"cell": GRU(recurrent_activation=jax.nn.elu)}, {}, "activation is none of sigmoid, "),
        ({"shape": (0, 3, 4)}, {}, "an array is empty"),
        ({"shape": (31, 1, 4)}, {}, "one time step of fewer than 32 samples is faster without"),
        ({"shape": (1, 4, 4)}, {}, "one sample of 4 time steps or fewer is faster without"),
    ],
)


@NOT_SERVED
def test_what_is_not_served(arguments, options, reason):
    assert reason in native_serves(*case(**arguments), **options)


def test_a_small_loop_of_one_sample_is_not_served(monkeypatch):
    monkeypatch.setattr(cpu._small_loops, "why_not_whole", lambda: None)
    assert "128 outputs or fewer" in native_serves(*case(shape=(1, 25, 4)))
    monkeypatch.setattr(cpu._small_loops, "why_not_whole", lambda: "so")
    assert "outputs or fewer" not in (native_serves(*case(shape=(1, 25, 4))) or "")


def test_mixed_dtypes_are_not_served():
    cell, x, state, weights = case()
    weights = weights._replace(bias=jnp.zeros(20, "bfloat16"))
    expected = "the arrays are bfloat16 and float32, not all of one of float32"
    assert native_serves(cell, x, state, weights).startswith(expected)


def test_an_accelerator_is_not_served(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert native_serves(*case()) == "the arrays are on a gpu, not on the CPU"


def program_of(arguments, options):
    """Return the program of a call, in words."""
    cell, *arrays = arguments
    return jax.jit(lambda *given: run(cell, *given, **options)).lower(*arrays).as_text()


@needs_extension
def test_what_is_served_runs_natively():
    options = {"unroll": True, "mask": jnp.ones((2, 3), bool)}  # neither makes a difference
    assert "statewise_recurrence_forward" in program_of(case(), {})
    assert "statewise_recurrence_forward" in program_of(case(), options)


@NOT_SERVED
def test_what_is_not_served_runs_on_the_reference(arguments, options, reason):
    program = program_of(case(**arguments), options)
    assert "statewise_recurrence" not in program
    expected = scan(*case(**arguments), **options)
    found = run(*case(**arguments), **options)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def answering(name, reason, passed=None):
    """Return a backend that says this of every call, and gives its name for a result."""
    return Backend(
        name,
        lambda call: reason,
        lambda call: Result(name, call, None),
        (lambda reason: None) if passed is None else passed,
    )


def test_the_first_that_serves_runs_the_call(monkeypatch):
    passed = []
    backends = (
        answering("gpu", "there is none", passed.append),
        answering("tpu", None),
        answering("other", None, passed.append),
    )
    monkeypatch.setattr(choice, "BACKENDS", backends)
    found = run(*case(), go_backwards=True)
    assert found.outputs == "tpu"
    assert passed == ["there is none"]
    assert found.last.go_backwards
    assert found.last.x.shape == (2, 3, 4)


def test_the_error_of_the_one_that_serves_is_not_hidden(monkeypatch):
    def fails(call):
        raise RuntimeError("out of memory")

    failing = Backend("gpu", lambda call: None, fails)
    monkeypatch.setattr(choice, "BACKENDS", (failing, reference.BACKEND))
    with pytest.raises(RuntimeError, match="out of memory"):
        run(*case())


def test_calls_that_nobody_serves_say_why(monkeypatch):
    monkeypatch.setattr(choice, "BACKENDS", (answering("gpu", "there is none"),))
    with pytest.raises(ValueError, match="No backend serves this call: there is none"):
        run(*case())


def test_the_last_backend_serves_every_call():
    assert choice.BACKENDS[-1] is reference.BACKEND
    assert reference.BACKEND.why_not(Call(*case(dtype="int8"))) is None
    assert len({backend.name for backend in choice.BACKENDS}) == len(choice.BACKENDS)


@pytest.mark.parametrize("options", [{}, {"go_backwards": True, "all_outputs": False}])
def test_the_result_is_the_references(options):
    found, expected = (function(*case(), **options) for function in (run, scan))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-6), found, expected)


def test_a_missing_extension_is_told_once(monkeypatch, caplog):
    log = native.extension.log_if_missing
    monkeypatch.setattr(native.extension, "_load", lambda: (None, "it is not built"))
    monkeypatch.setattr(native, "unavailable_reason", lambda: "it is not built")
    log.cache_clear()
    try:
        for _ in range(2):
            assert run(*case()).outputs.shape == (2, 3, 5)
    finally:
        log.cache_clear()
    (record,) = caplog.records
    assert "runs on the slower reference, because it is not built" in record.getMessage()


def test_an_extension_that_is_switched_off_is_not_missed(monkeypatch, caplog):
    log = native.extension.log_if_missing
    reason = f"the environment variable {native.extension.SWITCH} switches it off"
    monkeypatch.setattr(native.extension, "_load", lambda: (None, reason))
    monkeypatch.setattr(native, "unavailable_reason", lambda: reason)
    log.cache_clear()
    try:
        run(*case())
    finally:
        log.cache_clear()
    assert not caplog.records


def test_no_time_steps_are_refused():
    with pytest.raises(ValueError, match="x has no time steps"):
        run(*case(shape=(2, 0, 4)))


def test_the_configuration_in_words():
    text = io.StringIO()
    show_config(text)
    lines = text.getvalue().splitlines()
    assert lines[0].startswith("statewise ")
    served = "native C++ kernels" if native.available() else "the reference"
    assert served in lines[1]


def test_the_configuration_on_an_accelerator(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    text = io.StringIO()
    show_config(text)
    assert "the reference (a compiled lax.scan), because" in text.getvalue()
