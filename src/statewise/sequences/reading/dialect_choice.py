"""Which way of cutting a text into cells makes its lines agree best."""

import csv
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace

from statewise.sequences.reading.cells import NUMBER, is_value, kind_of, trimmed
from statewise.sequences.reading.dialect import (
    BLANKS,
    FIXED,
    ONE_COLUMN,
    WIDE_BLANKS,
    Dialect,
    gutters,
    records,
)

_HARD = "\t;|,"
_ENOUGH = 20  # records before a quote that isn't closed in the first part of a text
_SCORED = 160  # records that are scored: the first, and the last of the sample


def find_dialect(
    lines: Sequence[str], delimiter: str | None = None, *, cut: bool = False
) -> Dialect:
    """Return the way to cut a text in which its lines agree best.

    A way is good where, from some line on, the records have the same number of cells, and where no
    cell still holds something that looks like a delimiter, unless it is a number or a date.

    Args:
        lines: the first ones of a text, without comments.
        delimiter: what the user or the file itself says that it is; None to find out.
        cut: whether the text goes on, so that a quote may be closed later.

    >>> find_dialect(["Day;Price", "2020-01-01;1,5", "2020-01-02;2,5"]).delimiter
    ';'
    >>> find_dialect(['Day,Price', '"Aug 17, 2023",28', '"Aug 16, 2023",29']).delimiter
    ','
    """
    lines = [line for line in lines if line.strip()] or [""]
    best, best_score = Dialect(delimiter if delimiter is not None else ONE_COLUMN), -1.0
    for dialect in _candidates(lines, delimiter):
        score = _score(lines, dialect, cut)
        if score > best_score + 1e-9:
            best, best_score = dialect, score
    if delimiter is None and best.delimiter == "," and _are_decimals(lines):
        return Dialect(ONE_COLUMN)
    return replace(best, padded=best.padded or _is_padded(lines, best))


