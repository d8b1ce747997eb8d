"""A column read as times, all of it in one way, and whether a column holds times.

Each distinct text is read once. No cell is guessed by itself: the column has one order of year,
month and day, and what doesn't fit it can't be read.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.number_times import numbers_as_times
from statewise.sequences.reading.text_times import Choice, Reading, evenness_of, read_texts
from statewise.sequences.reading.time_names import part_of, says_time
from statewise.sequences.reading.wall_clocks import find_zone, in_wall_zone

_SAMPLE = 200  # so many values decide what a column holds
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_SANE_YEARS = (1700, 2200)
_LEAST_DAY = 17_000_000  # whole numbers beyond, and dates such as 20200131 all of them, are these


@dataclass(frozen=True)
class Times:
    """A column read as times.

    Attributes:
        stamps: a DatetimeIndex, in a zone where one is known; or the numbers of a column of
            plain numbers. NaT or NaN where a cell is missing or can't be read.
        words: how times are written, for the table's report; empty where that goes without saying.
        zone: of the stamps; empty where they have none.
        ambiguous: day and month could be either, and nothing in the column decided.
        notes: sentences about what was decided.
    """

    stamps: pd.Index
    words: str = ""
    zone: str = ""
    ambiguous: bool = False
    notes: list[str] = field(default_factory=list)


def times_of(column: pd.Series, *, dayfirst: bool | None = None) -> Times:
    """Read a column as times.

    Text is read in the style that fails least over the whole column; among those that read the
    same cells in the one whose stamps go on most evenly. Months may be named in any of the common
    languages. Stamps keep their zone; text with more than one offset from UTC names no zone, and
    is in UTC. Years of two digits are no more than ten years ahead of today; so ``1-01``, the
    first month of a first year, is January 2001, and what is counted goes on from there. Quarters,
    half years, months and years are their first day, weeks their Monday.

    Args:
        column: of text, numbers, datetimes, periods or Python's own dates.
        dayfirst: whether 02/01/2020 is in January; by default the column decides.

    Example:
        >>> times_of(pd.Series(["1998 Q1", "1998 Q2"])).stamps.month.tolist()
        [1, 4]
        >>> times = times_of(pd.Series(["30/01/2020", "31/01/2020", "01/02/2020"]))
        >>> str(times.stamps[2].date()), times.words
        ('2020-02-01', 'dates day/month/year')
        >>> times_of(pd.Series([1, 2, 3])).stamps.tolist()
        [1, 2, 3]
    """
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.cat.categories.dtype)
    if isinstance(column.dtype, pd.PeriodDtype):
        return Times(pd.DatetimeIndex(column.dt.to_timestamp()))
    if types.is_datetime64_any_dtype(column.dtype):
        return _stamped(pd.DatetimeIndex(column))
    if types.is_numeric_dtype(column.dtype) and not types.is_bool_dtype(column.dtype):
        return _of_numbers(column)
    if types.is_object_dtype(column.dtype) and types.infer_dtype(column).startswith("datetime"):
        try:
            return _stamped(pd.DatetimeIndex(column))
        except (ValueError, TypeError, OverflowError):  # zones that differ; what is no stamp
            pass
    return _of_text(column, dayfirst)


def holds_times(column: pd.Series) -> bool:
    """Tell whether a column holds times: what is guessed where nobody names the column.

    Text holds times where most of a sample can be read. Where numbers and other things look the
    same (1998, 3-12, 01.02), all of it must be a time, and the column's name or an even step say
    so. Plain numbers are no times.

    Example:
        >>> holds_times(pd.Series(["JAN 2002", "FEB 2002"])), holds_times(pd.Series(["11,9", "T"]))
        (True, False)
        >>> holds_times(pd.Series([2001, 2002], name="year"))
        True
        >>> holds_times(pd.Series([2001, 2002], name="Sales"))
        False
    """
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return True
    if types.is_bool_dtype(column.dtype) or types.is_complex_dtype(column.dtype):
        return False
    known = column[~is_missing(column)].head(_SAMPLE)
    if known.empty:
        return False
    if types.is_numeric_dtype(known.dtype) or _all_numbers(known):
        found = times_of(known).stamps
        return isinstance(found, pd.DatetimeIndex) and bool(found.notna().all())
    choice, codes = _choose(known, None)
    if choice is None:
        return isinstance(times_of(known).stamps, pd.DatetimeIndex) and bool(
            types.infer_dtype(known).startswith("datetime")
        )
    taken = choice.taken
    if taken.weak:
        return _is_plausible(taken, known.name)
    return bool(taken.stamps.notna()[codes].mean() > 0.5)


def on_the_wall(times: Times) -> Times:
    """Put stamps in the zone whose clock they show, where an hour of it comes twice."""
    stamps = times.stamps
    if not isinstance(stamps, pd.DatetimeIndex) or stamps.tz is not None or stamps.is_unique:
        return times
    zone = find_zone(stamps)
    if zone is None:
        return times
    local = in_wall_zone(stamps, zone)
    twice = stamps[stamps.duplicated() & stamps.notna()][0]
    note = (
        f"{twice:%Y-%m-%d %H:%M} comes twice, as on clocks that are set back there: the times are "
        f"taken for those of the zone {zone}, first in summer time"
    )
    return Times(local, times.words, zone, times.ambiguous, [*times.notes, note])


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


def share_of_times(column: pd.Series) -> float:
    """Return the share of a sample's cells of text that can be read as times."""
    known = column[~is_missing(column)].head(_SAMPLE)
    if known.empty or not (
        types.is_object_dtype(known.dtype) or types.is_string_dtype(known.dtype)
    ):
        return 0.0
    choice, codes = _choose(known, None)
    return 0.0 if choice is None else float(choice.taken.stamps.notna()[codes].mean())


