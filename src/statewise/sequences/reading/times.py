"""A column read as times, all of it in one way, and whether a column holds times.

Each distinct text is read once. No cell is guessed by itself: the column has one order of year,
month and day, and what doesn't fit it can't be read.
"""

import re
import warnings
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
from pandas.api import types

from statewise.sequences.reading.missing import is_missing
from statewise.sequences.reading.number_times import numbers_as_times
from statewise.sequences.reading.text_times import Choice, read_texts
from statewise.sequences.reading.time_evidence import are_years, is_epoch, is_time, plausible_choice
from statewise.sequences.reading.time_names import says_identifier
from statewise.sequences.reading.time_notes import note_midnights, note_wall, notes_on
from statewise.sequences.reading.time_shapes import Texts, factorized
from statewise.sequences.reading.wall_clocks import find_zone, in_wall_zone

_SAMPLE = 200  # so many values decide what a column holds
_ISO = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d:?\d\d)?)?")
_DATE = 10  # letters of a date in ISO 8601


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
    half years and months are their first day, weeks their Monday. Years that are plain numbers stay
    numbers.

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
    if _is_dated(column):
        return True
    if types.is_bool_dtype(column.dtype) or types.is_complex_dtype(column.dtype):
        return False
    known = _sample_of(column)
    if known.empty:
        return False
    numbers = known if types.is_numeric_dtype(known.dtype) else _numbers_in(known)
    if numbers is not None:
        if says_identifier(column.name):
            return False
        found = times_of(known)
        if not isinstance(found.stamps, pd.DatetimeIndex):
            return are_years(np.asarray(numbers, float), column.name)
        epochs = found.words.startswith("epoch")
        return bool(found.stamps.notna().all()) and (
            not epochs or is_epoch(np.asarray(numbers), column.name)
        )
    texts = Texts.of(known)
    choice = read_texts(texts.distinct, texts.counts, column.name)
    return choice is not None and is_time(choice.taken, column.name)


def share_of_times(column: pd.Series) -> float:
    """Return the share of a sample's cells of text that can be read as times."""
    known = _sample_of(column)
    if known.empty or not (types.is_object_dtype(known) or types.is_string_dtype(known)):
        return 0.0
    texts = Texts.of(known)
    choice = read_texts(texts.distinct, texts.counts, column.name)
    return 0.0 if choice is None else 1 - choice.taken.failed / len(known)


def holds_plain_numbers(column: pd.Series) -> bool:
    """Tell whether all cells of a sample are plain numbers."""
    if types.is_numeric_dtype(column.dtype):
        return True
    if _is_dated(column):
        return False
    known = _sample_of(column)
    return not known.empty and _numbers_in(known) is not None


def _sample_of(column: pd.Series) -> pd.Series:
    """Return the first cells that are not missing, some of them."""
    head = column.head(10 * _SAMPLE)
    known = head[~is_missing(head)]
    if known.empty and len(column) > len(head):
        known = column[~is_missing(column)]
    return known.head(_SAMPLE)


def _is_dated(column: pd.Series) -> bool:
    return types.is_datetime64_any_dtype(column.dtype) or isinstance(column.dtype, pd.PeriodDtype)


def _stamped(
    stamps: pd.DatetimeIndex,
    words: str = "",
    ambiguous: bool = False,
    notes: list[str] | None = None,
) -> Times:
    zone = "" if stamps.tz is None else str(stamps.tz)
    return Times(stamps, words, zone, ambiguous, notes or [])


def _of_numbers(column: pd.Series) -> Times:
    missing = column.isna().to_numpy(bool)
    numbers = column.to_numpy() if not missing.any() else column.to_numpy(float, na_value=np.nan)
    if numbers.dtype.kind not in "iuf":
        return Times(pd.Index(numbers))
    codes, distinct = pd.factorize(numbers)
    return _of_distinct(distinct, codes, column.name) or Times(pd.Index(numbers))


def _of_distinct(distinct: np.ndarray, codes: np.ndarray, name: object) -> Times | None:
    """Return the times that distinct numbers stand for, None where they are plain numbers."""
    if not len(distinct) or not np.isfinite(distinct.astype(float)).all():
        return None
    whole = distinct.dtype.kind == "f" and bool((distinct == np.floor(distinct)).all())
    if whole and np.abs(distinct).max() < 2**53:
        distinct = distinct.astype(np.int64)
    if distinct.dtype.kind in "iu" and distinct.min() >= 1000:
        texts = [str(number) for number in distinct.tolist()]
        counts = np.bincount(codes[codes >= 0], minlength=len(texts))
        choice = plausible_choice(texts, counts, name)
        if choice is not None and choice.taken.style != "y":  # years stay the numbers that they are
            return _told(choice, codes, name)
    found = numbers_as_times(distinct, name)
    if found is None:
        return None
    return _stamped(_of_each(found.stamps, codes), found.words, notes=found.notes)