def _candidates(lines: Sequence[str], told: str | None) -> Iterator[Dialect]:
    text = "\n".join(lines)
    if told is not None:
        delimiters = [told]
    else:
        delimiters = [delimiter for delimiter in _HARD if delimiter in text]
    quotes = [('"', "")]
    if '\\"' in text:
        quotes.append(('"', "\\"))
    if text.count("'") >= len(lines):
        quotes.append(("'", ""))
    if '"' in text:
        quotes.append(("", ""))
    for quote, escape in quotes:
        for delimiter in delimiters:
            if delimiter != FIXED:
                yield Dialect(delimiter, quote, escape)
                if quote and f"{delimiter} {quote}" in text:
                    yield Dialect(delimiter, quote, escape, padded=True)
        if told is None and " " in text.strip():
            yield Dialect(BLANKS, quote if quote in text else "", escape)
    if told is None:
        if "  " in text:
            yield Dialect(WIDE_BLANKS)
            spans = gutters(lines[len(lines) // 4 :])
            if len(spans) > 1 and len(lines) > 3:
                yield Dialect(FIXED, spans=spans)
        yield Dialect(ONE_COLUMN)
    elif told == FIXED:
        yield Dialect(FIXED, spans=gutters(lines[len(lines) // 4 :]))
    quoted = sum(line.startswith('"') and line.rstrip().endswith('"') for line in lines)
    if quoted > 0.9 * len(lines):
        for delimiter in delimiters:
            yield Dialect(delimiter, wrapped=True)


def _score(lines: Sequence[str], dialect: Dialect, cut: bool) -> float:
    found: list[list[str]] = []
    try:
        found.extend(record for _, record in records(lines, dialect) if record)
    except csv.Error:
        if not cut or len(found) < _ENOUGH:
            return 0.0
    if len(found) > _SCORED:
        found = found[: _SCORED // 2] + found[-_SCORED // 2 :]
    if not found:
        return 0.0
    if dialect.delimiter == ONE_COLUMN:
        held = sum("," in record[0] and kind_of(record[0]) == NUMBER for record in found)
        return (1.0 - _dirt(found, dialect)) * (0.9 if held > len(found) / 2 else 1.0)
    width = modal_width(found)
    if width < 2:
        return 0.0
    soft = dialect.delimiter in (BLANKS, WIDE_BLANKS)
    beyond = 0  # remarks below the table
    while beyond < min(4, len(found) // 4) and (len(found[-1 - beyond]) < (width if soft else 2)):
        beyond += 1
    found = found[: len(found) - beyond]
    fits = [_fits(record, width, dialect) for record in found]
    start, share = _best_start(fits)
    body = found[start:]
    covered = len(body) / len(found)
    letters = not dialect.quote and any('"' in line for line in lines)
    # Tabs are blanks too, and words of a title may be as many as there are columns.
    blanks = dialect.delimiter == BLANKS and any("\t" in line for line in lines)
    likely = 0.9 if blanks else 0.97 if dialect.delimiter == FIXED or letters else 1.0
    dirt = _dirt(body, dialect)
    if dialect.delimiter in (FIXED, WIDE_BLANKS) and dirt > 0.02:
        return 0.0
    return likely * share * (0.75 + 0.25 * covered) * (1.0 - 0.5 * dirt)


def modal_width(found: Sequence[Sequence[str]]) -> int:
    """Return how many cells most records have, of the later ones, and of two or more."""
    later = found[len(found) // 3 :] if len(found) > 12 else found
    widths = Counter(len(record) for record in later if len(record) > 1)
    if not widths:
        return 1 if found else 0
    return max(widths, key=lambda width: (widths[width], width))


def _fits(record: Sequence[str], width: int, dialect: Dialect) -> float:
    if len(record) == width:
        return 1.0
    if dialect.delimiter in (BLANKS, WIDE_BLANKS) or len(record) < 2:
        return 0.0  # which of the cells is missing can't be told
    return 0.5 if len(record) < width else float(trimmed(record) <= width)


def _best_start(fits: Sequence[float]) -> tuple[int, float]:
    """Return from which record on the records fit, and how well."""
    total, shares = 0.0, [0.0] * len(fits)
    for index in range(len(fits) - 1, -1, -1):
        total += fits[index]
        shares[index] = total / (len(fits) - index)
    for index, fit in enumerate(fits):
        if fit == 1.0 and shares[index] >= 0.9:
            return index, shares[index]
    return 0, shares[0]


def _dirt(found: Sequence[Sequence[str]], dialect: Dialect) -> float:
    """Return the part of the cells that still look as if they were several."""
    others = set(_HARD) - set(dialect.delimiter) - ({"\t"} if " " in dialect.delimiter else set())
    alone = dialect.delimiter in (ONE_COLUMN, WIDE_BLANKS, FIXED)
    cells = dirty = 0
    for record in found:
        for cell in record:
            cells += 1
            odd = (not dialect.quote and cell.startswith('"') != cell.endswith('"')) or (
                len(cell) > 1 and cell[0] == cell[-1] == "'"
            )
            several = not others.isdisjoint(cell) or (alone and " " in cell.strip())
            if odd or (several and not is_value(cell) and _are_several(cell, others, alone)):
                dirty += 1
    return dirty / max(cells, 1)


def _are_several(cell: str, others: set[str], alone: bool) -> bool:
    """Whether a cell holds a delimiter, or, being all of its line, values with blanks between."""
    if not others.isdisjoint(cell):
        return True
    parts = cell.split()
    return alone and sum(map(is_value, parts)) > len(parts) / 2


def _are_decimals(lines: Sequence[str]) -> bool:
    """Whether commas are those of decimal fractions: a text without one stands above them all."""
    name, *rest = lines
    return (
        len(rest) > 0
        and "," not in name
        and not is_value(name)
        and all(line.count(",") <= 1 and is_value(line) for line in rest)
    )


def _is_padded(lines: Sequence[str], dialect: Dialect) -> bool:
    """Whether blanks around cells belong to the layout: most rows have some."""
    if dialect.delimiter not in set(_HARD):
        return False
    found: list[list[str]] = []
    with suppress(csv.Error):
        found.extend(record for _, record in records(lines[:200], dialect) if len(record) > 1)
    padded = sum(
        any(cell != cell.strip(" ") for cell in record[:-1]) or record[-1].startswith(" ")
        for record in found
    )
    return padded > 0.5 * len(found)
