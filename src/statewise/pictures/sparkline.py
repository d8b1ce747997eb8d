"""A series as one line of text: a small picture for a terminal."""

from typing import Any

import numpy as np

BLOCKS = "▁▂▃▄▅▆▇█"
ASCII = "_.-~=+*#"  # for terminals whose letters have no blocks


def sparkline(values: Any, width: int = 60, letters: str = BLOCKS) -> str:
    """Draw a series as a line of letters, from the lowest value to the highest.

    Where there are more values than letters, each stands for the mean of as many values. A stretch
    without any value is blank, a constant series a line in the middle.

    Args:
        values: (time,); missing ones are left out.
        width: the most letters.
        letters: from the lowest to the highest.

    Example:
        >>> sparkline([1, 2, 3, 4, 5, 6, 7, 8])
        '▁▂▃▄▅▆▇█'
        >>> sparkline([1, 3, None, 1], letters=ASCII)
        '_# _'
        >>> len(sparkline(range(1000), width=40))
        40

    Raises:
        ValueError: where ``width`` is below 1 or there are no letters.
    """
    if width < 1 or not letters:
        raise ValueError(f"width={width}, letters={letters!r}: there must be at least one of each")
    numbers = np.asarray(values, np.float64).ravel()
    numbers = np.where(np.isfinite(numbers), numbers, np.nan)
    means = _means(numbers, width)
    known = ~np.isnan(means)
    if not known.any():
        return " " * len(means)
    low, high = means[known].min(), means[known].max()
    if high > low:
        # Not (mean - low) / (high - low): the difference of two huge numbers may be infinite.
        share = (means / 2 - low / 2) / (high / 2 - low / 2)
    else:
        share = np.where(known, 0.5, np.nan)
    # A mean that rounding has put just below a step is on it.
    level = np.where(known, share, 0.0) * len(letters) + 1e-9
    level = np.minimum(level, len(letters) - 1).astype(int)
    return "".join(letters[at] if there else " " for at, there in zip(level, known, strict=True))


def _means(numbers: np.ndarray, width: int) -> np.ndarray:
    """Return the means of `width` parts of a series, NaN where a part has no value."""
    if len(numbers) <= width:
        return numbers
    known = ~np.isnan(numbers)
    begins = np.arange(width) * len(numbers) // width
    counts = np.add.reduceat(known.astype(np.int64), begins)
    scale = np.abs(numbers[known]).max() if known.any() else 1.0
    scale = scale if scale > 0 else 1.0  # sums of huge numbers would be infinite
    sums = np.add.reduceat(np.where(known, numbers / scale, 0.0), begins)
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan) * scale
