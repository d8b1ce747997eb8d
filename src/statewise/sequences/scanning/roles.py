"""Which columns of a panel's files hold what, and that all files agree on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import compute
from pyarrow import types as kinds

from statewise.sequences.panel import Columns
from statewise.sequences.tables import DataError, listed


@dataclass(frozen=True)
class Roles:
    """The columns of a panel that are read, and what they are for.

    Attributes:
        key: the column that tells the series apart.
        time: the column of time stamps, or of the numbers of steps.
        columns: the other columns that are read.
        schema: of what is read: key, time, then the others.
    """

    key: str
    time: str
    columns: tuple[str, ...]
    schema: pa.Schema

    @property
    def names(self) -> list[str]:
        """The columns that are read."""
        return self.schema.names

    def part(self, names: Sequence[str]) -> "Roles":
        """Return the roles where only some columns are read, key and time first."""
        return Roles(self.key, self.time, tuple(names[2:]),
                     pa.schema([self.schema.field(name) for name in names]))  # fmt: skip

    def features(self) -> "Roles":
        """Return the roles where neither key nor time is read."""
        schema = pa.schema([self.schema.field(name) for name in self.columns])
        return Roles(self.key, self.time, self.columns, schema)

    def cast(self, batch: pa.RecordBatch | pa.Table, where: str) -> pa.Table:
        """Return rows with the types that all files have in common.

        Raises:
            DataError: where they have others, or a key or a time is missing.
        """
        table = batch if isinstance(batch, pa.Table) else pa.Table.from_batches([batch])
        columns = []
        for field in self.schema:
            if field.name not in table.column_names:
                raise DataError(f"{where} has no column {field.name!r}")
            column = table.column(field.name)
            try:
                columns.append(column.cast(field.type))
            except (pa.ArrowException, ValueError) as error:
                raise DataError(
                    f"the column {field.name!r} of {where} can't be read as {field.type}: "
                    f"{' '.join(str(error).split())}"
                ) from None
            if field.name in (self.key, self.time) and columns[-1].null_count:
                row = compute.index(compute.is_null(columns[-1]), True).as_py()
                raise DataError(
                    f"the column {field.name!r} of {where} is missing in "
                    f"{columns[-1].null_count} of {len(table)} rows read together, the first of "
                    f"them number {row}: each row needs a key and a time"
                )
        return pa.Table.from_arrays(columns, schema=self.schema)


def find_roles(
    schema: pa.Schema, key: str | None, time: str | None, columns: Sequence[str] | None, where: str
) -> Roles:
    """Return which columns of a schema hold what.

    Args:
        schema: of the first file.
        key, time, columns: as named by the user; None for what has the usual name or is alone.
        where: the name of the first file.

    Raises:
        DataError: where there is no such column, or several could be the time.
    """
    twice = [name for name in schema.names if schema.names.count(name) > 1]
    if twice:
        raise DataError(f"{where} has several columns named {twice[0]!r}: rename all but one")
    usual = Columns()
    if key is None:
        key = usual.key
    if key not in schema.names:
        raise DataError(
            f"{where} has no column {key!r}; it has: {listed(schema.names)}. Say by key= which of "
            "them tells the series apart"
        )
    if time is None:
        dated = [field.name for field in schema if _is_time(field.type)]
        if usual.time in schema.names:
            time = usual.time
        elif len(dated) == 1:
            time = dated[0]
        else:
            found = f"several columns of dates, {listed(dated)}" if dated else "no column of dates"
            raise DataError(f"{where} has {found}: say by time= which is the time")
    if columns is None:
        columns = [name for name in schema.names if name not in (key, time)]
    names = [key, time, *columns]
    for name in names:
        if name not in schema.names:
            raise DataError(f"{where} has no column {name!r}; it has: {listed(schema.names)}")
        if names.count(name) > 1:
            raise DataError(f"the column {name!r} is named twice: a column has one part only")
    fields = [pa.field(name, _read_as(schema.field(name).type)) for name in names]
    fields[0] = fields[0].with_type(_key_type(fields[0].type, key, where))
    fields[1] = fields[1].with_type(_time_type(fields[1].type, time, where))
    return Roles(key, time, tuple(columns), pa.schema(fields))


def agree(roles: Roles, others: Iterable[tuple[str, pa.Schema]], first: str) -> Roles:
    """Return roles with types that hold the values of all files.

    Numbers and time stamps of different sizes become the larger; anything else that differs is a
    fault.

    Args:
        roles: of the first file.
        others: the names of the other files, and their schemas.
        first: the name of the first file.

    Raises:
        DataError: where a file lacks a column, or has another kind of values in it.
    """
    agreed = {field.name: field.type for field in roles.schema}
    for where, schema in others:
        for name, expected in agreed.items():
            if name not in schema.names:
                raise DataError(
                    f"the schema changes: {where} has no column {name!r}, which {first} has; it "
                    f"has: {listed(schema.names)}. Leave the file out, or the column by columns="
                )
            found = _read_as(schema.field(name).type)
            if found == expected:
                continue
            joined = _join(expected, found)
            if joined is None:
                raise DataError(
                    f"the schema changes: the column {name!r} is {found} in {where}, but "
                    f"{expected} in {first}. Write both files with one type"
                )
            agreed[name] = joined
    fields = [pa.field(name, kind) for name, kind in agreed.items()]
    return Roles(roles.key, roles.time, roles.columns, pa.schema(fields))


def _read_as(kind: pa.DataType) -> pa.DataType:
    """Return the plain type for one that is only stored in another way."""
    if kinds.is_dictionary(kind):
        kind = kind.value_type
    if kinds.is_large_string(kind) or kinds.is_string_view(kind):
        return pa.string()
    if kinds.is_decimal(kind):
        return pa.float64()
    if kinds.is_date(kind):
        return pa.timestamp("s")
    return kind


def _join(one: pa.DataType, other: pa.DataType) -> pa.DataType | None:
    """Return the type that holds the values of two, if there is one that is alike."""
    if kinds.is_null(one):
        return other
    if kinds.is_null(other):
        return one
    numbers = [kinds.is_integer(kind) or kinds.is_floating(kind) for kind in (one, other)]
    stamps = [_is_time(kind) for kind in (one, other)]
    if all(numbers) or (all(stamps) and getattr(one, "tz", None) == getattr(other, "tz", None)):
        tables = [pa.schema([pa.field("x", kind)]) for kind in (one, other)]
        try:
            return pa.unify_schemas(tables, promote_options="permissive").field("x").type
        except pa.ArrowException:
            return None
    return None


def _key_type(kind: pa.DataType, name: str, where: str) -> pa.DataType:
    if kinds.is_string(kind) or kinds.is_integer(kind) or _is_time(kind):
        return kind
    raise DataError(
        f"the column {name!r} of {where} can't be the key: it holds {kind}, but must hold text or "
        "whole numbers"
    )


def _time_type(kind: pa.DataType, name: str, where: str) -> pa.DataType:
    if _is_time(kind) or kinds.is_integer(kind) or kinds.is_floating(kind):
        return kind
    raise DataError(
        f"the column {name!r} of {where} can't be the time: it holds {kind}, but must hold time "
        "stamps (in a CSV file as 2024-01-31 or 2024-01-31 12:00:00) or numbers"
    )


def _is_time(kind: pa.DataType) -> bool:
    return kinds.is_timestamp(kind) or kinds.is_date(kind)
