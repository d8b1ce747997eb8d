"""Files that have types of their own: Parquet, a folder of it, Feather and Arrow."""

from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
from pyarrow import dataset, feather, parquet

from statewise.sequences.reading.raw_table import Places
from statewise.sequences.reading.sources import Source
from statewise.sequences.tables import DataError, _index_as_column

_WORDS = {"parquet": "Parquet", "feather": "Feather", "arrow stream": "Arrow", "folder": "Parquet"}


def read_typed(source: Source) -> tuple[pd.DataFrame, Places]:
    """Return the rows of a Parquet, Feather or Arrow file, with the types that they have.

    Raises:
        DataError: where the file can't be read.
    """
    try:
        frame = _table(source).to_pandas()
    except (pa.ArrowException, ValueError, OSError, TypeError) as error:
        raise DataError(_unreadable(source, error)) from None
    frame = _index_as_column(frame)
    frame.columns = [str(name) for name in frame.columns]
    twice = frame.columns[frame.columns.duplicated()]
    if len(twice):
        raise DataError(f"{source.name} has several columns named {twice[0]!r}: rename all but one")
    return frame.reset_index(drop=True), Places("row", range(1, len(frame) + 1))


def typed_names(source: Source) -> list[str]:
    """Return the names of the columns that ``read_typed`` gives, of a Parquet file by its schema.

    Raises:
        DataError: where the file can't be read.
    """
    if source.kind not in ("parquet", "folder"):
        return list(read_typed(source)[0].columns)
    try:
        if source.kind == "folder":
            schema = _folder(source.path).schema
        else:
            schema = parquet.read_schema(pa.BufferReader(source.data))
        frame = schema.empty_table().to_pandas()
    except (pa.ArrowException, ValueError, OSError, TypeError) as error:
        raise DataError(_unreadable(source, error)) from None
    return [str(name) for name in _index_as_column(frame).columns]


def _unreadable(source: Source, error: BaseException) -> str:
    words = " ".join(str(error).split())
    return f"{source.name} is no readable {_WORDS[source.kind]} file: {words}"


def _table(source: Source) -> pa.Table:
    if source.kind == "folder":
        return _folder(source.path).to_table()
    data = pa.BufferReader(source.data)
    if source.kind == "parquet":
        return parquet.read_table(data)
    if source.kind == "feather":
        return feather.read_table(data)
    with pa.ipc.open_stream(data) as stream:
        return stream.read_all()


def _folder(path: Any) -> dataset.Dataset:
    """Return a folder's files as one; what its folders are called (store=001) is text."""
    files = sorted(
        str(file)
        for ending in ("*.parquet", "*.pq")
        for file in Path(path).rglob(ending)
        if not any(part.startswith((".", "_")) for part in file.relative_to(path).parts)
    )
    keys = dict.fromkeys(
        part.partition("=")[0]
        for file in files
        for part in Path(file).relative_to(path).parts[:-1]
        if "=" in part
    )
    partitions = dataset.partitioning(
        pa.schema([(key, pa.string()) for key in keys]), flavor="hive"
    )
    return dataset.dataset(
        files,
        format="parquet",
        partitioning=partitions if keys else None,
        partition_base_dir=str(path),
    )
