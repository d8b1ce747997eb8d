"""What speaks for a reading of texts that many a text that is no time would allow, too."""

import re

import numpy as np

from statewise.sequences.reading.text_times import Choice, Reading, read_texts
from statewise.sequences.reading.time_names import (
    part_of,
    rank_of,
    says_date,
    says_identifier,
    says_time,
)

_SANE_YEARS = (1700, 2200)
_ANY_YEARS = (1000, 3000)
_SAMPLE = 1000
_TELLING = re.compile(r"[^\W\d_]{3}|q")  # names of months, Q1


def is_time(taken: Reading, name: object) -> bool:
    """Tell whether texts that can be read as times are such, where nobody says so.

    Dates hold for themselves where most cells can be read, those without a day in years of our
    time. Of what other texts look like as well, all must be times, and the column's name or its
    even steps must say so.
    """
    cells = int(taken.counts.sum())
    if taken.weak:
        return not says_identifier(name) and is_plausible(taken, name)
    return taken.failed < cells / 2 and (len(taken.style) == 3 or _are_sane(taken))


def is_plausible(taken: Reading, name: object) -> bool:
    """Tell whether what looks like a time, as numbers and codes do, is one."""
    if taken.failed:
        return False
    if taken.compact and len(taken.shape) == 8:
        return bool(taken.fields.years().min() >= _SANE_YEARS[0])
    if not _are_sane(taken):
        return False
    if taken.compact and len(taken.shape) >= 8:
        return True
    if taken.style == "y":
        return are_years(taken.fields.years(), name)
    absent, disorder = taken.evenness
    count = len(taken.texts)
    if says_time(name):
        return disorder == 0 or absent < 1 or count < 3
    if taken.style == "yy":  # a year and the next one, over and over
        return count > 2
    worded = any(map(str.isalpha, taken.shape))
    if worded and taken.main.short and not _TELLING.search(taken.shape):  # T1-12
        return False
    if worded or len(taken.style) == 3:
        return count > 2 and min(absent, disorder) == 0
    # So many that a step over the end of a year is among them.
    return count > 12 and absent == 0 and (disorder == 0 or not taken.main.short)


def is_epoch(values: np.ndarray, name: object) -> bool:
    """Tell whether numbers that can be epochs are such, where nobody says so: not wait_time."""
    steps = np.diff(values.astype(np.float64))
    in_order = bool((steps >= 0).all() or (steps <= 0).all())
    return in_order or rank_of(name) == 0 or says_date(name)


def _are_sane(taken: Reading) -> bool:
    years = taken.fields.years()[taken.stamps.notna()]
    return bool(_SANE_YEARS[0] <= years.min() and years.max() < _SANE_YEARS[1])


def are_years(numbers: np.ndarray, name: object) -> bool:
    """Tell whether whole numbers are years: those of a column that is named so, or sorted time.

    >>> are_years(np.array([1700, 1701]), "year"), are_years(np.array([2001, 2002]), "Sales")
    (True, False)
    """
    numbers = np.asarray(numbers, np.float64)
    if not len(numbers) or (numbers != np.floor(numbers)).any():
        return False
    low, high = _SANE_YEARS if part_of(name) != "year" else _ANY_YEARS
    if numbers.min() < low or numbers.max() >= high:
        return False
    steps = np.diff(numbers)
    in_order = bool((steps > 0).all() or (steps < 0).all())
    return part_of(name) == "year" or (says_time(name) and in_order)


def plausible_choice(texts: list[str], counts: np.ndarray, name: object) -> Choice | None:
    """Read texts of digits as times where that is plausible, first of a sample; or None."""
    step = len(texts) // _SAMPLE
    if step > 1:
        sample = read_texts(texts[::step], counts[::step], name)
        if sample is None or sample.taken.failed:
            return None
    choice = read_texts(texts, counts, name)
    return choice if choice is not None and is_plausible(choice.taken, name) else None
