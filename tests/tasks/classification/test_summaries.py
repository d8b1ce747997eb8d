"""What a network makes of a sequence's outputs: mean, maximum and last, and their gradients."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quick import quick_jit
from statewise.tasks.classification.network import (
    Architecture,
    _maximum,
    _summaries,
    _summaries_exactly,
)
from statewise.tasks.classification.rows import lay


def drawn(data):
    """Rows of sequences and outputs, some of which are equal."""
    lengths = np.array(data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=12)))
    time, most = int(lengths.max()) + data.draw(st.integers(0, 3)), data.draw(st.integers(1, 4))
    places = lay(lengths, np.arange(len(lengths)), time, most)
    units = 3
    shape = (len(places.begins), time, 2 * units)
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    h = rng.integers(-3, 4, shape) / 4  # the maximum is often in several steps
    return Architecture(2, 3, "gru", units, 1, True, False), places, h.astype(np.float32)


def told(places, h, units):
    """The same, one sequence at a time."""
    found = np.zeros((*places.begins.shape, 6 * units), np.float32)
    for row, place in np.argwhere(places.members >= 0):
        own = h[row, places.begins[row, place] : places.ends[row, place]]
        last = [own[-1, :units], own[0, units:]]
        found[row, place] = np.concatenate([own.mean(0), own.max(0), *last])
    return found


@settings(max_examples=3, deadline=None)
@given(st.data())
def test_summaries_of_each_sequence_are_its_own(data):
    architecture, places, h = drawn(data)
    there, units = places.members >= 0, architecture.units
    for summaries in (_summaries, _summaries_exactly):
        found = np.asarray(quick_jit(partial(summaries, architecture))(h, places))
        assert np.isfinite(found).all()
        expected = told(places, h, units)[there]
        np.testing.assert_allclose(found[there], expected, rtol=2e-6, atol=1e-6)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.data())
def test_both_summaries_have_the_same_gradient(data):
    architecture, places, h = drawn(data)
    weights = np.random.default_rng(1).normal(size=(*places.begins.shape, 18)).astype(np.float32)
    weights[places.members < 0] = 0

    def of(summaries):
        return quick_jit(jax.grad(lambda h: (summaries(architecture, h, places) * weights).sum()))(
            h
        )

    np.testing.assert_allclose(of(_summaries), of(_summaries_exactly), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("seed", range(3))
def test_the_gradient_of_the_maximum_is_that_of_jax(seed):
    rng = np.random.default_rng(seed)
    h = (rng.integers(-3, 4, (2, 7, 4)) / 4).astype(np.float32)
    inside = np.zeros((2, 3, 7), bool)
    inside[0, 0, :4] = inside[0, 1, 4:] = inside[1, 0, :7] = True
    weights = rng.normal(size=(2, 3, 4)).astype(np.float32)

    def plain(h):
        most = jnp.where(inside[..., None], h[:, None], -jnp.inf).max(2)
        return jnp.where(inside.any(-1)[..., None], most, 0)

    found = jax.grad(lambda h: (_maximum(h, inside) * weights).sum())(h)
    expected = jax.grad(lambda h: (plain(h) * weights).sum())(h)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7)
    assert np.abs(found).sum() > 1
