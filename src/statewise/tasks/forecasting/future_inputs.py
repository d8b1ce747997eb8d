"""The inputs of the steps to forecast: found for every series and step, or the first one named."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import DataError, Panel
from statewise.sequences.panel import format_keys
from statewise.sequences.panel_reading import as_table, check_columns, read_input, read_stamps
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.zones import in_zone_of
from statewise.tasks.forecasting.global_model.features import Encoder, inputs_of
from statewise.tasks.forecasting.indexed_panels import as_long, has_key_levels, key_in_columns


def in_zone_of_fit(panel: Panel, fitted: pd.Index) -> Panel:
    """Return a panel whose stamps, where features of them are inputs, are in the zone of ``fit``.

    Eight o'clock in another zone is another hour of the day than the one that was learned.

    Args:
        panel: the known steps.
        fitted: the stamps that ``fit`` saw.
    """
    if not panel.columns.calendar:
        return panel
    return replace(panel, time=in_zone_of(panel.time, fitted))


def read_ahead(
    future: Any, panel: Panel, encoder: Encoder, horizon: int, fitted: pd.Index
) -> np.ndarray | None:
    """Return the inputs of the steps after each series, (series * horizon, inputs); None for none.

    Args:
        future: a frame with the columns of key and time, and the known-future ones.
        panel: the known steps.
        encoder: fitted on the training panel.
        horizon: how many steps.
        fitted: the stamps that ``fit`` saw, in whose zone features of stamps are taken.

    Raises:
        DataError: where inputs are needed and ``future`` has not all of them: it names the first
            missing stamp and its series.
    """
    columns, stamps = panel.columns, panel.future_stamps(horizon)
    series = np.repeat(np.arange(len(panel)), horizon)
    found: dict[str, np.ndarray] = {}
    if columns.future:
        if future is None:
            raise DataError(
                f"the inputs {', '.join(columns.future)} must be known for the steps to forecast: "
                f"give them as future, from {format_stamp(stamps[0])} on"
            )
        rows = _rows(future, panel, stamps, series)
        found = rows
    if not (columns.future or columns.calendar or columns.static):
        return None
    return inputs_of(panel, encoder, found, in_zone_of(stamps, fitted), series)


def _rows(future: Any, panel: Panel, stamps: pd.Index, series: np.ndarray) -> dict[str, np.ndarray]:
    columns = panel.columns
    if has_key_levels(future, columns):
        future = as_long(future, columns, named=True)[0]
    table = as_table(future)
    table = replace(table, frame=key_in_columns(table.frame, columns.key))
    keyed = columns.key in table.frame.columns
    if not keyed and len(panel) > 1:
        check_columns(table, [columns.key])
    check_columns(table, (columns.time, *columns.future))
    given = in_zone_of(read_stamps(table, columns.time), stamps)
    if (getattr(given, "tz", None) is None) != (getattr(stamps, "tz", None) is None):
        without = "future" if getattr(given, "tz", None) is None else "the series"
        raise DataError(
            f"the time stamps of the series and of future go together, but those of {without} have "
            "no zone: give them one, for example by dt.tz_localize"
        )
    codes = _places(panel.keys, table.frame[columns.key]) if keyed else np.zeros(len(given), int)
    have = pd.MultiIndex.from_arrays([codes, given])
    if have.has_duplicates:
        row = int(have.duplicated().argmax())
        if codes[row] >= 0:
            raise DataError(
                f"future has the stamp {format_stamp(given[row])} twice for series "
                f"{format_keys(panel.keys[codes[row] : codes[row] + 1])}"
            )
        keep = codes >= 0
        have, table_rows = have[keep], np.flatnonzero(keep)
    else:
        table_rows = np.arange(len(given))
    places = have.get_indexer(pd.MultiIndex.from_arrays([series, stamps]))
    if (places < 0).any():
        i = int((places < 0).argmax())
        raise DataError(
            f"future has no row for {format_stamp(stamps[i])} of series "
            f"{format_keys(panel.keys[series[i] : series[i] + 1])}: the inputs "
            f"{', '.join(columns.future)} must be known for each step to forecast"
        )
    rows = table_rows[places]
    found = {}
    for name in columns.future:
        column = read_input(table, name, columns)[rows]
        if column.dtype.kind == "f" and np.isnan(column).any():
            i = int(np.isnan(column).argmax())
            raise DataError(
                f"future has no value of {name!r} for {format_stamp(stamps[i])} of series "
                f"{format_keys(panel.keys[series[i] : series[i] + 1])}"
            )
        found[name] = column
    return found


def _places(keys: np.ndarray, column: pd.Series) -> np.ndarray:
    """Return for each row the place of its key, whatever type its column is of; -1 for none."""
    codes, unique = pd.factorize(column)
    places = {key: i for i, key in enumerate(keys.tolist())}
    found = np.array([*(places.get(key, -1) for key in unique.tolist()), -1])
    return found[codes]  # a missing key has the code -1
