"""What `Forecaster.predict` does: forecasts given back, or written block by block."""

from collections.abc import Callable
from typing import Any, NamedTuple

from statewise.sequences import DataError, Panel
from statewise.sequences.panel import format_keys
from statewise.tasks.forecasting.adapters import give_back, take_in
from statewise.tasks.forecasting.engine import Engine
from statewise.tasks.forecasting.fitting import Scanned
from statewise.tasks.forecasting.forms import Form
from statewise.tasks.forecasting.known_steps import on_calendar
from statewise.tasks.forecasting.never_negative import raised_to_zero
from statewise.tasks.forecasting.parameters import check_size
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.scanned.kinds import is_scanned
from statewise.tasks.forecasting.training_data import any_known, check_counts


class Asked(NamedTuple):
    """What is to be forecast.

    Attributes:
        horizon: how many steps.
        levels: of the intervals, in percent.
        future: a frame of the inputs that are known for those steps; None without.
        likelihood: that of the forecaster.
        names: gives columns of what is written other names; None for their own.
    """

    horizon: int
    levels: list[float]
    future: Any
    likelihood: str | None
    names: Callable[[Any], str] | None = None


def forecast_any(
    engine: Engine,
    form: Form,
    data: Any,
    asked: Asked,
    output: Any,
    progress: Progress,
    rows: int,
) -> Any:
    """Forecast what follows data, and give it back or write it.

    Args:
        engine: as fitted.
        form: in which the data of the fit came.
        data: as known by now; None for those of the fit; a `Scanned` for those where they lie.
        asked: what is to be forecast.
        output: where to write; None to give it back.
        progress: called after each block that is written.
        rows: how many rows of a path or scan are in memory at a time.
    """
    if asked.future is not None and not engine.data.panel.columns.future:
        raise ValueError(
            "future was given, but fit had no inputs that are known for the future: "
            "name them there, as future in columns"
        )
    if output is not None or isinstance(data, Scanned) or is_scanned(data):
        from statewise.tasks.forecasting.scanned.predicting import forecast_scanned

        return forecast_scanned(engine, form, data, asked, output, progress, rows)
    form, panel = known_by_now(engine, form, data, asked)
    return forecast_panel(engine, form, panel, asked)


def known_by_now(engine: Engine, form: Form, data: Any, asked: Asked) -> tuple[Form, Panel]:
    """Return the form of data in memory, and the series by the steps of their calendar."""
    panel = engine.data.panel
    if data is None:
        return form, panel
    taken = take_in(data, panel.columns if form.layout == "long" else None)
    form, panel = taken.form, on_calendar(taken.known, engine.data.laid_out_by)
    empty = ~any_known(panel, 1)
    if empty.any():
        raise DataError(f"series {format_keys(panel.keys[empty])} of new_data have no value")
    check_counts(panel, asked.likelihood)
    return form, panel


def forecast_panel(engine: Engine, form: Form, panel: Panel, asked: Asked) -> Any:
    """Return forecasts of a panel in some form."""
    check_size(asked.horizon, panel, engine.numbers(bool(asked.levels)))
    forecast = engine.predict(panel, asked.horizon, asked.levels, asked.future)
    return give_back(form, panel, raised_to_zero(forecast, panel, engine.data.panel))