def _of_text(column: pd.Series, dayfirst: bool | None) -> Times:
    fast = _of_iso(column)
    if fast is not None:
        return on_the_wall(fast)
    texts = Texts.of(column)
    numbers = _numbers_in(pd.Series(texts.distinct, dtype=object)) if texts.distinct else None
    if numbers is not None:
        choice = plausible_choice(texts.distinct, texts.counts, column.name)
        if choice is None or choice.taken.style == "y":
            if (texts.codes < 0).any():
                numbers = np.append(numbers.astype(float), np.nan)
            return _of_numbers(pd.Series(numbers[texts.codes], name=column.name))
    else:
        choice = read_texts(texts.distinct, texts.counts, column.name, dayfirst)
    if choice is None:
        return Times(_of_each(pd.DatetimeIndex([]), texts.codes))
    return on_the_wall(_told(choice, texts.codes, column.name))


def _of_iso(column: pd.Series) -> Times | None:
    """Read what pandas reads at once; None where that isn't all of it."""
    first = column.first_valid_index()
    if first is None or not _ISO.fullmatch(str(column.loc[first]).strip()):
        return None
    if column.head(_SAMPLE).is_unique:  # so are the others, for the most part
        codes, values = np.arange(len(column)), column.to_numpy(object)
    else:
        codes, values = factorized(column)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", FutureWarning)  # pandas 2 warns where 3 refuses
            stamps = pd.DatetimeIndex(pd.to_datetime(values, format="ISO8601", errors="coerce"))
    except (ValueError, TypeError, OverflowError, FutureWarning):  # offsets that differ
        return None
    failed = stamps.isna()
    if failed.any() and not is_missing(pd.Series(values[failed], dtype=object)).all():
        return None
    lengths = np.array([len(one) if isinstance(one, str) else _DATE for one in values])
    dated = lengths == _DATE
    if (lengths[~failed] < _DATE).any():  # 2020, 2020-05: no days
        return None
    notes = []
    if dated.any() and not dated[~failed].all():
        bare = dated & ~failed
        notes = note_midnights(int(bare[codes[codes >= 0]].sum()))
    return _stamped(_of_each(stamps, codes), notes=notes)


def _numbers_in(column: pd.Series) -> np.ndarray | None:
    """Return the numbers of a column all of whose cells are plain ones, else None."""
    try:
        head = pd.to_numeric(column.head(20), errors="coerce")
        if not np.isfinite(head.to_numpy(float, na_value=np.nan)).all():
            return None
        numbers = pd.to_numeric(column, errors="coerce")
    except OverflowError:  # whole numbers of hundreds of digits
        return None
    if types.is_bool_dtype(numbers.dtype) or types.is_complex_dtype(numbers.dtype):
        return None
    finite = np.isfinite(numbers.to_numpy(float, na_value=np.nan)).all()
    return numbers.to_numpy() if finite else None


def _told(choice: Choice, codes: np.ndarray, name: object) -> Times:
    """Return the reading that was taken, with what is to be said about it."""
    taken = choice.taken
    stamps = _of_each(taken.stamps, codes)
    notes = notes_on(choice, codes, name)
    return _stamped(stamps, taken.words, choice.other is not None, notes)


def on_the_wall(times: Times) -> Times:
    """Put stamps in the zone whose clock they show, where an hour of it comes twice."""
    stamps = times.stamps
    if not isinstance(stamps, pd.DatetimeIndex) or stamps.tz is not None or stamps.is_unique:
        return times
    zone = find_zone(stamps)
    if zone is None:
        return times
    stamps = in_wall_zone(stamps, zone)
    shown = stamps.dropna().unique().tz_localize(None)  # other rows of an instant are other series'
    notes = [*times.notes, note_wall(shown[shown.duplicated()].min(), zone)]
    return replace(times, stamps=stamps, zone=zone, notes=notes)


def _of_each(stamps: pd.DatetimeIndex, codes: np.ndarray) -> pd.DatetimeIndex:
    """Return the stamp of each cell, NaT where the code is -1."""
    if not len(stamps):
        return pd.DatetimeIndex(np.full(len(codes), np.datetime64("NaT", "us")))
    return stamps.take(codes, allow_fill=True, fill_value=pd.NaT)
