"""Text cells of a column as numbers: the plain ones at once, of the strange ones each text once."""

import re
from collections import Counter
from collections.abc import Collection
from typing import NamedTuple

import numpy as np
import pandas as pd

from statewise.sequences.reading.missing import is_marker, seen
from statewise.sequences.reading.number_cells import Cell, take_apart
from statewise.sequences.reading.number_marks import (
    COMMA,
    POINT,
    Marks,
    alike_values,
    decide,
    digits_of,
    is_simple,
    marks_said,
    simple_value,
)
from statewise.sequences.reading.number_words import Word, Words, meaning_of, name_all, word_of

# What a decimal point alone has: 0.5, .5, 1.5, 1.2345, 1234.5; but 1.234 may be 1234.
_POINT_FOR_SURE = re.compile(r"(?<![\d.])0\d*\.|(?<!\d)\.|\.\d{0,2}(?!\d)|\.\d{4}|\d{4}\.")
_BARE = Word("", False)
_MANY = 2000  # strange cells, from which on it is worth a try whether all are alike
_WITNESSES = 1000  # plain numbers that say of which size a column's values are


class TextNumbers(NamedTuple):
    """Text cells as numbers, NaN where there is none; which are missing, by which markers."""

    values: np.ndarray
    missing: np.ndarray
    markers: list[str]
    facts: dict[str, str]
    notes: list[str]


def read_text(
    text: list[str], *, decimal: str | None, likely: str | None, markers: Collection[str]
) -> TextNumbers:
    """Read text cells, as `numbers_of` says.

    >>> read_text(["1", "", "2,5"], decimal=None, likely=None, markers=()).values
    array([1. , nan, 2.5])
    """
    joined = "\n".join(text)
    values = _plain_values(text, joined)
    missing, found = _find_missing(text, values, markers)
    strange = np.isnan(values) & ~missing
    plain = joined
    if strange.any() or missing.any():
        plain = "\n".join(text[row] for row in np.flatnonzero(~strange & ~missing))
    points = "." in plain
    sure = points and _POINT_FOR_SURE.search(plain) is not None
    if not strange.any() and not (points and decimal == COMMA):
        if not points or sure or (decimal or likely) == POINT:
            return TextNumbers(values, missing, found, {}, [])
        if likely is None and plain.count(".") == plain.count("\n") + 1:  # all are as 1.234 is
            first = plain.split("\n")[0].strip().lstrip("+-")
            return TextNumbers(values, missing, found, {}, [_either_way(first, POINT)])
    every = np.flatnonzero(~missing)
    if strange.sum() > _MANY:
        alike = _read_alike([text[row] for row in every], decimal, likely)
        if alike is not None:
            values[every], facts = alike
            return TextNumbers(values, missing, found, facts, [])
    rows = np.flatnonzero(strange) if sure or not points else every
    cells = _Cells(text, rows)
    mark = cells.mark(_witnesses(text, strange | missing, sure), decimal, likely)
    if mark.decimal == COMMA and points and len(rows) < len(every):
        rows, cells = every, _Cells(text, every)
    rest = np.setdiff1d(every, rows, assume_unique=True)
    meaning = meaning_of(cells.words(bare=int(np.count_nonzero(values[rest]))))
    values[rows], facts = cells.values(mark.decimal, meaning)
    if not meaning.bare:
        values[rest[values[rest] != 0]] = np.nan
    notes = [_either_way(mark.example, mark.decimal)] if mark.example is not None else []
    return TextNumbers(values, missing, found, facts, notes)


def mark_shown(text: list[str]) -> str | None:
    """Return the decimal mark that cells show; None where they show none, or aren't numbers.

    >>> mark_shown(["1,5", "1.234"]), mark_shown(["1.5"]), mark_shown(["1.234"])
    (',', '.', None)
    """
    joined = "\n".join(text)
    if not np.isnan(_plain_values(text, joined)).any():
        return POINT if _POINT_FOR_SURE.search(joined) else None
    found = [cell for cell in map(take_apart, text) if cell is not None]
    if len(found) <= len(text) / 2:
        return None
    marks = decide(Counter(cell.body for cell in found))
    return marks.decimal if marks.decided else None


