"""Our own kernels for a GPU, run by Pallas's interpreter, and written for one."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from all_pairs import all_pairs
from gpu_stand_in import in_float32, pretend_a_gpu, random_mask
from random_cases import assert_close, both_of, random_case
from statewise.recurrence import GRU, LSTM, Call, DropoutMasks, SimpleRNN, Weights, choice, scan
from statewise.recurrence.backends import gpu_kernels

OPTIONS = {
    "name": ["GRU", "LSTM", "SimpleRNN"],
    "mask": [None, "right", "any"],
    "resets": [True, False],
    "units": [5, 33, 70],
    "batch": [3, 1, 17],
    "time": [5, 1],
    "dtype": ["float32", "bfloat16", "float16"],
    "use_bias": [True, False],
    "go_backwards": [False, True],
    "zero_output_for_mask": [False, True],
    "all_outputs": [True, False],
    "inputs": [None, "one mask", "a mask of each gate"],
}
TOLERANCE = {"float32": 1e-5, "bfloat16": 0.06, "float16": 8e-3}
COMBINATIONS = all_pairs(OPTIONS)


def interpreted(cell, x, state, weights, **options):
    return gpu_kernels.run(Call(cell, x, state, weights, **options), interpreted=True)


def compare(options, rng):
    options = dict(options)
    names = ("name", "units", "time", "batch", "dtype")
    name, *sizes = (options.pop(key) for key in names)
    sizes = dict(zip(names[1:], sizes, strict=True))
    case = random_case(name, rng, features=3, bias=options.pop("use_bias"), **sizes)
    flags = sizes["batch"], sizes["time"]
    options["mask"] = random_mask(options["mask"], rng, *flags)
    options["resets"] = jnp.asarray(rng.random(flags) < 0.4) if options["resets"] else None
    inputs = options.pop("inputs")
    if inputs:
        gates = (len(case[0].gates),) if "each" in inputs else ()
        kept = jnp.asarray(rng.random((*gates, sizes["batch"], 3)) < 0.5, sizes["dtype"]) * 2
        options["dropout"] = DropoutMasks(inputs=kept)

    runs = interpreted, in_float32(sizes["dtype"])
    found, wanted = (both_of(run, options)(*case) for run in runs)
    assert_close(found, wanted, TOLERANCE[sizes["dtype"]])


@pytest.mark.parametrize("options", COMBINATIONS[:4])
def test_some_results_and_gradients_of_kernels_are_the_references(options, rng):
    compare(options, rng)


@pytest.mark.slow
@pytest.mark.parametrize("options", COMBINATIONS[4:])
def test_results_and_gradients_of_kernels_are_the_references(options, rng):
    compare(options, rng)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["GRU", "LSTM", "SimpleRNN"])
def test_several_groups_of_rows_and_pieces_of_the_product(name, rng, monkeypatch):
    monkeypatch.setattr(gpu_kernels, "_DEPTHS", (32, 16))
    case = random_case(name, rng, batch=33, time=3, units=130)
    options = {"resets": jnp.asarray(rng.random((33, 3)) < 0.4)}
    found, wanted = (both_of(f, options)(*case) for f in (interpreted, scan))
    assert_close(found, wanted, 1e-5)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["GRU", "LSTM", "SimpleRNN"])
def test_the_kernels_are_written_for_a_gpu(name, dtype, monkeypatch):
    """XLA's own compiler for GPUs isn't here: this holds what JAX asks of a kernel for Triton."""
    monkeypatch.setattr(gpu_kernels, "_most_programs", lambda: 124)
    cell = {"GRU": GRU(), "LSTM": LSTM(), "SimpleRNN": SimpleRNN()}[name]
    batch, time, features, units = 40, 7, 3, 100
    gates = len(cell.gates) * units
    shapes = (batch, time, features), (features, gates), (units, gates)
    x, *kernels = (jax.ShapeDtypeStruct(shape, dtype) for shape in shapes)
    h = jax.ShapeDtypeStruct((batch, units), dtype)
    flags = jax.ShapeDtypeStruct((batch, time), "bool")

    def total(x, state, weights, mask, resets):
        result = gpu_kernels.run(Call(cell, x, state, weights, mask=mask, resets=resets))
        return result.outputs.astype("float32").sum()

    state = cell.state_type(*[h] * len(cell.state_type._fields))
    given = x, state, Weights(*kernels), flags, flags
    traced = jax.jit(jax.grad(total, argnums=(0, 1, 2))).trace(*given)
    program = traced.lower(lowering_platforms=("cuda",)).as_text()
    assert program.count("@__gpu$xla.gpu.triton") == 2
    assert "num_stages = 1" in program


def test_a_stack_of_models_runs_one_after_the_other(rng):
    cases = [random_case("GRU", rng)[1:] for _ in range(2)]
    stacked = jax.tree.map(lambda *arrays: jnp.stack(arrays), *cases)
    both = jax.vmap(lambda *arrays: both_of(interpreted, {})(GRU(), *arrays))(*stacked)
    for i, case in enumerate(cases):
        one = jax.tree.map(lambda a, i=i: a[i], both)
        assert_close(one, both_of(scan, {})(GRU(), *case), 1e-5)


def test_derivatives_that_the_kernels_have_not_are_refused(rng):
    cell, x, state, weights = random_case("GRU", rng)

    def total(x):
        return interpreted(cell, x, state, weights).last.sum()

    with pytest.raises(TypeError, match="first derivatives in reverse mode"):
        jax.grad(lambda x: jax.grad(total)(x).sum())(x)
    with pytest.raises(TypeError, match=r"forward-mode|reverse mode"):
        jax.jacfwd(total)(x)


def why_not(cell=None, dtype="float32", shape=(2, 3, 4), units=5, **options):
    cell = cell or GRU()
    gates = len(cell.gates) * units
    x, kernel, recurrent_kernel, h = (
        jax.ShapeDtypeStruct(size, dtype)
        for size in (shape, (shape[2], gates), (units, gates), (shape[0], units))
    )
    state = cell.state_type(*[h] * len(cell.state_type._fields))
    call = Call(cell, x, state, Weights(kernel, recurrent_kernel), **options)
    return gpu_kernels.BACKEND.why_not(call)


def test_the_kernels_serve_where_they_are_asked_for(monkeypatch):
    assert why_not() == "the arrays are on a cpu, not on a GPU"
    pretend_a_gpu(monkeypatch)
    monkeypatch.setattr(gpu_kernels, "_most_programs", lambda: 124)
    assert "never measured (STATEWISE_GPU=kernels chooses them)" in why_not()
    monkeypatch.setenv("STATEWISE_GPU", "kernels")
    for cell in (GRU(), SimpleRNN(), LSTM(jax.nn.relu), GRU(jax.nn.sigmoid)):
        for dtype in ("float32", "bfloat16", "float16"):
            assert why_not(cell, dtype) is None
    assert why_not(units=768, shape=(16, 1024, 768)) is None


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"cell": GRU(reset_after=False)}, "the cell has no kernel for GPUs"),
        ({"cell": GRU(jnp.sin)}, "the activation has no kernel"),
        ({"cell": LSTM(jnp.tanh, jnp.tanh)}, "the recurrent activation has no kernel"),
        ({"dtype": "int8"}, "the arrays are int8, not all of one of 32 or 16 bits"),
        ({"shape": (0, 3, 4)}, "an array is empty"),
        ({"dropout": DropoutMasks(recurrent=jnp.ones((2, 5)))}, "previous output has dropout"),
        (
            {"shape": (3000, 3, 4), "units": 512},
            "more than the 124 processors",
        ),
        ({"shape": (16, 1 << 17, 4), "units": 512}, "too long for a kernel's 32-bit numbers"),
    ],
)
def test_what_the_kernels_do_not_take(arguments, reason, monkeypatch):
    pretend_a_gpu(monkeypatch, "kernels")
    monkeypatch.setattr(gpu_kernels, "_most_programs", lambda: 124)
    assert reason in why_not(**arguments)


def test_a_gpu_of_an_unknown_size_is_not_taken(monkeypatch):
    pretend_a_gpu(monkeypatch, "kernels")
    assert "more than the 0 processors" in why_not()


def test_calls_go_to_the_kernels_only_after_cudnn(monkeypatch, rng):
    pretend_a_gpu(monkeypatch, "kernels")
    monkeypatch.setattr(gpu_kernels, "_most_programs", lambda: 124)
    mask = jnp.ones((3, 5), bool)
    served = {
        name: choice.served_by(Call(*random_case(name, rng), mask=mask))[0]
        for name in ("LSTM", "GRU")
    }
    assert served == {"LSTM": "cuDNN", "GRU": "GPU kernels"}
    resets = choice.served_by(Call(*random_case("LSTM", rng), resets=np.asarray(mask)))
    assert resets[0] == "GPU kernels"
