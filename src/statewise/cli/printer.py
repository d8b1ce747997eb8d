"""What ``statewise`` prints: labelled lines, tables, and a bar while it trains."""

import json
import math
import sys
import warnings
from contextlib import contextmanager, nullcontext
from numbers import Integral

from rich import box
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from statewise.cli.refusal import printable

_WIDEST = 60  # letters of a heading
_WIDE = 240  # letters of a line in a file or a pipe
_PHASES = {
    "reading": "Reading",
    "choosing": "Choosing a transform",
    "collecting": "Collecting windows",
    "training": "Training on all that is known",
    "forecasting": "Forecasting",
}


class Printer:
    """Prints to stdout; bars and colours appear where that is a terminal.

    >>> Printer().line("Data", "144 steps")
    Data      144 steps

    Args:
        quiet: print nothing; what is wrong is told all the same.
        for_json: print nothing but what is given to `object`, with it notes to stderr.

    Attributes:
        notes: all that were printed, or would have been.
    """

    def __init__(self, *, quiet: bool = False, for_json: bool = False):
        self.console = Console(highlight=False, quiet=quiet or for_json)
        if not self.console.is_terminal:  # nothing that has to be broken into its width
            self.console.width = max(self.console.width, _WIDE)
        self.notes: list[str] = []
        self._held: list[tuple[Console, str, str]] = []
        self._for_json = for_json
        self._beside = (
            Console(highlight=False, stderr=True, quiet=quiet) if for_json else self.console
        )

    def line(self, label: str, text: str, *, held: bool = False) -> None:
        """Print a line that begins with a label.

        Args:
            label: stands before it.
            text: of the line.
            held: print it when training has begun, or anything else is printed: where the data
                are refused, nothing but that is told.
        """
        self._held.append((self.console, label, text))
        if not held:
            self.release()

    def note(self, text: str, *, held: bool = False) -> None:
        """Print a note, held or not; one that was printed already isn't printed again."""
        if text not in self.notes:
            self.notes.append(text)
            self._held.append((self._beside, "Note", text))
        if not held:
            self.release()

    def release(self) -> None:
        """Print what is held; with JSON only at its end, for an error is to be one line."""
        if not self._for_json:
            self._print_held()

    def _print_held(self) -> None:
        while self._held:
            self._line(*self._held.pop(0))

    def object(self, content: dict) -> None:
        """Print an object as JSON, where that was asked for; in letters that the console has."""
        if self._for_json:
            self._print_held()
            encoding = (getattr(sys.stdout, "encoding", None) or "utf-8").lower()
            plain = not encoding.startswith("utf")
            print(json.dumps(content, ensure_ascii=plain, allow_nan=False))

    def _line(self, console: Console, label: str, text: str) -> None:
        line = Text.assemble((f"{label:<10}", "dim"), printable(text))
        console.print(line, soft_wrap=True)

    def sentence(self, text: str) -> None:
        """Print a sentence by itself."""
        self.release()
        self.console.print(Text(printable(text), "bold"), soft_wrap=True)

    def table(self, frame, *, best: str | None = None) -> None:
        """Print a frame, its index first; the lowest number of each column bold if ``best``.

        Args:
            frame: of numbers; a missing one is printed as a dash.
            best: the heading of the index where the lowest number of a column is the best one.
        """
        self.release()
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        heading = Text(printable(best or str(frame.index.name or ""), _WIDEST))
        table.add_column(heading, no_wrap=True, overflow="crop")
        for name in frame.columns:
            table.add_column(Text(printable(str(name), _WIDEST)), justify="right")
        lowest = frame.min()
        for label, row in frame.iterrows():
            cells = [
                Text(_number(value), "bold" if best and value == lowest[name] else "")
                for name, value in row.items()
            ]
            table.add_row(Text(printable(str(label), _WIDEST)), *cells)
        self.console.print(table)

    def busy(self, text: str):
        """Return a context in which a terminal shows that something goes on."""
        return self.console.status(text) if self._shows else nullcontext()

    @property
    def _shows(self) -> bool:
        """Whether a terminal shows what goes on."""
        return self.console.is_terminal and not self.console.quiet

    @contextmanager
    def training(self):
        """Give a function that shows how far the training is, as `Forecaster.fit` calls it."""
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[unit]}"),
            TimeElapsedColumn(),
        )
        bar = Progress(
            *columns,
            console=self.console,
            transient=True,
            disable=not self._shows,
        )
        tasks = {}

        def show(phase: str, done: int, most: int, loss: float) -> None:
            self.release()
            unit = "series" if math.isnan(loss) else f"epochs, loss {loss:.4f}"
            total = None if phase == "reading" else most  # there is no telling before the end
            if phase not in tasks:
                for task in tasks.values():  # what went before may have ended early
                    bar.update(task, total=bar.tasks[task].completed)
                tasks[phase] = bar.add_task(_said(phase), total=total, unit=unit)
            bar.update(tasks[phase], completed=done, total=total, unit=unit)

        with bar:
            yield show


@contextmanager
def as_notes(printer: Printer):
    """Print warnings as notes of one line."""
    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: printer.note(str(message))
        yield


def _said(phase: str) -> str:
    """Say what goes on; in a backtest that learns anew, the window stands before it."""
    window, _, what = phase.rpartition(": ")
    return f"{window.capitalize()}: {_PHASES[what].lower()}" if window else _PHASES[what]


def _number(value: float) -> str:
    """Write a number with four digits, or all those before the point; a count as it is."""
    if isinstance(value, Integral):
        return f"{value:,}"
    if not math.isfinite(value):
        return "-"
    digits = 3 - math.floor(math.log10(abs(value))) if value else 0
    return f"{value:,.{min(max(digits, 0), 6)}f}"
