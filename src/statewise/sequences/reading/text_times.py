"""Texts read as times: one style for all of them, the one that fails least and goes on evenly."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd

from statewise.sequences.calendar_search import find_calendar
from statewise.sequences.reading.month_names import names_for
from statewise.sequences.reading.time_fields import Fields, stamps_of
from statewise.sequences.reading.time_names import is_english, part_of
from statewise.sequences.reading.time_orders import Layout
from statewise.sequences.reading.time_patterns import layouts, words_in
from statewise.sequences.reading.time_shapes import plain_texts, shapes_of

_MOST_SHAPES = 2000  # the most common ones; a column of times has far fewer
_SAMPLE = 1000  # texts, from the first to the last, that tell in which styles to read all
_LONGEST = 40  # letters of an example
_FISCAL = 3  # so many years whose next one follows are no accident
# Where two styles read the same texts, those of a later tier are what was hardly meant.
_TIERS = {"ydm": 1, "yw": 1}
_LETTERS = {"y": "year", "m": "month", "d": "day"}


@dataclass(frozen=True)
class Reading:
    """Distinct texts read in one style.

    Attributes:
        style: see ``Layout``.
        texts: in the order in which they come.
        stamps: of the texts, NaT where they can't be read in this style.
        fields: what the texts say.
        counts: how many cells have each.
        failed: cells that can't be read.
        main: the layout of the most cells, with their shape.
    """

    style: str
    texts: list[str]
    stamps: pd.DatetimeIndex
    fields: Fields
    counts: np.ndarray
    failed: int
    main: Layout
    shape: str

    @property
    def weak(self) -> bool:
        """Texts that are no times may look so."""
        return self.main.weak

    @property
    def shortened(self) -> bool:
        """Years are written without their century."""
        return self.main.short

    @property
    def count_of_years(self) -> int:
        """How many years there are among the stamps."""
        return int(self.stamps[self.stamps.notna()].year.nunique())

    @property
    def compact(self) -> bool:
        """Digits that nothing divides."""
        return self.shape.isdigit()

    @cached_property
    def evenness(self) -> tuple[float, float]:
        """How little the stamps are even, see ``evenness_of``."""
        return evenness_of(self.stamps)

    @property
    def gap(self) -> str:
        """What stands between the first two numbers."""
        places = sorted(place for name, place in self.main.places.items() if name in _DATE)
        return self.shape[places[0][1] : places[1][0]].strip() if len(places) > 1 else ""

    @property
    def words(self) -> str:
        """How times are written, in words; nothing for those of ISO 8601."""
        offsets = "times of several offsets" if self.fields.several_offsets else ""
        return ", ".join(filter(None, [self._words_on_dates, offsets]))

    @property
    def _words_on_dates(self) -> str:
        example = next(
            (text for text, there in zip(self.texts, self.stamps.notna(), strict=True) if there), ""
        )
        if self.main.interval:
            return f"the beginnings of intervals such as {_begin(example)}"
        if len(self.style) == 3 and not self.main.given and set(self.style) <= set("ymd"):
            if self.style == "ymd" and self.gap == "-" and not self.main.short:
                return ""
            if self.compact or self.gap not in ("", *"/-."):
                return f"dates as {_begin(example)}"
            gap = self.gap or " "
            return "dates " + gap.join(_LETTERS[letter] for letter in self.style)
        if self.style in ("ym", "y") and self.shape in ("0000-00", "0000"):
            return ""
        return f"dates as {_begin(example)}"


_DATE = ("year", "month", "day")


def _begin(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def evenness_of(stamps: pd.DatetimeIndex) -> tuple[float, float]:
    """Return what is to be least where stamps are read rightly.

    Returns:
        How many stamps are absent for each one there, inf where they keep to no calendar; and the
        share of steps against the direction of most, 0 where they are sorted.
    """
    known = stamps[stamps.notna()]
    steps = np.diff(known.as_unit("us").asi8)
    back = min(int((steps < 0).sum()), int((steps > 0).sum()))
    disorder = back / max(1, len(steps))
    distinct = known.unique().sort_values()
    if len(distinct) < 3:
        return 0.0, disorder
    found = find_calendar(distinct)
    return np.inf if found is None else round(len(found[1]) / len(distinct) - 1, 3), disorder


@dataclass(frozen=True)
class Choice:
    """The reading that was taken, and the one that it might have been instead, or None."""

    taken: Reading
    other: Reading | None


def read_texts(
    texts: list[str], counts: np.ndarray, name: object, dayfirst: bool | None = None
) -> Choice | None:
    """Read texts as times, all in one style; None where none can be read.

    Args:
        texts: each once, in the order in which they come.
        counts: how many cells have each.
        name: of the column.
        dayfirst: whether 02/01 is January; None to find it out.
    """
    found = _readings(texts, counts, _styles_in_sample(texts))
    if dayfirst is not None and {"dmy", "mdy"} <= {reading.style for reading in found}:
        found = [reading for reading in found if reading.style != ("mdy", "dmy")[not dayfirst]]
    if not found:
        return None
    least = min((reading.failed, _tier(reading, name)) for reading in found)
    found = [reading for reading in found if (reading.failed, _tier(reading, name)) == least]
    if len(found) == 1:
        return Choice(found[0], None)
    best = min(reading.evenness for reading in found)
    found = [reading for reading in found if reading.evenness == best]
    day_first = found[0].gap == "." or is_english(name) is False
    usual = ("dmy", "mdy") if day_first else ("mdy", "dmy")
    order = [*usual, "ymd", "ym", "yq"]
    found.sort(key=lambda one: order.index(one.style) if one.style in order else len(order))
    if found[0].shortened:  # 20/01/05 to 20/01/07 are days of a year rather than a day of years
        found.sort(key=lambda one: one.count_of_years)
    taken, *others = found
    other = next((other for other in others if not other.stamps.equals(taken.stamps)), None)
    return Choice(taken, other)


def _tier(reading: Reading, name: object) -> int:
    if reading.style == "yq" and not reading.main.given and reading.weak:
        return {"quarter": -1, "month": 1}.get(part_of(name) or "", 0)
    if reading.style == "yy":
        return -1 if len(reading.texts) >= _FISCAL and not reading.failed else 1
    if reading.compact and (reading.main.short or reading.style in ("dmy", "mdy")):
        return 1
    if reading.style == "ymd" and reading.main.given and reading.main.short:  # 17-Aug-23
        return 1
    return _TIERS.get(reading.style, 0)


def _styles_in_sample(texts: list[str]) -> set[str] | None:
    """Return the styles in which some of a sample can be read; None where all are few."""
    if len(texts) <= 2 * _SAMPLE:
        return None
    sample = texts[:: len(texts) // _SAMPLE]
    return {reading.style for reading in _readings(sample, np.ones(len(sample)), None)}


def _readings(texts: list[str], counts: np.ndarray, wanted: set[str] | None) -> list[Reading]:
    """Return all readings of texts, or those in the styles that are wanted."""
    if wanted is not None and not wanted:
        return []
    plain = plain_texts(texts)
    codes, shapes = shapes_of(plain)
    sizes = np.bincount(codes, counts, len(shapes))
    common = np.argsort(-sizes, kind="stable")[:_MOST_SHAPES]
    words = {
        word
        for shape in (shapes[code] for code in common)
        if "0" in shape
        for word in words_in(shape)
    }
    names = names_for(words)
    order = np.argsort(codes, kind="stable")
    ends = np.searchsorted(codes[order], np.arange(len(shapes) + 1))
    styles: dict[str, list[tuple[np.ndarray, Layout, str]]] = defaultdict(list)
    for code in common:
        rows = order[ends[code] : ends[code + 1]]
        for layout in layouts(shapes[code], names):
            if wanted is not None and layout.style not in wanted:
                continue
            styles[layout.style].append((rows, layout, shapes[code]))
    found = []
    for style, groups in styles.items():
        stamps, fields = stamps_of(plain, [(rows, layout) for rows, layout, _ in groups])
        there = stamps.notna()
        if not there.any():
            continue
        rows, main, shape = next(group for group in groups if there[group[0]].any())
        failed = int(counts[~there].sum())
        found.append(Reading(style, texts, stamps, fields, counts, failed, main, shape))
    return [reading for reading in found if not _lacks_a_year(reading)]


def _lacks_a_year(reading: Reading) -> bool:
    """Tell days without a year (Jan-31, Feb-01) from months with a short one (Jan-98, Feb-98)."""
    if reading.style not in ("ym", "my") or not reading.main.short:
        return False
    known = reading.stamps[reading.stamps.notna()]
    one_month = len(known) > 2 and (known.month == known[0].month).all()
    return bool(one_month) or min(reading.evenness) > 0
