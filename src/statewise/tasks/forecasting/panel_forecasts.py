"""Forecasts of a panel by a fitted forecaster, in three steps that may run in different processes.

What is known is read (`known_by`), forecast (`forecast_of`, of all series or of some), and given
back in the form in which it came (`forms.give_back`).
"""

from typing import TYPE_CHECKING, Any

from statewise.sequences import DataError, Panel
from statewise.sequences.arrays import check_count
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.forms import Form
from statewise.tasks.forecasting.never_negative import raised_to_zero
from statewise.tasks.forecasting.parameters import check_size
from statewise.tasks.forecasting.predicting import Asked, known_by_now
from statewise.tasks.forecasting.scanned.kinds import is_scanned

if TYPE_CHECKING:
    from statewise.tasks.forecasting.forecaster import Forecaster


def asked_of(
    forecaster: "Forecaster", horizon: int | None, levels: list[float], future: Any
) -> Asked:
    """Return what is asked of a fitted forecaster.

    Args:
        forecaster: a fitted one.
        horizon: how many steps; None for the forecaster's own horizon.
        levels: of the intervals, in percent.
        future: as in `Forecaster.predict`.

    Raises:
        TypeError, ValueError: where the horizon is none; before ``fit``; where ``fit`` had no
            inputs that are known for the future.
    """
    forecaster._check_fitted()
    horizon = forecaster.horizon if horizon is None else check_count(horizon, "horizon")
    if future is not None and not forecaster.columns_.future:
        raise ValueError(
            "future was given, but fit had no inputs that are known for the future: "
            "name them there, as future in columns"
        )
    return Asked(horizon, levels, future, forecaster.likelihood)


def known_by(forecaster: "Forecaster", new_data: Any, asked: Asked) -> tuple[Form, Panel]:
    """Return the form and the known steps of what is to be forecast.

    Args:
        forecaster: a fitted one.
        new_data: as in `Forecaster.predict`; None for what ``fit`` was given.
        asked: of `asked_of`.

    Raises:
        DataError: where the data can't be read, or a series has no value.
        ValueError: where there is no room for so many steps.
    """
    if is_scanned(new_data) or (new_data is None and forecaster._scanned is not None):
        raise DataError(
            "data that are read block by block are forecast so, too: say where to write by output="
        )
    engine = forecaster._engine
    form, panel = known_by_now(engine, forecaster._form, new_data, asked)
    check_size(asked.horizon, panel, engine.numbers(bool(asked.levels)))
    return form, panel


def forecast_of(forecaster: "Forecaster", panel: Panel, asked: Asked) -> Forecast:
    """Forecast the steps after each series of a panel, (series, horizon).

    Args:
        forecaster: a fitted one.
        panel: of `known_by`, or some of its series.
        asked: of `asked_of`; rows of the future of other series don't matter.

    Raises:
        DataError: as `Forecaster.predict`.
    """
    engine = forecaster._engine
    forecast = engine.predict(panel, asked.horizon, asked.levels, asked.future)
    return raised_to_zero(forecast, panel, engine.data.panel)
