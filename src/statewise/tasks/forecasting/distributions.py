r"""What the network says about the next step: one number, or a distribution to draw paths from.

The network's outputs for a step are read as parameters of its increment, in units of the window's
own scale: with the last value :math:`y_t`, the start :math:`b_t` (0, or what the season before
did) and the scale :math:`s`,

.. math:: y_{t+1} = y_t + b_t + s \, e, \qquad e \sim p(\cdot \mid \text{outputs})

Outputs of zero stand for the start alone, so an untrained network is a naive forecast. Counts are
the exception: their mean is the average of the latest ones, times the exponential of the output.
"""

import math
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

_TIGHTEST = 1e-3  # a scale that no likelihood goes below
_ONE = math.log(math.e - 1)  # softplus of this is 1


class Now(NamedTuple):
    """Where the series stand before a step; all ``(..., channels)``.

    Attributes:
        value: the last value.
        start: the increment that outputs of zero stand for.
        scale: of the window.
        level: the average of the latest values.
        unit: how much one of the network's values is in the series' own unit.
    """

    value: Array
    start: Array
    scale: Array
    level: Array
    unit: Array


@dataclass(frozen=True)
class Point:
    """No distribution: the loss is the absolute error, the output a median."""

    outputs: ClassVar = 1

    def point(self, raw: Array, now: Now) -> Array:
        """Return the next value, from outputs ``(..., channels, outputs)``."""
        return now.value + now.start + now.scale * raw[..., 0]

    def loss(self, raw: Array, now: Now, after: Array) -> Array:
        """Return the loss of the true next value, ``(..., channels)``."""
        return jnp.abs(self.error(after, now) - raw[..., 0])

    def sample(self, key: Array, raw: Array, now: Now) -> Array:
        """Draw the next value: there is no distribution, so it is the point itself."""
        return self.point(raw, now)

    def error(self, after: Array, now: Now) -> Array:
        """Return the true increment as the network sees it."""
        return (after - now.value - now.start) / now.scale


@dataclass(frozen=True)
class Gaussian(Point):
    """A normal distribution: mean and standard deviation."""

    outputs: ClassVar = 2

    def loss(self, raw: Array, now: Now, after: Array) -> Array:
        """Return the negative log-likelihood of the true next value."""
        sigma = _positive(raw[..., 1])
        return 0.5 * jnp.square((self.error(after, now) - raw[..., 0]) / sigma) + jnp.log(sigma)

    def sample(self, key: Array, raw: Array, now: Now) -> Array:
        """Draw the next value."""
        drawn = jax.random.normal(key, raw.shape[:-1], raw.dtype) * _positive(raw[..., 1])
        return self.point(raw, now) + now.scale * drawn


@dataclass(frozen=True)
class StudentT(Point):
    """Student's t distribution: location, scale and degrees of freedom (above 2)."""

    outputs: ClassVar = 3

    def loss(self, raw: Array, now: Now, after: Array) -> Array:
        """Return the negative log-likelihood of the true next value."""
        sigma, freedom = _positive(raw[..., 1]), self._freedom(raw)
        z = (self.error(after, now) - raw[..., 0]) / sigma
        lgamma = jax.lax.lgamma
        return (
            lgamma(freedom / 2)
            - lgamma((freedom + 1) / 2)
            + 0.5 * jnp.log(freedom * math.pi)
            + jnp.log(sigma)
            + (freedom + 1) / 2 * jnp.log1p(jnp.square(z) / freedom)
        )

    def sample(self, key: Array, raw: Array, now: Now) -> Array:
        """Draw the next value."""
        normal, chi = jax.random.split(key)
        freedom = self._freedom(raw)
        z = jax.random.normal(normal, raw.shape[:-1], raw.dtype)
        squares = 2 * jax.random.gamma(chi, freedom / 2)
        drawn = z * jnp.sqrt(freedom / squares) * _positive(raw[..., 1])
        return self.point(raw, now) + now.scale * drawn

    def _freedom(self, raw: Array) -> Array:
        return 2 + 8 * _positive(raw[..., 2])


