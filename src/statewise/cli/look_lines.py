"""What ``statewise look`` prints: a table's columns, its series with a picture each, as lines."""

import math
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.cells import cell_len, set_cell_size

from statewise.cli.printer import Printer
from statewise.cli.refusal import printable
from statewise.pictures.sparkline import ASCII, BLOCKS, sparkline
from statewise.sequences.column_facts import format_number
from statewise.sequences.look import Look
from statewise.sequences.series_facts import SeriesFacts
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.tables import counted
from statewise.sequences.time_series import TimeSeries

_WIDTH = 32  # letters of a picture,
_ALONE = 60  # and of the only one
_NAME = 24  # of a column or a key
_COLUMNS = 40  # that are listed; of more, so many
_OUTLIERS = 3  # that are named


def print_look(look: Look, command: str, printer: Printer) -> None:
    """Print what is in a table, what is in the way of a forecast, and the command for one."""
    rows, columns = look.table.frame.shape
    size = f"{counted(rows, 'row')}, {counted(columns, 'column')}".replace(
        str(rows), f"{rows:,}", 1
    )
    printer.line("File", f"{look.table.name}: {size}")
    read = look.understood.line()
    if read:
        printer.line("Read as", read)
    _print_parts(printer, "Columns", [_said_of_column(one) for one in look.columns[:_COLUMNS]])
    if len(look.columns) > _COLUMNS:
        printer.line("", f"and {len(look.columns) - _COLUMNS} more")
    time = _said_of_time(look)
    if time:
        printer.line("Time", time)
    if look.data is not None:
        printer.line("Series", _said_of_lengths(look))
        letters = BLOCKS if _can_be_shown(BLOCKS) else ASCII
        width = _ALONE if len(look.lengths) == 1 else _WIDTH
        _print_parts(printer, "", [_said_of_series(one, letters, width) for one in look.series])
    for note in look.understood.notes:
        printer.note(note)
    for obstacle in look.obstacles:
        printer.line("Obstacle", obstacle)
    if command:
        printer.line("Command", command)


def look_as_json(look: Look, command: str, files: Sequence[str]) -> dict[str, Any]:
    """Return the same as an object of JSON."""
    return {
        "file": look.table.name,
        "rows": len(look.table.frame),
        "read_as": dict(look.understood.facts),
        "columns": [
            {
                "name": one.name,
                "kind": one.kind,
                "holds": one.holds,
                "missing": one.missing,
                "unreadable": one.unreadable,
            }
            for one in look.columns
        ],
        "time": list(look.time),
        "frequency": None if look.calendar is None else look.calendar.frequency,
        "repeated": look.repeated,
        "series": {
            "count": len(look.lengths),
            "steps": [int(steps) for steps in look.lengths],
            "shown": [_series_as_json(one) for one in look.series],
        },
        "notes": list(look.understood.notes),
        "obstacles": look.obstacles,
        "command": command or None,
        "files": list(files),
    }


def _series_as_json(one: SeriesFacts) -> dict[str, Any]:
    return {
        "name": one.name,
        "steps": len(one),
        "from": format_stamp(one.time[0]),
        "to": format_stamp(one.time[-1]),
        "missing": one.missing,
        "lowest": _finite(one.low),
        "median": _finite(one.middle),
        "highest": _finite(one.high),
        "constant": one.constant,
        "seasons": list(one.seasons),
        "outliers": [
            {"time": format_stamp(one.time[at]), "value": _finite(one.values[at])}
            for at in one.outliers
        ],
        "picture": sparkline(one.values, _WIDTH),
    }


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _said_of_column(one: Any) -> list[str]:
    holds = one.holds
    for count, what in ((one.missing, "missing"), (one.unreadable, "unreadable")):
        if count and one.kind != "empty":
            holds += f"; {count:,} {what}"
    return [one.name, one.kind, holds]


def _said_of_time(look: Look) -> str:
    if look.layout is None or (look.data is None and not look.time):
        return ""
    if look.layout.time is None:
        return "none: the rows are numbered"
    said = " and ".join(look.time) or look.layout.time
    if look.data is not None and look.calendar is not None:
        stamps, phrase = look.data.time, look.calendar.phrase
        said += f": {format_stamp(stamps.min())} to {format_stamp(stamps.max())}, {phrase}"
        missing = look.missing
        said += f", {counted(missing, 'step')} without a value" if missing else ", no gaps"
    if look.repeated:
        said += f", {counted(look.repeated, 'repeated stamp')}"
    return said


def _said_of_lengths(look: Look) -> str:
    lengths = look.lengths
    if isinstance(look.data, TimeSeries):
        return counted(len(look.data), "step")
    low, middle, high = int(lengths.min()), int(np.median(lengths)), int(lengths.max())
    said = f"{len(lengths):,}, of " + (
        f"{counted(low, 'step')} each"
        if low == high
        else f"{low:,} to {high:,} steps ({middle:,} in the middle)"
    )
    constant = look.constant
    said += f", {constant:,} constant" if constant else ""
    return said + ("" if len(look.series) == len(lengths) else f"; the first {len(look.series)}:")


def _said_of_series(one: SeriesFacts, letters: str, width: int) -> list[str]:
    if math.isnan(one.low):
        return [one.name, "", "no value"]
    picture = sparkline(one.values, width, letters)
    if one.constant:
        return [one.name, picture, f"always {format_number(one.low)}"]
    said = [f"{format_number(one.low)} to {format_number(one.high)}"]
    if one.missing:
        said.append(f"{one.missing:,} missing")
    if one.seasons:
        said.append(f"season {' and '.join(map(str, one.seasons))}")
    if len(one.outliers):
        shown = [
            f"{format_stamp(one.time[at])} ({format_number(one.values[at])})"
            for at in one.outliers[:_OUTLIERS]
        ]
        more = len(one.outliers) - len(shown)
        said.append(f"stands out: {', '.join(shown)}" + (f" and {more:,} more" if more else ""))
    return [one.name, picture, "; ".join(said)]


def _print_parts(printer: Printer, label: str, rows: Sequence[Sequence[str]]) -> None:
    """Print lines of parts that stand below each other; the last part is as long as it is."""
    if not rows:
        return
    shown = [[printable(name, _NAME), *map(printable, rest)] for name, *rest in rows]
    widths = [max(map(cell_len, parts)) for parts in zip(*shown, strict=True)]
    for place, row in enumerate(shown):
        parts = [set_cell_size(part, width) for part, width in zip(row, widths, strict=True)]
        printer.line(label if place == 0 else "", "  ".join([*parts[:-1], row[-1]]))


def _can_be_shown(letters: str) -> bool:
    """Whether the console's encoding has these letters."""
    try:
        letters.encode(getattr(sys.stdout, "encoding", None) or "utf-8")
    except UnicodeEncodeError:
        return False
    return True
