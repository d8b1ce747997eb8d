"""What arrives for the streams, checked and laid into batches."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from statewise.recurrence.native import available, stack_rows
from statewise.streams.engines import TAME
from statewise.streams.keys import MANY
from statewise.streams.signature import Signature


class Batch(NamedTuple):
    """Keys for which the same number of steps arrived.

    Attributes:
        keys: plain ones.
        x: ``(keys, time, features)``, the steps to run; those with a missing value are left out.
        seen: for each step that arrived, whether it is to be run, bool ``(arrived,)``.
        single: whether one step arrived without a time axis.
        tame: whether the squares of all its values have a sum below `TAME`.
    """

    keys: list
    x: np.ndarray
    seen: np.ndarray
    single: bool
    tame: bool = False


def batches_of(values: Mapping, signature: Signature, missing: str) -> list[Batch]:
    """Check what arrived and lay it into as few batches as there are lengths.

    Args:
        values: for each key, a plain one, ``(features,)``, or ``(time, features)``.
        signature: of the model.
        missing: "raise", or "carry": a step with a NaN in it isn't run.

    Raises:
        TypeError: if values aren't numbers.
        ValueError: if a shape doesn't fit, a value is NaN or infinite, or no token of the model's;
            it names the key.
    """
    if not values:
        return []
    x = _alike(list(values.values()), signature)
    if x is None:
        return _grouped(values, signature, missing)
    single = x.ndim == 1 + len(signature.features)
    seen = np.ones(_steps(x, single), bool)
    return [Batch(list(values), x[:, None] if single else x, seen, single, tame=True)]


def checked_steps(key, values, signature: Signature) -> tuple[np.ndarray, bool]:
    """Return what arrived for one key as ``(time, features)``, and whether it was a single step.

    Raises:
        TypeError: if the values aren't numbers.
        ValueError: if the shape doesn't fit, or a value is infinite or no token of the model's.
    """
    try:
        array = np.asarray(without_mask(values))
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
    if signature.vocabulary is not None:
        check_tokens(f"The values for key {key!r}", array, signature.vocabulary)
    given, array = array, _converted(array, signature)
    if np.isinf(array).any() or (array.dtype.kind in "iu" and (array != given).any()):
        raise ValueError(
            f"The values for key {key!r} hold an infinity, or a number too large for "
            f"{signature.dtype}."
        )
    return (array[None] if single else array), single


def _grouped(values: Mapping, signature: Signature, missing: str) -> list[Batch]:
    """Check key by key, and put keys with the same steps together."""
    groups: dict[tuple, list] = {}
    for key, given in values.items():
        x, single = checked_steps(key, given, signature)
        seen = seen_steps(key, x, missing)
        groups.setdefault((single, seen.tobytes()), []).append((key, x[seen], seen))
    batches = []
    for (single, _), group in groups.items():
        keys, parts, masks = zip(*group, strict=True)
        batches.append(Batch(list(keys), np.stack(parts), masks[0], single))
    return batches


def seen_steps(key, x: np.ndarray, missing: str) -> np.ndarray:
    """Return which steps of ``x (time, features)`` are to be run.

    Raises:
        ValueError: if a value is missing and that is refused.
    """
    lost = np.isnan(x).reshape(len(x), -1).any(axis=1)
    if missing == "raise" and lost.any():
        raise ValueError(
            f"The values for key {key!r} hold NaN in {lost.sum()} of {len(x)} time steps. Fill "
            'them in, or carry the states over such steps: Streams(..., missing="carry").'
        )
    return ~lost


def check_tokens(what: str, tokens: np.ndarray, vocabulary: int) -> None:
    """Refuse numbers that an embedding has no row for; missing ones are left alone.

    Raises:
        ValueError: naming the first of them.
    """
    wrong = (tokens < 0) | (tokens >= vocabulary)
    if tokens.dtype.kind == "f":
        wrong |= tokens != np.trunc(tokens)
        wrong &= ~np.isnan(tokens)
    if wrong.any():
        raise ValueError(
            f"{what} hold the token {tokens[wrong].flat[0]}; the model's embedding has rows for "
            f"whole numbers from 0 to {vocabulary - 1}."
        )


def without_mask(values):
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
    x = _stacked(arrays, signature)
    if x is not None and np.vdot(x, x) < TAME:
        return x
    if np.ma.MaskedArray in set(map(type, arrays)):
        return None
    try:
        x = np.asarray(arrays)
    except ValueError:
        return None
    if not _is_of_kind(x, signature) or not _fits(x[0], signature):
        return None
    if signature.vocabulary is not None and not (
        x.min() >= 0 and x.max() < signature.vocabulary and x.dtype.kind in "iub"
    ):
        return None
    given, x = x, _converted(x, signature)
    if x.dtype.kind in "iu":
        return x if x is given or (x == given).all() else None
    # The product with itself is NaN or infinite where a value is (and large where one is: that gets
    # the closer look). Unlike a sum it needs no guard against warnings.
    return x if np.vdot(x, x) < TAME else None


def _stacked(arrays: list, signature: Signature) -> np.ndarray | None:
    """Return many single steps as one array; None for what isn't many plain arrays of numbers."""
    if len(arrays) < MANY or signature.dtype != np.float32 or signature.vocabulary is not None:
        return None
    if len(signature.features) != 1 or not available():
        return None
    return stack_rows(arrays, signature.features[0])


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
