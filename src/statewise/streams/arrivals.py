"""What arrives for the streams, checked and laid into batches."""

from collections.abc import Mapping
from math import isfinite
from typing import NamedTuple

import numpy as np

from statewise.streams.signature import Signature
from statewise.streams.store import plain_key

_PLAIN_KEYS = frozenset({str, int})


class Batch(NamedTuple):
    """Keys for which the same number of steps arrived.

    Attributes:
        keys: as they were given.
        x: ``(keys, time, features)``, the steps to run; those with a missing value are left out.
        seen: for each step that arrived, whether it is to be run, bool ``(arrived,)``.
        single: whether one step arrived without a time axis.
    """

    keys: list
    x: np.ndarray
    seen: np.ndarray
    single: bool


def batches_of(values: Mapping, signature: Signature, missing: str) -> list[Batch]:
    """Check what arrived and lay it into as few batches as there are lengths.

    Args:
        values: for each key ``(features,)``, or ``(time, features)``.
        signature: of the model.
        missing: "refuse", or "carry": a step with a NaN in it isn't run.

    Raises:
        TypeError: if it isn't a mapping, a key is neither text nor an integer, or values aren't
            numbers.
        ValueError: if a shape doesn't fit, or a value is NaN or infinite; it names the key.
    """
    if not isinstance(values, Mapping):
        raise TypeError(f"push takes a mapping {{key: values}}, got a {type(values).__name__}.")
    if not values:
        return []
    if not _PLAIN_KEYS.issuperset(map(type, values)):
        for key in values:  # True and 1.0 would pass for 1 where 1 is there already
            plain_key(key)
    x = _alike(list(values.values()), signature)
    if x is None:
        return _grouped(values, signature, missing)
    single = x.ndim == 1 + len(signature.features)
    return [
        Batch(list(values), x[:, None] if single else x, np.ones(_steps(x, single), bool), single)
    ]


def checked_steps(key, values, signature: Signature) -> tuple[np.ndarray, bool]:
    """Return what arrived for one key as ``(time, features)``, and whether it was a single step.

    Raises:
        TypeError: if the values aren't numbers.
        ValueError: if the shape doesn't fit, or a value is infinite.
    """
    try:
        array = np.asarray(_without_mask(values))
    except ValueError:  # rows of different lengths
        array = np.asarray(None)
    if not _is_of_kind(array, signature):
        kind = "whole numbers" if signature.dtype.kind in "iu" else "numbers"
        raise TypeError(
            f"The values for key {key!r} must be {kind} in rows of one length; got {values!r}."
        )
    if not _fits(array, signature):
        raise ValueError(
            f"The values for key {key!r} have the shape {array.shape}; expected "
            f"{signature.features} for one time step, (features,), or "
            f"{_time(signature.features)} for several, (time, features)."
        )
    single = array.ndim == len(signature.features)
    array = _converted(array, signature)
    if np.isinf(array).any():
        raise ValueError(
            f"The values for key {key!r} hold an infinity, or a number too large for "
            f"{signature.dtype}."
        )
    return (array[None] if single else array), single


