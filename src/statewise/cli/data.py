"""What a command reads: one series, or a panel where there are keys."""

from pathlib import Path

from statewise.cli.refusal import Refusal

_KEY = "unique_id"


def read_data(file: Path | None, *, key, time, target, missing, **inputs):
    """Return the `TimeSeries` of a file, or its `Panel` where it has keys or inputs.

    Args:
        file: CSV or Parquet; None for the airline passengers.
        key: the column of the keys; None where there are none, unless one is named unique_id.
        time, target: columns; None where they are to be found.
        missing: what to do about missing values; None for "raise" with one series, "mask" with a
            panel.
        inputs: tuples of the columns' names, by the part of `Columns`.

    Raises:
        DataError, ValueError: where that isn't possible.
    """
    from statewise.datasets import airline_path
    from statewise.sequences import read_panel, read_series
    from statewise.sequences.tables import load_table

    file = file or airline_path()
    inputs = {part: names for part, names in inputs.items() if names}
    if key is None and not inputs and not _has_keys(file):
        if missing == "mask":
            raise Refusal("--missing mask is for many series: take fill or drop for one")
        return read_series(file, time=time, target=target, missing=missing or "raise")
    if missing in ("fill", "drop"):
        raise Refusal(
            f"--missing {missing} is for one series; in a panel missing values are left out of the "
            "loss (--missing mask)"
        )
    table = load_table(file)
    panel = read_panel(table, _columns(table, key, time, target, inputs))
    if missing == "raise":
        _refuse_missing(panel)
    return panel


def _refuse_missing(panel) -> None:
    """Refuse a panel with missing values; rows that its calendar leaves out count as such."""
    import numpy as np

    from statewise.sequences.frames import format_stamp
    from statewise.sequences.panel import format_keys

    unknown = np.isnan(panel.values).any(axis=1)
    if unknown.any():
        row = int(unknown.argmax())
        key = panel.keys[panel.series_of_rows()[row : row + 1]]
        raise Refusal(
            f"{unknown.sum()} of {len(unknown)} steps have missing values, the first at "
            f"{format_stamp(panel.time[row])} of series {format_keys(key)}: fill them in, or leave "
            "them out of the loss by --missing mask"
        )


def _has_keys(file: Path) -> bool:
    """Whether a file has a column named unique_id; what is wrong with it is told on reading it."""
    from statewise.sequences.tables import DataError, read_header

    try:
        if file.suffix.lower() in (".parquet", ".pq"):
            from pyarrow import ArrowException
            from pyarrow.parquet import read_schema

            try:
                return _KEY in read_schema(file).names
            except ArrowException:
                return False
        return _KEY in read_header(file)
    except (OSError, DataError):
        return False


def _columns(table, key, time, target, inputs):
    """Return the panel's columns; those that nobody named are found as for one series."""
    from statewise.sequences import Columns, DataError
    from statewise.sequences.columns import guess_target, guess_time
    from statewise.sequences.panel_reading import check_columns
    from statewise.sequences.tables import Table, listed

    if key is not None:
        check_columns(table, [key])
    key = key or _KEY
    named = [name for names in inputs.values() for name in names]
    others = [name for name in table.frame.columns if name not in (key, target, *named)]
    rest = Table(table.frame[others], table.name, table.places)
    if time is None:
        time = "ds" if "ds" in others else guess_time(rest)
    if time is None:
        raise DataError(
            f"{table.name} has no column of dates, so name the one of time (--time); its columns "
            f"are: {listed(table.frame.columns)}"
        )
    if target is None:
        target = "y" if "y" in others else guess_target(rest, time)
    return Columns(key=key, time=time, target=target, **inputs)
