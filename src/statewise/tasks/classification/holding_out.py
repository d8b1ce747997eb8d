"""Which sequences of a long frame to hold out: a part of each class."""

from typing import Any

import numpy as np
import pandas as pd

from statewise.tasks.classification.calibration import held_out


def held_out_keys(
    frame: pd.DataFrame, key: Any, label: Any, *, per_step: bool, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the keys of a long frame, and those to hold out: a fifth of each class.

    Args:
        frame: a row for each step.
        key, label: its columns.
        per_step: whether each step has a label; then any fifth of the sequences.
        seed: of the draw.

    >>> frame = pd.DataFrame({"id": np.repeat(range(10), 2), "kind": np.repeat(["a", "b"], 10)})
    >>> keys, held = held_out_keys(frame, "id", "kind", per_step=False, seed=0)
    >>> len(keys), len(held)
    (10, 2)
    """
    grouped = frame.groupby(key, sort=False)[label]
    first = grouped.first()
    places = np.zeros(len(first), int) if per_step else pd.factorize(first)[0]
    rng = np.random.default_rng([seed, 1])
    keys = first.index.to_numpy()
    labelled = places >= 0  # those without a label are refused where they are learned from
    return keys, keys[labelled][held_out(places[labelled], rng)]
