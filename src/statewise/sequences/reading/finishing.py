"""What is the same for every table of cells: names, repeated headers, columns that hold nothing."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from statewise.sequences.reading.names import checked_names
from statewise.sequences.reading.raw_table import Places
from statewise.sequences.reading.report import Understood
from statewise.sequences.tables import DataError, counted

_NUMBERED = "Unnamed: 0"  # what pandas calls row numbers that it wrote without a name


def finished(
    frame: pd.DataFrame,
    names: Sequence[str],
    header: Sequence[Sequence[str]],
    places: Places,
    understood: Understood,
    name: str,
) -> tuple[pd.DataFrame, Places]:
    """Give columns their names, and leave out what is no part of the table.

    Args:
        frame: its columns 0, 1, 2...
        names: of the columns; empty where there is no header, or a name is lacking.
        header: the cells of the header's lines, to know them again further down.
        places: of the rows.
        understood: is told what was left out.
        name: of the table.

    Raises:
        DataError: where rows have more values than the header has names, or a name is there twice.
    """
    frame, places = _without_repeated(frame, header, places, understood)
    named = [*names, *[""] * (frame.shape[1] - len(names))]
    limit = max(map(len, header), default=len(names)) if names else len(named)
    empty = [place for place in frame.columns if not named[place] and _is_empty(frame[place])]
    for place in frame.columns:
        if names and place >= limit and place not in empty:
            row = int(np.argmax(~_blank(frame[place])))
            raise DataError(
                f"{name}: its rows have more values than the header has names "
                f"({places[row]} has {place + 1}, the header {limit}): put values with delimiters "
                "in them in quotes"
            )
    if empty and len(empty) < frame.shape[1]:
        frame = frame.drop(columns=empty)
        if any(place < limit and place < len(names) for place in empty):
            understood.tell("header", f"{counted(len(empty), 'empty column')} left out")
    left = [place for place in frame.columns]
    if (
        len(left) > 2
        and left[0] == 0
        and named[0] in ("", _NUMBERED)
        and names
        and _counts(frame[0])
    ):
        frame = frame.drop(columns=0)
        understood.tell("header", "row numbers left out")
    frame = _without_copies(frame, named, understood)
    for place in frame.columns:
        frame[place] = _without_formulas(frame[place])
    numbered = checked_names(
        [given if place in frame.columns else "" for place, given in enumerate(named)], name
    )
    frame.columns = pd.Index([numbered[place] for place in frame.columns], dtype=object)
    return frame.reset_index(drop=True), places


def _without_repeated(
    frame: pd.DataFrame, header: Sequence[Sequence[str]], places: Places, understood: Understood
) -> tuple[pd.DataFrame, Places]:
    """Leave out rows that are the header once more: files were put one behind the other."""
    again = np.zeros(len(frame), bool)
    for cells in header:
        same = np.ones(len(frame), bool)
        for place, cell in enumerate(cells):
            if cell.strip() and place in frame.columns:
                same &= (frame[place] == cell).to_numpy(dtype=bool, na_value=False)
            if not same.any():
                break
        again |= same
    if not again.any() or again.all():
        return frame, places
    understood.tell("header", f"{counted(int(again.sum()), 'repeated header')} left out")
    return frame[~again].reset_index(drop=True), places.kept(~again)


def _without_copies(
    frame: pd.DataFrame, named: Sequence[str], understood: Understood
) -> pd.DataFrame:
    """Leave out a column that says the same as another of its name."""
    first: dict[str, int] = {}
    copies = []
    for place in frame.columns:
        known = first.setdefault(named[place], place) if named[place] else place
        if known != place and frame[known].equals(frame[place]):
            copies.append(place)
    if copies:
        understood.tell("header", f"{counted(len(copies), 'repeated column')} left out")
    return frame.drop(columns=copies)


def _without_formulas(column: pd.Series) -> pd.Series:
    """Return 001 where every cell is ="001", as text is written to keep Excel from reading it."""
    first = column.iloc[0] if len(column) else None
    if not isinstance(first, str) or not first.startswith('="'):
        return column
    inside = column.str.extract(r'^="(.*)"$', expand=False)
    return inside if inside.notna().all() else column


def _blank(column: pd.Series) -> np.ndarray:
    if column.dtype == object or pd.api.types.is_string_dtype(column.dtype):
        text = column.map(lambda cell: cell is None or cell != cell or cell == "")
        return (column.isna() | text.astype(bool)).to_numpy(dtype=bool)
    return column.isna().to_numpy(dtype=bool)


def _is_empty(column: pd.Series) -> bool:
    head = column.iloc[:1000]
    return bool(_blank(head).all()) and bool(_blank(column).all())


def _counts(column: pd.Series) -> bool:
    """Whether a column counts its rows, from 0 or 1 on."""
    if not len(column) or str(column.iloc[0]) not in ("0", "1"):
        return False
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(dtype=float, na_value=np.nan)
    return bool((numbers == np.arange(len(column)) + float(column.iloc[0])).all())
