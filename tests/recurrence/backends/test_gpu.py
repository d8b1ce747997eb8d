"""cuDNN's LSTM: its weights, masks as lengths, every gradient, and what isn't given to it."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jax import export
from jax.experimental import rnn

from all_pairs import all_pairs
from drawn_sizes import drawn, sizes
from gpu_stand_in import in_float32, pretend_a_gpu, random_mask
from random_cases import assert_close, both_of, random_case
from some_slow import some_slow
from statewise.recurrence import LSTM, Call, DropoutMasks, Weights, choice, run, scan
from statewise.recurrence.backends import cudnn, cudnn_elsewhere, gpu

OPTIONS = {
    "mask": [None, "right", "left", "any"],
    "units": [5, 1, 33],
    "batch": [3, 1, 8],
    "time": [6, 1, 17],
    "dtype": ["float32", "bfloat16", "float16"],
    "use_bias": [True, False],
    "go_backwards": [False, True],
    "zero_output_for_mask": [False, True],
    "all_outputs": [True, False],
    "drop_inputs": [False, True],
}
# What may come apart: sums in another order, or what is rounded to 16 bits and computed in 32.
TOLERANCE = {"float32": 1e-5, "bfloat16": 0.04, "float16": 5e-3}


@pytest.fixture
def pretended(monkeypatch):
    pretend_a_gpu(monkeypatch)


def cudnn_run(cell, x, state, weights, **options):
    call = Call(cell, x, state, weights, **options)
    assert gpu.BACKEND.why_not(call) is None
    return gpu.BACKEND.run(call)


@drawn(5)
@given(*(sizes(most) for most in (9, 9, 40, 40)), st.integers(0, 2**32 - 1))
def test_the_flat_weights_are_cudnns(batch, time, features, units, seed):
    case = random_case("LSTM", np.random.default_rng(seed), batch=batch, time=time,
                       features=features, units=units)  # fmt: skip
    _, x, state, weights = case
    flat = cudnn.flat_weights(weights)
    assert flat.shape == (rnn.get_num_params_in_lstm(features, units, 1, False),)
    given = rnn.unpack_lstm_weights(flat, features, units, 1, False)
    lengths = jnp.full((batch,), time, jnp.int32)
    y, h, c = rnn.lstm_ref(
        x, state.h[None], state.c[None], *given, lengths, features, units, 1, 0.0, False
    )
    assert_close((y, h[0], (h[0], c[0])), tuple(scan(*case)), 1e-5)


@pytest.mark.parametrize("options", some_slow(all_pairs(OPTIONS), 4))
def test_cudnn_results_and_gradients_are_the_references(options, rng, pretended):
    options = dict(options)
    size = {key: options.pop(key) for key in ("units", "time", "batch", "dtype")}
    case = random_case("LSTM", rng, features=3, bias=options.pop("use_bias"), **size)
    options["mask"] = random_mask(options["mask"], rng, size["batch"], size["time"])
    if options.pop("drop_inputs"):
        kept = jnp.asarray(rng.random((size["batch"], 3)) < 0.5, size["dtype"]) * 2
        options["dropout"] = DropoutMasks(inputs=kept)

    runs = cudnn_run, in_float32(size["dtype"])
    found, wanted = (both_of(run, options)(*case) for run in runs)
    assert_close(found, wanted, TOLERANCE[size["dtype"]])


def test_what_hidden_steps_hold_counts_nowhere(rng, pretended):
    cell, x, state, weights = random_case("LSTM", rng, batch=4, time=7)
    mask = random_mask("any", rng, 4, 7)
    holes = jnp.where(mask[..., None], x, jnp.nan)
    found = both_of(cudnn_run, {"mask": mask})(cell, holes, state, weights)
    assert_close(found, both_of(scan, {"mask": mask})(cell, x, state, weights), 1e-5)


def test_a_stack_of_models_runs_under_vmap(rng, pretended):
    cases = [random_case("LSTM", rng)[1:] for _ in range(3)]
    stacked = jax.tree.map(lambda *arrays: jnp.stack(arrays), *cases)
    both = jax.vmap(lambda *arrays: both_of(cudnn_run, {})(LSTM(), *arrays))(*stacked)
    for i, case in enumerate(cases):
        one = jax.tree.map(lambda a, i=i: a[i], both)
        assert_close(one, both_of(scan, {})(LSTM(), *case), 1e-5)


def test_derivatives_that_cudnn_has_not_are_refused(rng, pretended):
    cell, x, state, weights = random_case("LSTM", rng)

    def total(x):
        return cudnn_run(cell, x, state, weights).last.sum()

    for derivative in (jax.jacfwd(total), jax.grad(lambda x: jax.grad(total)(x).sum())):
        with pytest.raises(TypeError, match="first derivatives in reverse mode"):
            derivative(x)


def why_not(cell=None, dtype="float32", shape=(2, 3, 4), units=5, **options):
    cell = cell or LSTM()
    x, gates = jnp.ones(shape, dtype), len(cell.gates) * units
    weights = Weights(jnp.ones((shape[2], gates), dtype), jnp.ones((units, gates), dtype))
    state = cell.initial_state(shape[0], units, dtype)
    return gpu.BACKEND.why_not(Call(cell, x, state, weights, **options))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"cell": LSTM(activation=jax.nn.relu)}, "the activations are not tanh and sigmoid"),
        ({"shape": (0, 3, 4)}, "an array is empty"),
        ({"resets": jnp.ones((2, 3), bool)}, "cuDNN has no resets"),
        ({"dropout": DropoutMasks(recurrent=jnp.ones((2, 5)))}, "previous output has dropout"),
        ({"dropout": DropoutMasks(inputs=jnp.ones((4, 2, 4)))}, "masks of their own"),
        ({"dtype": "int8"}, "the arrays are int8, not all of one of float32, bfloat16, float16"),
    ],
)
def test_what_cudnn_does_not_take(arguments, reason, pretended):
    assert reason in why_not(**arguments)


def test_float64_would_be_computed_in_float32_and_is_not_taken(pretended):
    with jax.enable_x64(True):
        assert "the arrays are float64" in why_not(dtype="float64")


def test_other_cells_other_devices_and_open_sizes_are_not_taken(rng, pretended, monkeypatch):
    gru, *arrays = random_case("GRU", rng)
    assert "for the LSTM alone" in gpu.BACKEND.why_not(Call(gru, *arrays))
    shape = export.symbolic_shape("b, 3, 4")
    cell, weights = LSTM(), Weights(jnp.ones((4, 20)), jnp.ones((5, 20)))
    x, h = (jax.ShapeDtypeStruct((shape[0], *rest), "float32") for rest in ((3, 4), (5,)))
    call = Call(cell, x, cell.state_type(h, h), weights)
    assert "is open (the program is for export)" in gpu.BACKEND.why_not(call)
    x = jax.ShapeDtypeStruct((1 << 13, 1 << 13, 1), "float32")
    h = jax.ShapeDtypeStruct((1 << 13, 5), "float32")
    call = Call(cell, x, cell.state_type(h, h), weights._replace(kernel=jnp.ones((1, 20))))
    assert "longer than JAX can tell cuDNN" in gpu.BACKEND.why_not(call)
    with jax.default_matmul_precision("bfloat16"):
        assert "products are asked for in bfloat16" in why_not()
    with jax.default_matmul_precision("float32"):
        assert why_not() is None
    with jax.default_device(jax.devices("cpu")[0]):
        assert why_not() == "the arrays are on a cpu, not on a GPU"
    monkeypatch.setattr(gpu, "has_cudnn", cudnn_elsewhere.has_cudnn)
    assert why_not() == "the installed JAX has no cuDNN"
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    assert why_not() == "the arrays are on a tpu, not on a GPU"


def test_the_switch(monkeypatch):
    pretend_a_gpu(monkeypatch, "reference")
    assert why_not() == "the environment variable STATEWISE_GPU chooses the reference"
    monkeypatch.setenv(gpu.SWITCH, " cuDNN ")
    assert why_not() is None
    monkeypatch.setenv(gpu.SWITCH, "fast")
    with pytest.raises(ValueError, match="STATEWISE_GPU is 'fast'; expected one of cudnn"):
        why_not()


def test_a_call_goes_to_cudnn_where_there_is_one(rng, pretended):
    case, mask = random_case("LSTM", rng), random_mask("right", rng, 3, 5)
    program = jax.jit(lambda *arrays: run(case[0], *arrays, mask=mask))
    assert "rnn_fwd" in str(program.trace(*case[1:]).jaxpr)
    name, reasons = choice.served_by(Call(*case, resets=mask))
    assert name == "reference"
    assert reasons["cuDNN"] == "cuDNN has no resets"
    assert "STATEWISE_GPU=kernels chooses them" in reasons["GPU kernels"]


def test_on_a_cpu_nobody_asks_for_a_gpu(rng):
    _, reasons = choice.served_by(Call(*random_case("LSTM", rng, time=1)))
    assert list(reasons) in ([], ["cpu"])


@pytest.fixture
def written_elsewhere_again():
    yield
    cudnn_elsewhere.write_elsewhere()  # with cuDNN's own rules, where there are some


def test_an_exported_program_needs_no_cudnn(written_elsewhere_again, rng, pretended, monkeypatch):
    case = random_case("LSTM", rng)

    def both(*arrays):
        return both_of(cudnn_run, {}).__wrapped__(case[0], *arrays)

    def refuses(*_, **__):
        raise AssertionError("a call of cuDNN in a program for elsewhere")

    for name in ("cudnn_rnn_lowering", "cudnn_rnn_bwd_lowering"):
        monkeypatch.setattr(rnn.gpu_rnn, name, refuses, raising=False)
    monkeypatch.setattr(cudnn_elsewhere, "has_cudnn", lambda: True)
    assert cudnn_elsewhere.write_elsewhere()
    for platforms in (["cuda"], ["cpu"]):
        program = export.export(jax.jit(both), platforms=platforms)(*case[1:])
        assert not re.findall(r"custom_call @\w*rnn\w*", program.mlir_module())
    assert_close(program.call(*case[1:]), both_of(scan, {})(*case), 1e-5)
