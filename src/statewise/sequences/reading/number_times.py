"""Numbers that are times: epochs, serial dates of Excel, fractions of years."""

from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from statewise.sequences.reading.time_names import part_of, says_date, says_time

_EPOCHS = {"seconds": 1.0, "milliseconds": 1e3, "microseconds": 1e6, "nanoseconds": 1e9}
_EPOCH_RANGE = (1e8, 4.2e9)  # seconds: from 1973 to 2103
_EXCEL_RANGE = (18_264, 73_050)  # from 1950 to 2099
_EXCEL_START = np.datetime64("1899-12-30", "us")  # as of March 1900: Excel has a day too many
_YEARS = (1500, 2200)
_STEPS = {12: "month", 4: "month", 2: "month", 1: "month"}  # steps of a year in whole months
_OF_DAYS = (365.25, 52.18, 26.09, 365.25 * 24)
_ENOUGH = 8  # numbers that go on evenly, where no name says that they are times


@dataclass(frozen=True)
class NumberTimes:
    """Stamps of numbers, and what they are in words."""

    stamps: pd.DatetimeIndex
    words: str
    notes: list[str] = field(default_factory=list)


def numbers_as_times(values: np.ndarray, name: object) -> NumberTimes | None:
    """Return the stamps that numbers stand for, or None where they are plain numbers.

    Args:
        values: each once, in the order in which they come, none missing; int or float.
        name: of the column.

    Example:
        >>> found = numbers_as_times(np.array([1685577600000, 1685664000000]), "timestamp")
        >>> str(found.stamps[0]), found.words
        ('2023-06-01 00:00:00', 'epoch in milliseconds')
        >>> found = numbers_as_times(1749 + np.arange(0.5, 12) / 12, "Year")
        >>> str(found.stamps[0].date()), str(found.stamps[11].date())
        ('1749-01-01', '1749-12-01')
        >>> numbers_as_times(np.array([19.99, 2010.5, 7.25]), "price") is None
        True
    """
    if not len(values) or not np.isfinite(values.astype(np.float64)).all():
        return None
    whole = values.dtype.kind in "iu" or bool((values == np.floor(values)).all())
    return _epochs(values, name, whole) or _excel(values, name) or _years(values, name, whole)


def _epochs(values: np.ndarray, name: object, whole: bool) -> NumberTimes | None:
    low, high = float(values.min()), float(values.max())
    for unit, scale in _EPOCHS.items():
        if not (_EPOCH_RANGE[0] * scale <= low and high <= _EPOCH_RANGE[1] * scale):
            continue
        if not (says_time(name) or (whole and _goes_on(values, 60 * scale))):
            return None
        if unit == "nanoseconds" and whole and (values.astype(np.int64) % 1000).any():
            return NumberTimes(pd.DatetimeIndex(values.astype("M8[ns]")), f"epoch in {unit}")
        if whole:
            exact = values.astype(np.int64)
            micros = exact // 1000 if scale == 1e9 else exact * int(1e6 / scale)
        else:
            micros = np.round(values * (1e6 / scale)).astype(np.int64)
        return NumberTimes(pd.DatetimeIndex(micros.view("M8[us]")), f"epoch in {unit}")
    return None


def _goes_on(values: np.ndarray, least: float) -> bool:
    """Tell numbers that are sorted, by whole steps that are long enough."""
    steps = np.diff(values.astype(np.int64))
    if len(steps) < 2 or not ((steps > 0).all() or (steps < 0).all()):
        return False
    common = int(np.gcd.reduce(steps))
    return common >= least and int(np.abs(steps).sum()) // common <= 2 * len(steps)


def _excel(values: np.ndarray, name: object) -> NumberTimes | None:
    if not says_date(name) or part_of(name) == "day":
        return None
    if not (_EXCEL_RANGE[0] <= values.min() and values.max() <= _EXCEL_RANGE[1]):
        return None
    seconds = np.round(values.astype(np.float64) * 86_400).astype(np.int64)
    stamps = _EXCEL_START + (seconds * 1_000_000).astype("m8[us]")
    return NumberTimes(pd.DatetimeIndex(stamps), "serial dates of Excel")


def _years(values: np.ndarray, name: object, whole: bool) -> NumberTimes | None:
    if not (_YEARS[0] <= values.min() and values.max() < _YEARS[1]):
        return None
    if whole:
        return None  # years are read as the text that they are
    numbers = np.sort(values.astype(np.float64))
    if len(numbers) < 3:
        return None
    named = says_time(name) or "decimal" in str(name).lower()
    return _year_and_month(values, numbers, named) or _fractions(values, numbers, named)


def _year_and_month(values: np.ndarray, numbers: np.ndarray, named: bool) -> NumberTimes | None:
    """Read 1960.01 to 1960.12, where October may have lost its zero."""
    hundredths = np.round(values.astype(np.float64) * 100)
    if np.abs(values * 100 - hundredths).max() > 1e-6:
        return None
    years, months = np.divmod(hundredths.astype(np.int64), 100)
    if months.min() < 1 or months.max() > 12:
        return None
    count = years * 12 + months - 1
    if not (named or _consecutive(count)) or len(np.unique(np.diff(np.sort(count)))) > 2:
        return None
    return NumberTimes(_of_months(count), "year.month")


def _fractions(values: np.ndarray, numbers: np.ndarray, named: bool) -> NumberTimes | None:
    """Read 1749.042: which months or days these are is told by how far apart they stand."""
    step = float(np.median(np.diff(numbers)))
    sorted_ = bool((np.diff(values) > 0).all() or (np.diff(values) < 0).all())
    if not named and not (sorted_ and len(values) >= _ENOUGH):
        return None
    for per_year in _STEPS:
        if abs(step * per_year - 1) > 0.15:
            continue
        turns = values.astype(np.float64) * per_year
        angle = np.angle(np.exp(2j * np.pi * turns).mean()) / (2 * np.pi)  # within the step
        phase = angle if angle > -0.25 else angle + 1
        count = np.round(turns - phase).astype(np.int64)
        apart = np.abs(turns - phase - count).max() < 0.3 and len(np.unique(count)) == len(count)
        if apart and (named or _consecutive(count)):
            return NumberTimes(_of_months(count * (12 // per_year)), "fractions of years")
    if not named:
        return None
    for steps in _OF_DAYS:
        if abs(step * steps - 1) < 0.15:
            return _days_of(values, steps > 400)
    return None


def _days_of(values: np.ndarray, hourly: bool) -> NumberTimes:
    years = np.floor(values).astype(np.int64)
    start = (years - 1970).astype("datetime64[Y]")
    length = ((start + 1).astype("M8[h]") - start.astype("M8[h]")).astype(np.int64)
    hours = (values - years) * length
    unit = 1 if hourly else 24
    hours = (np.floor(hours / unit + 0.25) * unit).astype(np.int64)
    return NumberTimes(
        pd.DatetimeIndex((start.astype("M8[h]") + hours).astype("M8[us]")), "fractions of years"
    )


def _consecutive(count: np.ndarray) -> bool:
    return len(count) >= _ENOUGH and bool((np.diff(np.sort(count)) == 1).all())


def _of_months(count: np.ndarray) -> pd.DatetimeIndex:
    """Return the first days of months, counted from the year 0."""
    return pd.DatetimeIndex((count - 1970 * 12).astype("M8[M]").astype("M8[us]"))
