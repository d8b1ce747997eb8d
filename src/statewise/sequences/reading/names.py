"""The names of columns: from one line, from several, from a comment, or numbers for want of any."""

import re
from collections.abc import Iterable, Sequence

from statewise.sequences.reading.dialect import BLANKS, FIXED, WIDE_BLANKS, Dialect, records
from statewise.sequences.reading.header import Record, Structure
from statewise.sequences.tables import DataError, free_name

_COMMENT = re.compile(r"\s*(?:#+|%+|//+|!+|\*+|;+)[ \t]?")
_TOKEN = re.compile(r"\S+(?: \S+)*")


def names_of(records: Sequence[Record], found: Structure) -> list[str]:
    """Return the names that the header's records give, stripped; empty where they give none.

    Two lines of names become one each: groups go before the names below them, the names of
    levels (pandas writes them below and before) name the first columns.
    """
    if not found.header:
        return []
    rows = [[_clean(cell) for cell in records[row]] for row in found.header]
    width = max(len(found.kinds), max(map(len, rows)))
    if found.row_names:
        rows = [["", *row] for row in rows]
    if len(rows) == 1 and len(rows[0]) > len(found.kinds) == sum(map(bool, rows[0])):
        return [name for name in rows[0] if name]  # tabs doubled to set names above their columns
    rows = [row + [""] * (width - len(row)) for row in rows]
    index = None
    if len(rows) > 1 and sum(map(bool, rows[-1])) < len(found.kinds) / 2 and rows[-1][0]:
        *rows, index = rows
    if len(rows) == 1:
        names = rows[0]
    else:
        # The first cells of such rows name the levels themselves, as "Price" and "Ticker" do.
        groups = [_carried_on(row) for row in rows[:-1]]
        levels = [*groups, rows[-1]]
        telling = [level for level in levels if len({name for name in level[1:] if name}) > 1]
        telling = telling or levels[-1:]
        names = [
            " ".join(dict.fromkeys(filter(None, parts))) for parts in zip(*telling, strict=True)
        ]
        names[0] = rows[-1][0] or rows[0][0]
    if index is not None:
        names = [level or name for level, name in zip(index, names, strict=True)]
    return names


def _clean(cell: str) -> str:
    return " ".join(cell.replace("\ufeff", "").split())


def _carried_on(row: Sequence[str]) -> list[str]:
    """Fill the gaps of a row of groups: a name stands over all columns up to the next."""
    names: list[str] = []
    for place, name in enumerate(row):
        names.append(name or (names[-1] if place > 1 else ""))
    return names


def names_in_comments(
    comments: Sequence[str], body: Sequence[str], dialect: Dialect, width: int
) -> list[str]:
    """Return the names that the last line of comments gives, or its last two, if any do.

    In a text of aligned columns, a name belongs to the column over which it stands.
    """
    if not comments:
        return []
    last = _COMMENT.sub("", comments[-1], count=1)
    if dialect.delimiter not in (BLANKS, WIDE_BLANKS, FIXED):
        cells = next((record for _, record in records([last], dialect)), [])
        names = [_clean(cell) for cell in cells]
        return names if len(names) == width and sum(map(bool, names)) >= 0.6 * width else []
    for cells in (last.split(), re.split(r" {2,}|\t+", last.strip())):
        if len(cells) == width and dialect.delimiter != FIXED:
            return cells
    return _names_above(comments, body, dialect, width)


def _names_above(
    comments: Sequence[str], body: Sequence[str], dialect: Dialect, width: int
) -> list[str]:
    spans = _spans(body, dialect, width)
    if not spans:
        return []
    names = [""] * width
    for comment in reversed(comments[-2:]):
        found = _over_columns(comment, spans)
        if found is None:
            break
        names = [f"{above} {name}".strip() for above, name in zip(found, names, strict=True)]
    return names if sum(map(bool, names)) >= max(2, 0.5 * width) else []


def _spans(body: Sequence[str], dialect: Dialect, width: int) -> list[tuple[int, int]]:
    """Return where in a line the cells of each column stand."""
    if dialect.delimiter == FIXED:
        cells = [
            [(start, line[start:end]) for start, end in dialect.spans]
            for line in (text.expandtabs() for text in body)
        ]
        columns = [
            [
                (start + len(cell) - len(cell.lstrip()), start + len(cell.rstrip()))
                for start, cell in row
            ]
            for row in cells
        ]
    else:
        between = r"\S+(?: \S+)*" if dialect.delimiter == WIDE_BLANKS else r"\S+"
        columns = [[match.span() for match in re.finditer(between, line)] for line in body]
    columns = [line for line in columns if len(line) == width]
    full = [[line[place] for line in columns] for place in range(width)]
    full = [[(left, right) for left, right in spans if left < right] for spans in full]
    if not columns or not all(full):
        return []
    return [(min(left for left, _ in spans), max(right for _, right in spans)) for spans in full]


def _over_columns(comment: str, spans: Sequence[tuple[int, int]]) -> list[str] | None:
    """Return what of a comment stands over each column; None where it is running text."""
    start = _COMMENT.match(comment)
    begins = start.end() if start else 0
    line = " " * begins + comment[begins:]
    found = [(match.group(), *match.span()) for match in _TOKEN.finditer(line)]
    if len(found) < max(2, len(spans) // 2) or len(found) > len(spans):
        return None
    names = [""] * len(spans)
    place = 0
    for text, left, right in found:
        near = min(
            range(place, len(spans)),
            key=lambda column: _distance(spans[column], left, right),
            default=None,
        )
        if near is None:
            return None
        names[near] = text
        place = near + 1
    return names


def _distance(span: tuple[int, int], left: int, right: int) -> float:
    apart = max(span[0] - right, left - span[1], 0)
    return apart + abs((span[0] + span[1]) - (left + right)) / 1000


def checked_names(names: Iterable[str], name: str) -> list[str]:
    """Return names that are all there, and each once: a column without one is numbered.

    Raises:
        DataError: where a name is there twice.

    >>> checked_names(["", "y", ""], "t.csv")
    ['column1', 'y', 'column3']
    """
    names = list(names)
    given = [known for known in names if known]
    twice = (
        [known for known in given if given.count(known) > 1] if len(set(given)) < len(given) else []
    )
    if twice:
        raise DataError(f"{name} has several columns named {twice[0]!r}: rename all but one")
    taken = set(given)
    result = []
    for place, known in enumerate(names, 1):
        if not known:
            known = free_name(f"column{place}", taken)
            taken.add(known)
        result.append(known)
    return result
