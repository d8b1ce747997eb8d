"""What is told of a reading: what was decided although it might have been otherwise."""

import numpy as np
import pandas as pd

from statewise.sequences.reading.text_times import Choice, Reading


def notes_on(choice: Choice, codes: np.ndarray, name: object) -> list[str]:
    """Return sentences about a reading.

    Args:
        choice: what was taken.
        codes: which of its texts each cell has, -1 for none.
        name: of the column.
    """
    taken, other = choice.taken, choice.other
    notes = [] if other is None else [_either(taken, other)]
    if taken.shortened:
        years = taken.fields.years()[taken.stamps.notna()]
        notes.append(
            f"years are written without their century in {_column(name)}: they are taken as "
            f"{years.min()} to {years.max()}"
        )
    bare = taken.fields.there & ~taken.fields.clocked & taken.stamps.notna()
    if bare.any() and taken.fields.clocked.any():
        notes += note_midnights(int(np.isin(codes, np.flatnonzero(bare)).sum()))
    if taken.style == "ydm":
        notes.append(f"{_column(name)} is read as year, day, month: no other order fits")
    return notes


def note_midnights(count: int) -> list[str]:
    """Say that dates stand among date-times."""
    stand = "stamp stands" if count == 1 else "stamps stand"
    return [f"{count} {stand} without a time of day among others with one: read as midnight"]


def note_wall(twice: pd.Timestamp, zone: str) -> str:
    """Say that stamps were put in the zone whose clock they show."""
    return (
        f"{twice:%Y-%m-%d %H:%M} comes twice, as on clocks that are set back there: the times are "
        f"taken for those of the zone {zone}, first in summer time"
    )


def _either(taken: Reading, other: Reading) -> str:
    row = int(np.flatnonzero(taken.stamps != other.stamps)[0])
    here, there = (_in_words(reading.stamps[row]) for reading in (taken, other))
    note = f"nothing says whether {taken.texts[row]!r} is {here} or {there}: {here} was taken"
    if {taken.style, other.style} == {"dmy", "mdy"}:
        option = "--dayfirst" if taken.style == "mdy" else "--monthfirst"
        note += f"; {option} (dayfirst={taken.style == 'mdy'}) reads the other"
    return note


def _in_words(stamp: pd.Timestamp) -> str:
    return f"{stamp.day} {stamp.month_name()} {stamp.year}"


def _column(name: object) -> str:
    return "the time" if name is None else f"the column {name!r}"
