"""Forecasts beyond the end, in the form of those whose truth was held out."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences import Columns, Panel, TimeSeries
from statewise.tasks.evaluation.baselines import baselines, compared_season
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.evaluation.reference_models import forecast_peer
from statewise.tasks.forecasting.adapters import take_in
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.forecaster import Forecaster
from statewise.tasks.forecasting.result_names import MODEL


@dataclass(frozen=True, eq=False)
class Beyond:
    """What lies beyond the end of every series, by a forecaster that was fitted on all of it.

    Attributes:
        forecaster: as fitted.
        origins: the ends of the series, one each. Its ``panel`` goes on over the steps to forecast,
            without values.
        arrays: the forecasts by name, "model" first: ``points`` (series, 1, horizon) and ``bands``,
            by level the lower and the upper ends.
    """

    forecaster: Forecaster
    origins: Origins
    arrays: dict[str, Forecast]

    @property
    def horizon(self) -> int:
        """How many steps."""
        return self.origins.horizon


def forecast_beyond(
    fitted: Forecaster,
    data: TimeSeries | Panel,
    *,
    levels: tuple[float, ...] = (),
    peers: tuple[str, ...] = (),
    future: Any = None,
    predict: Callable[..., Any] | None = None,
) -> Beyond:
    """Forecast beyond the end, and beside it by the naive forecasts and others on request.

    Args:
        fitted: a forecaster.
        data: all that it was fitted on.
        levels: of the intervals, in percent.
        peers: "AutoETS", "AutoARIMA", "AutoTheta", of statsforecast.
        future: as in `Forecaster.predict`.
        predict: forecasts in place of `Forecaster.predict`, given the forecaster and what that
            takes.

    >>> from statewise.sequences import read_wide
    >>> panel = read_wide(pd.DataFrame({"sold": np.tile([0.0, 10.0, 5.0, -15.0], 12)}))
    >>> fitted = Forecaster(horizon=2, season=4, epochs=1).fit(panel)
    >>> beyond = forecast_beyond(fitted, panel)
    >>> {name: one.points[0, 0].tolist() for name, one in beyond.arrays.items() if "naive" in name}
    {'naive': [-15.0, -15.0], 'seasonal naive': [0.0, 10.0]}
    >>> beyond.origins.panel.time[-2:].tolist()
    [48, 49]
    """
    panel, horizon = take_in(data).known, fitted.horizon
    if len(fitted.keys_) < len(panel):
        panel = panel.select(np.flatnonzero(np.isin(panel.keys, fitted.keys_)))
    frame = (predict or type(fitted).predict)(fitted, level=levels or None, future=future)
    if isinstance(frame, pd.Series):
        frame = frame.to_frame(MODEL)

    def taken(name: str) -> np.ndarray:
        return frame[name].to_numpy(np.float64).reshape(len(panel), 1, horizon)

    bands = {one: (taken(f"{MODEL}-lo-{one:g}"), taken(f"{MODEL}-hi-{one:g}")) for one in levels}
    arrays = {MODEL: Forecast(taken(MODEL), bands)}
    origins = origins_at_the_end(panel, horizon)
    season = compared_season(fitted, panel)
    arrays |= baselines(origins, season=season, levels=levels)
    for name in peers:
        arrays[name] = forecast_peer(name, origins, season=season, levels=levels)
    return Beyond(fitted, origins, arrays)


def origins_at_the_end(panel: Panel, horizon: int) -> Origins:
    """Return origins at the end of each series, the steps after it without values.

    >>> from statewise.sequences import read_wide
    >>> panel = read_wide(pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": [3.0, 2.0, 1.0]}))
    >>> origins = origins_at_the_end(panel, 2)
    >>> origins.first.ravel().tolist(), origins.panel.values[:, 0].tolist()
    ([3, 3], [1.0, 2.0, 3.0, nan, nan, 3.0, 2.0, 1.0, nan, nan])
    """
    count = len(panel)
    lengths = panel.lengths
    offsets = panel.offsets + horizon * np.arange(count + 1)
    known = np.arange(len(panel.values)) + horizon * panel.series_of_rows()
    ahead = (offsets[1:, None] - horizon + np.arange(horizon)).ravel()
    values = np.full((offsets[-1], 1), np.nan)
    values[known, 0] = panel.values[:, 0]
    order = np.empty(offsets[-1], int)
    order[known] = np.arange(len(known))
    order[ahead] = len(known) + np.arange(len(ahead))
    columns = panel.columns
    longer = Panel(
        keys=panel.keys,
        offsets=offsets,
        values=values,
        time=panel.time.append(panel.future_stamps(horizon))[order],
        calendars=panel.calendars,
        calendar_of=panel.calendar_of,
        columns=Columns(key=columns.key, time=columns.time, target=columns.target),
    )
    return Origins(longer, lengths[:, None], horizon)
