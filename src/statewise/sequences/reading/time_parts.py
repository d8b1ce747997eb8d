"""Parts of a time in columns of their own: year, month, day, hour, quarter, week, time of day."""

from dataclasses import replace

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.month_names import names_for, plain_word
from statewise.sequences.reading.text_times import evenness_of, read_texts
from statewise.sequences.reading.time_fields import Fields
from statewise.sequences.reading.time_names import part_of, says_time
from statewise.sequences.reading.times import Times, on_the_wall, times_of

_SAMPLE = 200
_RANGES = {
    "year": (1000, 2999),
    "half": (1, 2),
    "quarter": (1, 4),
    "month": (1, 12),
    "week": (1, 53),
    "day": (1, 31),
    "hour": (0, 2400),
    "minute": (0, 59),
    "second": (0, 59),
}
_ROMAN = {"i": 1, "ii": 2, "iii": 3, "iv": 4}
_ANY_DAY = "1970-01-01 "
_PLAINLY_CLOCK = r"\s*(?:\d\d?(?::\d\d|[hH時时]).*|\d\d\.\d\d\.\d\d\s*)"
_LONG_ENOUGH = 12  # rows whose numbers go on as years and months do, without names that say so


def holds_part(column: pd.Series, part: str) -> bool:
    """Tell whether all cells of a sample can be that part of a time.

    >>> holds_part(pd.Series(["Jan", "Feb"]), "month"), holds_part(pd.Series([0, 13]), "month")
    (True, False)
    """
    known = column[~is_missing(column)].head(_SAMPLE)
    if known.empty or types.is_datetime64_any_dtype(column.dtype):
        return False
    values = _values_of(known, part)
    return bool(np.isfinite(values).all())


def stamps_from_parts(frame: pd.DataFrame, parts: dict[str, str]) -> Times:
    """Return the time that columns make together.

    Args:
        frame: with these columns.
        parts: their names, by the part of a time that they hold; a year among them.
    """
    values = {part: _values_of(frame[name], part) for part, name in parts.items()}
    there = np.all([np.isfinite(numbers) for numbers in values.values()], axis=0)
    whole = {part: np.where(there, numbers, 1).astype(np.int64) for part, numbers in values.items()}
    notes = []
    if "hour" in whole:
        hours = whole["hour"]
        if hours.max(initial=0) > 24:  # 0, 100, ... 2300
            whole["hour"], whole["minute"] = np.divmod(hours, 100)
        elif there.any() and hours[there].min() == 1 and hours[there].max() == 24:
            notes.append(
                f"the hours in {parts['hour']!r} go from 1 to 24: 24 is midnight at the day's end"
            )
    stamps = Fields.of(whole, there).stamps()
    return on_the_wall(Times(stamps, f"{', '.join(parts.values())} as one time", notes=notes))


def parts_by_value(frame: pd.DataFrame) -> dict[str, str]:
    """Find a year and a month (and a day) side by side whose names don't say so.

    They must go on evenly, each once: a table without names has no other way to tell.

    >>> years, months = np.repeat([1958, 1959], 12), np.tile(np.arange(1, 13), 2)
    >>> parts_by_value(pd.DataFrame({"a": years, "b": months}))
    {'year': 'a', 'month': 'b'}
    """
    names = list(frame.columns)
    for place, name in enumerate(names[:4]):
        if len(frame) < _LONG_ENOUGH or not holds_part(frame[name], "year"):
            continue
        for count in (3, 2):
            found = dict(zip(("year", "month", "day"), names[place : place + count], strict=False))
            if len(found) != count:
                continue
            if not all(holds_part(frame[other], part) for part, other in found.items()):
                continue
            stamps = stamps_from_parts(frame, found).stamps
            if stamps.isna().any():
                continue
            step = np.diff(stamps.to_numpy().astype("M8[D]" if count == 3 else "M8[M]"))
            if (step == np.timedelta64(1)).all() or (step == np.timedelta64(-1)).all():
                return found
    return {}


def holds_clock(column: pd.Series, named: bool = False) -> bool:
    """Tell whether a column holds times of day.

    Args:
        column: of text or numbers.
        named: the user says so; else numbers are times of day only in a column that is named so.

    Example:
        >>> holds_clock(pd.Series(["18.00.00", "19.00.00"])), holds_clock(pd.Series(["18", "19"]))
        (True, False)
    """
    if not (types.is_object_dtype(column.dtype) or types.is_string_dtype(column.dtype)):
        if not types.is_numeric_dtype(column.dtype) or types.is_bool_dtype(column.dtype):
            return False
        named = named or part_of(column.name) == "hour"
        return named and bool(np.isfinite(_numbers_as_clock(column)).all())
    known = column[~is_missing(column)].head(_SAMPLE)
    if known.empty:
        return False
    texts = known.astype(str)
    if not (named or says_time(column.name) or texts.str.fullmatch(_PLAINLY_CLOCK).all()):
        return False
    numbers = pd.to_numeric(texts, errors="coerce")
    if numbers.notna().all() and not named and part_of(column.name) != "hour":
        return False
    return bool(np.isfinite(clock_of(known)).mean() > 0.9)


