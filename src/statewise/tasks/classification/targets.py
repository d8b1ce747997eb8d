"""What is to be told of sequences: one label or number for each, or one for each of its steps."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError
from statewise.tasks.classification import scikit_learn
from statewise.tasks.classification.frames import labels_in
from statewise.tasks.classification.sequences import Sequences


def read_targets(
    X: Any, y: Any, sequences: Sequences, label: Any, per_step: bool, word: str
) -> np.ndarray:
    """Return the targets in the order of the sequences: one for each, or for each of their steps.

    Args:
        X: what the sequences were read from.
        y: the targets; None where they are in the column ``label`` of a long frame.
        sequences: that they belong to.
        label: the name of such a column, or None.
        per_step: whether each step has one.
        word: what to call them: "label" or "number".

    Returns:
        (sequences, ...), or (steps, ...).

    Raises:
        DataError: where there aren't as many as there must be, or both y and a column are named.
    """
    if label is not None:
        if y is not None:
            raise DataError(f"there are y and a column of labels, {label!r}: give one of them")
        return _of_column(labels_in(X, sequences, label), sequences, label, per_step)
    if y is None:
        raise DataError(
            "SequenceClassifier and SequenceRegressor: requires y to be passed, but the target y "
            "is None; give one for each sequence, or name a column of a long frame, as "
            'columns={"key": "id", "label": "kind"}'
        )
    y = _in_order(y, sequences, word)
    return (_of_steps if per_step else _of_sequences)(y, sequences, word)


def _of_column(values: np.ndarray, sequences: Sequences, label: Any, per_step: bool) -> np.ndarray:
    if per_step:
        return values
    first = values[sequences.offsets[:-1]]
    repeated = np.repeat(first, sequences.lengths)
    both_missing = pd.isna(values) & pd.isna(repeated)  # one that is missing equals none
    same = (values == repeated) | both_missing
    if not same.all():
        step = int(np.flatnonzero(~same)[0])
        i = int(np.searchsorted(sequences.offsets, step, "right")) - 1
        one, other = (getattr(v, "item", lambda v=v: v)() for v in (first[i], values[step]))
        raise DataError(
            f"{sequences.called(i)} has several values in the column {label!r} ({one!r}, "
            f"{other!r}): a sequence has one, unless per_step=True"
        )
    return first


def _in_order(y: Any, sequences: Sequences, word: str) -> Any:
    """Return targets that come by key, or by the rows of a long frame, in the sequences' order."""
    keys = sequences.keys
    if isinstance(y, Mapping):
        if keys is None:
            raise DataError(f"y has {word}s by key, but the sequences have no keys: give a list")
        missing = [key for key in keys if key not in y]
        if missing:
            raise DataError(f"y has no {word} for {len(missing)} sequences, first {missing[0]!r}")
        return [y[key] for key in keys]
    if not isinstance(y, (pd.Series, pd.DataFrame)) or keys is None:
        return y
    if sequences.rows is not None and len(y) == len(sequences.rows) != len(keys):
        return y  # one for each row; see _of_steps
    if not y.index.has_duplicates and set(y.index) == set(keys):
        return y.loc[list(keys)]
    if len(y) == len(keys) and not isinstance(y.index, pd.RangeIndex):
        raise DataError(
            f"y has an index of its own, but not the keys of the sequences (such as {keys[0]!r}): "
            "give y by key, or y.to_numpy() in the order in which the keys first appear"
        )
    return y


def _of_sequences(y: Any, sequences: Sequences, word: str) -> np.ndarray:
    try:
        array = np.asarray(y)
    except ValueError:  # arrays of several lengths
        array = np.empty(len(y), object)
        array[:] = list(y)
    if array.ndim == 0:
        raise DataError(f"y is {y!r:.80}, but one {word} for each sequence was expected")
    if len(array) != len(sequences):
        raise DataError(
            f"there are {len(sequences)} sequences, but {len(array)} {word}s in y: one for each"
        )
    nested = array.ndim == 1 and isinstance(array[0], (list, tuple, np.ndarray, pd.Series))
    if nested or array.ndim > 2:
        raise DataError(
            f"y has several {word}s for a sequence: where each step has one, say per_step=True"
        )
    if array.ndim == 2 and array.shape[1] == 1:
        scikit_learn.warn_of_column(array.shape)
        array = array[:, 0]
    return array


