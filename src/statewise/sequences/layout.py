"""Which columns of a table hold what: its time, its keys, its targets; and so whether it is one
series, a long table of many or a wide one.

What a user named is taken. The rest is found out of what the columns hold, and told; where nothing
in the table decides, that is an error with the option to say it by.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from statewise.sequences.columns import (
    describe_time_missing,
    holds_numbers_alone,
    holds_times,
    time_of,
)
from statewise.sequences.key_columns import (
    can_be_key,
    find_key,
    holds_whole_numbers,
    is_empty,
    join_keys,
    numbered_by_key,
    with_number_keys,
)
from statewise.sequences.tables import DataError, Table, free_name, listed

KEY = "unique_id"  # found by their names, as other forecasting libraries call them
TIME = "ds"
TARGET = "y"
_LEAST_ROWS = 3  # of a series, on average
_MOST_MEASURES = 60  # columns of numbers; where there are more, they are series and no times


@dataclass(frozen=True)
class Asked:
    """What a user said about a table. What is None or empty is found out.

    Attributes:
        time: the column of time stamps, or several that make them together; "none" for a table
            whose rows are numbered.
        key: the columns that say of which series a row is.
        target: the column to forecast.
        inputs: all further columns that were named.
        wide: whether each column of numbers is a series; None where that is to be found out.
        number_keys: whether the keys of a text file are numbers, so that 001 and 1 are one.
    """

    time: Sequence[str] | str | None = None
    key: Sequence[str] = ()
    target: str | None = None
    inputs: Sequence[str] = ()
    wide: bool | None = None
    number_keys: bool = False


@dataclass(frozen=True)
class Layout:
    """Which columns hold what.

    Attributes:
        table: with the stamps read: the column ``time`` is one of stamps or numbers; and with one
            column ``key``, where a key is made of several.
        time: the column of the stamps; None where the rows are numbered.
        key: the column of the keys; None where there is one series, or a wide table.
        targets: one column, or those of a wide table.
        key_columns: those that the key is made of, where they are several.
    """

    table: Table
    time: str | None
    key: str | None
    targets: tuple[str, ...]
    key_columns: tuple[str, ...] = ()

    @property
    def wide(self) -> bool:
        """Whether each of several columns is a series."""
        return len(self.targets) > 1

    def with_key_columns(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a frame of results with the columns that the key is made of, in its place.

        Args:
            frame: with the column ``key``; one without it comes back as it is.
        """
        if not self.key_columns or self.key not in frame.columns:
            return frame
        place = list(frame.columns).index(self.key)
        parts = self.table.frame[[self.key, *self.key_columns]].drop_duplicates(self.key)
        parts = parts.set_index(self.key).loc[frame[self.key]]
        frame = frame.drop(columns=self.key)
        for at, name in enumerate(self.key_columns):
            frame.insert(place + at, name, parts[name].to_numpy())
        return frame


def find_layout(table: Table, asked: Asked) -> Layout:
    """Find out which columns of a table hold what.

    Args:
        table: as it was read.
        asked: what the user said.

    Raises:
        DataError: where a named column doesn't exist, no column holds numbers, one looks like
            time but can't be read, stamps repeat and no column tells the series apart, or several
            could be the target.

    Example:
        >>> from statewise.sequences.tables import load_table
        >>> days = ["2024-01-01", "2024-01-02", "2024-01-03"]
        >>> shops = ["001"] * 3 + ["1"] * 3
        >>> frame = pd.DataFrame({"day": days * 2, "shop": shops, "sold": range(6)})
        >>> layout = find_layout(load_table(frame), Asked())
        >>> layout.time, layout.key, layout.targets
        ('day', 'shop', ('sold',))
    """
    named = [*asked.key, *asked.inputs, *([asked.target] if asked.target else [])]
    check_columns(table, named)
    time, table = time_of(table, _named_time(table, asked), but=named)
    columns = [name for name in table.frame.columns if name != time]
    if asked.wide:
        return _wide(table, time, [asked.target] if asked.target else [], columns, asked)
    key = tuple(asked.key) or ((KEY,) if KEY in columns and asked.target != KEY else ())
    stamps = None if time is None else table.frame[time]
    rest = [name for name in columns if name not in (*key, *asked.inputs)]
    if not key and stamps is not None and not stamps.is_unique:
        key = find_key(table, stamps, rest, asked.target)
        rest = [name for name in rest if name not in key]
    if key:
        target = asked.target or _one_target(table, rest)
        table = with_number_keys(table, key) if asked.number_keys else table
        if time is None and asked.time is not None:
            time, table = numbered_by_key(table, key)
        return _long(table, time, key, target)
    if time is None and asked.time is None:
        _refuse_mixed(table, rest)
    targets = [asked.target] if asked.target else _targets(table, rest)
    if len(targets) > 1:
        if asked.wide is False or asked.inputs:
            raise DataError(_several(table, targets))
        return _wide(table, time, targets, columns, asked)
    if asked.target is None:
        _note_left_out(table, [name for name in rest if name not in targets])
    return Layout(table, time, None, tuple(targets))


