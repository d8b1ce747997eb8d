"""What a user may hand over as sequences: arrays, lists, mappings and frames, read as `Sequences`.

Which axis is time is never guessed. This package's order is (cases, time, features), that of aeon
and of sktime's arrays (cases, channels, time): ``axes`` says which. Where it isn't said, arrays are
read in this package's order, and refused where they look as if they were in the other one.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError
from statewise.sequences.arrays import NUMBER_KINDS, without_mask
from statewise.tasks.classification.frames import Roles, from_frame, is_frame
from statewise.tasks.classification.sequences import Sequences, joined

FIRST, LAST = AXES = ("time first", "time last")
_WORDS = (
    'say axes="time first" for (cases, time, features), axes="time last" for (cases, channels, '
    "time), as aeon has it"
)


def take_in(
    X: Any, axes: str | None = None, roles: Roles | None = None, lengths: Any = None
) -> Sequences:
    """Return sequences out of whatever form they came in, checked.

    Args:
        X: arrays (cases, time, features) or (cases, time); a list, tuple or mapping of arrays
            (time, features) or (time,); frames, see `frames`.
        axes: "time first" or "time last"; None where nobody said.
        roles: which columns of a long frame hold what.
        lengths: the time steps of each row of padded arrays.

    Raises:
        DataError: where they can't be read so.
        TypeError: where X is none of these, or holds no numbers.

    >>> take_in([[1, 2, 3], [4, 5]]).lengths.tolist()
    [3, 2]
    >>> take_in(np.zeros((2, 3, 50)))
    Traceback (most recent call last):
    ...
    statewise.sequences.tables.DataError: X has the shape (2, 3, 50), ...
    """
    roles = roles or Roles()
    if axes not in (None, *AXES):
        raise ValueError(f"axes must be None or one of {', '.join(AXES)}, but is {axes!r}")
    if hasattr(X, "tocsr"):
        raise TypeError("X is a sparse matrix: give it as a dense array, by X.toarray()")
    if is_frame(X):
        if lengths is not None:
            raise DataError("lengths= goes with padded arrays, but X is a frame")
        return from_frame(X, roles).checked()
    if roles.named:
        raise DataError(
            f"columns says the {' and the '.join(roles.named)} of a frame, but X is no frame: it's "
            f"of {type(X).__name__}"
        )
    items, keys = X, None
    if isinstance(X, Mapping):
        items, keys = list(X.values()), _array_of(list(X))
    elif isinstance(X, pd.Series):
        items = X.to_numpy() if X.dtype != object else list(X)
    elif not isinstance(X, (list, tuple)):
        items = _as_array(X, "X")
        if items.dtype == object and items.ndim == 1:
            items = list(items)
    if isinstance(items, np.ndarray):
        return _of_block(items, axes, lengths).checked()
    if lengths is not None:
        raise DataError(
            "lengths= goes with padded arrays (cases, time, features), but X is a list: each "
            "sequence of a list has its own length already"
        )
    return _of_items(list(items), axes, keys).checked()


def _of_block(array: np.ndarray, axes: str | None, lengths: Any) -> Sequences:
    """Read one array: of all sequences, padded where there are lengths."""
    if array.ndim not in (2, 3):
        raise DataError(
            f"X has the shape {array.shape}, but (cases, time, features) or (cases, time) was "
            "expected. Reshape your data: one sequence alone is X[None], and many of one feature "
            "are (cases, time)"
        )
    if array.ndim == 2:
        if not array.shape[1] and array.shape[0]:
            raise DataError(
                f"X has 0 feature(s) (shape={array.shape}) while a minimum of 1 is required."
            )
        block, axes = array[:, :, None], axes or FIRST
    else:
        if axes is None and array.shape[1] < array.shape[2]:
            raise DataError(
                f"X has the shape {array.shape}, and nobody said which axis is time: as (cases, "
                f"time, features) it'd be {array.shape[1]} steps of {array.shape[2]} features; "
                f"{_WORDS}"
            )
        axes = axes or FIRST
        block = array.swapaxes(1, 2) if axes == LAST else array
    cases, time, features = block.shape
    if lengths is None:
        offsets = np.arange(cases + 1, dtype=np.int64) * time
        return Sequences(block.reshape(-1, features), offsets, axes=axes)
    counts = _lengths(lengths, cases, time)
    parts = [one[:count] for one, count in zip(block, counts, strict=True)]
    return joined(parts, axes=axes, padded=time)


def _of_items(items: list, axes: str | None, keys: np.ndarray | None) -> Sequences:
    """Read a list of sequences, one array (or frame of channels) for each."""
    framed = [isinstance(one, pd.DataFrame) for one in items]
    if any(framed):
        if not all(framed):
            raise DataError("X holds frames and arrays: give all sequences in one form")
        names = tuple(items[0].columns)
        for i, one in enumerate(items):
            if set(one.columns) != set(names) or len(one.columns) != len(names):
                raise DataError(
                    f"sequence {i} has the columns {list(one.columns)}, but the first one has "
                    f"{list(names)}"
                )
        arrays = [_as_array(one[list(names)], f"sequence {i}") for i, one in enumerate(items)]
        return joined(arrays, names=names, keys=keys)
    arrays = [_as_array(one, f"sequence {i}") for i, one in enumerate(items)]
    axis_counts = sorted({one.ndim for one in arrays})
    if axis_counts and (axis_counts[0] < 1 or axis_counts[-1] > 2 or len(axis_counts) > 1):
        raise DataError(
            f"X holds sequences of {' and '.join(map(str, axis_counts))} axes, but each must be "
            "(time, features), or each (time,); Reshape your data (one sequence alone is given as "
            "[sequence])"
        )
    if axis_counts == [2]:
        axes = axes or _time_first(arrays)
        arrays = [one.T if axes == LAST else one for one in arrays]
        features = [one.shape[1] for one in arrays]
        odd = next((i for i, count in enumerate(features) if count != features[0]), None)
        if odd is not None:
            raise DataError(
                f"sequence 0 has {features[0]} features and sequence {odd} has {features[odd]}, "
                f'read as axes="{axes}": all must have the same'
            )
    else:
        axes, arrays = axes or FIRST, [one[:, None] for one in arrays]
    return joined(arrays, axes=axes, keys=keys)


def _time_first(arrays: list[np.ndarray]) -> str:
    """Return "time first", where nobody said so and nothing speaks against it.

    Raises:
        DataError: where something does.
    """
    rows, columns = ({one.shape[i] for one in arrays} for i in (0, 1))
    if len(columns) > 1 and len(rows) == 1:
        raise DataError(
            f"all sequences have {min(rows)} rows, but {min(columns)} to {max(columns)} columns: "
            f"columns are taken for features, of which all must have the same; {_WORDS}"
        )
    if len(columns) == len(rows) == 1 and max(rows) < max(columns):
        raise DataError(
            f"all sequences have the shape {arrays[0].shape}, and nobody said which axis is time: "
            f"as (time, features) they'd be {max(rows)} steps of {max(columns)} features; {_WORDS}"
        )
    return FIRST


def _lengths(lengths: Any, cases: int, time: int) -> list[int]:
    """Return the lengths of padded rows.

    Raises:
        DataError: where there is not one for each, or one isn't from 1 to ``time``.
    """
    array = np.asarray(lengths)
    if array.shape != (cases,) or array.dtype.kind not in "iu":
        raise DataError(
            f"lengths must be whole numbers, one for each of the {cases} sequences, but is of "
            f"{array.dtype} and of the shape {array.shape}"
        )
    wrong = np.flatnonzero((array < 1) | (array > time))
    if len(wrong):
        raise DataError(
            f"lengths[{wrong[0]}] is {array[wrong[0]]}, but a sequence has from 1 to {time} time "
            "steps here"
        )
    return array.tolist()


def _as_array(values: Any, name: str) -> np.ndarray:
    """Return real numbers as an array; one of arrays (of objects) comes back as it is.

    Raises:
        TypeError, DataError: where it holds something else.
    """
    values = without_mask(values, name)
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError) as error:  # nested lists of different lengths
        raise DataError(f"{name} can't be read as an array of numbers: {error}") from None
    if array.dtype.kind == "c":
        raise DataError(
            f"Complex data not supported: {name} is of {array.dtype}; take .real and .imag as "
            "features of their own"
        )
    if array.dtype == object:
        if array.ndim == 1 and name == "X":
            return array
        try:
            return array.astype(np.float64)
        except (TypeError, ValueError) as error:
            raise type(error)(f"{name} must hold real numbers: {error}") from None
    if array.dtype.kind not in NUMBER_KINDS:
        raise DataError(f"{name} must hold real numbers, but its dtype is {array.dtype}")
    return array


def _array_of(keys: list) -> np.ndarray:
    """Return keys as an array of one axis, tuples among them too."""
    array = np.empty(len(keys), object)
    array[:] = keys
    return array