def _of_steps(y: Any, sequences: Sequences, word: str) -> np.ndarray:
    if sequences.rows is not None and len(y) == len(sequences.rows) != len(sequences):
        return np.asarray(y)[sequences.rows]
    if len(y) != len(sequences):
        raise DataError(
            f"there are {len(sequences)} sequences, but {len(y)} rows of {word}s in y: with "
            f"per_step=True one {word} for each step of each sequence"
        )
    parts = []
    for i, (one, length) in enumerate(zip(y, sequences.lengths, strict=True)):
        part = np.asarray(one)
        if part.ndim and len(part) == sequences.padded:
            part = part[:length]
        if part.ndim == 0 or len(part) != length:
            count = len(part) if part.ndim else 1
            raise DataError(
                f"{sequences.called(i)} has {length} time steps, but {count} {word}s in y: with "
                "per_step=True one for each step"
            )
        parts.append(part)
    return np.concatenate(parts)


def classes_of(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return each class once, in order, and the place of each label among them.

    Raises:
        DataError: where labels are missing, no labels, or all the same.

    >>> [part.tolist() for part in classes_of(np.array(["b", "a", "b"]))]
    [['a', 'b'], [1, 0, 1]]
    """
    if labels.ndim != 1:
        raise DataError(
            f"y has the shape {labels.shape}: one label for each was expected. (Where each step "
            "has one, say per_step=True.)"
        )
    missing = pd.isna(labels)
    if missing.any():
        raise DataError(
            f"{int(missing.sum())} labels of {len(labels)} are missing (NaN), first that of place "
            f"{int(missing.argmax())}: leave these sequences out"
        )
    if labels.dtype.kind in "fc":
        finite = np.isfinite(labels)
        if not finite.all():
            raise DataError("y holds an infinity (inf), which is no label")
        if (labels != np.round(labels.real)).any():
            raise DataError(
                "Unknown label type: continuous numbers, such as "
                f"{labels[labels != np.round(labels.real)][0]}; for these there is "
                "SequenceRegressor"
            )
    try:
        classes, places = np.unique(labels, return_inverse=True)
    except TypeError:
        kinds = sorted({type(one).__name__ for one in labels.tolist()})
        raise DataError(
            f"the labels are of several types, {' and '.join(kinds)}: give all as one of them"
        ) from None
    if len(classes) < 2:
        raise DataError(
            f"y has only one class, {classes.tolist()[0]!r}: there is nothing to tell apart; give "
            "sequences of two classes at least"
        )
    return classes, places


def places_among(labels: np.ndarray, classes: np.ndarray) -> np.ndarray:
    """Return the place of each label among known classes.

    Raises:
        DataError: where a label is none of them.
    """
    known = {label: i for i, label in enumerate(classes.tolist())}
    unknown = [one for one in dict.fromkeys(labels.tolist()) if one not in known]
    if unknown:
        raise DataError(
            f"y has labels that fit never saw: {', '.join(map(repr, unknown[:5]))}; it knows "
            f"{', '.join(map(repr, list(known)[:12]))}"
        )
    return np.array([known[one] for one in labels.tolist()])


def numbers_of(targets: np.ndarray) -> np.ndarray:
    """Return targets as float64 (..., outputs).

    Raises:
        DataError: where they are no finite numbers.
    """
    if targets.dtype.kind == "c":
        raise DataError("Complex data not supported: y must hold real numbers")
    try:
        numbers = targets.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"y must hold numbers, but {error}; for labels there is SequenceClassifier"
        ) from None
    known = np.isfinite(numbers)
    if not known.all():
        place = int(np.argwhere(~known)[0][0])
        raise DataError(
            f"y has {int((~known).sum())} numbers that are NaN or infinity (inf), first at place "
            f"{place}: leave these sequences out"
        )
    return numbers[:, None] if numbers.ndim == 1 else numbers
