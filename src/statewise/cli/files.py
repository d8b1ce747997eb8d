"""The files that ``statewise forecast`` and ``statewise backtest`` write."""

import shlex
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from statewise._whole_files import written_whole
from statewise.cli.places import unwritten
from statewise.cli.printer import Printer
from statewise.cli.refusal import Refusal
from statewise.sequences.stamp_words import format_stamps

if TYPE_CHECKING:
    from statewise.pictures.report import Report


def write_table(frame: pd.DataFrame, path: Path, **options) -> None:
    """Write a table as CSV, its time stamps as they are read again.

    Args:
        frame: the table.
        path: of the file.
        options: of `pandas.DataFrame.to_csv`; by default without the index.

    Raises:
        Refusal: if it can't be written.
    """
    frame = frame.copy()
    for name in frame.columns:
        if isinstance(frame[name].dtype, (np.dtype, pd.DatetimeTZDtype)) and (
            frame[name].dtype.kind == "M"
        ):
            frame[name] = format_stamps(pd.Index(frame[name]))
    try:
        with written_whole(path) as beside:
            frame.to_csv(beside, **{"index": False, **options})
    except OSError as error:
        raise unwritten(path.parent, error) from None


@contextmanager
def any_letters(printer: Printer) -> Iterator[None]:
    """Tell in one note, not in one for each letter, that a picture's font hasn't all of them."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        yield
    missing = [one for one in caught if str(one.message).startswith("Glyph ")]
    if missing:
        printer.note("the picture shows boxes for letters that its font hasn't")
    for one in caught:
        if one not in missing:
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def write_picture(figure: Figure, path: Path) -> None:
    """Write a picture of 100 dots an inch.

    Raises:
        Refusal: if it can't be written.
    """
    try:
        with written_whole(path) as beside:
            figure.savefig(beside, dpi=100)
    except OSError as error:
        raise unwritten(path.parent, error) from None


def write_page(page: "Report", path: Path, printer: Printer) -> None:
    """Write a report, and say where.

    Raises:
        Refusal: if it can't be written.
    """
    try:
        from statewise.pictures.report import write_report  # it loads the engine

        write_report(page, path)
    except OSError as error:
        raise Refusal(f"--report {path} can't be written: {error.strerror or error}") from None
    printer.line("Report", str(path))


def command_line() -> str:
    """Return the command as it was typed."""
    return shlex.join(["statewise", *sys.argv[1:]])
