"""What a backtest comes to, in words."""

from typing import Any

import numpy as np
import pandas as pd

from statewise.tasks.evaluation.significance import compare
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import MODEL

NOTHING_BETTER = "validation found nothing better"
_ROUNDING = 1e-3  # of a mean step: networks compute in float32
_TIE = 1e-6  # of an error
_LONGEST_UNIT = 20  # letters
_NEAR = 0.5  # of the way that the truth goes from the reference
_NO_GAIN = 0.97  # of the reference's error


def same(points: np.ndarray, reference: np.ndarray, step: float | np.ndarray) -> bool:
    """Tell whether a forecast is a reference itself, up to rounding.

    Args:
        points: the forecast.
        reference: what it may be.
        step: of the series, on average; NaN where it doesn't move.

    >>> same(np.array([3.0, 5.0]), np.array([3.00001, 5.0]), 1.0)
    True
    """
    known = ~(np.isnan(points) | np.isnan(reference))
    near = np.abs(points - reference) <= _ROUNDING * np.nan_to_num(step)
    return bool(known.any() and near[known].all())


def below(error: float, others: pd.Series) -> pd.Series:
    """Tell which errors another one is below: not where they are equal up to rounding."""
    return error < others * (1 - _TIE)


def is_it(name: str, fitted: Any, errors: pd.Series, unit: str = "") -> str:
    """Say that the model is one of the forecasts beside it, and why.

    Args:
        name: of that forecast.
        fitted: the forecaster.
        errors: of all forecasts, by name.
        unit: of the errors, as `unit_of` returns it.
    """
    others = errors.drop([MODEL, name])
    compared = "".join(
        f", that of the {one} forecast {number(error)}" for one, error in others.items()
    )
    why = f": {NOTHING_BETTER}" if found_nothing_better(fitted) else ""
    return (
        f"The model is the {name} forecast{why}. "
        f"Its mean absolute error is {number(errors[MODEL])}{unit}{compared}."
    )


def number(error: float) -> str:
    """Write an error with four digits, or all those before the point.

    >>> number(13.8712), number(1234567.8), number(0.000021234)
    ('13.87', '1,234,568', '2.123e-05')
    """
    return f"{error:,.0f}" if 1000 <= abs(error) < 1e15 else f"{error:.4g}"


def unit_of(name: Any) -> str:
    """Return the name of the values as the unit behind a number; nothing where there is none.

    >>> unit_of("passengers"), unit_of("0"), unit_of(None), unit_of("value"), unit_of("y")
    (' passengers', '', '', '', '')
    """
    text = "" if name is None else str(name).strip()
    nameless = text.isdigit() or text in ("", "value", "y") or len(text) > _LONGEST_UNIT
    return "" if nameless else f" {text}"


def found_nothing_better(fitted: Any) -> bool:
    """Tell whether validation chose to stay with the forecast that training begins from."""
    return getattr(fitted, "epochs_", None) == 0


def some(percent: float) -> str:
    """Say how many percent, never that they are none.

    >>> some(23.4), some(0.04)
    ('23 %', '0.04 %')
    """
    return f"{percent:.0f} %" if percent >= 1 else f"{percent:.1g} %"


def copies(truth: np.ndarray, points: np.ndarray, reference: np.ndarray, scale: np.ndarray) -> bool:
    """Tell whether a forecast is only a reference (the last value) in disguise.

    A picture of such a forecast looks excellent: its line runs along the truth, one step late. Two
    numbers show it, both in parts of the mean distance between the truth and the reference: how far
    the forecast goes from the reference, and how far the forecast is from the truth. It is a copy
    where it goes less than half as far as the truth does, and gains nothing by going: its error
    stays at 97 % of the reference's or above. A forecast that hardly moves but moves rightly gains
    more than that; one that is wrong in its own way goes farther.

    Args:
        truth: (series, windows, horizon), NaN where it is missing.
        points: the forecast.
        reference: what it may be a copy of.
        scale: of each series, (series,).

    >>> truth = np.arange(1.0, 7.0).reshape(1, 6, 1)
    >>> copies(truth, truth - 1.01, truth - 1, np.ones(1)), copies(truth, truth, truth - 1, [1.0])
    (True, False)
    """
    unit = np.asarray(scale, np.float64)[:, None, None]
    known = ~np.isnan(truth) & ~np.isnan(unit)
    if not known.any():
        return False

    def distance(a, b):
        return float((np.abs(a - b) / unit)[known].mean())

    way = distance(truth, reference)
    if not way > 0:
        return False
    return distance(points, reference) < _NEAR * way and distance(points, truth) >= _NO_GAIN * way


def against(name: str, model: np.ndarray, other: np.ndarray) -> str:
    """Say how the model's losses compare with another forecast's, and whether that is chance.

    Args:
        name: of the other forecast.
        model: losses, (series, windows), NaN where there is none.
        other: those of the other forecast.

    >>> against("naive", np.array([[1.0]]), np.array([[2.0]]))
    'Its error is 50 % below that of the naive forecast.'
    """
    mine, theirs = float(np.nanmean(model)), float(np.nanmean(other))
    found = compare(model, other)
    if not theirs > 0:
        return f"The {name} forecast has no error to compare with."
    percent = 100 * (mine / theirs - 1)
    how = f"{abs(percent):.0f} % {'below' if percent < 0 else 'above'}"
    if abs(percent) < 0.5:
        how = "about" if mine != theirs else "equal to"
    start = f"Its error is {how} that of the {name} forecast"
    if not found.test:
        return f"{start}."
    if not found.significant:
        return f"{start}, which may be chance ({found})."
    fewer = np.nanmean(np.where(np.isnan(model - other), np.nan, model < other)) > 0.5
    if found.test.startswith("Wilcoxon") and fewer != (percent < 0):
        return f"{start}, but not so for most series ({found}): a few decide the mean."
    return f"{start}, significantly ({found})."


def covered(truth: np.ndarray, forecast: Forecast) -> str:
    """Say how much of the truth lies within the intervals."""
    known = ~np.isnan(truth)
    parts = []
    for level, (low, high) in forecast.bands.items():
        share = 100 * float(((low <= truth) & (truth <= high))[known].mean())
        parts.append(f"the {level:g} % intervals hold {share:.1f} %")
    text = " and ".join([", ".join(parts[:-1]), parts[-1]] if len(parts) > 1 else parts)
    return f"Of the true values {text}." if parts else ""
