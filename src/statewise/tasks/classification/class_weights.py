"""How much each sequence, or step, counts in the training, by its class."""

from collections.abc import Mapping
from numbers import Real
from typing import Any

import numpy as np

from statewise.sequences import DataError


def weights_of(
    class_weight: str | Mapping[Any, float] | None, classes: np.ndarray, places: np.ndarray
) -> np.ndarray:
    """Return a weight for each case, on average 1.

    Args:
        class_weight: None, "balanced" (each class counts as much as another), or by class; one that
            isn't named counts 1.
        classes: each once.
        places: of each case's class among them.

    Raises:
        ValueError, TypeError: where that makes no sense.
        DataError: where it names a class that there isn't.

    >>> weights_of("balanced", np.array(["a", "b"]), np.array([0, 0, 0, 1])).round(2)
    array([0.67, 0.67, 0.67, 2.  ], dtype=float32)
    """
    counts = np.bincount(places, minlength=len(classes))
    if class_weight is None:
        by_class = np.ones(len(classes))
    elif isinstance(class_weight, Mapping):
        known = classes.tolist()
        unknown = [one for one in class_weight if one not in known]
        if unknown:
            raise DataError(
                f"class_weight names the class {unknown[0]!r}, but there are "
                f"{', '.join(map(repr, known[:12]))}"
            )
        for one, weight in class_weight.items():
            real = isinstance(weight, Real) and not isinstance(weight, bool)
            if not real or not np.isfinite(weight) or weight < 0:
                raise ValueError(
                    f"class_weight must give each class a number of at least 0, but gives {one!r} "
                    f"{weight!r}"
                )
        by_class = np.array([float(class_weight.get(one, 1.0)) for one in known])
    elif isinstance(class_weight, str) and class_weight == "balanced":
        by_class = len(places) / (len(classes) * counts)
    else:
        raise ValueError(
            'class_weight must be None, "balanced" or weights by class, such as {"a": 2.0}, but is '
            f"{class_weight!r:.80}"
        )
    weights = by_class[places]
    if not weights.sum():
        raise ValueError("class_weight leaves no sequence with a weight above 0")
    return (weights / weights.mean()).astype(np.float32)
