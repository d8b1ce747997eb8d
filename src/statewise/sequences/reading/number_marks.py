"""Which mark is the decimal one, and what the digits between marks say."""

import math
import re
from collections import Counter
from typing import NamedTuple

import numpy as np

POINT, COMMA = ".", ","
_OTHER = {POINT: COMMA, COMMA: POINT}


def _pattern(decimal: str) -> str:
    """Return what a number looks like: groups of three, India's of two, or no groups."""
    other, mark = re.escape(_OTHER[decimal]), re.escape(decimal)
    indian = r"|[1-9]\d?(?:,\d\d)+,\d{3}" if decimal == POINT else ""
    groups = rf"[1-9]\d{{0,2}}(?P<by>[{other}' ])\d{{3}}(?:(?P=by)\d{{3}})*"
    return rf"(?:{groups}{indian}|\d*)(?:{mark}\d*)?"


_PATTERNS = {mark: re.compile(_pattern(mark)) for mark in _OTHER}
_SIGNED = {mark: re.compile(rf"\s*[+-]?{_pattern(mark)}\s*") for mark in _OTHER}
_SIMPLE = re.compile(r"\s*[+-]?\d[\d.,]*\s*", re.ASCII)
_AS_PYTHON = {mark: str.maketrans({_OTHER[mark]: None, mark: POINT}) for mark in _OTHER}
_GROUPS = {COMMA: "commas", POINT: "points", " ": "blanks", "'": "apostrophes"}
_WIDE = 0.3  # of a power of ten: half as far apart, as a deviation


def digits_of(body: str, decimal: str) -> str | None:
    """Return a number's digits as Python reads them; None where the marks don't fit.

    >>> digits_of("1.234.567,89", ","), digits_of("1,23,456", "."), digits_of("1 234", ",")
    ('1234567.89', '123456', '1234')
    >>> digits_of("1.234.567,89", "."), digits_of("12,34", "."), digits_of("0,123", ".")
    (None, None, None)
    """
    if body.isdigit():
        return body
    if not _PATTERNS[decimal].fullmatch(body):
        return None
    for group in (_OTHER[decimal], " ", "'"):
        body = body.replace(group, "")
    return body.replace(decimal, ".")


def is_simple(cell: str) -> bool:
    """Tell whether there is nothing in a cell besides digits, their marks and a sign.

    >>> is_simple("-1.234,5"), is_simple("1 234"), is_simple(",5")
    (True, False, False)
    """
    return _SIMPLE.fullmatch(cell) is not None


def simple_value(cell: str, decimal: str) -> float:
    """Return a simple cell's number, NaN where the marks don't fit.

    >>> simple_value("-1.234,5", ","), simple_value("-1.234,5", ".")
    (-1234.5, nan)
    """
    if not _SIGNED[decimal].fullmatch(cell):
        return math.nan
    return float(cell.translate(_AS_PYTHON[decimal]))


def alike_values(cells: list[str], decimal: str) -> np.ndarray | None:
    """Return the numbers of many cells at once, where there is nothing else in any of them.

    Returns:
        None where a cell has to be looked at by itself.

    Example:
        >>> alike_values(["1.234,5", "-3"], ","), alike_values(["12.34,5"], ",")
        (array([1234.5, -3. ]), None)
    """
    joined, group = "\n".join(cells), _OTHER[decimal]
    if "_" in joined or (group in joined and _WRONG_GROUP[decimal].search(joined)):
        return None
    plain = joined.replace(group, "").replace(decimal, POINT).split("\n")
    if len(plain) != len(cells):
        return None
    try:
        return np.fromiter(map(float, plain), np.float64, len(plain))
    except ValueError:
        return None


def marks_said(bodies: str, decimal: str) -> dict[str, str]:
    """Say which marks numbers have, by topic.

    Args:
        bodies: of all numbers together, without blanks around each.
        decimal: the decimal mark.

    Example:
        >>> marks_said("1.234,5", ","), marks_said("1.234", ".")
        ({'decimal': 'decimal comma', 'thousands': 'points between thousands'}, {})
    """
    said = {}
    if decimal == COMMA and COMMA in bodies:
        said["decimal"] = "decimal comma"
    groups = [words for mark, words in _GROUPS.items() if mark != decimal and mark in bodies]
    if groups:
        said["thousands"] = f"{' and '.join(groups)} between thousands"
    return said


def _wrong_group(decimal: str) -> str:
    """Return what no number has that is grouped in threes."""
    group, mark = re.escape(_OTHER[decimal]), re.escape(decimal)
    return (
        rf"{group}(?!\d{{3}}(?!\d))|(?<!\d){group}|{mark}\d*{group}|\d{{4}}{group}"
        rf"|(?<![\d{group}{mark}])0\d*{group}"
    )


_WRONG_GROUP = {mark: re.compile(_wrong_group(mark)) for mark in _OTHER}


class Marks(NamedTuple):
    """Which mark is the decimal one.

    Attributes:
        decimal: a point or a comma.
        decided: whether the column's own cells say so.
        example: where nothing decided and it matters, a cell that can be read in both ways.
    """

    decimal: str
    decided: bool
    example: str | None = None


def decide(bodies: Counter[str]) -> Marks:
    """Decide over a column which mark is the decimal one.

    Each cell that can be read in one way alone has a vote. Where all can be read in both ways, as
    "1,234" and "987", the way in which they are the more alike is taken; else groups are marked
    by commas and decimals by points.

    Args:
        bodies: how often each number's digits and marks stand there.

    Example:
        >>> decide(Counter(["1,5", "1,234"])), decide(Counter(["1.234", "987"]))
        (Marks(decimal=',', decided=True, example=None),
         Marks(decimal=',', decided=False, example='1.234'))
    """
    votes = {POINT: 0, COMMA: 0}
    open_ = []
    for body, count in bodies.items():
        point, comma = digits_of(body, POINT), digits_of(body, COMMA)
        if point is not None and comma is None:
            votes[POINT] += count
        elif comma is not None and point is None:
            votes[COMMA] += count
        elif point != comma:
            open_.append(body)
    if votes[POINT] or votes[COMMA]:
        return Marks(max(votes, key=votes.__getitem__), True)
    if not open_:
        return Marks(POINT, False)
    spread = {decimal: _spread(bodies, decimal) for decimal in votes}
    alike = COMMA if spread[COMMA] < spread[POINT] - _WIDE else POINT
    return Marks(alike, False, open_[0])


def _spread(bodies: Counter[str], decimal: str) -> float:
    """Return how many powers of ten the numbers lie apart, as a deviation."""
    values = [float(digits_of(body, decimal) or 0) for body in bodies]
    powers = [math.log10(value) for value in values if value > 0]
    if len(powers) < 2:
        return 0.0
    mean = sum(powers) / len(powers)
    return math.sqrt(sum((power - mean) ** 2 for power in powers) / len(powers))
