"""How far a forecast is from the truth: the usual measures, each a plain function.

In the equations y is the truth, f the forecast, n the number of values compared. All functions
take array-likes of one shape, whatever it is, compute in float64 and return a float. Where a
measure has no value (it would divide by zero) they return NaN.
"""

from typing import Any

import numpy as np


def mae(truth: Any, forecast: Any) -> float:
    """Mean absolute error, in the unit of the series: ``sum |y - f| / n``.

    Raises:
        ValueError: where the shapes differ, there is nothing to compare, or a value isn't finite.

    >>> mae([1.0, 2.0], [2.0, 4.0])
    1.5
    """
    y, f = _pair(truth, forecast)
    return float(np.abs(y - f).mean())


def rmse(truth: Any, forecast: Any) -> float:
    """Root mean squared error, in the unit of the series: ``sqrt(sum (y - f)^2 / n)``.

    Raises:
        ValueError: as in `mae`.

    >>> rmse([1.0, 2.0], [2.0, 9.0])
    5.0
    """
    y, f = _pair(truth, forecast)
    return float(np.sqrt(np.square(y - f).mean()))


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
    total = np.abs(y) + np.abs(f)
    return float(200 * (np.abs(y - f) / np.where(total == 0, 1, total)).mean())


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
    if season < 1:
        raise ValueError(f"season={season}: a season has at least 1 step; 1 stands for none.")
    x = np.asarray(train, np.float64)
    error = mae(truth, forecast)
    scale = np.abs(x[season:] - x[:-season]).mean() if len(x) > season else 0.0
    return float(error / scale) if scale > 0 else float("nan")


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
