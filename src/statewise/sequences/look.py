"""What is in a table, before anything is learned from it; and what is in a forecast's way."""

import copy
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.calendars import Calendar
from statewise.sequences.column_facts import ColumnFacts, columns_of
from statewise.sequences.data_reading import read_data
from statewise.sequences.key_columns import numbered
from statewise.sequences.layout import Asked, Layout, find_layout
from statewise.sequences.panel import Panel
from statewise.sequences.reading.report import Understood
from statewise.sequences.series_facts import SeriesFacts, each_series, facts_of
from statewise.sequences.tables import DataError, Table
from statewise.sequences.time_series import TimeSeries

_MOST = 12  # series that are looked at closely
_TRIES = 5  # obstacles, each with a way around it
# What messages offer, and this module can try: "by --every 1h", "(--aggregate mean, ...)".
_WORD = r"[^\s,;:)]+"
_OFFER = re.compile(
    rf"--(every|aggregate|missing-value|missing|target) ('(?:[^']|'\"'\"')*'|{_WORD}(?:,{_WORD})*)"
)


@dataclass(frozen=True, eq=False)
class Look:
    """What is in a table.

    Attributes:
        table: as it was read.
        columns: what each holds.
        time: the columns that make the time; empty where there are none.
        layout: which columns are what; None where that can't be found out.
        understood: facts and notes on the way.
        data: one series, or a panel; None where it can't be read as such, by no way that was
            offered.
        repeated: rows whose stamp (and key) another one has.
        series: the first dozen.
        obstacles: what is in the way, each in one sentence.
        offers: options that lead around them, with their values.
    """

    table: Table
    columns: list[ColumnFacts]
    time: tuple[str, ...]
    layout: Layout | None
    understood: Understood
    data: TimeSeries | Panel | None
    repeated: int
    series: list[SeriesFacts]
    obstacles: list[str]
    offers: dict[str, str]

    @property
    def lengths(self) -> np.ndarray:
        """The number of steps of each series."""
        if self.data is None:
            return np.array([], int)
        if isinstance(self.data, TimeSeries):
            return np.array([len(self.data)])
        return self.data.lengths

    @property
    def calendar(self) -> Calendar | None:
        """How the series go on; None where there are none."""
        return None if self.data is None else self.data.calendar

    @property
    def missing(self) -> int:
        """The number of steps without a value, of all series."""
        return sum(int(np.isnan(values).sum()) for values in self._values())

    @property
    def constant(self) -> int:
        """The number of series whose values are all the same."""
        known = (values[~np.isnan(values)] for values in self._values())
        return sum(bool(len(one) and one.min() == one.max()) for one in known)

    def _values(self) -> Iterator[np.ndarray]:
        if self.data is not None:
            yield from (values for _, _, values, _ in each_series(self.data))


def look_at(table: Table, asked: Asked | None = None, **given: Any) -> Look:
    """Say what is in a table.

    Where it can't be read as a series or a panel, the ways that the message offers are tried.

    Args:
        table: as `load_table` gives it.
        asked: which columns the user named.
        given: what else was said: every, aggregate and missing, as `read_data` takes them.

    Example:
        >>> from statewise.sequences.tables import load_table
        >>> stamps = ["2024-01-01", "2024-01-02", "2024-01-03", "2024-01-03"]
        >>> look = look_at(load_table(pd.DataFrame({"day": stamps, "sold": [1, 2, 3, 4]})))
        >>> look.repeated, look.offers, look.series[0].values.tolist()
        (1, {'aggregate': 'mean'}, [1.0, 2.0, 3.5])
    """
    asked = asked or Asked()
    obstacles: list[str] = []
    offers: dict[str, str] = {}
    tried: list[tuple[str, str]] = []
    found, layout, mine = None, None, table
    for _ in range(_TRIES):
        mine = replace(table, understood=copy.deepcopy(table.understood))
        if "missing-value" in offers:
            mine = replace(mine, missing_values=_values_in(offers["missing-value"]))
        named = replace(asked, target=offers.get("target", asked.target))
        try:
            found = read_data(mine, named, **{**given, **_read_by(offers)})
            break
        except (DataError, ValueError) as error:
            obstacles.append(str(error))
            new = [offer for offer in _OFFER.findall(str(error)) if offer not in tried]
            if not new:
                break
            tried.append(new[0])
            option, value = new[0]
            offers[option] = shlex.split(value)[0]
    if found is not None:
        layout, understood = found.layout, found.understood
    else:
        understood = mine.understood
        layout = _layout_alone(table, asked)
    time = _time_columns(table, asked, layout)
    data = None if found is None else found.data
    series = [] if data is None else [facts_of(*one) for one in islice(each_series(data), _MOST)]
    return Look(
        table=table,
        columns=columns_of(table, time),
        time=time,
        layout=layout,
        understood=understood,
        data=data,
        repeated=_repeated(layout),
        series=series,
        obstacles=obstacles,
        offers=offers if found is not None else {},
    )


def _read_by(offers: dict[str, str]) -> dict[str, Any]:
    return {name: offers[name] for name in ("every", "aggregate", "missing") if name in offers}


def _values_in(text: str) -> tuple[float | str, ...]:
    """Read what stands behind --missing-value: numbers and words, or none."""
    if text == "none":
        return ()
    found: list[float | str] = []
    for part in text.split(","):
        try:
            found.append(float(part))
        except ValueError:
            found.append(part)
    return tuple(found)


def _layout_alone(table: Table, asked: Asked) -> Layout | None:
    try:
        return find_layout(replace(table, understood=Understood()), asked)
    except (DataError, ValueError):
        return None


def _time_columns(table: Table, asked: Asked, layout: Layout | None) -> tuple[str, ...]:
    """Return the columns of the table that its time was made of."""
    there = [str(name) for name in table.frame.columns]
    if asked.time is not None:
        named = (asked.time,) if isinstance(asked.time, str) else tuple(asked.time)
        return tuple(name for name in named if name in there)
    if layout is None or layout.time is None:
        return ()
    rest = {str(name) for name in layout.table.frame.columns}
    if layout.time in there:
        rest.discard(layout.time)
    made = tuple(name for name in there if name not in rest)
    return made if len(made) <= _TRIES else ()  # of a table with a column for each step: none


def _repeated(layout: Layout | None) -> int:
    if layout is None or layout.time is None:
        return 0
    frame = layout.table.frame
    stamps = pd.DataFrame({"time": frame[layout.time]})
    if layout.key is not None:
        try:
            stamps["key"] = numbered(frame[layout.key], layout.key)[0]
        except DataError:
            return 0
    return int(stamps.duplicated().sum())
