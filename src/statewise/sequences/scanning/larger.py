"""Whether a folder of files is to be read block by block: it has too many rows for one table."""

from pathlib import Path

from statewise.sequences.scanning.data_files import UnreadableFileError, find_files
from statewise.sequences.tables import DataError

ROWS = 1 << 20


def is_larger(path: Path, rows: int = ROWS) -> bool:
    """Whether a folder has more rows than these, or isn't of Parquet files that can be read.

    Only the files' own notes of how many rows they have are read.

    Args:
        path: of the folder.
        rows: how many are few.

    >>> import tempfile
    >>> import pandas as pd
    >>> folder = Path(tempfile.mkdtemp())
    >>> pd.DataFrame({"y": range(5)}).to_parquet(folder / "a.parquet")
    >>> is_larger(folder), is_larger(folder, rows=4)
    (False, True)
    """
    try:
        files = find_files(path) or []
    except DataError:  # there are none that are read so; who reads it as a table tells why not
        return False
    count = 0
    for file in files:
        if file.kind != "parquet":
            return True
        try:
            with file.open() as opened:
                count += opened.metadata.num_rows
        except UnreadableFileError:
            return True
        if count > rows:
            return True
    return False