@dataclass(frozen=True)
class Quantiles(Point):
    """Quantiles of the next increment, learned by the pinball loss; draws run between them."""

    levels: ClassVar = (0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99)
    outputs: ClassVar = len(levels)
    # Those of a normal distribution, from the outermost on, to start from.
    start: ClassVar = (-2.326, -1.645, -1.282, -0.674, 0.0, 0.674, 1.282, 1.645, 2.326)

    def point(self, raw: Array, now: Now) -> Array:
        """Return the median."""
        return now.value + now.start + now.scale * raw[..., len(self.levels) // 2]

    def quantiles(self, raw: Array) -> Array:
        """Return the quantiles of e in rising order: the median, and steps away from it."""
        middle = len(self.levels) // 2
        gaps = np.diff(self.start)
        steps = jnp.concatenate([raw[..., :middle], raw[..., middle + 1 :]], -1)
        steps = _positive(steps) * jnp.asarray(gaps, raw.dtype)
        median = raw[..., middle : middle + 1]
        below = median - jnp.cumsum(steps[..., :middle][..., ::-1], -1)[..., ::-1]
        above = median + jnp.cumsum(steps[..., middle:], -1)
        return jnp.concatenate([below, median, above], -1)

    def loss(self, raw: Array, now: Now, after: Array) -> Array:
        """Return the mean pinball loss over the levels, times two."""
        levels = jnp.asarray(self.levels, raw.dtype)
        over = self.error(after, now)[..., None] - self.quantiles(raw)
        return 2 * jnp.maximum(levels * over, (levels - 1) * over).mean(-1)

    def sample(self, key: Array, raw: Array, now: Now) -> Array:
        """Draw the next value: a level at random, the quantile at it interpolated.

        Beyond the outermost levels the tails go on as exponentials that meet the last slope.
        """
        u = jax.random.uniform(key, raw.shape[:-1], raw.dtype, 1e-4, 1 - 1e-4)
        q = self.quantiles(raw)
        levels = jnp.asarray(self.levels, raw.dtype)
        place = jnp.clip(jnp.searchsorted(levels, u) - 1, 0, len(self.levels) - 2)
        low, high = _at(q, place), _at(q, place + 1)
        inside = low + (u - levels[place]) / (levels[place + 1] - levels[place]) * (high - low)
        first, last = self.levels[0], self.levels[-1]
        tail = (q[..., 1] - q[..., 0]) / math.log(self.levels[1] / first)
        lower = q[..., 0] + tail * jnp.log(jnp.minimum(u, first) / first)
        tail = (q[..., -1] - q[..., -2]) / math.log((1 - self.levels[-2]) / (1 - last))
        upper = q[..., -1] - tail * jnp.log(jnp.minimum(1 - u, 1 - last) / (1 - last))
        e = jnp.where(u < first, lower, jnp.where(u > last, upper, inside))
        return now.value + now.start + now.scale * e


@dataclass(frozen=True)
class NegativeBinomial(Point):
    """A negative binomial distribution of counts: mean and spread."""

    outputs: ClassVar = 2

    def point(self, raw: Array, now: Now) -> Array:
        """Return the mean."""
        return self._mean(raw, now) / now.unit

    def loss(self, raw: Array, now: Now, after: Array) -> Array:
        """Return the negative log-likelihood of the true next count."""
        mean, r = self._mean(raw, now), 1 / _positive(raw[..., 1])
        count = jnp.maximum(jnp.round(after * now.unit), 0)
        lgamma = jax.lax.lgamma
        return (
            lgamma(r)
            + lgamma(count + 1)
            - lgamma(count + r)
            + (count + r) * jnp.log(r + mean)
            - r * jnp.log(r)
            - count * jnp.log(mean)
        )

    def sample(self, key: Array, raw: Array, now: Now) -> Array:
        """Draw the next count: Poisson, with a rate drawn from a gamma distribution."""
        rate, count = jax.random.split(key)
        mean, r = self._mean(raw, now), 1 / _positive(raw[..., 1])
        drawn = jax.random.gamma(rate, r) * mean / r
        return jax.random.poisson(count, drawn).astype(raw.dtype) / now.unit

    def _mean(self, raw: Array, now: Now) -> Array:
        latest = jnp.maximum(now.level * now.unit, 0) + 0.05
        return latest * jnp.exp(jnp.clip(raw[..., 0], -4, 4))


LIKELIHOODS: dict[str, Point] = {
    "none": Point(),
    "gaussian": Gaussian(),
    "student-t": StudentT(),
    "negative-binomial": NegativeBinomial(),
    "quantiles": Quantiles(),
}


def _positive(raw: Array) -> Array:
    """Return a positive number, 1 for 0."""
    return jax.nn.softplus(raw + _ONE) + _TIGHTEST


def _at(array: Array, place: Array) -> Array:
    return jnp.take_along_axis(array, place[..., None], -1)[..., 0]
