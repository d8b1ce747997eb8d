"""A panel that comes as batches of Arrow, from a data set, a scanner or a table."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
from pyarrow import dataset

from statewise.sequences.scanning.data_files import UnreadableFileError
from statewise.sequences.tables import DataError


def reads_batches(source: Any) -> bool:
    """Whether something gives batches of Arrow.

    >>> reads_batches(pa.table({"y": [1.0]})), reads_batches([1.0])
    (True, False)
    """
    known = (dataset.Dataset, dataset.Scanner, pa.RecordBatchReader, pa.Table, pa.RecordBatch)
    return isinstance(source, known)


class OneReader:
    """Whatever gives batches, in the place of a file.

    Args:
        source: a data set, scanner, reader, table or batch of Arrow.
        path: what to call it in messages.
    """

    kind = "arrow"

    def __init__(self, source: Any, path: str):
        self.path = path
        if isinstance(source, pa.RecordBatch):
            source = pa.Table.from_batches([source])
        self._source = source
        self._spent = False

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns."""
        known = self._source
        schema = known.projected_schema if isinstance(known, dataset.Scanner) else known.schema
        return schema.remove_metadata()

    def batches(
        self, columns: list[str], rows: int, types: Mapping[str, pa.DataType]
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows, some at a time; see ``DataFile.batches``."""
        source = self._source
        try:
            if isinstance(source, dataset.Dataset):
                source = source.scanner(columns=columns, batch_size=rows, batch_readahead=4,
                                        fragment_readahead=1)  # fmt: skip
            if isinstance(source, pa.RecordBatchReader):
                if self._spent:
                    raise DataError(
                        "the reader has been read already, and can't begin again: give a data set, "
                        "a table or paths"
                    )
                self._spent = True
                batches = iter(source)
            elif isinstance(source, dataset.Scanner):
                batches = source.to_batches()
            else:
                batches = iter(source.to_batches(max_chunksize=rows))
            for batch in batches:
                for start in range(0, batch.num_rows, rows):
                    yield batch.slice(start, rows).select(columns)
        except (pa.ArrowException, OSError) as error:
            raise UnreadableFileError(self.path, error) from None
