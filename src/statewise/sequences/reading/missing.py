"""Markers of missing values: what stands in a cell where there is no value."""

import re
from collections.abc import Collection

import numpy as np
import pandas as pd

from statewise.sequences.reading.currencies import CURRENCIES

# In no language a value, whatever a column holds. Compared without case and blanks around.
MARKERS = frozenset(
    [
        "",
        *("na", "n/a", "n.a.", "n.a", "#n/a", "#n/d", "#na", "<na>", "n/d", "n.d.", "nd", "n.v."),
        *(
            "s/d",
            "s.d.",
            "k.a.",
            "k. a.",
            "n/c",
            "n/e",
            "n/p",
            "n.p.",
            "mq",
            "nan",
            "-nan",
            "+nan",
            "nat",
            "null",
            "(null)",
        ),
        *("<null>", "[null]", "#null!", "nil", "none", "\\n", "undefined", "(blank)", "missing"),
        *("#value!", "#ref!", "#div/0!", "#num!", "#name?", "no data", "nodata", "not available"),
        *("sem dados", "sin datos", "keine angabe", "non disponible", "нет данных"),
        *("?", "??", "???", "-", "--", "---", "–", "—", "−", "――", "*", "**", "***", "/", "//"),
        *(".", "..", "...", "…", ":"),
    ]
)
# Who says why a value is missing: Eurostat's ": c", Britain's "[x]", Bloomberg's "#N/A N/A".
_REASON = re.compile(r":\s?[a-z]{1,3}|\[[a-z]{1,4}\]|#n/a .*")
_NOTHING = re.compile(r"(.*?)\s*[-–—]+\s*(.*)")  # $ -, as spreadsheets show nothing of a currency
_DIGITS = frozenset("0123456789")  # at the end of no marker, but of a million numbers
_SHORT = 12  # letters
_UNSEEN = dict.fromkeys(map(ord, "\u200b\u2060\ufeff"))


def is_marker(text: str) -> bool:
    """Tell whether a cell's text says that there is no value.

    >>> [is_marker(text) for text in (" ", "N/D", "-", ": c", "0", "-1", "none of them")]
    [True, True, True, True, False, False, False]
    """
    if text[-1:] in _DIGITS:
        return False
    plain = text.strip().casefold()
    if not plain.isascii():
        plain = seen(plain)
    if plain in MARKERS:
        return True
    if plain[0] in ":[#":
        return _REASON.fullmatch(plain) is not None
    nothing = _NOTHING.fullmatch(plain) if len(plain) < _SHORT else None
    return nothing is not None and {nothing[1], nothing[2]} - {""} <= CURRENCIES.keys()


def seen(text: str) -> str:
    """Return what a person sees of a text: no blanks around it, nothing of no width.

    >>> seen(" n/d\\ufeff ")
    'n/d'
    """
    return text.translate(_UNSEEN).strip()


def is_missing(column: pd.Series, also: Collection[str] = ()) -> np.ndarray:
    """Tell the cells without a value: empty, blank, NaN, and the markers that are never one.

    For numbers and categories. Keys are taken as they are: a series may be called "NA".

    Args:
        column: of any type.
        also: more markers, such as "x"; compared without case.

    Example:
        >>> is_missing(pd.Series(["1,5", "n/d", "", None])).tolist()
        [False, True, True, True]
    """
    missing = column.isna().to_numpy(bool)
    if not may_hold_text(column):
        return missing
    cells = column.astype(object).tolist()
    texts = {cell for cell in cells if isinstance(cell, str) and cell[-1:] not in _DIGITS}
    more = {text.strip().casefold() for text in also}
    marked = set(filter(is_marker, texts))
    if more:
        marked |= {c for c in cells if isinstance(c, str) and c.strip().casefold() in more}
    if not marked:
        return missing
    found = (isinstance(cell, str) and cell in marked for cell in cells)
    return missing | np.fromiter(found, bool, len(cells))


def may_hold_text(column: pd.Series) -> bool:
    """Tell whether cells of a column can be text, by its type.

    >>> may_hold_text(pd.Series(["a", 1])), may_hold_text(pd.Series([1.5]))
    (True, False)
    """
    dtype = column.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        dtype = dtype.categories.dtype
    return pd.api.types.is_object_dtype(dtype) or pd.api.types.is_string_dtype(dtype)
