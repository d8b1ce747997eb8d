"""A text that holds a table, to a frame of text, and where its rows are in the file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa

from statewise.sequences.reading.cells import trimmed
from statewise.sequences.reading.dialect import (
    BLANKS,
    FIXED,
    ONE_COLUMN,
    WIDE_BLANKS,
    gutters,
    records,
)
from statewise.sequences.reading.footer import footer_start
from statewise.sequences.reading.plain_text import read_plain
from statewise.sequences.reading.plan import Plan
from statewise.sequences.reading.raw_table import Places
from statewise.sequences.reading.report import Understood
from statewise.sequences.tables import DataError, counted

_BLOCK = 1 << 16  # rows at once, where they are cut one by one


def read_text(data: bytes, plan: Plan, name: str) -> tuple[pd.DataFrame, Places, Understood]:
    """Read the rows of a text.

    Args:
        data: all of it: UTF-8, lines ended by line feeds.
        plan: how.
        name: for messages.

    Returns:
        The frame, its columns 0, 1, 2...; the places of its rows; facts and notes about them.

    Raises:
        DataError: where a row has more cells than there are columns, or a quote isn't closed.
    """
    understood = Understood()
    end = footer_start(data, plan)
    _tell_footer(data, end, plan, understood)
    body = data[plan.start : end].rstrip(b"\n")
    if not body:
        return pd.DataFrame(columns=range(plan.width)), Places("line", range(0)), understood
    table, lines_of = read_plain(body, plan) or _read_one_by_one(body, plan, name, understood)
    frame = table.to_pandas()
    frame.columns = range(table.num_columns)
    return frame, Places("line", lines_of), understood


def _tell_footer(data: bytes, end: int, plan: Plan, understood: Understood) -> None:
    blank = f'{plan.dialect.delimiter} \t"'
    lines = [line for line in data[end:].decode().split("\n") if line.strip(blank)]
    if lines:
        begins = data.count(b"\n", 0, end) + 1
        understood.tell("header", f"{counted(len(lines), 'line')} of footer")
        understood.note(
            f"the table ends above line {begins}: {lines[0][:60]!r}"
            + (f" and {counted(len(lines) - 1, 'line')} below" if len(lines) > 1 else "")
            + " left out"
        )


def _read_one_by_one(
    body: bytes, plan: Plan, name: str, understood: Understood
) -> tuple[pa.Table, np.ndarray]:
    """Read a text with anything odd in it: short rows, blank lines, comments, blanks between."""
    width = plan.width
    lines: Sequence[str] = body.decode().split("\n")
    dialect = plan.dialect
    if dialect.delimiter == FIXED:
        dialect = replace(dialect, spans=gutters(lines))
        if len(dialect.spans) != len(plan.dialect.spans):
            raise DataError(
                f"{name} has columns of fixed width, but further down cells stand where the first "
                "lines have none: save it with a delimiter"
            )
    counts = {"comments": 0}
    rows = _rows(lines, replace(plan, dialect=dialect), width, name, counts)
    pieces, numbers = [], []
    while block := list(islice(rows, _BLOCK)):
        numbers.append(np.array([number for number, _ in block]))
        columns = zip(*(cells for _, cells in block), strict=True)
        pieces.append(
            pa.table(
                [pa.array(column, pa.string()) for column in columns],
                names=[str(place) for place in range(width)],
            )
        )
    if counts["comments"]:
        understood.tell("header", counted(counts["comments"], "line") + " of comments further down")
    if not pieces:
        empty = pa.table({str(place): pa.array([], pa.string()) for place in range(width)})
        return empty, np.zeros(0, int)
    return pa.concat_tables(pieces), np.concatenate(numbers)


def _rows(
    lines: Sequence[str], plan: Plan, width: int, name: str, counts: dict[str, int]
) -> Iterator[tuple[int, Sequence[str | None]]]:
    dialect, comment, begins = plan.dialect, plan.comment, plan.first_line
    one = dialect.delimiter == ONE_COLUMN
    exact = dialect.delimiter in (BLANKS, WIDE_BLANKS)
    marked = 0
    if comment:
        kept = [
            (number, line)
            for number, line in enumerate(lines, begins)
            if not line.lstrip().startswith(comment)
        ]
        marked = len(lines) - len(kept)
        numbers, lines = [number for number, _ in kept], [line for _, line in kept]
    try:
        for number, cells in records(lines, dialect, begins):
            if comment:
                number = numbers[number - begins]
            if len(cells) == width:
                yield number, cells
                continue
            if not cells:
                if one:  # a blank line of one column is a missing value
                    yield number, [None]
                continue
            if len(cells) > width and trimmed(cells) <= width:
                yield number, cells[:width]
                continue
            if len(cells) < width and cells[0].startswith("#") and trimmed(cells) == 1:
                marked += 1
                continue
            if len(cells) > width or exact:
                raise DataError(_misfit(name, number, cells, width, plan))
            yield number, [*cells, *[None] * (width - len(cells))]
    except csv.Error as error:
        raise DataError(f"{name} is no readable CSV file: {error}") from None
    counts["comments"] += marked


def _misfit(name: str, number: int, cells: Sequence[str], width: int, plan: Plan) -> str:
    words = f"{name} has {counted(len(cells), 'value')} in line {number}, but "
    words += f"{counted(width, 'column')}"
    if len(cells) < width:
        return f"{words}: where blanks delimit, write NA for a missing value"
    where = "decimal commas or text" if plan.dialect.delimiter == "," else "text"
    return f"{words}: is a delimiter within {where} not in quotes?"
