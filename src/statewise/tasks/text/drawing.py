"""How the next token is drawn from its scores: temperature, the best k, the best that sum up to p.

The scores :math:`s` of the tokens become probabilities :math:`p_i \\propto e^{s_i / T}`. With
``top_k`` only the k likeliest stay, with ``top_p`` only the fewest likeliest whose probabilities
sum up to at least that. Of what stays, one number :math:`u` from 0 to 1 chooses: the first token at
which the probabilities added up so far exceed u times their sum.

Reference: Holtzman et al., "The curious case of neural text degeneration" (ICLR 2020), for top_p.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise.sequences.arrays import check_count


@dataclass(frozen=True)
class Drawing:
    """How tokens are drawn.

    Attributes:
        temperature: 0 takes the likeliest; 1 leaves the probabilities as they are; more makes all
            more alike.
        top_k: of how many likeliest tokens one is drawn; None for all.
        top_p: of the fewest likeliest whose probabilities sum up to this; None for all.
        never: the number of a token that is never drawn, or None.
    """

    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    never: int | None = None

    def __call__(self, scores: Any, uniform: Any, xp: Any = np) -> Any:
        """Draw a token for each row.

        Args:
            scores: ``(batch, tokens)``.
            uniform: from 0 to below 1, ``(batch,)``.
            xp: NumPy, or `jax.numpy`.

        Returns:
            Numbers of tokens, ``(batch,)``.

        >>> scores = np.log([[0.1, 0.2, 0.7]])
        >>> [int(Drawing()(scores, np.array([u]))[0]) for u in (0.05, 0.15, 0.95)]
        [0, 1, 2]
        >>> [int(Drawing(top_p=0.8)(scores, np.array([u]))[0]) for u in (0.05, 0.75, 0.95)]
        [2, 2, 1]
        """
        if self.never is not None:
            out = xp.arange(scores.shape[-1]) == self.never
            scores = xp.where(out, -xp.inf, scores)
        if self.temperature == 0:
            return xp.argmax(scores, axis=-1)
        scores = scores - scores.max(axis=-1, keepdims=True)  # before: a small temperature divides
        powers = xp.exp(scores if self.temperature == 1 else scores / self.temperature)
        if self.top_k is None and self.top_p is None:
            return _first_beyond(powers, uniform, xp)
        order = xp.argsort(-powers, axis=-1, stable=True)
        powers = xp.take_along_axis(powers, order, axis=-1)
        if self.top_k is not None:
            powers = xp.where(xp.arange(powers.shape[-1]) < self.top_k, powers, 0)
        if self.top_p is not None:
            before = xp.cumsum(powers, axis=-1) - powers
            total = powers.sum(axis=-1, keepdims=True)
            powers = xp.where(before < self.top_p * total, powers, 0)
        place = _first_beyond(powers, uniform, xp)
        return xp.take_along_axis(order, place[:, None], axis=-1)[:, 0]


def _first_beyond(powers, uniform, xp):
    """Return the first place at which what was added up exceeds its share of the sum."""
    added = xp.cumsum(powers, axis=-1)
    if len(powers) == 1 and xp is np:  # the same, in a third of the calls
        share = uniform.astype(powers.dtype)[0] * added[0, -1]
        place = added[0].searchsorted(share, "right")
        if place < added.shape[1]:
            return np.array([place])
    beyond = added > uniform[:, None].astype(powers.dtype) * added[:, -1:]
    # By rounding there may be none; then the last place that counts.
    last = powers.shape[-1] - 1 - xp.argmax(powers[:, ::-1] > 0, axis=-1)
    return xp.where(beyond.any(axis=-1), xp.argmax(beyond, axis=-1), last)


def checked(temperature: Any, top_k: Any, top_p: Any, never: int | None) -> Drawing:
    """Return how tokens are drawn.

    Raises:
        TypeError, ValueError: where a number makes no sense.
    """
    temperature = _number(temperature, "temperature")
    if not 0 <= temperature < math.inf:
        raise ValueError(f"temperature must be 0 or more, but is {temperature:g}")
    if top_k is not None:
        top_k = check_count(top_k, "top_k")
    if top_p is not None:
        top_p = _number(top_p, "top_p")
        if not 0 < top_p <= 1:
            raise ValueError(f"top_p must be above 0 and at most 1, but is {top_p:g}")
    return Drawing(temperature, top_k, top_p, never)


def _number(value: Any, name: str) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{name} must be a number, but is {value!r:.60}")
    return float(value)
