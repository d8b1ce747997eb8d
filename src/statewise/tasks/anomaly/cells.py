"""Cells of a live detector: what is expected at this time, how odd a step was, and how rare.

Their states are all that a detector knows of a series beside its network's state, so a detector is
one model, and whatever steps models and keeps their states serves it.

Every decision in them is smooth. With a hard one a difference in the last digit could become one in
the first, and scores of a whole series others than those that came step by step.
"""

import jax.numpy as jnp
import keras
import numpy as np
from jax.nn import sigmoid

FREEDOM = 4.0  # of Student's t, by which residuals are judged
WIDEST = 8.0  # deviations: what the network is shown at most
LOG_SCALES = (-6.0, 4.0)  # of a forecast's scale
SCALES = (1, 8, 64)  # steps over which oddness is averaged, to find sudden and lasting changes
TAIL = 0.05  # the share of steps that are the tail
MEMORY = 5000  # steps that the tail is learned from
_SEASONS = 5  # that the expectation is averaged over
_LARGEST = 5.0  # a step's excess counts so many mean excesses at most
_RARE, _RARE_WIDTH, _RARE_COUNTS = 3.0, 0.25, 0.1  # what is rarer is learned from less
_SMOOTH = 0.05  # mean excesses: how sharp "above" is
LEAST_EXCESS = 0.05


class _Cell(keras.layers.Layer):
    """A cell with states of given sizes, that begin at zero."""

    def __init__(self, sizes: list[int], outputs: int, name: str):
        super().__init__(name=name, dtype="float32", trainable=False)
        self.state_size, self.output_size = sizes, outputs

    def build(self, input_shape=None):
        """Nothing is to be learned."""
        self.built = True

    def get_initial_state(self, batch_size=None):
        """Return zeros, ``(batch, size)`` each."""
        return [jnp.zeros((batch_size, size), "float32") for size in self.state_size]


class ExpectCell(_Cell):
    """Fills missing values, and says what the season lets expect for the next step.

    The expectation of a place in the season is the average of the values there: of all of them at
    first, later ``e + (x - e) / 5``. A missing value is taken to be what was expected, without a
    season (or in its first round) what came last.

    Inputs: ``(batch, 2 features)``, scaled values and whether they are known. Output: ``(batch,
    3 features)``, the values filled in, the next step's expectation, and whether each is known;
    without a season ``(batch, 2 features)``, the expectation left out.

    Args:
        features: how many.
        season: steps in it; 1 for none.
    """

    def __init__(self, features: int, season: int):
        many = features * season if season > 1 else features
        outputs = (3 if season > 1 else 2) * features
        super().__init__([1, features, many, many], outputs, "expect")
        self._features, self._season = features, season

    def call(self, inputs, states):
        """Compute one step."""
        features, season = self._features, self._season
        x, known = inputs[:, :features], inputs[:, features:]
        at, last, averages, counts = states
        if season == 1:
            x = jnp.where(known > 0, x, last)
            shown = [jnp.clip(x, -WIDEST, WIDEST), known]
            return jnp.concatenate(shown, 1), [at, x, averages, counts]
        rows, here = jnp.arange(x.shape[0]), at[:, 0].astype("int32")
        averages = averages.reshape(-1, season, features)
        counts = counts.reshape(-1, season, features)
        expected, seen = averages[rows, here], counts[rows, here]
        x = jnp.where(known > 0, x, jnp.where(seen > 0, expected, last))
        rate = known / jnp.minimum(seen + 1, _SEASONS)
        learned = expected + rate * (jnp.clip(x, -WIDEST, WIDEST) - expected)
        averages = averages.at[rows, here].set(learned)
        counts = counts.at[rows, here].set(jnp.minimum(seen + known, _SEASONS))
        after = jnp.where(at + 1 >= season, 0.0, at + 1)
        there = after[:, 0].astype("int32")
        ahead = jnp.where(counts[rows, there] > 0, averages[rows, there], x)
        shown = [jnp.clip(x, -WIDEST, WIDEST), jnp.clip(ahead, -WIDEST, WIDEST), known]
        states = [after, x, averages.reshape(-1, season * features)]
        return jnp.concatenate(shown, 1), [*states, counts.reshape(-1, season * features)]


class SurpriseCell(_Cell):
    """How odd each value was: minus the logarithm of its likelihood, given the state before it.

    With the mean m and the scale s of the forecast, and Student's t with n = 4 degrees of freedom,
    the oddness of a value x is ``log(s) + (n + 1) / 2 log(1 + ((x - m) / s)^2 / n)``, a constant
    left out. It grows with the logarithm of a residual, so residuals with a tail like a power's
    have an oddness with an exponential one; and a step of which the network knows little is odd
    itself.

    Inputs: ``(batch, 4 features)``, scaled values, whether they are known, means, logarithms of
    scales. Output: ``(batch, groups + features)``: the oddness, and whether there is one. With one
    feature there is one group; with several the first group is the sum of all.

    Args:
        features: how many.
        ahead: whether means and scales are forecasts of the next step, or belong to this one.
    """

    def __init__(self, features: int, *, ahead: bool):
        super().__init__([2 * features, 1], groups_of(features) + features, "surprise")
        self._features, self._ahead = features, ahead

    def call(self, inputs, states):
        """Compute one step."""
        features = self._features
        x, known = inputs[:, :features], inputs[:, features : 2 * features]
        now = inputs[:, 2 * features :]
        before, begun = states
        forecast = before if self._ahead else now
        usable = known * begun if self._ahead else known
        mean, spread = forecast[:, :features], jnp.clip(forecast[:, features:], *LOG_SCALES)
        residual = (x - mean) * jnp.exp(-spread)
        odd = spread + (FREEDOM + 1) / 2 * jnp.log1p(residual**2 / FREEDOM)
        odd = jnp.where(usable > 0, odd, 0.0)
        if features > 1:
            odd = jnp.concatenate([odd.sum(1, keepdims=True), odd], 1)
        return jnp.concatenate([odd, usable], 1), [now, jnp.ones_like(begun)]


