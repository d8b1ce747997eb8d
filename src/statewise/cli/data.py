"""What a command reads: one series, or a panel, out of one file or several."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from statewise.cli.printer import Printer
    from statewise.sequences.data_reading import ReadData
    from statewise.sequences.layout import Asked
    from statewise.sequences.reading.report import Understood
    from statewise.sequences.tables import Table


def read_data(files: Sequence[Path], **reading) -> "ReadData":
    """Return the series or the panel of some files, and what was understood of them.

    Args:
        files: to be read one after the other; none for the airline passengers.
        reading: what `table_of` takes.

    Raises:
        DataError, ValueError: where that isn't possible.
    """
    from statewise.sequences.data_reading import read_data as read

    table, asked, given = table_of(files, **reading)
    return read(table, asked, **given)


def table_of(
    files: Sequence[Path],
    *,
    key: Sequence[str],
    time: str | None,
    target: str | None,
    wide: bool,
    number_keys: bool,
    every: str | None,
    aggregate: str | None,
    missing: str | None,
    missing_value: Sequence[str],
    decimal: str | None,
    dayfirst: bool | None,
    sheet: str | None,
    **inputs,
) -> tuple["Table", "Asked", dict[str, Any]]:
    """Return the table of some files, which columns were named, and what else is to be done to it.

    Args:
        files: to be read one after the other; none for the airline passengers.
        key: columns of the keys, each one or several with commas between.
        time: the column of the time, or several with commas between; None to find it.
        target: the column to forecast; None to find it.
        wide: whether each column of numbers is a series.
        number_keys: whether keys are numbers, so that 001 and 1 are one.
        every, aggregate, missing: as in `statewise.sequences.data_reading.read_data`.
        missing_value: numbers and words that stand for missing values, or "none".
        decimal, dayfirst, sheet: as in `HowToRead`.
        inputs: tuples of the columns' names, by the part of `Columns`.

    Returns:
        The first two arguments of `statewise.sequences.data_reading.read_data`, and the others by
        their names.

    Raises:
        DataError, ValueError: where that isn't possible.
    """
    from statewise.datasets import airline_path
    from statewise.sequences.layout import Asked
    from statewise.sequences.tables import HowToRead, load_table

    how = HowToRead(
        sheet=sheet, decimal=decimal, dayfirst=dayfirst, missing_values=values_of(missing_value)
    )
    paths = [str(file) for file in files] or [str(airline_path())]
    table = load_table(paths[0] if len(paths) == 1 else paths, how)
    named = () if time is None else _names(table, [time])
    asked = Asked(
        time=named[0] if len(named) == 1 else named or None,  # "none" is a word, not a column
        key=_names(table, key),
        target=target,
        wide=True if wide else None,
        number_keys=number_keys,
    )
    given = {"inputs": inputs, "missing": missing, "every": every, "aggregate": aggregate}
    return table, asked, given


def print_understood(understood: "Understood", printer: "Printer") -> None:
    """Print in one line how a table was read, and notes on what could have been otherwise."""
    line = understood.line()
    if line:
        printer.line("Read as", line, held=True)
    for note in understood.notes:
        printer.note(note, held=True)


def _names(table: "Table", said: Sequence[str]) -> tuple[str, ...]:
    """Return names of columns out of what was typed: each one, or several with commas between."""
    names: list[str] = []
    for text in said:
        one = text in table.frame.columns or "," not in text
        names += [text] if one else [part.strip() for part in text.split(",")]
    return tuple(names)


def values_of(said: Sequence[str]) -> tuple[float | str, ...] | None:
    """Return the numbers and words that were named; None where nothing was said."""
    if not said:
        return None
    found: list[float | str] = []
    for word in (part.strip() for text in said for part in text.split(",")):
        try:
            found.append(float(word))
        except ValueError:
            found += [word] if word.lower() != "none" else []
    return tuple(found)
