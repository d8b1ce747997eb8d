"""A fitted forecaster for other runtimes: its networks as ONNX, and how values are prepared.

All that a network sees of a series is a sum of averages of its latest values, in units of some
step; and its answer is added to another such sum. So a few numbers say how any forecaster prepares
values, and a short program can repeat what it says.
"""

import json
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from statewise._whole_files import write_beside
from statewise.tasks.forecasting.known_steps import counts_calendar

if TYPE_CHECKING:
    from statewise.tasks.forecasting.engine import TrainingData

NAME, FORMAT = "forecaster.json", 1

# Averages of latest values that are added up: for each its sign, how many steps before now the
# latest of them lies, and over how many values it runs.
Average = tuple[int, int, int]


Ends = tuple[np.ndarray, np.ndarray]  # of an interval


class Part(NamedTuple):
    """A sum of averages, 0 while fewer steps lie before now than it needs.

    >>> season_before = Part(12, [(1, 11, 1), (-1, 0, 1)])  # of the next step, less the last value
    """

    needs: int
    averages: Sequence[Average]


class Exported(NamedTuple):
    """What is written of a forecaster.

    Attributes:
        networks: models of one time step after the other, (batch, time, features) ->
            (batch, time, members), each of which sees the features of its members.
        told: how values are prepared, see `docs/onnx.md`.
    """

    networks: list[Any]
    told: dict[str, Any]


def write_exported(
    folder: str | os.PathLike, exported: Exported, more: dict[str, Any], *, overwrite: bool
) -> None:
    """Write the networks and what is told of them into a folder.

    Args:
        folder: a new one, or one that is empty.
        exported: of a forecaster.
        more: what is told besides.
        overwrite: whether there may be something. What an earlier call wrote goes then, since
            networks of two forecasters must not mix; other files stay.

    Raises:
        FileExistsError: where there is something else.
        OSError: where it can't be written.
        TypeError: where the folder is no path.
    """
    try:
        path = Path(folder)
    except TypeError:
        raise TypeError(
            f"folder is a {type(folder).__name__}; expected a path, such as 'passengers'"
        ) from None
    if path.exists() and not path.is_dir():
        raise FileExistsError(
            f"folder={os.fspath(folder)!r} is a file: export into a folder, which is made"
        )
    if path.exists() and any(path.iterdir()) and not overwrite:
        raise FileExistsError(
            f"folder={os.fspath(folder)!r} is there already, and not empty: export into a new "
            "folder, or write over an earlier export by overwrite=True"
        )
    names = [f"network_{number}.onnx" for number in range(len(exported.networks))]

    def write(beside: str) -> None:
        Path(beside).mkdir(exist_ok=True)
        for name, network in zip(names, exported.networks, strict=True):
            network.export(os.path.join(beside, name), state=True)
        told = {"format": FORMAT, **more, "networks": names, **exported.told}
        Path(beside, NAME).write_text(json.dumps(told, indent=1) + "\n", "utf-8")
        for old in _earlier(path):  # once all is written, and before any of it is in its place
            old.unlink(missing_ok=True)

    write_beside(path, write)


def _earlier(path: Path) -> list[Path]:
    """Return the files of an earlier export in a folder, first the one that tells of the others."""
    told = path / NAME
    if not told.is_file():
        return []
    try:
        names = json.loads(told.read_text("utf-8"))["networks"]
    except (ValueError, TypeError, LookupError):  # not of an export, or damaged
        names = []
    listed = set(map(str, names)) if isinstance(names, list) else set()
    return [told, *(one for one in path.glob("network_*.onnx") if one.name in listed)]


def told_intervals(levels: Sequence[float], band: Callable[[float], Ends]) -> list[dict[str, Any]]:
    """Return how far intervals reach from the points, step by step of those validation forecast.

    Args:
        levels: in percent.
        band: returns of a level how far below and above the points its ends lie, (steps,) each.
    """
    told = []
    for level in levels:
        below, above = band(level)
        told.append({"level": level, "below": below.tolist(), "above": above.tolist()})
    return told


def check_steps(data: "TrainingData") -> None:
    """Refuse a forecaster of series in which steps of the calendar have no row.

    What the program is given has no stamps: it would take the row after such a step for the step.

    Raises:
        ValueError: where there may be such steps, and values are missing.
    """
    gaps = bool(np.isnan(data.panel.values).any())
    if gaps and counts_calendar(data.panel, data.laid_out_by):
        raise refused(
            "where it learned, values were missing at steps of the calendar that its seasons count "
            "(days without a row, or without a value), and a program that sees values alone can't "
            "count these",
            "Fill them in before fit, or keep the forecaster by save",
        )


def refused(why: str, instead: str) -> ValueError:
    """Return the error that says why a forecaster can't be exported, and what to do."""
    return ValueError(f"this Forecaster can't be exported: {why}. {instead}.")
