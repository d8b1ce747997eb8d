"""How far a forecast is from the truth: the usual measures, each a plain function.

In the equations y is the truth, f the forecast, n the number of values compared. All functions
take array-likes of one shape, whatever it is, compute in float64 and return a float. Where a
measure has no value (it would divide by zero) they return NaN. The formulas themselves, which
average over some axes of many forecasts at once, are those of `pooled`.
"""

from typing import Any

import numpy as np

from statewise.tasks.evaluation import pooled


def mae(truth: Any, forecast: Any) -> float:
    """Mean absolute error, in the unit of the series: ``sum |y - f| / n``.

    Raises:
        ValueError: where the shapes differ, there is nothing to compare, or a value isn't finite.

    >>> mae([1.0, 2.0], [2.0, 4.0])
    1.5
    """
    y, f = _pair(truth, forecast)
    return float(pooled.mean_absolute(y - f))


def rmse(truth: Any, forecast: Any) -> float:
    """Root mean squared error, in the unit of the series: ``sqrt(sum (y - f)^2 / n)``.

    Raises:
        ValueError: as in `mae`.

    >>> rmse([1.0, 2.0], [2.0, 9.0])
    5.0
    """
    y, f = _pair(truth, forecast)
    return float(pooled.root_mean_square(y - f))


def mape(truth: Any, forecast: Any) -> float:
    """Mean absolute percentage error: ``100 / n * sum |y - f| / |y|``; NaN where some y is 0.

    Raises:
        ValueError: as in `mae`.

    >>> mape([10.0, 20.0], [11.0, 18.0])
    10.0
    """
    y, f = _pair(truth, forecast)
    if not y.all():
        return float("nan")
    return float(100 * (np.abs(y - f) / np.abs(y)).mean())


def smape(truth: Any, forecast: Any) -> float:
    """Symmetric percentage error, 0 to 200: ``200 / n * sum |y - f| / (|y| + |f|)``.

    A value that is 0 and forecast as 0 counts as no error.

    Raises:
        ValueError: as in `mae`.

    >>> smape([10.0, 0.0], [30.0, 0.0])
    50.0
    """
    y, f = _pair(truth, forecast)
    return float(pooled.symmetric_percentage(y, f))


def mase(truth: Any, forecast: Any, *, train: Any, season: int = 1) -> float:
    """Mean absolute scaled error: `mae` over the seasonal naive error within the training part.

    ``mae(y, f) / (sum |x[t] - x[t - season]| / (T - season))`` for the T values x of ``train``.
    Below 1 the forecast errs less than, on average, the seasonal naive one did one step ahead on
    the training part. NaN where that error is 0, or ``train`` isn't longer than a season.

    Args:
        truth: the true values.
        forecast: the forecast values, of the same shape.
        train: the training part, (time,), which ends before the truth begins.
        season: the number of steps of a season; 1 compares with the last value.

    Raises:
        ValueError: as in `mae`, and for a season below 1.

    >>> mase([6.0, 7.0], [6.0, 8.0], train=[1.0, 2.0, 3.0, 4.0, 5.0])
    0.5
    """
    return _scaled(mae(truth, forecast), float(pooled.mean_absolute(_steps(train, season))))


def rmsse(truth: Any, forecast: Any, *, train: Any, season: int = 1) -> float:
    """Root mean squared scaled error: `rmse` over that of the seasonal naive one on ``train``.

    ``sqrt(mean (y - f)^2 / mean (x[t] - x[t - season])^2)``, the measure of the M5 competition.
    NaN where that error is 0, or ``train`` isn't longer than a season.

    Args:
        truth: the true values.
        forecast: the forecast values, of the same shape.
        train: the training part, (time,), which ends before the truth begins.
        season: the number of steps of a season; 1 compares with the last value.

    Raises:
        ValueError: as in `mae`, and for a season below 1.

    >>> rmsse([6.0, 7.0], [8.0, 9.0], train=[1.0, 3.0, 5.0])
    1.0
    """
    return _scaled(rmse(truth, forecast), float(pooled.root_mean_square(_steps(train, season))))


def wql(truth: Any, forecasts: Any, *, quantiles: Any) -> float:
    """Weighted quantile loss: how far forecast quantiles are from the truth, in parts of its size.

    ``sum over q, y of 2 (q (y - f)+ + (1 - q) (f - y)+) / (number of q * sum |y|)``. It judges
    points and intervals at once: lower is better, and for one point in place of all quantiles
    that lie evenly around the median it is ``sum |y - f| / sum |y|``. NaN where all y are 0.

    Args:
        truth: the true values.
        forecasts: for each quantile an array of the truth's shape, (quantiles, ...).
        quantiles: between 0 and 1, (quantiles,).

    Raises:
        ValueError: as in `mae`; where a quantile isn't between 0 and 1, or their number isn't that
            of the forecasts.

    >>> round(wql([10.0, 10.0], [[9.0, 9.0], [10.0, 12.0]], quantiles=[0.1, 0.5]), 6)
    0.06
    """
    q = np.asarray(quantiles, np.float64)
    f = np.asarray(forecasts, np.float64)
    if q.ndim != 1 or not len(q) or ((q <= 0) | (q >= 1)).any():
        raise ValueError(f"quantiles must be numbers between 0 and 1, but are {quantiles!r}.")
    if len(f) != len(q):
        raise ValueError(f"there are {len(q)} quantiles, but forecasts for {len(f)} of them.")
    pairs = [_pair(truth, one) for one in f]
    each = [(float(one), low) for one, (_, low) in zip(q, pairs, strict=True)]
    return float(pooled.weighted_quantile_loss(pairs[0][0], each))


def coverage(truth: Any, low: Any, high: Any) -> float:
    """How many percent of the true values lie within their intervals, the ends included.

    Raises:
        ValueError: as in `mae`.

    >>> coverage([1.0, 2.0, 3.0, 4.0], [0.0, 2.0, 4.0, 0.0], [2.0, 2.0, 5.0, 5.0])
    75.0
    """
    y, low = _pair(truth, low)
    _, high = _pair(truth, high)
    return float(pooled.percent_within(y, low, high))


def _steps(train: Any, season: int) -> np.ndarray:
    """Return the seasonal naive errors one step ahead within a training part."""
    if season < 1:
        raise ValueError(f"season={season}: a season has at least 1 step; 1 stands for none.")
    x = np.asarray(train, np.float64)
    return pooled.seasonal_differences(x, np.array([0, len(x)]), np.array([season]))[season:]


def _scaled(error: float, scale: float) -> float:
    return error / scale if scale > 0 else float("nan")


def _pair(truth: Any, forecast: Any) -> tuple[np.ndarray, np.ndarray]:
    y, f = np.asarray(truth, np.float64), np.asarray(forecast, np.float64)
    if y.shape != f.shape:
        raise ValueError(
            f"truth has the shape {y.shape}, forecast {f.shape}: both must have the same."
        )
    if y.size == 0:
        raise ValueError("truth and forecast are empty: there is nothing to compare.")
    for name, values in (("truth", y), ("forecast", f)):
        wrong = int((~np.isfinite(values)).sum())
        if wrong:
            raise ValueError(
                f"{name} holds {wrong} values that are missing or infinite: leave those steps out "
                "of both."
            )
    return y, f
