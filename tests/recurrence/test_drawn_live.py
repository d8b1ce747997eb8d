"""The live step and Adam's update at drawn sizes, beside NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpy_gradients
from drawn_sizes import CELLS, cell_with, drawn, functions, scale_with, sizes
from numpy_activations import FUNCTIONS
from numpy_cells import random_weights
from statewise.recurrence import Weights, native
from statewise.recurrence.native import Dense, live_step

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


@st.composite
def stacks(draw):
    """Draw the layers of a stack, as (kind, units, functions), and what it is run on."""
    layers = draw(
        st.lists(
            st.tuples(st.sampled_from([*CELLS, "Dense"]), sizes(90), functions()),
            min_size=1,
            max_size=4,
        )
    )
    return {
        "layers": layers,
        "features": draw(sizes(40)),
        "rows": draw(sizes(700)),
        "steps": draw(st.integers(1, 4)),
        "threads": draw(st.sampled_from([1, 2, 3, 7])),
        "instruction_set": draw(st.sampled_from(native.extension.extension().instruction_sets())),
        "seed": draw(st.integers(0, 2**32 - 1)),
    }


def make(case, rng):
    """Return the layers as `live_step` takes them, and as NumPy runs them."""
    ours, theirs, width = [], [], case["features"]
    for kind, units, names in case["layers"]:
        scale = scale_with(*names)
        if kind == "Dense":
            kernel, bias = rng.normal(size=(width, units)) * width**-0.5, rng.normal(size=units)
            ours.append(Dense(kernel, bias, names[0]))
            theirs.append((None, names, (kernel, bias)))
        else:
            W, U, b = random_weights(kind, width, units, rng)
            weights = W * width**-0.5, U * units**-0.5, b
            weights = numpy_gradients.Weights(*(w * scale for w in weights))
            ours.append((cell_with(kind, *names), Weights(*weights)))
            theirs.append((kind, names, weights))
        width = units
    return ours, theirs


def expected(layers, x):
    """Return the outputs ``(rows, steps, units)`` of a stack that begins with zeros, its state."""
    state = []
    for kind, names, weights in layers:
        if kind is None:
            x = FUNCTIONS[names[0]].value(x @ weights[0] + weights[1])
            continue
        units = weights.U.shape[0]
        zeros = tuple(np.zeros((len(x), units)) for _ in range(numpy_gradients.CELLS[kind].arrays))
        named = dict(zip(("activation", "recurrent_activation"), names, strict=True))
        run = numpy_gradients.Recurrence(kind, x, zeros, weights, **named)
        x, state = run.outputs, [*state, *run.state]
    return x, state


@drawn(80)
@given(stacks())
def test_steps_of_a_drawn_stack(case):
    rng = np.random.default_rng(case["seed"])
    module = native.extension.extension()
    before = module.instruction_set()
    module.use_instruction_set(case["instruction_set"])
    module.set_thread_count(case["threads"])
    try:
        ours, theirs = make(case, rng)
        live, rows = live_step(ours), case["rows"]
        x = rng.normal(size=(rows, case["steps"], case["features"])).astype("float32")
        outputs, last = expected(theirs, x.astype("float64"))
        state = tuple(np.zeros((rows, units), "float32") for units in live.state_units)
        # The same rows in another order, within a larger state that is changed in place.
        places = rng.permutation(rows + 5)[:rows]
        larger = tuple(np.full((rows + 5, units), 7, "float32") for units in live.state_units)
        for array in larger:
            array[places] = 0
        for t in range(case["steps"]):
            y, state = live.step(x[:, t].copy(), state)
            np.testing.assert_allclose(y, outputs[:, t], atol=3e-5 * (1 + np.abs(outputs).max()))
            if not larger:
                continue
            again = live.update(x[:, t].copy(), larger, rows=places)
            np.testing.assert_array_equal(y, again)
        others = np.setdiff1d(np.arange(rows + 5), places)
        for found, kept, wanted in zip(state, larger, last, strict=True):
            np.testing.assert_allclose(found, wanted, atol=3e-5 * (1 + np.abs(wanted).max()))
            np.testing.assert_array_equal(kept[places], found)
            assert (kept[others] == 7).all()
    finally:
        module.use_instruction_set(before)
        module.set_thread_count(0)


@drawn(25)
@given(st.lists(st.integers(0, 30_000), min_size=1, max_size=6), st.sampled_from([1, 2, 3, 7]))
def test_adam_at_drawn_sizes(counts, threads):
    rng = np.random.default_rng(counts)
    draw = lambda: [rng.normal(size=n).astype("float32") for n in counts]  # noqa: E731
    w, m, v, g = draw(), draw(), [np.abs(a) for a in draw()], draw()
    module = native.extension.extension()
    module.set_thread_count(threads)
    try:
        rates = {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-7}
        found = native.adam(jnp.float32(0.3), *jax.tree.map(jnp.asarray, [w, m, v, g]), **rates)
    finally:
        module.set_thread_count(0)
    for i in range(len(counts)):
        gradient = g[i].astype("float64")
        first = m[i] + 0.1 * (gradient - m[i])
        second = v[i] + 0.01 * (gradient**2 - v[i])
        wanted = w[i] - 0.3 * first / (np.sqrt(second) + 1e-7), first, second
        for kind, values in enumerate(wanted):
            np.testing.assert_allclose(found[kind][i], values, rtol=3e-6, atol=1e-6)
