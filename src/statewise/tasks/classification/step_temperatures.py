"""Temperatures for sequences that haven't ended: one for each number of steps that were seen.

The temperature of whole sequences is none for beginnings: a network that is right about all whole
ones may be as sure as it likes there, but not after three steps.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax

from statewise.tasks.classification.sequences import Sequences, joined

_KNOTS = 16  # numbers of steps that are measured, from one to the longest, by equal factors
_LEAST, _MOST, _STEPS = 20, 1000, 1 << 20  # sequences that they are measured on, and their steps
_SPREAD = 0.25  # how far the logarithm goes from knot to knot: a random walk's deviation


class StepTemperatures(NamedTuple):
    """By what scores are divided after so many steps; between these by their logarithms.

    Attributes:
        steps: numbers of steps, rising, (knots,).
        temperatures: for each, (knots,).
    """

    steps: np.ndarray
    temperatures: np.ndarray

    @classmethod
    def all_of(cls, temperature: float) -> "StepTemperatures":
        """Return one temperature for any number of steps."""
        return cls(np.ones(1), np.array([temperature]))

    @classmethod
    def of(cls, steps: list[float], temperatures: list[float]) -> "StepTemperatures":
        """Return what a file says they are.

        Raises:
            ValueError: where that makes no sense.
        """
        found = cls(np.array(steps, np.float64), np.array(temperatures, np.float64))
        rising = found.steps.ndim == 1 and len(found.steps) and (np.diff(found.steps) > 0).all()
        # NaN compares with nothing: what must hold is asked for, not what mustn't.
        if not (rising and found.steps[0] >= 1 and found.steps.shape == found.temperatures.shape):
            raise ValueError(f"it has step_temperatures after {steps!r} steps")
        if not ((found.temperatures > 0) & (found.temperatures < 1000)).all():
            raise ValueError(f"it has step_temperatures={temperatures!r}")
        return found

    def after(self, steps: np.ndarray) -> np.ndarray:
        """Return the temperatures after numbers of steps.

        >>> found = StepTemperatures(np.array([1.0, 4.0]), np.array([4.0, 1.0]))
        >>> found.after(np.array([1, 2, 4, 9])).round(3).tolist()
        [4.0, 2.0, 1.0, 1.0]
        """
        return np.exp(np.interp(np.log(steps), np.log(self.steps), np.log(self.temperatures)))


def measured_lengths(longest: int) -> np.ndarray:
    """Return the numbers of steps at which temperatures are measured.

    >>> measured_lengths(8).tolist()
    [1, 2, 3, 4, 5, 6, 7, 8]
    """
    return np.unique(np.geomspace(1, longest, _KNOTS).round().astype(np.int64))


def chosen_beginnings(sequences: Sequences) -> tuple[Sequences, np.ndarray, np.ndarray]:
    """Return beginnings of sequences, of which each is, and which of `measured_lengths` it has."""
    sizes = measured_lengths(int(sequences.lengths.max()))
    count = min(max(int(_STEPS / sequences.lengths.mean()), _LEAST), _MOST, len(sequences))
    parts, owners, knots = [], [], []
    for i in np.linspace(0, len(sequences) - 1, count).round().astype(int).tolist():
        for knot, size in enumerate(sizes[sizes <= sequences.lengths[i]]):
            parts.append(sequences[i][:size])
            owners.append(i)
            knots.append(knot)
    return joined(parts), np.array(owners), np.array(knots)


def step_temperatures(
    scores: np.ndarray, places: np.ndarray, knots: np.ndarray, longest: int, whole: float
) -> StepTemperatures:
    """Return the likeliest temperatures, where each is near the one of the next longer beginnings.

    With the logarithms w_1, ..., w_K of the temperatures, w that of whole sequences and d = 0.25,
    they minimise::

        sum over beginnings of -log softmax(scores / exp(w_k))[place]
          + sum over k of (w_k - w_(k+1))^2 / (2 d^2)  +  (w_K - w)^2 / (2 d^2)

    Args:
        scores: of beginnings, (beginnings, classes).
        places: their true classes.
        knots: which of `measured_lengths` each has.
        longest: the steps of the longest sequence.
        whole: the temperature of whole sequences.
    """
    from scipy.optimize import minimize  # it takes long to load

    scores, rows = scores.astype(np.float64), np.arange(len(places))
    steps = measured_lengths(longest)

    def cost(logarithms: np.ndarray) -> tuple[float, np.ndarray]:
        divided = scores / np.exp(logarithms[knots])[:, None]
        told = log_softmax(divided, axis=1)
        # d/dw of -log softmax(s / e^w)[place] = s[place] / e^w - sum of p s / e^w
        slopes = divided[rows, places] - (np.exp(told) * divided).sum(1)
        walked = np.diff(logarithms, append=np.log(whole)) / _SPREAD**2
        slope = np.bincount(knots, slopes, len(steps)) - walked
        slope[1:] += walked[:-1]
        return -told[rows, places].sum() + 0.5 * _SPREAD**2 * (walked**2).sum(), slope

    begin = np.full(len(steps), np.log(whole))
    found = minimize(cost, begin, jac=True, method="L-BFGS-B", bounds=[(-3.0, 3.0)] * len(steps))
    return StepTemperatures(steps.astype(np.float64), np.exp(found.x))