def clock_of(column: pd.Series) -> np.ndarray:
    """Return times of day in microseconds since midnight, NaN where there is none.

    >>> clock_of(pd.Series(["1:30 PM", "24:00"])).tolist()
    [48600000000.0, 86400000000.0]
    """
    missing = is_missing(column)
    codes, distinct = pd.factorize(
        column.astype(object).where(~missing).map(str, na_action="ignore")
    )
    numbers = pd.to_numeric(pd.Series(distinct, dtype=object), errors="coerce")
    clock = np.full(len(distinct), np.nan)
    if len(distinct) and numbers.notna().all():
        clock = _numbers_as_clock(numbers)
    elif len(distinct):
        texts = [_ANY_DAY + str(text).strip() for text in distinct]
        choice = read_texts(texts, np.bincount(codes[codes >= 0], minlength=len(texts)), None)
        if choice is not None and choice.taken.style == "ymd":
            stamps = choice.taken.stamps
            if stamps.tz is None:
                since = stamps.to_numpy().astype("M8[us]").astype(np.int64)
                clock = np.where(stamps.isna() | ~choice.taken.fields.clocked, np.nan, since)
    return np.append(clock, np.nan)[codes]


def with_clock(column: pd.Series, clock: np.ndarray, *, dayfirst: bool | None = None) -> Times:
    """Return the dates of a column with times of day, which may tell the day from the month.

    Args:
        column: of dates.
        clock: microseconds since midnight, NaN where there is none.
        dayfirst: see ``times_of``.
    """
    times = times_of(column, dayfirst=dayfirst)
    if not times.ambiguous:
        return _add_clock(times, clock)
    both = [_add_clock(times_of(column, dayfirst=first), clock) for first in (False, True)]
    ranks = [evenness_of(each.stamps) for each in both]
    if ranks[0] == ranks[1]:
        return _add_clock(times, clock)
    return both[ranks.index(min(ranks))]


def _add_clock(times: Times, clock: np.ndarray) -> Times:
    there = np.isfinite(clock)
    spans = np.where(there, clock, 0).astype(np.int64).astype("m8[us]")
    stamps = pd.DatetimeIndex(times.stamps).as_unit("us") + pd.TimedeltaIndex(spans)
    return on_the_wall(replace(times, stamps=stamps.where(there)))


def _numbers_as_clock(column: pd.Series) -> np.ndarray:
    """Read 0 to 24 as hours, 0 to 2400 as hours and minutes, more as hours, minutes, seconds."""
    numbers = pd.to_numeric(column, errors="coerce").to_numpy(float, na_value=np.nan)
    known = numbers[np.isfinite(numbers)]
    if not len(known) or known.min() < 0 or (known != np.floor(known)).any():
        return np.full(len(numbers), np.nan)
    whole = np.where(np.isfinite(numbers), numbers, 0).astype(np.int64)
    if known.max() <= 24:
        hour, minute, second = whole, 0 * whole, 0 * whole
    elif known.max() <= 2400:
        hour, minute, second = whole // 100, whole % 100, 0 * whole
    else:
        hour, minute, second = whole // 10_000, whole // 100 % 100, whole % 100
    right = (hour <= 24) & (minute < 60) & (second < 60) & np.isfinite(numbers)
    return np.where(right, ((hour * 60 + minute) * 60 + second) * 1e6, np.nan)


def _values_of(column: pd.Series, part: str) -> np.ndarray:
    """Return the numbers of a part, NaN where a cell is missing or can't be one."""
    missing = is_missing(column)
    numbers = pd.to_numeric(column.where(~missing), errors="coerce")
    values = numbers.to_numpy(np.float64, na_value=np.nan).copy()
    text = np.isnan(values) & ~missing
    if text.any():
        cells = column[text].astype(str)
        if part == "month":
            values[text] = _months_of(cells)
        elif part in ("quarter", "half", "week"):
            values[text] = _counts_of(cells)
        elif part == "hour":
            clock = clock_of(cells)
            values[text] = np.where(clock % 3.6e9 == 0, clock / 3.6e9, np.nan)
    low, high = _RANGES[part]
    if part == "hour" and not (values > 24).any():
        high = 24
    with np.errstate(invalid="ignore"):
        fitting = (values >= low) & (values <= high) & (values == np.floor(values))
        if part == "hour" and high > 24:
            fitting &= values % 100 < 60
    return np.where(fitting, values, np.nan)


def _months_of(cells: pd.Series) -> np.ndarray:
    words = [plain_word(cell.strip().rstrip(".")) for cell in cells]
    names = names_for(set(words))
    return np.array([names.month(word) or np.nan for word in words], np.float64)


def _counts_of(cells: pd.Series) -> np.ndarray:
    """Read Q1, T2, 3rd, iv, W05."""
    found = cells.str.extract(r"^\D{0,12}(\d{1,2})\D{0,12}$", expand=False)
    roman = cells.str.strip().str.lower().map(_ROMAN)
    return pd.to_numeric(found).fillna(roman).to_numpy(np.float64, na_value=np.nan)