def holds_numbers_alone(column: pd.Series) -> bool:
    """Tell whether all cells of a sample are plain numbers."""
    if types.is_numeric_dtype(column.dtype):
        return True
    if types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype):
        return False
    known = column[~is_missing(column)].head(_SAMPLE)
    return not known.empty and _all_numbers(known)


def _stamped(stamps: pd.DatetimeIndex, **more: Any) -> Times:
    return Times(stamps, zone="" if stamps.tz is None else str(stamps.tz), **more)


def _of_numbers(column: pd.Series) -> Times:
    missing = column.isna().to_numpy(bool)
    numbers = column.to_numpy() if not missing.any() else column.to_numpy(float, na_value=np.nan)
    if numbers.dtype.kind not in "iuf":
        return Times(pd.Index(numbers))
    codes, distinct = pd.factorize(numbers)
    if np.isinf(distinct.astype(float)).any():
        return Times(pd.Index(numbers))
    return _of_distinct(distinct, codes, column.name) or Times(pd.Index(numbers))


def _of_distinct(distinct: np.ndarray, codes: np.ndarray, name: object) -> Times | None:
    """Return the times that distinct numbers stand for, None where they are plain numbers."""
    if not len(distinct):
        return None
    whole = distinct.dtype.kind == "f" and bool((distinct == np.floor(distinct)).all())
    if whole and np.abs(distinct).max() < 2**53:
        distinct = distinct.astype(np.int64)
    if distinct.dtype.kind in "iu" and distinct.min() > 0:
        texts = [str(number) for number in distinct.tolist()]
        choice = read_texts(texts, np.bincount(codes[codes >= 0], minlength=len(texts)), name)
        if choice is not None and _is_plausible(choice.taken, name):
            return _told(choice, codes, name)
    found = numbers_as_times(distinct, name)
    if found is None:
        return None
    return Times(_taken(found.stamps, codes), found.words, notes=found.notes)


def _of_text(column: pd.Series, dayfirst: bool | None) -> Times:
    known = ~is_missing(column)
    if not known.any():
        return Times(pd.DatetimeIndex(np.full(len(column), np.datetime64("NaT", "us"))))
    fast = _of_iso(column, known)
    if fast is not None:
        return on_the_wall(fast)
    if _all_numbers(column[known]):
        return _of_number_text(column, known)
    choice, codes = _choose(column[known], dayfirst)
    everywhere = np.full(len(column), -1)
    everywhere[known] = codes
    if choice is None:
        return Times(_taken(pd.DatetimeIndex([]), np.full(len(column), -1)))
    return on_the_wall(_told(choice, everywhere, column.name))


def _choose(known: pd.Series, dayfirst: bool | None) -> tuple[Choice | None, np.ndarray]:
    texts = known.astype(str).to_numpy(object)
    codes, distinct = pd.factorize(texts)
    counts = np.bincount(codes, minlength=len(distinct))
    return read_texts(distinct.tolist(), counts, known.name, dayfirst), codes


def _of_iso(column: pd.Series, known: np.ndarray) -> Times | None:
    """Read what pandas reads at once; None where that isn't all of it."""
    first = str(column.iloc[int(known.argmax())]).strip()
    if not _ISO.fullmatch(first):
        return None
    codes, distinct = pd.factorize(column.where(known).to_numpy(object))
    try:
        stamps = pd.DatetimeIndex(
            pd.to_datetime(pd.Index(distinct), format="ISO8601", errors="coerce")
        )
    except (ValueError, TypeError, OverflowError):  # offsets that differ
        return None
    if stamps.isna().any() or (stamps.tz is not None and not _ends_with_zone(distinct)):
        return None
    lengths = {len(text) for text in distinct if isinstance(text, str)}
    if min(lengths, default=0) < 10:  # 2020, 2020-05: no days
        return None
    bare = stamps.normalize() == stamps if 10 in lengths and len(lengths) > 1 else None
    notes = []
    if bare is not None:
        short = np.array([len(text) == 10 for text in distinct])
        notes = _note_midnights(int(short[codes[codes >= 0]].sum()))
    return _stamped(_taken(stamps, codes), notes=notes)


