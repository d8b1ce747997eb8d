"""What the columns of a table hold, one by one: times, numbers, text."""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import pandas as pd

from statewise.sequences.columns import holds_numbers_alone, holds_times
from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.numbers import numbers_of
from statewise.sequences.reading.times import times_of
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.tables import Table

_NAMED = 4  # values of a column of text
_LETTERS = 24  # of each


@dataclass(frozen=True)
class ColumnFacts:
    """What one column holds.

    Attributes:
        name: of the column.
        kind: "time", "numbers", "text" or "empty".
        holds: from what to what, or some of its values.
        missing: cells without a value.
        unreadable: cells that aren't of this kind.
    """

    name: str
    kind: str
    holds: str
    missing: int
    unreadable: int = 0


def columns_of(table: Table, times: Collection[str] = ()) -> list[ColumnFacts]:
    """Return what each column of a table holds.

    Args:
        table: as it was read.
        times: the columns that make its time, whatever they hold.

    Example:
        >>> from statewise.sequences.tables import load_table
        >>> days = ["1.2.2024", "2.2.2024"]
        >>> frame = pd.DataFrame({"day": days, "shop": "a", "sold": ["1,5", "-"]})
        >>> for facts in columns_of(load_table(frame)):
        ...     print(facts.name, facts.kind, facts.holds, facts.missing, sep="; ")
        day; time; 2024-02-01 to 2024-02-02; 0
        shop; text; 1 value: a; 0
        sold; numbers; always 1.5; 1
    """
    return [_facts_of(table, place, times) for place in range(table.frame.shape[1])]


def _facts_of(table: Table, place: int, times: Collection[str]) -> ColumnFacts:
    name, column = str(table.frame.columns[place]), table.frame.iloc[:, place]
    missing = is_missing(column)
    count = int(missing.sum())
    if missing.all():
        return ColumnFacts(name, "empty", "", count)
    numbers = holds_numbers_alone(column)
    if name in times or (not numbers and holds_times(column)):
        found = times_of(column, dayfirst=table.dayfirst).stamps
        if len(found.dropna()):
            wrong = int((np.asarray(found.isna()) & ~missing).sum())
            said = f"{format_stamp(found.min())} to {format_stamp(found.max())}"
            return ColumnFacts(name, "time", said, count, wrong)
        return ColumnFacts(name, "time", _some_of(column[~missing]), count)
    if numbers:
        read = numbers_of(
            column,
            decimal=table.decimal,
            likely=table.likely_decimal,
            missing=table.missing_values or (),
        )
        known = read.values[~np.isnan(read.values)]
        low, high = format_number(known.min()), format_number(known.max())
        said = f"always {low}" if known.min() == known.max() else f"{low} to {high}"
        wrong = int(read.unreadable.sum())
        return ColumnFacts(name, "numbers", said, int(read.missing.sum()), wrong)
    return ColumnFacts(name, "text", _some_of(column[~missing]), count)


def _some_of(column: pd.Series) -> str:
    different = column.astype(str).str.strip().unique()
    shown = [
        text if len(text) <= _LETTERS else f"{text[:_LETTERS]}…" for text in different[:_NAMED]
    ]
    more = ", …" if len(different) > _NAMED else ""
    noun = "value" if len(different) == 1 else "values"
    return f"{len(different):,} {noun}: {', '.join(shown)}{more}"


def format_number(value: float) -> str:
    """Write a number with the digits that tell it from others.

    >>> [format_number(value) for value in (104.0, 0.12345678, 25128.63, 2.5e20, -0.0)]
    ['104', '0.12346', '25,129', '2.5e+20', '0']
    """
    if not np.isfinite(value):
        return "-" if np.isnan(value) else str(value)
    if value == 0:
        return "0"
    size = abs(value)
    if not 1e-4 <= size < 1e15:
        return f"{value:.5g}"
    if size >= 1e4:  # four digits may be a year
        return f"{value:,.0f}"
    return f"{value:.0f}" if value == round(value) else f"{value:.5g}"
