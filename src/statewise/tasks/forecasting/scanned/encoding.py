"""What of the inputs is learned from a panel that passes by: their scale, their categories."""

import numpy as np

from statewise.sequences import DataError, Panel
from statewise.tasks.forecasting.global_model.features import Encoder

_MOST = 100_000  # categories of a column


class InputSurvey:
    """Measures known-future and static columns, as `Encoder.fit` does of a panel in memory.

    The mean and the deviation of blocks are put together as by T. F. Chan, G. H. Golub and R. J.
    LeVeque, "Algorithms for computing the sample variance", Am. Stat. 37, 1983.

    >>> from statewise.sequences import Columns
    >>> from statewise.sequences.panel_reading import read_rows
    >>> import pandas as pd
    >>> survey = InputSurvey()
    >>> for prices in ([1.0, 2.0], [3.0, 6.0]):
    ...     frame = pd.DataFrame({"ds": [1, 2], "y": 0.0, "price": prices})
    ...     survey.add(read_rows(frame, Columns(future=["price"])))
    >>> round(survey.encoder().means["price"], 6), round(survey.encoder().deviations["price"], 6)
    (3.0, 1.870829)
    """

    def __init__(self) -> None:
        self._moments: dict[str, tuple[int, float, float]] = {}  # count, mean, sum of squares
        self._words: dict[str, set] = {}

    def add(self, panel: Panel) -> None:
        """Let some more series pass by.

        Raises:
            DataError: where a column that held numbers holds categories now, or the other way
                round; where one holds too many categories.
        """
        for name, column in {**panel.future, **panel.static}.items():
            numbers = column.dtype.kind == "f"
            if name in (self._words if numbers else self._moments):
                raise DataError(
                    f"the column {name!r} holds numbers in some series and text in others "
                    f"(from series {panel.keys[0]!r} on): write it as one of the two in all files, "
                    "or name it under categories"
                )
            if numbers:
                self._moments[name] = _with(self._moments.get(name, (0, 0.0, 0.0)), column)
                continue
            words = self._words.setdefault(name, set())
            words.update(column.tolist())
            if len(words) > _MOST:
                raise DataError(
                    f"the column {name!r} holds more than {_MOST:,} categories: leave it out, or "
                    "put some of them together"
                )

    def encoder(self) -> Encoder:
        """Return what was learned.

        Raises:
            DataError: where a column holds no value at all.
        """
        encoder = Encoder()
        for name, (count, mean, squares) in self._moments.items():
            if not count:
                raise DataError(f"the column {name!r} holds no value at all")
            encoder.means[name] = mean
            encoder.deviations[name] = float(np.sqrt(squares / count)) or 1.0
        for name, words in self._words.items():
            encoder.vocabularies[name] = sorted(words, key=str)
        return encoder


def _with(moments: tuple[int, float, float], column: np.ndarray) -> tuple[int, float, float]:
    known = column[~np.isnan(column)]
    if not len(known):
        return moments
    count, mean, squares = moments
    more, own = len(known), float(known.mean())
    total, apart = count + more, own - mean
    return (
        total,
        mean + apart * more / total,
        squares + float(((known - own) ** 2).sum()) + apart**2 * count * more / total,
    )
