"""What ``statewise classify`` reads: a long table of sequences, perhaps with their labels."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from statewise.cli.data import values_of
from statewise.sequences import DataError
from statewise.sequences.columns import NUMBERED, holds_numbers_alone, read_numbers, time_of
from statewise.sequences.reading.report import Understood
from statewise.sequences.tables import HowToRead, Table, listed, load_table


@dataclass(frozen=True)
class LabelledTable:
    """A long table, and which of its columns hold what.

    Attributes:
        frame: a row for each step; keys are text, features numbers.
        columns: as `SequenceClassifier.fit` takes them; without "label" where there is none.
        understood: what was found out about the file.
        name: what to call it.
    """

    frame: pd.DataFrame
    columns: dict[str, Any]
    understood: Understood
    name: str


def labelled_table(
    files: Sequence[Path],
    *,
    key: str | None,
    time: str | None,
    label: str | None,
    features: Sequence[str],
    missing_value: Sequence[str],
    decimal: str | None,
    dayfirst: bool | None,
    sheet: str | None,
) -> LabelledTable:
    """Return the table of some files; without files the simulated gaits.

    Args:
        files: to be read one after the other.
        key, time, label, features: names of columns; None or () for those that weren't named.
        missing_value, decimal, dayfirst, sheet: as in `statewise.cli.data.table_of`.

    Raises:
        DataError, ValueError: where that isn't possible.
    """
    if not files:
        return _gaits(features)
    how = HowToRead(
        sheet=sheet,
        decimal=decimal,
        dayfirst=dayfirst,
        missing_values=values_of(missing_value),
    )
    paths = [str(file) for file in files]
    table = load_table(paths[0] if len(paths) == 1 else paths, how)
    for name in (key, label, *features):
        if name is not None and name not in table.frame.columns:
            raise DataError(
                f"{table.name} has no column {name!r}; its columns are: "
                f"{listed(table.frame.columns)}"
            )
    named = [name for name in (key, label, *features) if name is not None]
    time, table = _with_time(table, time, named)
    frame = pd.DataFrame({key: _text(table.frame[key])})
    if time is not None:
        frame[time] = table.frame[time]
    others = [name for name in table.frame.columns if name not in (key, time, label)]
    chosen = list(features) or [
        name for name in others if not table.text or holds_numbers_alone(table.frame[name])
    ]
    chosen = [name for name in chosen if features or table.text or _numeric(table.frame[name])]
    left = [name for name in others if name not in chosen]
    if not chosen:
        raise DataError(f"{table.name} has no column of numbers to learn from")
    if left and not features:
        table.understood.note(
            f"no numbers, so no inputs, are in {listed(left)}; --feature says which columns are"
        )
    for name in chosen:
        frame[name] = read_numbers(table, name)
    columns: dict[str, Any] = {"key": key, "time": time, "features": chosen}
    if label is not None:
        frame[label] = _text(table.frame[label])
        columns["label"] = label
    columns = {role: name for role, name in columns.items() if name is not None}
    return LabelledTable(frame, columns, table.understood, table.name)


def _with_time(table: Table, time: str | None, named: list) -> tuple[str | None, Table]:
    """Return the column of the time, and the table with it read; numbers stay numbers."""
    frame = table.frame
    if (
        time is not None
        and time in frame.columns
        and table.text
        and holds_numbers_alone(frame[time])
    ):
        frame = frame.copy()
        frame[time] = read_numbers(table, time)
        return time, Table(**{**vars(table), "frame": frame})
    if time == NUMBERED and time not in frame.columns:
        return None, table
    found, table = time_of(table, time, but=named)
    return found, table


def _gaits(features: Sequence[str]) -> LabelledTable:
    from statewise.datasets import gaits

    frame = gaits()
    known = ["forward", "sideways", "up"]
    wrong = [name for name in features if name not in known]
    if wrong:
        raise DataError(f"the simulated gaits have no {wrong[0]!r}; they have {listed(known)}")
    columns = {"key": "person", "time": "time", "label": "gait"}
    return LabelledTable(
        frame, {**columns, "features": list(features) or known}, Understood(), "the gaits"
    )


def _text(column: pd.Series) -> pd.Series:
    """Return cells as text, missing where they are empty."""
    text = column.astype(str).str.strip()
    return text.where(column.notna() & (text != ""))


def _numeric(column: pd.Series) -> bool:
    return column.dtype != object and column.dtype.kind in "biuf"
