"""One time step of many rows has kernels of its own: it is the first of two steps, to the bit."""

import jax
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drawn_sizes import CELLS, cell_with, drawn, functions, sizes
from native_run import native_run
from random_cases import random_case
from statewise.recurrence import native
from statewise.recurrence.native import live_step

pytestmark = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


def with_each(function):
    """Return what a function gives with each instruction set but the tile unit, which rounds."""
    extension = native.extension.extension()
    before = extension.instruction_set()
    try:
        for name in set(extension.instruction_sets()) - {"amx"}:
            extension.use_instruction_set(name)
            yield function()
    finally:
        extension.use_instruction_set(before)
        extension.set_thread_count(0)


@drawn(8)
@given(
    st.sampled_from([*CELLS]),
    functions(),
    *(sizes(most) for most in (300, 90, 40)),
    st.integers(1, 4),
    st.integers(0, 2**32 - 1),
)
def test_it_is_the_first_of_two(name, named, batch, units, features, threads, seed):
    batch += 8 * threads  # of fewer the sums are put together otherwise
    rng = np.random.default_rng(seed)
    cell = cell_with(name, *named)
    _, x, state, weights = random_case(
        name, rng, batch=batch, time=2, units=units, features=features
    )

    def runs():
        native.extension.extension().set_thread_count(threads)
        one = jax.jit(lambda *given: native_run(cell, *given))(x[:, :1], state, weights)
        two = jax.jit(lambda *given: native_run(cell, *given))(x, state, weights)
        live = live_step([(cell, jax.tree.map(np.asarray, weights))])
        return one, two, live.step(np.asarray(x[:, 0]), tuple(map(np.asarray, state)))

    for one, two, (y, after) in with_each(runs):
        np.testing.assert_array_equal(one.outputs[:, 0], two.outputs[:, 0])
        np.testing.assert_array_equal(y, two.outputs[:, 0])
        for array, own in zip(one.state, after, strict=True):
            np.testing.assert_array_equal(array, own)


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize(("batch", "units", "features"), [(33, 70, 9), (400, 64, 8)])
def test_a_step_in_place_is_the_same(name, batch, units, features, rng):
    cell, x, state, weights = random_case(
        name, rng, batch=batch, time=1, units=units, features=features
    )
    live = live_step([(cell, jax.tree.map(np.asarray, weights))])
    x, before = np.asarray(x[:, 0]), tuple(map(np.array, state))
    places = rng.permutation(batch + 5)[:batch]
    y, after = live.step(x, before)
    larger = tuple(rng.normal(size=(batch + 5, units)).astype("float32") for _ in before)
    for rows, array in zip(larger, before, strict=True):
        rows[places] = array
    others = np.setdiff1d(np.arange(batch + 5), places)
    untouched = [array[others] for array in larger]
    kept = np.full((batch + 5, units), np.nan, "float32")
    np.testing.assert_array_equal(live.update(x, larger, rows=places, kept=kept), y)
    np.testing.assert_array_equal(kept[places], y)
    assert np.isnan(kept[others]).all()
    np.testing.assert_array_equal(live.update(x, before), y)
    for rows, own, array, same in zip(larger, before, after, untouched, strict=True):
        np.testing.assert_array_equal(rows[places], array)
        np.testing.assert_array_equal(own, array)
        np.testing.assert_array_equal(rows[others], same)