def check_columns(table: Table, names: Iterable[str]) -> None:
    """Refuse names that are no columns of the table."""
    for name in names:
        if name not in table.frame.columns:
            raise DataError(
                f"{table.name} has no column {name!r}; its columns are: "
                f"{listed(table.frame.columns)}"
            )


def _named_time(table: Table, asked: Asked) -> Sequence[str] | str | None:
    """Return the time that was named; a column named ds is one where unique_id or y stand by it."""
    if asked.time is not None:
        return asked.time
    there = set(table.frame.columns)
    return TIME if TIME in there and (KEY in there or TARGET in there) else None


def _wide(table: Table, time, targets, columns, asked: Asked) -> Layout:
    """Return a wide table: each column of numbers is a series."""
    names = [name for name in columns if name not in (*asked.key, *asked.inputs)]
    if not targets:
        targets = _targets(table, names)
    left = [name for name in names if name not in targets]
    table.understood.tell("layout", f"wide, {len(targets)} series")
    if asked.wide is None:
        first = next(iter(targets))
        table.understood.note(
            f"each column of numbers was taken for a series ({listed(targets)}); to forecast one "
            f"of them, name it as target (--target {_quoted(first)})"
        )
    _note_left_out(table, left)
    return Layout(table, time, None, tuple(targets))


def _note_left_out(table: Table, names: Sequence[str]) -> None:
    left = [name for name in names if not is_empty(table.frame[name])]
    if left:
        table.understood.note(f"left out, since they are no values to forecast: {listed(left)}")


def _long(table: Table, time: str | None, key: tuple[str, ...], target: str) -> Layout:
    if time is None:
        raise DataError(describe_time_missing(table))
    for name in (*key, target):
        if name == time:
            raise DataError(f"the column {name!r} can't be the time and something else at once")
    if target in key:
        raise DataError(f"the column {target!r} can't be the key and the target at once")
    if len(key) == 1:
        return Layout(table, time, key[0], (target,))
    joined, name = join_keys(table.frame, key), ", ".join(map(str, key))
    name = free_name(name, table.frame.columns)
    table = replace(table, frame=table.frame.assign(**{name: joined}))
    return Layout(table, time, name, (target,), key)


def _refuse_mixed(table: Table, names: Sequence[str]) -> None:
    """Refuse rows without a time among which text names several series: one after the other, they
    would be none.
    """
    rows = len(table.frame)
    for name in names:
        column = table.frame[name]
        if holds_numbers_alone(column) or not can_be_key(column):
            continue
        if 1 < column.nunique() <= rows / _LEAST_ROWS:
            raise DataError(
                f"{table.name} has no column of dates, and {name!r} names several series: name the "
                f"time (--time); or number the rows of each series (--time none --key "
                f"{_quoted(name)}), or all of them as one (--time none)"
            )


def find_target(table: Table, time: str | None) -> str:
    """Return the one column that holds numbers, apart from the time.

    Raises:
        DataError: where there is none, or several.
    """
    found = _targets(table, [name for name in table.frame.columns if name != time])
    if len(found) > 1:
        raise DataError(_several(table, found))
    return found[0]


def _targets(table: Table, names: Sequence[str]) -> list[str]:
    """Return the columns of numbers that could be forecast; those without a name are none.

    Raises:
        DataError: where there is none.
    """
    named = [name for name in names if not str(name).startswith("Unnamed: ")]
    found = [name for name in named if holds_numbers_alone(table.frame[name])]
    if len(found) > 1:
        # Row numbers, and the time once more: written as 1958.2027 beside year and month.
        no_values = [
            name
            for name in found
            if _counts_rows(table.frame[name])
            or (len(found) <= _MOST_MEASURES and holds_times(table.frame[name]))
        ]
        found = [name for name in found if name not in no_values] or found
    if not found and len(named) == 1:
        return named
    if not found:
        columns = listed(names) if len(names) else "none besides the time"
        raise DataError(f"{table.name} has no column of numbers; its columns are: {columns}")
    return found


def _one_target(table: Table, names: Sequence[str]) -> str:
    if TARGET in names:
        return TARGET
    found = _targets(table, names)
    if len(found) > 1:
        raise DataError(_several(table, found))
    return found[0]


def _several(table: Table, found: Sequence[str]) -> str:
    return (
        f"{table.name} has {len(found)} columns of numbers ({listed(found)}): "
        f"name the one to forecast as target (--target {_quoted(_most_values(table, found))})"
    )


def _most_values(table: Table, names: Sequence[str]) -> str:
    """Return the column with the most different values: a measure rather than a code."""
    return max(names, key=lambda name: table.frame[name].astype(str).nunique())


def _quoted(name: object) -> str:
    text = str(name)
    return text if text.isidentifier() else f"'{text}'"


def _counts_rows(column: pd.Series) -> bool:
    """Whether a column only numbers the rows, from 0 or 1 on."""
    if not holds_whole_numbers(column):
        return False
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(np.float64)
    return bool(len(numbers) > 2 and numbers[0] in (0, 1) and (np.diff(numbers) == 1).all())
