"""Series that never were below 0: sales, counts, prices. Their forecasts don't go there either.

A quantile of what a forecast missed by, put around a point near 0, reaches below it, where nothing
of the kind has ever been. What lies there is raised to 0: the point, which is the median of what
the interval is from, as well as the ends, so that the interval holds the point.
"""

import numpy as np

from statewise.sequences import Panel
from statewise.tasks.forecasting.forecast import Forecast


def never_negative(panel: Panel) -> np.ndarray:
    """Tell for each series whether its target has values and none is below 0, (series,) bool.

    >>> from statewise.sequences import read_wide
    >>> import pandas as pd
    >>> never_negative(read_wide(pd.DataFrame({"a": [0.0, 1, 2], "b": [1, -1.0, 2]})))
    array([ True, False])
    """
    return np.fmin.reduceat(panel.values[:, 0], panel.offsets[:-1]) >= 0


def raised_to_zero(forecast: Forecast, panel: Panel, learned: Panel) -> Forecast:
    """Return a forecast in which nothing is below 0 where its series never was.

    Args:
        forecast: (series, horizon).
        panel: what is known of the series by now.
        learned: what was learned from; a series that was below 0 there was below it.

    >>> from statewise.sequences import read_wide
    >>> import pandas as pd
    >>> panel = read_wide(pd.DataFrame({"a": [0.0, 1, 2], "b": [1, -1.0, 2]}))
    >>> forecast = Forecast(np.full((2, 1), -1.0), {80: (np.full((2, 1), -2.0), np.ones((2, 1)))})
    >>> raised = raised_to_zero(forecast, panel, panel)
    >>> raised.points[:, 0].tolist(), raised.bands[80][0][:, 0].tolist()
    ([0.0, -1.0], [0.0, -2.0])
    """
    never = never_negative(panel)
    if learned is not panel and never.any():
        below = set(learned.keys[~never_negative(learned)].tolist())
        never &= np.array([key not in below for key in panel.keys.tolist()], bool)
    if not never.any():
        return forecast

    def raised(values: np.ndarray) -> np.ndarray:
        # Not -0.0; NaN stays what it is.
        return np.where(never[:, None], np.maximum(values, 0.0) + 0.0, values)

    return Forecast(
        raised(forecast.points),
        {level: (raised(low), raised(high)) for level, (low, high) in forecast.bands.items()},
    )


def one_step_raised(
    points: np.ndarray, values: np.ndarray, origins: np.ndarray, learned: Panel
) -> np.ndarray:
    """Return forecasts of one step of one series, none below 0 while the series wasn't.

    Args:
        points: the forecasts, (origins,).
        values: the series, (time,).
        origins: the steps that they are of, (origins,).
        learned: what was learned from.

    >>> from statewise.sequences import read_wide
    >>> import pandas as pd
    >>> panel = read_wide(pd.DataFrame({"a": [1.0, 0, 1]}))
    >>> series = np.array([1.0, 0, 1, -1, 2])
    >>> one_step_raised(np.array([-0.5, -0.5]), series, np.array([3, 4]), panel)
    array([ 0. , -0.5])
    """
    if not never_negative(learned).all():
        return points
    never = np.fmin.accumulate(values)[origins - 1] >= 0
    return np.where(never, np.maximum(points, 0.0) + 0.0, points)
