"""What a cell of text reads like, roughly: enough to tell a header from what stands under it.

No value is taken from here. What a column is for decides later how its text is read.
"""

import re
from collections.abc import Iterable, Sequence

from statewise.sequences.reading.missing import is_marker

EMPTY, MARKER, NUMBER, DATE, TEXT = "empty", "marker", "number", "date", "text"

_CURRENCY = "[$€£¥₹₽₩₺₴]|R\\$|Rp|kr|zł|USD|EUR|GBP|CHF|BRL|JPY"
_NUMBER = re.compile(
    rf"""\(?\s*(?:[-+−–]\s*)?(?:{_CURRENCY})?\s*[-+−–]?
    (?:\d{{1,3}}(?:[.,'’_\u00a0\u202f\u2009 ]\d{{3}})+(?:[.,]\d*)?|
    \d{{1,2}}(?:,\d\d)+,\d{{3}}(?:\.\d*)?|\d+[.,]?\d*|[.,]\d+)(?:[eE][-+]?\d+)?
    \s*(?:[KMBTkmb]|[Mm]io\.?|[Mm]rd\.?|bn)?\s*(?:{_CURRENCY}|%|‰)?\s*\)?(?:\s[a-z]{{1,3}})?""",
    re.VERBOSE,
)
_MONTH = (
    r"(?:jan|feb|f[eé]v|mar|m[äa]r|apr|abr|avr|ma[iy]|mag|mei|jun|jui|giu|jul|lug|aug|ago|ao[uû]|"
    r"sep|set|sett|oct|o[kt]t|out|nov|dec|de[zs]|d[eé]c|dic|ene|gen)\w*\.?"
)
_TIME = r"\d{1,2}[:.h]\d{2}(?:[:.]\d{2}(?:[.,]\d+)?)?\s*(?:[AaPp]\.?[Mm]\.?)?"
_ZONE = r"(?:\s*(?:Z|UTC|GMT|[A-Z]{3,4}|[-+]\d{2}:?\d{2}|[-+]\d{2}))?"
_DAY = (
    r"(?:\d{1,4}[-/.]\d{1,2}(?:[-/.]\d{1,4})?\.?|\d{4}[-/. ]?(?:Q|T|W|M|H|S|KW)[-/. ]?\d{1,2}|"
    + (
        r"(?:Q|T|W)\d{1,2}[-/. ]*\d{4}|\d{4}-?W\d{2}(?:-?\d)?|"
        rf"\d{{0,4}}[-/. ]*(?:{_MONTH})[-/., ]*\d{{0,4}}(?:(?:st|nd|rd|th)?[-/., ]+\d{{2,4}})?)"
    )
)
_WEEKDAY = r"(?:[A-Za-zÀ-ÿ]{2,10}[.,]*\s+)?"
_DATE = re.compile(
    rf"{_WEEKDAY}{_DAY}(?:[ T,]+(?:at\s+)?{_TIME}{_ZONE})?|{_TIME}{_ZONE}|"
    rf"{_DAY}[ T]\d{{1,2}}\s*[AaPp]\.?[Mm]\.?|\d{{4}}-\d\d-\d\d[ T]\d\d{_ZONE}",
    re.IGNORECASE,
)
_HAS_DIGIT = re.compile(r"\d")
_DAY_NUMBER = re.compile(r"(?:1[5-9]|2[01])\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])?")
_YEAR = re.compile(r"(?:1[5-9]|2[01])\d\d")


def kind_of(cell: str) -> str:
    """Return what a cell reads like: EMPTY, MARKER, NUMBER, DATE or TEXT.

    >>> [kind_of(cell) for cell in ["", "n/a", "1.234,5", "-1.07%", "1998 Q1", "18.00.00", "North"]]
    ['empty', 'marker', 'number', 'number', 'date', 'date', 'text']
    """
    cell = cell.strip(" \t\u00a0\u202f\n")
    if not cell:
        return EMPTY
    if is_marker(cell):
        return MARKER
    if len(cell) > 60 or not _HAS_DIGIT.search(cell):
        return TEXT
    # 12.05.2020 has the letters of a number too, and 1.234.567 those of no date
    if _DATE.fullmatch(cell) and not cell.replace(".", "", 1).isdigit():
        return DATE
    return NUMBER if _NUMBER.fullmatch(cell) else TEXT


def is_value(cell: str) -> bool:
    """Whether a cell reads like a number or a date."""
    return kind_of(cell) in (NUMBER, DATE)


def is_year(cell: str) -> bool:
    """Whether a cell is a year of four digits."""
    return _YEAR.fullmatch(cell.strip()) is not None


def is_day(cell: str) -> bool:
    """Whether a cell is a month or a day of six or eight digits, 202001 or 20200131."""
    return _DAY_NUMBER.fullmatch(cell.strip()) is not None


def main_kind(cells: Iterable[str]) -> str:
    """Return what most of a column's cells read like, those left out that say nothing."""
    counts: dict[str, int] = {}
    for cell in cells:
        kind = kind_of(cell)
        counts[kind] = counts.get(kind, 0) + 1
    blank = counts.pop(EMPTY, 0)
    marked = counts.pop(MARKER, 0)
    if not counts:
        return MARKER if marked else EMPTY if blank else TEXT
    kind = max(counts, key=lambda name: counts[name])
    return kind if counts[kind] >= 0.6 * sum(counts.values()) else TEXT


def trimmed(record: Sequence[str]) -> int:
    """Return how many cells a record has up to its last that isn't empty."""
    for end in range(len(record), 0, -1):
        if record[end - 1].strip():
            return end
    return 0


def filled(record: Sequence[str]) -> int:
    """Return how many of a record's cells hold something."""
    return sum(1 for cell in record if cell.strip())
