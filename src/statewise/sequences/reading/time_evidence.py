"""What speaks for a reading of texts that many a text that is no time would allow, too."""

import numpy as np

from statewise.sequences.reading.text_times import Choice, Reading, read_texts
from statewise.sequences.reading.time_names import part_of, says_time

_SANE_YEARS = (1700, 2200)
_ANY_YEARS = (1000, 3000)
_SAMPLE = 1000


def is_plausible(taken: Reading, name: object) -> bool:
    """Tell whether what looks like a time, as numbers and other things do, is one.

    All of it must be one, in a year of our time; and the column's name or its even steps say so.
    """
    if taken.failed:
        return False
    years = taken.fields.years()
    if years.min() < _SANE_YEARS[0] or years.max() >= _SANE_YEARS[1]:
        return bool(taken.compact and len(taken.shape) == 8 and years.min() >= _SANE_YEARS[0])
    if taken.compact and len(taken.shape) >= 8:
        return True
    absent, disorder = taken.evenness
    if taken.style == "y":
        return are_years(years, name)
    count = len(taken.texts)
    if says_time(name):
        return disorder == 0 or absent < 1 or count < 3
    if taken.style == "yy":  # a year and the next one, over and over
        return count > 2
    if taken.main.given:  # Jan-98
        return min(absent, disorder) == 0
    if len(taken.style) == 3:
        return count > 2 and min(absent, disorder) == 0
    # So many that a step over the end of a year is among them.
    return count > 12 and absent == 0 and (disorder == 0 or not taken.main.short)


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
    return part_of(name) == "year" or (says_time(name) and ((steps > 0).all() or (steps < 0).all()))


def plausible_choice(texts: list[str], counts: np.ndarray, name: object) -> Choice | None:
    """Read texts of digits as times where that is plausible, first of a sample; or None."""
    step = len(texts) // _SAMPLE
    if step > 1:
        sample = read_texts(texts[::step], counts[::step], name)
        if sample is None or sample.taken.failed:
            return None
    choice = read_texts(texts, counts, name)
    return choice if choice is not None and is_plausible(choice.taken, name) else None
