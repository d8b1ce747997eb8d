"""A table as it stands in its file, and where its rows are there."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.reading.report import Understood


@dataclass(frozen=True)
class RawTable:
    """A table as it stands in its file.

    Attributes:
        frame: its rows. The names of its columns are text, each there once. The cells of a text
            file are text as in the file, quotes taken off; a cell that a short row lacks is None
            or NaN, an empty one is empty text. Files that have types keep them.
        name: what to call it in a message, with a verb to follow.
        places: for each row, how a person finds it ("line 7").
        understood: what was told of the file.
        typed: whether its cells have types that the file gives them.
    """

    frame: pd.DataFrame
    name: str
    places: Sequence[str]
    understood: Understood
    typed: bool = False


class Places(Sequence):
    """Places of rows, written when asked for: there may be millions.

    >>> places = Places("line", range(2, 5), " of b.csv")
    >>> places[0], len(places)
    ('line 2 of b.csv', 3)
    """

    def __init__(self, word: str, numbers: Sequence[int] | np.ndarray, rest: str = ""):
        self.word, self.numbers, self.rest = word, numbers, rest

    def __len__(self) -> int:
        return len(self.numbers)

    def __getitem__(self, row: Any) -> Any:
        if isinstance(row, slice):
            return Places(self.word, self.numbers[row], self.rest)
        return f"{self.word} {self.numbers[row]}{self.rest}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of every sequence that can be compared

    def kept(self, keep: np.ndarray) -> "Places":
        """Return the places of some of the rows."""
        return Places(self.word, np.asarray(self.numbers)[keep], self.rest)
