"""Time goes forward within each key, from row to row and from file to file."""

import pandas as pd
import pyarrow as pa
from pyarrow import compute

from statewise.sequences.scanning.roles import Roles
from statewise.sequences.stamp_words import format_stamp
from statewise.sequences.tables import DataError


def check_order(table: pa.Table, roles: Roles, names: list[str], source: str) -> None:
    """Refuse rows of one key whose time goes back.

    Args:
        table: key, time, any columns, and last the number of the file of each row.
        roles: which columns are read.
        names: of the files.
        source: for messages.

    Raises:
        DataError: it names the key, both times and the files they are in.
    """
    key, time = table.column(0), table.column(1)
    if len(table) < 2:
        return
    same = compute.equal(key.slice(1), key.slice(0, len(key) - 1))
    back = compute.less(time.slice(1), time.slice(0, len(time) - 1))
    wrong = compute.and_(same, back).to_numpy()
    if not wrong.any():
        return
    row = int(wrong.argmax())
    files = table.column(table.num_columns - 1).slice(row, 2).to_pylist()
    first, second = (names[one] for one in files)
    raise goes_back(key[row], time[row], time[row + 1], first, second, roles, source)


def goes_back(key, before, after, first: str, second: str, roles: Roles, source: str) -> DataError:
    """Return the error of a series whose time doesn't go forward.

    Args:
        key: of the series.
        before, after: the times of two rows that follow each other.
        first, second: the files that these are in.
        roles: which columns are read.
        source: for messages.
    """
    same = before.equals(after)
    does = "does not go forward" if same else "goes back"
    before, after = _stamp(before), _stamp(after)
    hint = "Keep one row for each. " if same else ""
    sort = how_to_sort(roles, source)
    if first == second:
        where = f"from {before} to {after} in {first}"
    else:
        where = f"from {before} in {first} to {after} in {second}"
        hint += (
            "Files are read in the order of their names: give them as a list in another one, or "
        )
        sort = sort[0].lower() + sort[1:]
    return DataError(f"the time of series {key.as_py()!r} {does}, {where}. {hint}{sort}")


def how_to_sort(roles: Roles, source: str) -> str:
    """Say how to sort a panel by key and time.

    >>> roles = Roles("shop", "day", (), pa.schema([("shop", pa.string()), ("day", pa.date32())]))
    >>> print(how_to_sort(roles, "sales"))
    Sort the rows once by 'shop' and 'day', as with polars:
    scan_parquet('sales').sort('shop', 'day').sink_parquet('sorted.parquet')
    """
    kind = "csv" if source.lower().endswith((".csv", ".tsv")) else "parquet"
    return (
        f"Sort the rows once by {roles.key!r} and {roles.time!r}, as with polars: "
        f"scan_{kind}({source!r}).sort({roles.key!r}, {roles.time!r})"
        ".sink_parquet('sorted.parquet')"
    )


def _stamp(scalar: pa.Scalar) -> str:
    value = scalar.as_py()
    return format_stamp(value if isinstance(value, (int, float)) else pd.Timestamp(value))