class TailCell(_Cell):
    """How rare such an oddness is: minus the decimal logarithm of its probability.

    The oddness is averaged over 1, 8 and 64 steps (exponentially). Of each average A the tail is
    learned as it comes: the level u that a share q = 0.05 of the steps exceeds, by stochastic
    approximation (Robbins and Monro, 1951), and the mean excess b over it. Beyond it the tail is
    taken as exponential, ``P(A > a) = q exp(-(a - u) / b)``: that of a Pareto tail on the scale of
    logarithms (peaks over a threshold, as Siffer et al., "Anomaly detection in streams with
    extreme value theory", KDD 2017, with the shape 0). So that an anomaly doesn't become the rule,
    a single excess counts as five mean ones at most, and a step that is rarer than once in 1000
    counts a tenth (not nothing, or else a new level of life would be odd for ever).

    The probability of a step is that of its rarest average, times their number (Bonferroni), and
    of several features that of the rarest one, or of all together. **A score is computed before
    its value is learned from.** 4 means: once in 10,000 steps.

    Inputs: what `SurpriseCell` gives. Output: ``(batch, 1 + features)`` with several features, the
    score and that of each feature; ``(batch, 1)`` with one. NaN where there is none.

    Args:
        features: how many.
        levels, excesses: u and b at the beginning, (scales, groups).
        averages: A at the beginning, (scales, groups).
        steps: how many steps these are worth.
    """

    def __init__(self, features: int, levels, excesses, averages, steps: float):
        groups = groups_of(features)
        size = len(SCALES) * groups
        outputs = 1 if features == 1 else 1 + features
        super().__init__([size, size, size, groups], outputs, "tail")
        self._features, self._groups = features, groups
        self._begin = [np.asarray(a, "float32").reshape(-1) for a in (averages, levels, excesses)]
        self._begin.append(np.full(groups, steps, "float32"))

    def build(self, input_shape=None):
        """Hold the beginning as weights, so that a store can tell one detector from another."""
        for i, values in enumerate(self._begin):
            weight = self.add_weight(shape=values.shape, name=f"begin_{i}", trainable=False)
            weight.assign(values)
        self.built = True

    def get_initial_state(self, batch_size=None):
        """Return what was learned in training."""
        return [jnp.tile(jnp.asarray(a)[None], (batch_size, 1)) for a in self._begin]

    def call(self, inputs, states):
        """Compute one step."""
        groups, features = self._groups, self._features
        odd, usable = inputs[:, :groups], inputs[:, groups:]
        if features > 1:
            usable = jnp.concatenate([usable.max(1, keepdims=True), usable], 1)
        shape = (-1, len(SCALES), groups)
        averages, levels, excesses = (array.reshape(shape) for array in states[:3])
        steps, use = states[3], usable[:, None]
        rates = (1 / np.array(SCALES, "float32"))[None, :, None]
        averages = averages + use * rates * (odd[:, None] - averages)
        over = averages - levels
        rare = -np.log10(TAIL) + over / (excesses * np.log(10.0))
        score = jnp.maximum(rare.max(1) - np.log10(len(SCALES)), 0.0)
        score = jnp.where(usable > 0, score, jnp.nan)
        # What follows learns from this step.
        count = jnp.clip(steps + usable, 1.0, MEMORY)
        above = sigmoid(over / (_SMOOTH * excesses))
        weight = use * (1 - (1 - _RARE_COUNTS) * sigmoid((rare - _RARE) / _RARE_WIDTH))
        rate = weight / count[:, None]
        moved = levels + rate * excesses / TAIL * (above - TAIL)
        counted = jnp.clip(over, 0.0, _LARGEST * excesses)
        learned = excesses + jnp.minimum(rate / TAIL, 0.5) * above * (counted - excesses)
        learned = jnp.maximum(learned, LEAST_EXCESS)
        flat = [array.reshape(array.shape[0], -1) for array in (averages, moved, learned)]
        return self._together(score), [*flat, count]

    def _together(self, score):
        features = self._features
        if features == 1:
            return score
        each = jnp.nan_to_num(score[:, 1:] - np.log10(2 * features), nan=0.0)
        both = jnp.maximum(score[:, :1] - np.log10(2), each.max(1, keepdims=True))
        return jnp.concatenate([jnp.maximum(both, 0.0), score[:, 1:]], 1)


def groups_of(features: int) -> int:
    """Return how many oddnesses a step has: with several features that of all together too."""
    return 1 if features == 1 else 1 + features