def checked_targets(
    batch: Batch, targets: Mapping, signature: Signature, shape: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Check the targets of a batch's keys and lay them beside its steps.

    Args:
        batch: what arrived.
        targets: for each key as many targets as steps arrived; one, where one step arrived or the
            model gives its last output only.
        signature: of the model.
        shape: of one target.

    Returns:
        The targets of the steps to be run, float32 ``(keys, time, ...)``, and where they are known,
        bool ``(keys, time)``.

    Raises:
        TypeError: if targets aren't numbers.
        ValueError: if a shape doesn't fit, or a target is NaN or infinite; it names the key.
    """
    one = batch.single or not signature.sequences
    expected = shape if one else (len(batch.seen), *shape)
    steps = batch.x.shape[1]
    y = np.zeros((len(batch.keys), steps, *shape), "float32")
    known = np.zeros((len(batch.keys), steps), bool)
    known[:, slice(None) if signature.sequences else slice(-1, None)] = True
    for i, key in enumerate(batch.keys):
        try:
            target = np.asarray(targets[key]).astype("float32")
        except (TypeError, ValueError):
            raise TypeError(f"The target for key {key!r} must be numbers.") from None
        if target.shape != expected:
            raise ValueError(
                f"The target for key {key!r} has the shape {target.shape}; expected {expected}."
            )
        if not np.isfinite(target).all():
            raise ValueError(f"The target for key {key!r} holds NaN or an infinity.")
        if not signature.sequences:
            y[i, -1:] = target
        else:
            y[i] = (target[None] if one else target)[batch.seen]
    return y, known


def _grouped(values: Mapping, signature: Signature, missing: str) -> list[Batch]:
    """Check key by key, and put keys with the same steps together."""
    groups: dict[tuple, list] = {}
    for key, given in values.items():
        x, single = checked_steps(key, given, signature)
        seen = seen_steps(key, x, missing)
        groups.setdefault((single, seen.tobytes()), []).append((key, x[seen], seen))
    batches = []
    for (single, _), group in groups.items():
        keys, parts, seen = zip(*group, strict=True)
        batches.append(Batch(list(keys), np.stack(parts), seen[0], single))
    return batches


def seen_steps(key, x: np.ndarray, missing: str) -> np.ndarray:
    """Return which steps of ``x (time, features)`` are to be run.

    Raises:
        ValueError: if a value is missing and that is refused.
    """
    lost = np.isnan(x).reshape(len(x), -1).any(axis=1)
    if missing == "refuse" and lost.any():
        raise ValueError(
            f"The values for key {key!r} hold NaN in {lost.sum()} of {len(x)} time steps. Fill "
            'them in, or carry the states over such steps: Streams(..., missing="carry").'
        )
    return ~lost


def checked_keys(keys) -> list:
    """Return one key or several as a list.

    Raises:
        TypeError: if a key is neither text nor an integer.
        ValueError: if a key is there twice.
    """
    keys = [keys] if isinstance(keys, (str, int, np.integer)) else list(keys)
    keys = [plain_key(key) for key in keys]
    if len(set(keys)) != len(keys):
        twice = next(key for i, key in enumerate(keys) if key in keys[:i])
        raise ValueError(f"The key {twice!r} is given twice.")
    return keys


def checked_count(name: str, value, least: int) -> int:
    """Return a whole number of time steps.

    Raises:
        TypeError: if it's none.
        ValueError: if it's below the least.
    """
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise TypeError(f"{name}={value!r}: expected a whole number of time steps.")
    if value < least:
        raise ValueError(f"{name}={value}: expected {least} or more time steps.")
    return int(value)


def _without_mask(values):
    """Return NumPy's masked values as what they are, missing: NaN."""
    if isinstance(values, np.ma.MaskedArray) and values.mask.any():
        return values.astype(float).filled(np.nan)
    return values


def _fits(array: np.ndarray, signature: Signature) -> bool:
    extra = array.ndim - len(signature.features)
    if extra not in (0, 1) or array.shape[extra:] != signature.features:
        return False
    return extra == 0 or len(array) > 0


def _alike(arrays: list, signature: Signature) -> np.ndarray | None:
    """Return arrays of one shape that need no closer look as one array; None for others."""
    if np.ma.MaskedArray in set(map(type, arrays)):
        return None
    try:
        x = np.asarray(arrays)
    except ValueError:
        return None
    if not _is_of_kind(x, signature) or not _fits(x[0], signature):
        return None
    x = _converted(x, signature)
    # The product with itself is NaN or infinite where a value is (and where one is very large: that
    # gets the closer look). Unlike a sum it needs no guard against warnings.
    return x if isfinite(np.vdot(x, x)) else None


def _is_of_kind(array: np.ndarray, signature: Signature) -> bool:
    return array.dtype.kind in ("iub" if signature.dtype.kind in "iu" else "fiub")


def _converted(x: np.ndarray, signature: Signature) -> np.ndarray:
    if x.dtype == signature.dtype:
        return x
    with np.errstate(over="ignore"):
        return x.astype(signature.dtype)


def _steps(x: np.ndarray, single: bool) -> int:
    return 1 if single else x.shape[1]


def _time(shape: tuple[int, ...]) -> str:
    return f"(time, {', '.join(map(str, shape))})" if shape else "(time,)"
