"""Workbooks (.xlsx, .xlsm): the first sheet with a table, or the one that is named."""

import datetime
import io
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from statewise.sequences.reading.dialect_choice import modal_width
from statewise.sequences.reading.finishing import finished
from statewise.sequences.reading.footer import is_remark
from statewise.sequences.reading.names import names_of
from statewise.sequences.reading.raw_table import Places
from statewise.sequences.reading.report import Understood
from statewise.sequences.reading.structure import find_structure
from statewise.sequences.tables import DataError, counted, listed

_SAMPLED = 400


def read_workbook(
    data: bytes,
    name: str,
    understood: Understood,
    *,
    sheet: str | int | None = None,
    header: bool | None = None,
    rows: int | None = None,
) -> tuple[pd.DataFrame, Places]:
    """Return the table on a sheet: dates are dates there, numbers numbers.

    Args:
        data: of the file.
        name: of the file, for messages.
        understood: is told which sheet it was and what was left out of it.
        sheet: its name, or its number from 1; None for the first with a table.
        header: whether the columns are named; None to find out.
        rows: how many rows are wanted; None for all.

    Raises:
        DataError: where openpyxl isn't installed, the workbook can't be read, or has no such
            sheet, or no table.
    """
    sheets = _opened(data, name)
    try:
        names = list(sheets.sheetnames)
        if sheet is not None:
            chosen = _named(names, sheet, name)
            lines = _lines(sheets[chosen], rows)
        else:
            chosen, lines = names[0], []
            for chosen in names:
                lines = _lines(sheets[chosen], rows)
                if _is_table(lines) and _has_values(lines):
                    break
            else:  # texts at most
                for chosen in names:
                    lines = _lines(sheets[chosen], rows)
                    if _is_table(lines):
                        break
        if not _is_table(lines):
            raise DataError(
                f"{name} has no table on "
                + (f"its sheet {chosen!r}" if sheet is not None else f"any sheet: {listed(names)}")
            )
    except DataError:
        raise
    except Exception as error:  # openpyxl says in many ways that a file is broken
        raise DataError(f"{name} is no readable workbook: {_one_line(error)}") from None
    finally:
        sheets.close()
    if len(names) > 1:
        understood.tell("file", f"sheet {chosen!r}")
        if sheet is None:
            others = [other for other in names if other != chosen]
            understood.note(
                f"{name} has {counted(len(others), 'other sheet')}: {listed(others)}; "
                f"--sheet {others[0]!r} reads another"
            )
    return _of_lines(lines, name, understood, header)


def _opened(data: bytes, name: str) -> Any:
    try:
        import openpyxl  # type: ignore[import-untyped]  # it has no types
    except ImportError:
        raise DataError(
            f"{name} is a workbook, and reading it needs openpyxl: pip install 'statewise[excel]', "
            "or save the sheet as CSV"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and the like, which nobody asks for
            return openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
    except Exception as error:  # openpyxl says in many ways that a file is broken
        raise DataError(f"{name} is no readable workbook: {_one_line(error)}") from None


def _named(names: Sequence[str], sheet: str | int, name: str) -> str:
    if isinstance(sheet, int) or (sheet not in names and str(sheet).isdigit()):
        if 1 <= int(sheet) <= len(names):
            return names[int(sheet) - 1]
    elif sheet in names:
        return sheet
    raise DataError(f"sheet={sheet!r}: {name} has the sheets {listed(names)}")


def _lines(sheet: Any, rows: int | None) -> list[tuple[int, list[Any]]]:
    """Return the rows of a sheet that hold anything, with their numbers."""
    if not hasattr(sheet, "iter_rows"):
        return []  # a chart on a sheet of its own
    if hasattr(sheet, "reset_dimensions"):
        sheet.reset_dimensions()  # what a file says of its size is often wrong
    found: list[tuple[int, list[Any]]] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for number, cells in enumerate(sheet.iter_rows(values_only=True), 1):
            if rows is not None and len(found) >= rows:
                break
            line = [_cell(cell) for cell in cells]
            while line and line[-1] is None:
                line.pop()
            if line:
                found.append((number, line))
    return found


def _cell(cell: Any) -> Any:
    if isinstance(cell, str):
        # What a formula couldn't calculate is missing.
        return None if not cell.strip() or cell in _FAULTS else cell
    return cell


_FAULTS = {"#N/A", "#DIV/0!", "#VALUE!", "#REF!", "#NAME?", "#NUM!", "#NULL!"}


def _is_table(lines: Sequence[tuple[int, list[Any]]]) -> bool:
    full = [line for _, line in lines[:_SAMPLED] if sum(cell is not None for cell in line) > 1]
    return len(full) > 1 or (len(lines) > 2 and all(len(line) == 1 for _, line in lines))


def _has_values(lines: Sequence[tuple[int, list[Any]]]) -> bool:
    """Whether many of the rows have a number or a date: an index of the sheets has none."""
    sample = [line for _, line in lines[:_SAMPLED]]
    values = sum(any(not isinstance(cell, (str, type(None))) for cell in line) for line in sample)
    return values > 0.4 * len(sample)


def _of_lines(
    lines: Sequence[tuple[int, list[Any]]],
    name: str,
    understood: Understood,
    header: bool | None,
) -> tuple[pd.DataFrame, Places]:
    shift = min(_first_filled(line) for _, line in lines)  # tables often begin in column B
    lines = [(number, line[shift:]) for number, line in lines]
    texts = [[_text(cell) for cell in line] for _, line in lines[:_SAMPLED]]
    width = max(modal_width(texts), 1)
    width = max(width, max(len(line) for _, line in lines) if width > 1 else 1)
    texts = [row + [""] * (width - len(row)) for row in texts]
    structure = find_structure(texts, width, header)
    names = names_of(texts, structure)
    if not names:
        understood.tell("header", "no header")
    if structure.left_out:
        understood.tell("header", f"{counted(len(structure.left_out), 'line')} of preamble")
    if structure.units:
        understood.tell("units", "a line of units")
    body = list(lines[structure.first :])
    foot = 0
    while len(body) > 1 and is_remark([_text(cell) for cell in body[-1][1]], structure.kinds):
        body.pop()
        foot += 1
    if foot:
        understood.tell("header", f"{counted(foot, 'line')} of footer")
    columns = {
        place: _column([line[place] if place < len(line) else None for _, line in body])
        for place in range(width)
    }
    stated = [texts[row] for row in structure.header]
    places = Places("row", [number for number, _ in body])
    return finished(pd.DataFrame(columns), names, stated, places, understood, name)


def _first_filled(line: Sequence[Any]) -> int:
    return next(place for place, cell in enumerate(line) if cell is not None)


def _text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime.datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


def _column(cells: list[Any]) -> pd.Series:
    """Return a column with the type that its cells share; of several types, as objects."""
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds and kinds <= {datetime.datetime, datetime.date}:
        return pd.Series(pd.to_datetime(cells), dtype="datetime64[us]")
    if kinds == {int} and None not in cells:
        return pd.Series(cells)
    if kinds and kinds <= {int, float}:
        return pd.Series([np.nan if cell is None else float(cell) for cell in cells])
    return pd.Series(cells, dtype=object)


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
