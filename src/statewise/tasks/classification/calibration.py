"""Probabilities that mean what they say: a temperature, and how well it does.

A network's scores are divided by one number, the temperature, before the softmax. It is found on
sequences held out of the training, as the one of the highest likelihood there. Guo, Pleiss, Sun and
Weinberger, "On calibration of modern neural networks", ICML 2017.
"""

from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, softmax

_RANGE = (np.log(0.05), np.log(20.0))
_BINS = 15
HELD = 5  # one sequence of so many is held out
LEAST = 4  # sequences of the smallest class, without which none is


class Calibration(NamedTuple):
    """How probabilities were calibrated.

    Attributes:
        temperature: by which scores are divided; 1 where there was nothing to measure it on.
        held: how many sequences (or steps) were held out for it.
        log_loss: there, with the temperature: the mean of -log of the true class's probability.
        log_loss_before: there, without.
        error: there, with the temperature: the expected calibration error, see
            `calibration_error`.
    """

    temperature: float
    held: int
    log_loss: float
    log_loss_before: float
    error: float


NONE = Calibration(1.0, 0, float("nan"), float("nan"), float("nan"))


def calibrated(scores: np.ndarray, places: np.ndarray) -> Calibration:
    """Return the temperature for scores (cases, classes) whose true classes are known.

    >>> scores = np.array([[4.0, 0.0], [4.0, 0.0], [4.0, 0.0], [0.0, 4.0]])
    >>> calibrated(scores, np.array([0, 0, 1, 1])).temperature > 2  # they were too sure
    True
    """
    from scipy.optimize import minimize_scalar  # it takes long to load

    scores = scores.astype(np.float64)

    def loss(logarithm: float) -> float:
        told = log_softmax(scores / np.exp(logarithm), axis=1)
        return -float(told[np.arange(len(places)), places].mean())

    # A case that pulls towards 1 keeps the temperature within reason where all is told right.
    found = minimize_scalar(
        lambda t: loss(t) * len(places) + 0.5 * t**2, bounds=_RANGE, method="bounded"
    )
    temperature = float(np.exp(found.x))
    error = calibration_error(softmax(scores / temperature, axis=1), places)
    return Calibration(temperature, len(places), loss(found.x), loss(0.0), error)


def calibration_error(probabilities: np.ndarray, places: np.ndarray) -> float:
    """Return the expected calibration error: how far off the likeliest class's probability is.

    Cases are put into 15 bins of equal width by the probability p of their likeliest class; with
    n cases of N in a bin::

        ECE = sum over bins of n / N * |share of them told right - mean p|

    Args:
        probabilities: (cases, classes).
        places: the true classes, (cases,).

    >>> told = np.array([[0.9, 0.1]] * 10)
    >>> round(calibration_error(told, np.array([0] * 9 + [1])), 3)  # right 9 times of 10
    0.0
    """
    sure, right = probabilities.max(1), probabilities.argmax(1) == places
    bins = np.minimum((sure * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, right - sure, _BINS)
    return float(np.abs(gaps).sum() / len(places))


def held_out(places: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the cases to hold out: a fifth of each class, at least one.

    Args:
        places: the class of each case.
        rng: what draws.

    Returns:
        Their places, rising; none where a class has too few.
    """
    counts = np.bincount(places)
    if not len(places) or counts[counts > 0].min() < LEAST:
        return np.empty(0, np.int64)
    chosen = []
    for one in np.flatnonzero(counts):
        members = rng.permutation(np.flatnonzero(places == one))
        chosen.append(members[: max(1, len(members) // HELD)])
    return np.sort(np.concatenate(chosen))
