"""Any table as one series or a panel: what a user named is taken, the rest found out and told."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.columns import ask_about_markers, read_numbers
from statewise.sequences.frames import series_of
from statewise.sequences.layout import Asked, Layout, find_layout
from statewise.sequences.panel import Columns, Panel, format_keys
from statewise.sequences.panel_reading import as_table, read_panel
from statewise.sequences.reading.report import Understood
from statewise.sequences.regular import one_row_each
from statewise.sequences.reshape import with_rows_for_steps
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.tables import DataError, Table, counted, free_name
from statewise.sequences.time_series import TimeSeries
from statewise.sequences.wide_reading import read_wide

MISSING = ("raise", "fill", "drop", "mask")
_LEAST = 10  # steps that show a calendar
_MOST_FILLED = 0.2  # of a series' steps, and
_LONGEST_GAP = 0.05  # in a row, and no more than
_LONGEST_FILLED = 24  # steps: for what is longer, a line between its ends would make up values


@dataclass(frozen=True)
class ReadData:
    """What was read, and what was understood.

    Attributes:
        data: one series, or a panel.
        understood: facts and notes on the way.
        layout: which columns hold what.
    """

    data: TimeSeries | Panel
    understood: Understood
    layout: Layout


def read_data(
    source: Any,
    asked: Asked | None = None,
    *,
    inputs: Mapping[str, Sequence[str]] | None = None,
    missing: str | None = None,
    every: str | None = None,
    aggregate: str | None = None,
) -> ReadData:
    """Read one series or a panel out of any table.

    Args:
        source: a file, a frame of any kind that narwhals reads, or a `Table`.
        asked: which columns the user named; the others are found out.
        inputs: names of columns by the part of `Columns`: future, past, static, categories,
            calendar.
        missing: what to do about missing values: "raise", "fill" or "drop" for one series, "mask";
            None fills a few of one series in, and leaves the others out of the loss.
        every: brings uneven rows to even steps, as "1h"; see `read_series`.
        aggregate: what becomes of values in one step, or at one stamp of a key; see `read_series`.

    Raises:
        DataError: where that isn't possible; it says what to do.
        ValueError: where ``missing`` is none of its words, or makes no sense here.

    Example:
        >>> days = [f"{day}.1.2024" for day in range(20, 26)]
        >>> frame = pd.DataFrame({"Tag": days, "Süd": ["1,5"] * 6, "Nord": ["2"] * 6})
        >>> found = read_data(frame)
        >>> found.data.keys.tolist(), found.understood.facts["layout"]
        (['Süd', 'Nord'], 'wide, 2 series')
    """
    if missing is not None and missing not in MISSING:
        raise ValueError(f"missing={missing!r}: it must be one of {', '.join(MISSING)}")
    asked, inputs = (
        asked or Asked(),
        {part: names for part, names in (inputs or {}).items() if names},
    )
    named = [name for part, names in inputs.items() if part != "calendar" for name in names]
    asked = replace(asked, inputs=[*asked.inputs, *(n for n in named if n not in asked.inputs)])
    table = as_table(source)
    if asked.time is None and asked.target is None and not (asked.wide or named):
        reshaped = with_rows_for_steps(table)
        if reshaped is not None:
            table = reshaped.table
            asked = replace(asked, time=reshaped.time, target=reshaped.value)
    layout = find_layout(table, asked)
    table = layout.table
    options = {"every": every, "aggregate": aggregate}
    data: TimeSeries | Panel
    if layout.wide or asked.wide:
        if named:
            raise DataError(
                "a wide table has no inputs: its columns are the series. Give a long one"
            )
        data = read_wide(_brought(layout, **options), layout.time, targets=layout.targets)
    elif layout.key is not None or inputs:
        if layout.time is None:
            raise DataError("inputs need the time of each row: name its column (--time)")
        key = layout.key or free_name(Columns.key, table.frame.columns)
        columns = Columns(key=key, time=layout.time, target=layout.targets[0], **inputs)
        data = read_panel(table, columns, **options)
    else:
        data = _one_series(layout, missing, **options)
    if isinstance(data, Panel):
        _tell_panel(table.understood, data, missing)
    return ReadData(data, table.understood, layout)


def _brought(layout: Layout, every: str | None, aggregate: str | None) -> Table:
    """Return a wide table by even steps."""
    table = layout.table
    if layout.time is None or (every is None and aggregate is None):
        return table
    read = {name: read_numbers(table, name) for name in layout.targets}
    ask_about_markers(table, read)
    frame = pd.DataFrame({layout.time: table.frame[layout.time], **read})
    table = replace(table, frame=frame, text=False)
    return one_row_each(table, time=layout.time, key=None, numbers=layout.targets,
                        aggregate=aggregate, every=every)  # fmt: skip


def _one_series(
    layout: Layout, missing: str | None, every: str | None, aggregate: str | None
) -> TimeSeries | Panel:
    table, names = layout.table, layout.targets
    options = {"every": every, "aggregate": aggregate}
    if missing in ("raise", "drop"):
        return series_of(table, layout.time, names, missing, **options)
    series = series_of(table, layout.time, names, "fill", **options)
    if missing is None:
        series = _without_blank_ends(series, table.understood)
    known = series.known
    if known is None or (missing == "fill") or (missing is None and _fills(known)):
        return series
    table.understood.facts.pop("gaps", None)
    opened = _while_open(series) if missing is None else None
    if opened is not None:
        table.understood.facts["frequency"] = opened.phrase
        table.understood.tell("gaps", "times that never have a value left out")
        return opened
    time = series.time.rename(layout.time or Columns.time)
    return Panel(
        keys=np.array([names[0]], object),
        offsets=np.array([0, len(series)]),
        values=np.where(known[:, None], series.values, np.nan),
        time=time,
        calendars=(series.calendar,),
        calendar_of=np.zeros(1, int),
        columns=Columns(
            key=free_name(Columns.key, [time.name, names[0]]), time=time.name, target=names[0]
        ),
    )


def _without_blank_ends(series: TimeSeries, understood: Understood) -> TimeSeries:
    """Leave out what has no value before the first one and after the last: nothing is known there.

    Rows that wait for their values at the end of a table are those that are to be forecast.
    """
    if series.known is None or (series.known[0] and series.known[-1]):
        return series
    there = np.flatnonzero(series.known)
    kept = slice(there[0], there[-1] + 1)
    before, after = int(there[0]), len(series) - int(there[-1]) - 1
    ends = [
        f"{counted(count, 'step')} without a value at the {end}"
        for count, end in ((before, "beginning"), (after, "end"))
        if count
    ]
    understood.note(f"left out: {' and '.join(ends)}")
    known = series.known[kept]
    inner = int((~known).sum())
    understood.facts.pop("gaps", None)
    understood.tell("gaps", f"{counted(inner, 'gap')} filled" if inner else "")
    return replace(
        series,
        values=series.values[kept],
        time=series.time[kept],
        known=None if known.all() else known,
        note=series.note if inner else "",
    )


def _while_open(series: TimeSeries) -> TimeSeries | None:
    """Return the steps that have a value, where they keep to weekdays or hours of their own."""
    known = np.asarray(series.known)
    found = find_calendar(series.time[known]) if known.sum() >= _LEAST else None
    if found is None or not found[0].steps_in_week or len(found[1]) > known.sum():
        return None
    return replace(
        series,
        values=series.values[known],
        time=series.time[known],
        calendar=found[0],
        note="",
        known=None,
    )


def _fills(known: np.ndarray) -> bool:
    """Whether so few values are missing that lines between their neighbours stand for them."""
    gaps = np.diff(np.flatnonzero(np.concatenate([[True], known, [True]]))) - 1
    longest = max(2, min(_LONGEST_GAP * len(known), _LONGEST_FILLED))
    return bool((~known).mean() <= _MOST_FILLED and gaps.max() <= longest)


def _tell_panel(understood: Understood, panel: Panel, missing: str | None) -> None:
    understood.tell("frequency", panel.calendar.phrase)
    unknown = np.isnan(panel.values).any(axis=1)
    if missing in ("fill", "drop"):
        raise ValueError(
            f'missing="{missing}" (--missing {missing}) is for one series; in a panel missing '
            "values are left out of the loss (--missing mask)"
        )
    if not unknown.any():
        return
    if missing == "raise":
        row = int(unknown.argmax())
        key = panel.keys[panel.series_of_rows()[row : row + 1]]
        raise DataError(
            f"{unknown.sum()} of {len(unknown)} steps have missing values, the first at "
            f"{format_stamp(panel.time[row])} of series {format_keys(key)}: fill them in, or leave "
            "them out of the loss by --missing mask"
        )
    understood.tell(
        "gaps", f"{counted(int(unknown.sum()), 'step')} of {len(unknown):,} without a value"
    )
