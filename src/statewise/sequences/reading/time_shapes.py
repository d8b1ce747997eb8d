"""Texts by their shape, every digit a 0, and the numbers that stand in texts of one shape.

A column has few shapes ("0000-00-00 00:00"). What each place of a shape means is found out once,
and the numbers of all texts of a shape are taken out at once.
"""

import sys
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd

from statewise.sequences.reading.missing import is_missing

_TO_ZERO = str.maketrans("123456789", "000000000")
_ALIKE = str.maketrans(
    {"−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "’": "'", "´": "'", "`": "'"}
)


@dataclass(frozen=True)
class Texts:
    """The distinct texts of a column in the order in which they come, and which each cell has."""

    distinct: list[str]
    codes: np.ndarray  # -1 where a cell is missing

    @classmethod
    def of(cls, column: pd.Series) -> "Texts":
        """Return the texts of a column of any type."""
        codes, values = factorized(column)
        missing = is_missing(pd.Series(values, dtype=object))
        if missing.any():
            places = np.where(missing, -1, np.cumsum(~missing) - 1)
            codes = np.append(places, -1)[codes]
            values = values[~missing]
        return cls([one if isinstance(one, str) else str(one) for one in values], codes)

    @property
    def counts(self) -> np.ndarray:
        """How many cells have each text."""
        return np.bincount(self.codes[self.codes >= 0], minlength=len(self.distinct))


def factorized(column: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """Return which of its distinct values each cell of a column has, and these as objects."""
    try:
        codes, values = pd.factorize(column)
    except TypeError:  # lists and the like, which have no hash
        codes, values = pd.factorize(column.where(column.isna(), column.map(str)))
    return codes, np.asarray(values, dtype=object)


def plain_texts(texts: Sequence[str]) -> list[str]:
    """Return texts without blanks around and doubled ones, and with plain digits and dashes.

    >>> plain_texts([" 1998  Q1", "1:00\\u202fPM", "٢٠٢٤-٠١"])
    ['1998 Q1', '1:00 PM', '2024-01']
    """
    together = "\n".join(texts)
    ascii_only = together.isascii()
    if not ascii_only:
        texts = [text if text.isascii() else _plain(text) for text in texts]
    blanks = any(blank in together for blank in ("  ", "\t", "\r", "\n ", " \n"))
    if blanks or not ascii_only or together != together.strip():
        return [" ".join(text.split()) for text in texts]
    return list(texts)


def shapes_of(texts: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Return for each text the number of its shape, and the shapes in small letters.

    >>> codes, shapes = shapes_of(["3 Jan 2020", "4 JAN 2021", "17 Jan 2020"])
    >>> codes.tolist(), shapes
    ([0, 1, 2], ['0 jan 0000', '0 jan 0000', '00 jan 0000'])
    """
    shapes = "\n".join(texts).translate(_TO_ZERO).split("\n")  # far quicker than one by one
    if len(shapes) != len(texts):
        shapes = [text.translate(_TO_ZERO) for text in texts]
    codes, distinct = pd.factorize(np.array(shapes, dtype=object))
    # İ is two letters when small: then places would move.
    return codes, [
        shape.lower() if len(shape.lower()) == len(shape) else shape for shape in map(str, distinct)
    ]


class Letters:
    """Texts of one shape, letter by letter."""

    def __init__(self, texts: Sequence[str]):
        length = max(map(len, texts), default=0)
        whole = np.array(texts, dtype=f"U{max(length, 1)}")
        self._codes = whole.view(np.uint32).reshape(len(texts), -1)

    def __len__(self) -> int:
        return len(self._codes)

    def number(self, start: int, stop: int) -> np.ndarray:
        """Return the whole numbers that the digits at some places make, int64."""
        total = np.zeros(len(self._codes), np.int64)
        for place in range(start, stop):
            total *= 10
            total += self._codes[:, place]
            total -= ord("0")
        return total

    def sign(self, place: int) -> np.ndarray:
        """Return -1 where a minus stands at the place, else 1."""
        return np.where(self._codes[:, place] == ord("-"), -1, 1)


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text.translate(_ALIKE)).translate(_all_digits())


@cache
def _all_digits() -> dict[int, str]:
    letters = map(chr, range(128, sys.maxunicode + 1))
    return {
        ord(letter): str(unicodedata.digit(letter))
        for letter in letters
        if unicodedata.category(letter) == "Nd"
    }
