import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.tasks.text.drawing import Drawing, checked


def by_hand(scores, u, temperature, top_k, top_p, never):
    """The token that a number from 0 to 1 chooses, written down anew."""
    known = [i for i in range(len(scores)) if i != never]
    if temperature == 0:
        return max(known, key=lambda i: (scores[i], -i))
    best = max(scores[i] for i in known)
    powers = {i: np.exp((scores[i] - best) / temperature) for i in known}
    if top_k or top_p:
        known.sort(key=lambda i: (-powers[i], i))
        known = known[:top_k]
    if top_p:
        total, kept = sum(powers[i] for i in known), []
        while known and sum(powers[i] for i in kept) < top_p * total:
            kept.append(known.pop(0))
        known = kept
    share = u * sum(powers[i] for i in known)
    for i in known:
        share -= powers[i]
        if share < 0:
            return i
    return known[-1]


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.floats(-4, 4), min_size=2, max_size=9),
    st.floats(0, 0.999),
    st.sampled_from([0, 0.3, 1.0, 2.5]),
    st.sampled_from([None, 1, 2, 5, 50]),
    st.sampled_from([None, 0.2, 0.7, 1.0]),
    st.sampled_from([None, 0]),
)
def test_draws_are_those_by_hand(scores, u, temperature, top_k, top_p, never):
    expected = by_hand(scores, u, temperature, top_k, top_p, never)
    # Where a border is as near as rounding, either side is right.
    near = {
        by_hand(scores, min(max(u + d, 0), 1), temperature, top_k, top_p and top_p + e, never)
        for d in (-1e-9, 1e-9)
        for e in (-1e-9, 1e-9)
    }
    drawing = Drawing(temperature, top_k, top_p, never)
    got = int(drawing(np.array([scores, scores[::-1]]), np.array([u, u]))[0])
    assert got == expected or got in near


@pytest.mark.parametrize("options", [{}, {"top_k": 3}, {"top_p": 0.6}, {"temperature": 0}])
def test_jax_draws_as_numpy_does(rng, options):
    scores, uniform = rng.normal(size=(40, 11)).astype("float32"), rng.random(40)
    drawing = Drawing(never=2, **options)
    plain = drawing(scores, uniform)
    assert len(set(plain.tolist())) > 3
    assert 2 not in plain
    assert np.array_equal(plain, drawing(jnp.asarray(scores), jnp.asarray(uniform), jnp))


def test_draws_are_as_frequent_as_the_probabilities_say(rng):
    p = np.array([0.5, 0.1, 0.4])
    drawn = Drawing()(np.tile(np.log(p), (20_000, 1)), rng.random(20_000))
    assert np.abs(np.bincount(drawn) / 20_000 - p).max() < 0.02


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ((-1, None, None), ValueError, "temperature must be 0 or more, but is -1"),
        ((np.nan, None, None), ValueError, "temperature"),
        (("hot", None, None), TypeError, "temperature must be a number"),
        ((1, 0, None), ValueError, "top_k"),
        ((1, 2.5, None), TypeError, "top_k"),
        ((1, None, 0), ValueError, "top_p must be above 0"),
        ((1, None, 1.5), ValueError, "top_p"),
        ((True, None, None), TypeError, "temperature"),
    ],
)
def test_what_makes_no_sense_is_refused(given, error, words):
    with pytest.raises(error, match=words):
        checked(*given, None)
