"""Forecasts of a panel by a fitted forecaster, in three steps that may run in different processes.

What is known is read (`known_by`), forecast (`forecast_of`, of all series or of some), and given
back in the form in which it came (`forms.give_back`).
"""

from typing import TYPE_CHECKING, Any

from statewise.sequences import DataError, Panel
from statewise.sequences.arrays import check_count
from statewise.sequences.panel import format_keys
from statewise.tasks.forecasting.adapters import take_in
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.forms import Form
from statewise.tasks.forecasting.known_steps import on_calendar
from statewise.tasks.forecasting.never_negative import raised_to_zero
from statewise.tasks.forecasting.training_data import any_known, check_counts

if TYPE_CHECKING:
    from statewise.tasks.forecasting.forecaster import Forecaster


def known_by(forecaster: "Forecaster", new_data: Any = None) -> tuple[Form, Panel]:
    """Return the form and the known steps of what is to be forecast.

    Args:
        forecaster: a fitted one.
        new_data: as in `Forecaster.predict`; None for what ``fit`` was given.

    Raises:
        ValueError: before ``fit``.
        DataError: where the data can't be read, or a series has no value.
    """
    forecaster._check_fitted()
    if new_data is None:
        return forecaster._form, forecaster._engine.data.panel
    columns = forecaster.columns_ if forecaster._form.layout == "long" else None
    taken = take_in(new_data, columns)
    panel = on_calendar(taken.known, forecaster._laid_out_by)
    empty = ~any_known(panel, 1)
    if empty.any():
        raise DataError(f"series {format_keys(panel.keys[empty])} of new_data have no value")
    check_counts(panel, forecaster.likelihood)
    return taken.form, panel


def steps_of(forecaster: "Forecaster", horizon: int | None) -> int:
    """Return how many steps are to be forecast; None stands for the forecaster's own horizon.

    Raises:
        TypeError, ValueError: where it is no whole number from 1 on.
    """
    return forecaster.horizon if horizon is None else check_count(horizon, "horizon")


def check_future(panel: Panel, future: Any) -> None:
    """Refuse inputs of the future where ``fit`` had none.

    Raises:
        ValueError: where it had none.
    """
    if future is not None and not panel.columns.future:
        raise ValueError(
            "future was given, but fit had no inputs that are known for the future: "
            "name them there, as future in columns"
        )


def forecast_of(
    forecaster: "Forecaster", panel: Panel, horizon: int, levels: list[float], future: Any
) -> Forecast:
    """Forecast the steps after each series of a panel, (series, horizon).

    Args:
        forecaster: a fitted one.
        panel: of `known_by`, or some of its series.
        horizon: how many steps.
        levels: of the intervals, in percent.
        future: as in `Forecaster.predict`; rows of other series don't matter.

    Raises:
        DataError: as `Forecaster.predict`.
    """
    engine = forecaster._engine
    forecast = engine.predict(panel, horizon, levels, future)
    return raised_to_zero(forecast, panel, engine.data.panel)
