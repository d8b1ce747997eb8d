"""A text that holds a table, to a frame of text, and where its rows are in the file."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa

from statewise.sequences.reading.dialect import FIXED, Dialect, Unclosed, gutters, records
from statewise.sequences.reading.footer import footer_start
from statewise.sequences.reading.mending import Mender
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
    mender = Mender(plan, name)
    table, lines = read_plain(body, plan, mender) or _read_one_by_one(body, plan, mender)
    if mender.comments:
        understood.tell("header", counted(mender.comments, "line") + " of comments further down")
    if mender.flags:
        understood.tell("header", f"{counted(mender.flags, 'flag')} behind rows left out")
    frame = table.to_pandas()
    frame.columns = range(table.num_columns)
    return frame, Places("line", lines), understood


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


def _read_one_by_one(body: bytes, plan: Plan, mender: Mender) -> tuple[pa.Table, np.ndarray]:
    """Read a text with anything odd in it."""
    width = plan.width
    lines: Sequence[str] = body.decode().split("\n")
    dialect = plan.dialect
    if dialect.delimiter == FIXED:
        dialect = replace(dialect, spans=gutters(lines) or dialect.spans)
        if len(dialect.spans) != len(plan.dialect.spans):
            raise DataError(
                f"{mender.name} has columns of fixed width, but further down cells stand where the "
                "first lines have none: save it with a delimiter"
            )
    mender.comments = mender.flags = 0
    rows = _rows(lines, dialect, plan.first_line, mender)
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
    if not pieces:
        empty = pa.table({str(place): pa.array([], pa.string()) for place in range(width)})
        return empty, np.zeros(0, int)
    return pa.concat_tables(pieces), np.concatenate(numbers)


def _rows(
    lines: Sequence[str], dialect: Dialect, first: int, mender: Mender
) -> Iterator[tuple[int, Sequence[str | None]]]:
    """Yield the rows of a text, with the lines on which they begin."""
    numbers: Sequence[int] = range(first, first + len(lines))
    if mender.plan.comment:
        kept = [pair for pair in zip(numbers, lines, strict=True) if not mender.is_comment(pair[1])]
        numbers, lines = [number for number, _ in kept], [line for _, line in kept]
    try:
        for place, cells in records(lines, dialect, 0):
            if (full := mender.mended(numbers[place], cells)) is not None:
                yield numbers[place], full
    except Unclosed as error:
        line = numbers[error.line]
        raise DataError(
            f"{mender.name} is no readable CSV file: a quote in line {line} is opened and never "
            "closed"
        ) from None
    except csv.Error as error:
        raise DataError(f"{mender.name} is no readable CSV file: {error}") from None
