"""Sequences told before they end: what is known after each step, and when that is enough."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pandas as pd

from statewise.tasks.classification.sequences import Sequences, joined

_STEPS = 1 << 20  # of beginnings that are laid out at a time


class Decisions(NamedTuple):
    """When sequences were told, and for what.

    Attributes:
        classes: of each sequence, (sequences,).
        steps: how many of its steps were seen, (sequences,).
        probabilities: of that class then, (sequences,).
        part: seen steps of all steps, the mean over the sequences.
    """

    classes: np.ndarray
    steps: np.ndarray
    probabilities: np.ndarray
    part: float


def each_beginning(
    sequences: Sequences, told: Callable[[Sequences], np.ndarray]
) -> list[np.ndarray]:
    """Return what is told of the first step of each sequence, the first two, and so on.

    Args:
        sequences: of any lengths.
        told: what tells of sequences, (sequences, ...).
    """
    found = []
    for i in range(len(sequences)):
        one = sequences[i]
        parts, first = [], 1
        while first <= len(one):
            last, steps = first, first
            while last < len(one) and steps + last + 1 <= _STEPS:
                last += 1
                steps += last
            ends = np.arange(first, last + 1)
            parts.append(told(joined([one[:end] for end in ends], names=sequences.names)))
            first = last + 1
        found.append(np.concatenate(parts))
    return found


def decide(
    told: list[np.ndarray], classes: np.ndarray, confidence: float, sequences: Sequences
) -> Decisions:
    """Return for each sequence the first step at which a class is likely enough.

    Args:
        told: the probabilities after each step, (time, classes) for each.
        classes: their names.
        confidence: how likely is enough.
        sequences: that they are of.

    Raises:
        ValueError: where the confidence is no probability.

    >>> told = [np.array([[0.6, 0.4], [0.1, 0.9], [0.0, 1.0]])]
    >>> three = Sequences(np.zeros((3, 1)), np.array([0, 3]))
    >>> decide(told, np.array(["a", "b"]), 0.8, three)[:2]
    (array(['b'], dtype='<U1'), array([2]))
    """
    if isinstance(confidence, bool) or not isinstance(confidence, (int, float, np.number)):
        raise TypeError(f"confidence must be a number from 0 to 1, but is {confidence!r}")
    if not 0 <= confidence <= 1:
        raise ValueError(f"confidence must be from 0 to 1, but is {confidence}")
    steps, places, sure = [], [], []
    for one in told:
        enough = np.flatnonzero(one.max(1) >= confidence)
        step = int(enough[0]) if len(enough) else len(one) - 1
        steps.append(step + 1)
        places.append(int(one[step].argmax()))
        sure.append(float(one[step].max()))
    counts = np.array(steps)
    part = float((counts / sequences.lengths).mean())
    return Decisions(classes[places], counts, np.array(sure), part)


def as_frame(decisions: Decisions, keys: np.ndarray | None) -> pd.DataFrame:
    """Return decisions as a table, a row for each sequence."""
    index = None if keys is None else pd.Index(list(keys), tupleize_cols=False)
    return pd.DataFrame(
        {
            "label": decisions.classes,
            "steps": decisions.steps,
            "probability": decisions.probabilities,
        },
        index=index,
    )
