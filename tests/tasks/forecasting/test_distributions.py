import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats

from statewise.tasks.forecasting.distributions import LIKELIHOODS, Now

DRAWN = {name: one for name, one in LIKELIHOODS.items() if name != "none"}
MANY = 20_000


def now(count=1, level=3.0, unit=2.0):
    def full(value):
        return jnp.full((count, 1), value, jnp.float32)

    return Now(full(level), full(0.5), full(2.0), full(level), full(unit))


def raw(name, rng, count=1):
    values = rng.normal(size=(1, 1, LIKELIHOODS[name].outputs)) * 0.3
    return jnp.asarray(np.repeat(values, count, axis=0), jnp.float32)


@pytest.mark.parametrize("name", DRAWN)
def test_draws_are_those_of_the_loss(name, rng):
    """The mean loss of draws is least for the outputs that they were drawn with."""
    outputs = raw(name, rng, MANY)
    drawn = DRAWN[name].sample(jax.random.key(3), outputs, now(MANY))

    @jax.jit
    def loss(outputs):
        return DRAWN[name].loss(outputs, now(MANY), drawn).mean()

    slope = jax.grad(lambda shift: loss(outputs + shift))(jnp.zeros(outputs.shape[-1]))
    assert np.abs(slope).max() < 0.03
    assert loss(outputs) < loss(outputs + 0.3)
    assert loss(outputs) < loss(outputs - 0.3)


def test_losses_are_the_densities(rng):
    after = jnp.asarray([[4.1]], jnp.float32)
    e = (4.1 - 3.0 - 0.5) / 2
    mu, sigma, freedom = 0.2, 1.3, 5.5

    def inverse(positive):
        return np.log(np.expm1(positive - 1e-3)) - np.log(np.e - 1)

    outputs = jnp.asarray([[[mu, inverse(sigma), inverse((freedom - 2) / 8)]]], jnp.float32)
    found = LIKELIHOODS["student-t"].loss(outputs, now(), after)
    assert found[0, 0] == pytest.approx(-stats.t.logpdf(e, freedom, mu, sigma), abs=1e-4)
    found = LIKELIHOODS["gaussian"].loss(outputs, now(), after)
    constant = 0.5 * np.log(2 * np.pi)
    assert found[0, 0] + constant == pytest.approx(-stats.norm.logpdf(e, mu, sigma), abs=1e-4)
    counts = jnp.asarray([[[0.4, inverse(0.25)]]], jnp.float32)
    mean, r = (3.0 * 2 + 0.05) * np.exp(0.4), 4.0
    found = LIKELIHOODS["negative-binomial"].loss(counts, now(), jnp.asarray([[3.5]]))
    assert found[0, 0] == pytest.approx(-stats.nbinom.logpmf(7, r, r / (r + mean)), abs=1e-3)


@pytest.mark.parametrize("name", LIKELIHOODS)
def test_outputs_of_zero_are_the_start(name):
    zeros = jnp.zeros((1, 1, LIKELIHOODS[name].outputs))
    point = float(LIKELIHOODS[name].point(zeros, now())[0, 0])
    assert point == pytest.approx(3.025 if name == "negative-binomial" else 3.5)


def test_quantiles_rise(rng):
    quantiles = LIKELIHOODS["quantiles"].quantiles(raw("quantiles", rng))
    assert (jnp.diff(quantiles) > 0).all()
    levels = LIKELIHOODS["quantiles"].levels
    zero = LIKELIHOODS["quantiles"].quantiles(jnp.zeros((1, 1, len(levels))))[0, 0]
    np.testing.assert_allclose(zero, stats.norm.ppf(levels), atol=0.02)
    outputs = raw("quantiles", rng, MANY)
    drawn = LIKELIHOODS["quantiles"].sample(jax.random.key(1), outputs, now(MANY))
    found = np.quantile((np.asarray(drawn) - 3.5) / 2, levels)
    expected = LIKELIHOODS["quantiles"].quantiles(outputs[:1])[0, 0]
    np.testing.assert_allclose(found, expected, atol=0.1)
