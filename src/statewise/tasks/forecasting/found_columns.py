"""Which columns of a frame hold what: as somebody named them, or as it is found out."""

import warnings
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import narwhals as nw
import pandas as pd

from statewise._callers import level_of_caller
from statewise.sequences.columns import holds_times
from statewise.sequences.layout import Asked, find_layout
from statewise.sequences.panel import Columns
from statewise.sequences.reshape import with_rows_for_steps
from statewise.sequences.tables import load_table
from statewise.tasks.forecasting.indexed_panels import joined


def as_columns(given: Columns | Mapping[str, Any] | None) -> Columns:
    """Return the names of columns, given as `Columns`, as a mapping, or not at all.

    Raises:
        TypeError: where it is something else, or has a name that `Columns` hasn't.
    """
    if given is None:
        return Columns()
    if isinstance(given, Columns):
        return given
    if not isinstance(given, Mapping):
        raise TypeError(f"columns must be a Columns or a mapping, but is {type(given).__name__}")
    known = [field.name for field in fields(Columns)]
    wrong = [name for name in given if name not in (*known, "id")]  # which is key's old name
    if wrong:
        raise TypeError(f"columns has no part {wrong[0]!r}; it has {', '.join(known)}")
    return Columns(**given)


def found_columns(frame: nw.DataFrame) -> tuple[Any, Columns | None] | None:
    """Find out which columns of a frame hold what, as the command does of a file.

    Args:
        frame: of any library.

    Returns:
        The data to read, and the columns of a long table: None for one series or a wide table, of
        which the columns that are read are left. Or None where all columns are numbers besides one
        of times: such a frame is wide, as it stands.

    Raises:
        DataError: where it can't be found out: see `find_layout`.

    Example:
        >>> days = pd.date_range("2024-01-01", periods=3).tolist()
        >>> long = pd.DataFrame({"day": days * 2, "shop": list("aaabbb"), "sold": range(6)})
        >>> found_columns(nw.from_native(long))[1].key
        'shop'
        >>> found_columns(nw.from_native(long[["day", "sold"]][:3])) is None
        True
    """
    texts = [
        name
        for name, dtype in frame.schema.items()
        if not (dtype.is_numeric() or dtype.is_temporal() or dtype == nw.Boolean)
    ]
    if not texts or not all(isinstance(name, str) for name in frame.columns):
        return None
    native = frame.to_native()
    table = load_table(native if isinstance(native, pd.DataFrame) else frame.to_pandas())
    if len(texts) == 1 and holds_times(table.frame[texts[0]]):
        return None
    asked = Asked()
    reshaped = with_rows_for_steps(table)
    if reshaped is not None:
        table = reshaped.table
        asked = Asked(time=reshaped.time, target=reshaped.value)
    layout = find_layout(table, asked)
    for note in layout.table.understood.notes:
        warnings.warn(note, UserWarning, stacklevel=level_of_caller())
    names = list(layout.key_columns or ([layout.key] if layout.key is not None else []))
    used = [*names, *([layout.time] if layout.time is not None else []), *layout.targets]
    own = set(used) <= set(frame.columns) and reshaped is None
    data: Any = frame.select(used).to_native() if own else layout.table.frame[used]
    if layout.key is None or layout.time is None:  # a long table has both
        return data, None
    return data, Columns(key=joined(names), time=layout.time, target=layout.targets[0])
