"""Forecasts of what is read block by block, and of anything whose forecasts are to be written."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd

from statewise.sequences import Panel
from statewise.sequences.panel_reading import as_table
from statewise.tasks.forecasting.engine import Engine
from statewise.tasks.forecasting.fitting import Scanned
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.forms import Form, give_back
from statewise.tasks.forecasting.known_steps import on_calendar
from statewise.tasks.forecasting.never_negative import raised_to_zero
from statewise.tasks.forecasting.parameters import check_size
from statewise.tasks.forecasting.predicting import Asked, forecast_panel, known_by_now
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.scanned.filling import filled_up
from statewise.tasks.forecasting.scanned.kinds import is_path, is_scanned
from statewise.tasks.forecasting.scanned.opening import opened
from statewise.tasks.forecasting.scanned.writing import (
    ForecastFiles,
    request_of,
    with_a_value,
    write_forecasts,
)
from statewise.tasks.forecasting.training_data import check_counts


def forecast_scanned(
    engine: Engine,
    form: Form,
    data: Any,
    asked: Asked,
    output: Any,
    progress: Progress,
    rows: int,
) -> Any:
    """Forecast what follows data, block by block where they are read so; see `forecast_any`.

    Raises:
        ValueError: where more is to be forecast than fits into memory, and it isn't said where to
            write it.
    """
    scanned = data if isinstance(data, Scanned) else None
    if is_scanned(data):
        scan = opened(data, engine.data.panel.columns, rows)
        data = scan.whole()
        if data is None:
            scanned = Scanned(scan, with_a_value, 0)
        elif form.layout != "long":
            form = Form("long", "pandas")
    if scanned is None:
        form, panel = known_by_now(engine, form, data, asked)
        if output is None:
            return forecast_panel(engine, form, panel, asked)
        return _written(engine, form, panel, asked, Path(output), progress)
    if output is None:
        raise ValueError(
            f"{scanned.panel.scan!r} has more than {scanned.panel.rows:,} rows, which are forecast "
            "block by block: name where to write by output=, or let more rows into memory by rows="
        )
    return _by_blocks(engine, form, scanned, asked, Path(output), progress)


def _by_blocks(
    engine: Engine, form: Form, scanned: Scanned, asked: Asked, output: Path, progress: Progress
) -> ForecastFiles:
    """Forecast what is read block by block."""
    scan = scanned.panel
    if scan.folder is not None and output.resolve().is_relative_to(scan.folder.resolve()):
        raise ValueError(
            f"output={str(output)!r} lies in {scan.folder}, whose files are forecast: the "
            "forecasts would be read among them. Name a place elsewhere"
        )
    long = long_form(form)

    def blocks(skip: int) -> Iterator[tuple[Panel | None, int]]:
        return scan.panels(
            progress, "forecasting", series=scanned.series, skip=skip, keep=scanned.keep
        )

    def forecast(panel: Panel) -> pd.DataFrame:
        return forecast_block(engine, long, panel, asked)

    request = request_of(engine, scan, asked.horizon, asked.levels, asked.future)
    if is_path(asked.future):  # read once, not for each block
        asked = asked._replace(future=as_table(str(asked.future)))
    return write_forecasts(blocks, forecast, output, request, scan.scan.skipped)


def long_form(form: Form) -> Form:
    """Return the form of forecasts that are written: a long table of pandas with its keys."""
    long = form if form.layout == "long" and not form.levels else Form("long", "pandas")
    return replace(long, backend="pandas", keyed=True)


def forecast_block(engine: Engine, long: Form, panel: Panel, asked: Asked) -> pd.DataFrame:
    """Forecast some series, of blocks that share compiled programs.

    Args:
        engine: as fitted.
        long: of `long_form`.
        panel: the known steps.
        asked: what is to be forecast.
    """
    panel = on_calendar(panel, engine.data.laid_out_by)
    check_counts(panel, asked.likelihood)
    filled = filled_up(panel)
    check_size(asked.horizon, filled, engine.numbers(bool(asked.levels)))
    found = engine.predict(filled, asked.horizon, asked.levels, asked.future)
    own = slice(len(panel))
    bands = {level: (low[own], high[own]) for level, (low, high) in found.bands.items()}
    found = Forecast(found.points[own], bands)
    frame = give_back(long, panel, raised_to_zero(found, panel, engine.data.panel))
    return frame.rename(columns=asked.names) if asked.names else frame


def _written(
    engine: Engine, form: Form, panel: Panel, asked: Asked, output: Path, progress: Progress
) -> ForecastFiles:
    """Write forecasts of a panel in memory, as one block."""
    long = replace(form, backend="pandas") if form.layout == "long" else Form("long", "pandas")

    def blocks(skip: int) -> Iterator[tuple[Panel, int]]:
        if not skip:
            yield panel, len(panel)
            progress("forecasting", len(panel), len(panel), float("nan"))

    def forecast(panel: Panel) -> pd.DataFrame:
        frame = forecast_panel(engine, long, panel, asked)
        if isinstance(frame, pd.Series):
            frame = frame.to_frame()
        frame = frame.reset_index() if long.levels and not long.flat else frame
        return frame.rename(columns=asked.names) if asked.names else frame

    request = request_of(engine, panel, asked.horizon, asked.levels, asked.future)
    return write_forecasts(blocks, forecast, output, request)