def _read_alike(
    text: list[str], decimal: str | None, likely: str | None
) -> tuple[np.ndarray, dict[str, str]] | None:
    """Read many cells at once by the marks that some of them show; None where not all are so."""
    some = _Cells(text, np.arange(0, len(text), max(1, len(text) // _WITNESSES)))
    mark = some.mark(Counter(), decimal, likely)
    values = alike_values(text, mark.decimal) if mark.decided else None
    if values is None:
        return None
    return values, marks_said("".join("".join(text).split()), mark.decimal)


def _plain_values(text: list[str], joined: str) -> np.ndarray:
    """Read the cells that Python reads too, NaN for the others."""
    if "_" not in joined:  # 1_000 is Python's own way
        try:
            return np.fromiter(map(float, text), np.float64, len(text))
        except ValueError:
            pass
    return np.fromiter(map(_plain_value, text), np.float64, len(text))


def _plain_value(cell: str) -> float:
    try:
        return np.nan if "_" in cell else float(cell)
    except ValueError:
        return np.nan


def _find_missing(
    text: list[str], values: np.ndarray, markers: Collection[str]
) -> tuple[np.ndarray, list[str]]:
    """Tell the missing cells among those that are no plain numbers, and name their markers."""
    missing = np.zeros(len(text), bool)
    rows = np.flatnonzero(np.isnan(values))
    if not len(rows):
        return missing, []
    more = {marker.strip().casefold() for marker in markers}
    codes, cells = pd.factorize(np.array([text[row] for row in rows], object))
    marked = list(map(is_marker, cells))
    if more:
        said = (cell.strip().casefold() in more for cell in cells)
        marked = [one or other for one, other in zip(marked, said, strict=True)]
    missing[rows] = np.array(marked, bool)[codes]
    found = (seen(cell) for cell, mark in zip(cells, marked, strict=True) if mark)
    return missing, [cell for cell in found if cell]


def _witnesses(text: list[str], others: np.ndarray, sure: bool) -> Counter[str]:
    """Return what the plain numbers say about the mark, as far as they aren't taken apart."""
    plain = np.flatnonzero(~others)
    if sure:
        return Counter({"0.5": sum("." in text[row] for row in plain)})
    step = max(1, len(plain) // _WITNESSES)
    parts = (take_apart(text[row]) for row in plain[::step] if "." not in text[row])
    return Counter(part.body for part in parts if part is not None)


def _either_way(example: str, decimal: str) -> str:
    other = COMMA if decimal == POINT else POINT
    return (
        f"{example!r} is read as {_said(example, decimal)}, though nothing says that it isn't "
        f"{_said(example, other)}: to read it so, set the decimal mark (--decimal {other})"
    )


def _said(example: str, decimal: str) -> str:
    return digits_of(example, decimal) or example


class _Cells:
    """The different texts of some rows, each read once: simple ones quickly, others in parts."""

    def __init__(self, text: list[str], rows: np.ndarray):
        self.codes, cells = pd.factorize(np.array([text[row] for row in rows], object))
        self.texts: list[str] = list(cells)
        self.counts: list[int] = np.bincount(self.codes, minlength=len(cells)).tolist()
        self.simple = [is_simple(cell) for cell in self.texts]
        self.parts: list[Cell | None] = [
            None if simple else take_apart(cell)
            for cell, simple in zip(self.texts, self.simple, strict=True)
        ]
        known = zip(self.parts, self.counts, strict=True)
        self.known = [(part, count) for part, count in known if part is not None]
        currencies: Counter[str] = Counter()
        for part, count in self.known:
            if part.currency:
                currencies[part.currency] += count
        self.currency = currencies.most_common(1)[0][0] if currencies else ""

    def mark(self, witnesses: Counter[str], decimal: str | None, likely: str | None) -> Marks:
        """Decide which mark is the decimal one: a sample of the simple cells may do."""
        if decimal is not None:
            return Marks(decimal, True)
        simple = [place for place, is_one in enumerate(self.simple) if is_one]
        for step in sorted({max(1, len(simple) // _WITNESSES), 1}, reverse=True):
            bodies = Counter(witnesses)
            for part, count in self.known:
                bodies[part.body] += count
            for place in simple[::step]:
                bodies[self.texts[place].strip().lstrip("+-")] += self.counts[place]
            found = decide(bodies)
            if found.decided:
                return found
        return found if likely is None else Marks(likely, True)

    def words(self, bare: int) -> Counter[Word]:
        """Count the words behind the numbers, and the numbers without one that aren't zero."""
        words = Counter({_BARE: bare})
        for part, count in self.known:
            if part.word or part.body.strip("0.,"):
                words[word_of(part)] += count
        for cell, simple, count in zip(self.texts, self.simple, self.counts, strict=True):
            if simple and cell.strip("+-0., "):
                words[_BARE] += count
        return words

    def values(self, decimal: str, meaning: Words) -> tuple[np.ndarray, dict[str, str]]:
        """Return the numbers, and what was understood of those that are some."""
        found = np.full(len(self.texts), np.nan)
        bodies, footnotes = [], []
        for place, (cell, part) in enumerate(zip(self.texts, self.parts, strict=True)):
            if part is not None:
                found[place] = self._value(part, decimal, meaning)
                if found[place] == found[place]:
                    bodies.append(part.body)
                    footnotes += [part.footnote] if part.footnote else []
            elif self.simple[place]:
                value = simple_value(cell, decimal)
                if meaning.bare or not value:
                    found[place] = value
                    if value == value:
                        bodies.append(cell.strip())
        values = found[self.codes] if len(found) else found
        return values, self._facts(bodies, footnotes, decimal, meaning)

    def _value(self, part: Cell, decimal: str, meaning: Words) -> float:
        if part.currency not in ("", self.currency):
            return np.nan
        digits = digits_of(part.body, decimal)
        if digits is None:
            return np.nan
        power: int | None = 0
        if part.word:
            power = meaning.powers.get(word_of(part))
        elif not meaning.bare and digits.strip("0."):
            power = None
        if power is None:
            return np.nan
        return float(f"{part.sign}{digits}e{part.exponent + power}")

    def _facts(
        self, bodies: list[str], footnotes: list[str], decimal: str, meaning: Words
    ) -> dict[str, str]:
        facts = marks_said("".join(bodies), decimal)
        units = [f"in {self.currency}"] if self.currency else []
        if footnotes:
            units.append(f"{name_all(footnotes)} after numbers left out")
        if units or meaning.facts:
            facts["units"] = "; ".join([*units, *meaning.facts])
        return facts
