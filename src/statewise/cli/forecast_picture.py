"""The picture that ``statewise forecast`` and ``statewise backtest`` write."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from statewise.cli.written_names import series_label
from statewise.pictures import plot_forecast
from statewise.sequences import Panel
from statewise.sequences.tables import counted
from statewise.tasks import Backtest
from statewise.tasks.evaluation.beyond import Beyond
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import MODEL


def picture_of(held: Backtest | None, beyond: Beyond | None, name: str = "") -> Figure:
    """Draw a typical series: what was known, the last window held out, and what lies beyond.

    Args:
        held: forecasts of held-out steps; None where nothing was held out.
        beyond: forecasts beyond the end; None where there are none.
        name: of the one series; "" to call it by its key.
    """
    panel, i = _typical(held, beyond)
    name = name or series_label(panel, i)
    pieces: list[tuple[pd.Index, dict[str, Forecast], int]] = []
    stop = panel.offsets[i + 1]
    truth = None
    if held is not None:
        first, horizon = int(held.origins.first[i, -1]), held.origins.horizon
        stop = panel.offsets[i] + first
        rows = slice(stop, stop + horizon)
        pieces.append((panel.time[rows], held.arrays, i))
        truth = pd.Series(panel.values[rows, 0], panel.time[rows])
    there = None if beyond is None else _place(beyond.origins.panel, panel.keys[i])
    if beyond is not None and there is not None:
        longer = beyond.origins.panel
        end = longer.offsets[there + 1]
        if held is None:
            stop = panel.offsets[i] + int(beyond.origins.first[there, 0])
        # Where the truth is known, lines of the naive forecasts tell something; not here.
        arrays = {each: one for each, one in beyond.arrays.items() if held is None or each == MODEL}
        pieces.append((longer.time[end - beyond.horizon : end], arrays, there))
    known = slice(panel.offsets[i], stop)
    history = pd.Series(panel.values[known, 0], panel.time[known], name=name)
    forecasts = pd.concat(
        [
            pd.DataFrame({each: one.points[k, -1] for each, one in arrays.items()}, time)
            for time, arrays, k in pieces
        ]
    )
    levels = pieces[0][1][MODEL].bands
    bands = {
        level: [
            np.concatenate([arrays[MODEL].bands[level][end][k, -1] for _, arrays, k in pieces])
            for end in (0, 1)
        ]
        for level in levels
    }
    title = _title(held, beyond if there is not None else None, name, i, len(panel))
    return plot_forecast(history, forecasts, truth=truth, title=title, bands=bands)


def _typical(held: Backtest | None, beyond: Beyond | None) -> tuple[Panel, int]:
    """Return a panel, and in it the series with the median error, or else the median level."""
    if held is not None:
        size = held.by_series.loc[MODEL, "MAE"].to_numpy()
        panel = held.origins.panel
    elif beyond is not None:
        size = beyond.arrays[MODEL].points.mean(axis=(1, 2))
        panel = beyond.origins.panel
    else:
        raise ValueError("there is neither a held-out part nor one beyond the end to draw")
    order = np.argsort(np.where(np.isnan(size), np.inf, size), kind="stable")
    return panel, int(order[len(order) // 2])


def _place(panel: Panel, key: Any) -> int | None:
    """Return the place of a series; None where there is none of this key."""
    keys = panel.keys.tolist()
    return keys.index(key) if key in keys else None


def _title(held: Backtest | None, beyond: Beyond | None, name: str, i: int, count: int) -> str:
    parts = []
    if held is not None:
        errors = {one: held.by_series.loc[one, "MAE"].iloc[i] for one in held.arrays}
        others = ", ".join(f"{one} {short(e)}" for one, e in errors.items() if one != MODEL)
        windows, steps = held.origins.windows, held.origins.horizon
        over = (
            counted(steps, "held-out step")
            if windows == 1
            else f"{windows} windows of {counted(steps, 'step')}"
        )
        parts.append(f"mean error {short(errors[MODEL])} over {over} ({others})")
    if beyond is not None:
        parts.append(f"{counted(beyond.horizon, 'step')} beyond the end")
    why = "level" if held is None else "error"
    typical = f" (the median {why} of {count:,} series)" if count > 1 else ""
    return f"Forecast of {name}{typical}: {'; '.join(parts)}"


def short(value: float) -> str:
    """Write an error with three digits, and never with an exponent where it can be helped.

    >>> short(13.871), short(1234567.8), short(0.00046251)
    ('13.9', '1,234,568', '0.000463')
    """
    if not np.isfinite(value):
        return "-"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
