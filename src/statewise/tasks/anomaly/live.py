"""What just arrived, scored by streams of a detector's live model."""

from collections.abc import Hashable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError
from statewise.tasks.anomaly.data import Given, Taken, in_order_of
from statewise.tasks.anomaly.intervals import Reading
from statewise.tasks.anomaly.scaling import scaled


def push(detector: Any, streams: Any, values: Mapping[Any, Any]) -> dict[Any, Reading]:
    """Score what just arrived, see `AnomalyDetector.push`.

    The streams hold everything about a key, so one of their transactions is all that happens.
    """
    if getattr(streams, "model", None) is not detector.model_:
        raise ValueError(
            f"streams={streams!r}: expected Streams(detector.model_, ...) of this very detector"
        )
    if not isinstance(values, Mapping):
        raise TypeError(f"push takes a mapping {{key: values}}, got a {type(values).__name__}")
    learned, inputs, single, begin = detector._learned, {}, {}, {}
    for key, given in values.items():
        try:
            known = learned.known_as(key)
        except DataError as error:
            raise KeyError(str(error)) from None
        rows, single[key] = _rows(key, given, len(learned.names))
        rows = _by_name(key, given, rows, learned.names)
        both = scaled(rows, *learned.scales[known])
        inputs[key] = both[0] if single[key] else both
        if key not in streams:
            begin[key] = learned.states[known]
    for key, state in begin.items():
        # A key joins with its state, in one transaction: after a crash it doesn't begin elsewhere.
        streams.set_state(key, state)
    outputs = streams.push(inputs)
    return {key: _reading(outputs[key], single[key], detector.threshold_) for key in values}


def missed_steps(detector: Any, key: Any, time: float, before: float | None, done: int) -> int:
    """Return how many steps of a stream's time went by without a value, before one at ``time``.

    Args:
        detector: a fitted one.
        key: of the stream.
        time: of the value, in seconds or as a number.
        before: that of the value before it; None where nobody knows it, as after a restart. Then
            it's told by the end of the training, up to whole seasons.
        done: steps of this stream since then.
    """
    learned = detector._learned
    if not learned.between:
        return 0
    season = learned.design.season
    if before is not None:
        lost = max(round((time - before) / learned.between) - 1, 0)
        most = 2 * max(season, 32)
        return lost if lost <= most else (lost - most) % season + most
    end = learned.ends[learned.known_as(key)]
    if end is None or season == 1:
        return 0
    return (round((time - end) / learned.between) - 1 - done) % season


def _rows(key: Any, given: Any, features: int) -> tuple[np.ndarray, bool]:
    """Return what arrived as (time, features), and whether it was a single step.

    Raises:
        TypeError: where it isn't numbers.
        ValueError: where the shape doesn't fit, or there is an infinity.
    """
    try:
        rows = np.asarray(given)
    except ValueError:  # of different lengths
        rows = np.asarray(None)
    if rows.dtype.kind not in "fiub":
        raise TypeError(f"The values for key {key!r} must be numbers; got {given!r:.80}.")
    single = rows.ndim == 0 or (rows.ndim == 1 and features > 1)
    if features == 1 and rows.ndim == 1 and len(rows) == 1:
        single = True
    rows = rows.astype(np.float64)
    if rows.ndim < 2:
        rows = rows.reshape(1, -1) if single else rows[:, None]
    if rows.ndim != 2 or rows.shape[1] != features or not len(rows):
        raise ValueError(
            f"The values for key {key!r} have the shape {np.shape(given)}; expected ({features},) "
            f"for one time step, (features,), or (time, {features}) for several."
        )
    if np.isinf(rows).any():
        raise ValueError(f"The values for key {key!r} hold an infinity.")
    return rows, single


def _by_name(
    key: Hashable, given: Any, rows: np.ndarray, names: tuple[Hashable, ...]
) -> np.ndarray:
    """Return rows with the features in their order, where pandas says which is which.

    Raises:
        DataError: where they have other names.
    """
    labels: Any = None
    if isinstance(given, pd.DataFrame):
        labels = given.columns
    elif isinstance(given, pd.Series) and len(names) > 1:
        labels = given.index
    if labels is None or isinstance(labels, pd.RangeIndex):
        return rows
    named = Taken({key: Given(rows, tuple(labels))}, "table")
    return in_order_of(named, names).series[key].values


def _reading(output: np.ndarray, single: bool, threshold: float) -> Reading:
    by_feature = output[..., 1:] if output.shape[-1] > 1 else output
    score = output[..., 0].astype(np.float64)
    if single:
        return Reading(float(score), by_feature.astype(np.float64), bool(score >= threshold))
    return Reading(score, by_feature.astype(np.float64), score >= threshold)