def _ends_with_zone(texts: np.ndarray) -> bool:
    return all(_ISO.fullmatch(text.strip()) for text in texts[:3])


def _all_numbers(known: pd.Series) -> bool:
    """Tell whether all cells are numbers; most columns are told by their first cells."""
    if types.is_numeric_dtype(known.dtype):
        return True
    cells = known.to_numpy(object)
    return all(_is_number(cell) for cell in cells[:20]) and all(map(_is_number, cells[20:]))


def _is_number(cell: Any) -> bool:
    if isinstance(cell, str):
        return _NUMBER.fullmatch(cell.strip()) is not None
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def _of_number_text(column: pd.Series, known: np.ndarray) -> Times:
    choice, codes = _choose(column[known], None)
    everywhere = np.full(len(column), -1)
    everywhere[known] = codes
    if choice is not None and _is_plausible(choice.taken, column.name):
        return _told(choice, everywhere, column.name)
    numbers = pd.to_numeric(column.where(known).astype(object), errors="coerce")
    return _of_numbers(numbers.rename(column.name))


def _is_plausible(taken: Reading, name: object) -> bool:
    """Tell whether what looks like a time, as numbers and other things do, is one.

    All of it must be one, in a year of our time; and the column's name or its even steps say so.
    """
    if taken.failed:
        return False
    years = taken.fields.years()
    if years.min() < _SANE_YEARS[0] or years.max() >= _SANE_YEARS[1]:
        return bool(taken.compact and len(taken.shape) == 8 and years.min() >= _SANE_YEARS[0])
    named = says_time(name)
    if taken.compact and len(taken.shape) >= 8:
        return True
    absent, disorder = taken.evenness
    if taken.style == "y":
        return part_of(name) == "year" or (named and disorder == 0)
    if named:
        return disorder == 0 or absent < 1 or len(taken.texts) < 3
    if taken.style == "yy":  # a year and the next one, over and over
        return len(taken.texts) > 2
    if taken.main.given:  # Jan-98
        return min(absent, disorder) == 0
    if len(taken.style) == 3:
        return len(taken.texts) > 2 and min(absent, disorder) == 0
    many = len(taken.texts) > 12  # so that a step over the end of a year is among them
    return many and absent == 0 and (disorder == 0 or not taken.main.short)


def _told(choice: Choice, codes: np.ndarray, name: object) -> Times:
    """Return the reading that was taken, with what is to be said about it."""
    taken, other = choice.taken, choice.other
    notes = []
    if other is not None:
        notes.append(_note_either(taken, other))
    if taken.main.short:
        years = taken.fields.years()[taken.stamps.notna()]
        notes.append(
            f"years are written without their century in {_column(name)}: they are taken as "
            f"{years.min()} to {years.max()}"
        )
    bare = taken.fields.there & ~taken.fields.clocked & taken.stamps.notna()
    count = int(np.isin(codes, np.flatnonzero(bare)).sum())
    if bare.any() and taken.fields.clocked.any():
        notes += _note_midnights(count)
    if taken.style == "ydm":
        notes.append(
            f"the dates in {_column(name)} are year, day, month: no other order reads them"
        )
    return _stamped(
        _taken(taken.stamps, codes), words=taken.words, ambiguous=other is not None, notes=notes
    )


def _note_midnights(count: int) -> list[str]:
    stand = "stamp stands" if count == 1 else "stamps stand"
    return [f"{count} {stand} without a time of day among others with one: read as midnight"]


def _note_either(taken: Reading, other: Reading) -> str:
    differ = np.flatnonzero(taken.stamps != other.stamps)
    row = int(differ[0])
    here, there = taken.stamps[row], other.stamps[row]
    note = (
        f"nothing says whether {taken.texts[row]!r} is {_in_words(here)} or {_in_words(there)}: "
        f"{_in_words(here)} was taken"
    )
    if {taken.style, other.style} == {"dmy", "mdy"}:
        option = "--dayfirst" if taken.style == "mdy" else "--monthfirst"
        value = taken.style == "mdy"
        note += f"; {option} (dayfirst={value}) reads the other"
    return note


def _in_words(stamp: pd.Timestamp) -> str:
    return f"{stamp.day} {stamp.month_name()} {stamp.year}"


def _column(name: object) -> str:
    return "the time" if name is None else f"the column {name!r}"


def _taken(stamps: pd.DatetimeIndex, codes: np.ndarray) -> pd.DatetimeIndex:
    """Return the stamp of each cell, NaT where the code is -1."""
    if not len(stamps):
        return pd.DatetimeIndex(np.full(len(codes), np.datetime64("NaT", "us")))
    return stamps.take(codes, allow_fill=True, fill_value=pd.NaT)
