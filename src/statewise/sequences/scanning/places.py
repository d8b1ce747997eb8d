"""Where in the files of a panel each series lies, found in one pass over key and time."""

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from statewise.sequences.scanning.data_files import DataFile, SkippedFile, UnreadableFileError
from statewise.sequences.scanning.heads import starts_of
from statewise.sequences.scanning.order import goes_back, how_to_sort
from statewise.sequences.scanning.roles import Roles
from statewise.sequences.tables import DataError


@dataclass(frozen=True, eq=False)
class Places:
    """The series of a panel, and the pieces of them that lie together in a file.

    Attributes:
        keys: of the series, in the order in which they first appear.
        lengths: their steps, (series,) int64.
        offsets: series i has the pieces ``offsets[i]`` to ``offsets[i + 1]``, (series + 1,).
        file, group, row: of each piece: the number of the file, of the row group within it, and of
            the first row within that, (pieces,) int64.
        begin: the step of the series with which each piece begins, (pieces,) int64.
        gaps: whether values are missing, as far as the files say: whole numbers have no sign for
            that.
    """

    keys: list
    lengths: np.ndarray
    offsets: np.ndarray
    file: np.ndarray
    group: np.ndarray
    row: np.ndarray
    begin: np.ndarray
    gaps: bool


class _Runs(NamedTuple):
    """Rows of one key that stand together in a row group, for all of them: an array each."""

    key: pa.ChunkedArray
    file: np.ndarray
    group: np.ndarray
    row: np.ndarray
    steps: np.ndarray
    first: pa.ChunkedArray
    last: pa.ChunkedArray


def find_places(
    files: list[DataFile], roles: Roles, skips: bool, source: str
) -> tuple[Places, list[SkippedFile]]:
    """Look through a panel for where its series lie.

    Args:
        files: Parquet files.
        roles: which columns are read.
        skips: whether files that can't be read are left out. All columns are read to know it.
        source: for messages.

    Returns:
        The places, and the files that were left out.

    Raises:
        DataError: where a file can't be read, the rows of a series are not together in a file, or
            its time doesn't go forward.
    """
    runs: list[_Runs] = []
    skipped: list[SkippedFile] = []
    gaps = False
    for number, file in enumerate(files):
        try:
            with file.open() as opened:
                for group in range(opened.num_row_groups):
                    names = roles.names if skips else roles.names[:2]
                    found = _runs_of(file, opened, group, names, roles, source)
                    if found is not None:
                        runs.append(found._replace(file=np.full(len(found.row), number)))
                    gaps |= _has_gaps(opened, group, roles)
        except UnreadableFileError as error:
            if not skips:
                raise
            skipped.append(SkippedFile(error.path, error.reason))
            if runs and runs[-1].file[0] == number:  # its last series may go on behind the fault
                runs[-1] = _without_last(runs[-1])
    runs = [one for one in runs if len(one.row)]
    if not runs:
        raise DataError(f"{source} has no rows")
    return _joined(runs, files, roles, source, gaps), skipped


def _runs_of(file: DataFile, opened: Any, group: int, names, roles, source) -> _Runs | None:
    table = file.read_group(opened, group, names)
    if not len(table):
        return None
    table = roles.part(names).cast(table, file.path)
    key, time = table.column(0), table.column(1)
    starts = starts_of(key)
    inner = compute.less_equal(time.slice(1), time.slice(0, len(time) - 1)).to_numpy()
    inner = np.asarray(inner, bool)
    inner[starts[1:] - 1] = False
    if inner.any():
        row = int(inner.argmax())
        raise goes_back(key[row], time[row], time[row + 1], file.path, file.path, roles, source)
    ends = np.append(starts[1:], len(table))
    return _Runs(
        key.take(pa.array(starts)),
        np.zeros(len(starts), np.int64),
        np.full(len(starts), group),
        starts,
        ends - starts,
        time.take(pa.array(starts)),
        time.take(pa.array(ends - 1)),
    )


def _without_last(runs: _Runs) -> _Runs:
    return _Runs(*(one.slice(0, len(one) - 1) if isinstance(one, pa.ChunkedArray) else one[:-1]
                   for one in runs))  # fmt: skip


def _has_gaps(opened: Any, group: int, roles: Roles) -> bool:
    """Whether values of a row group are missing, or nothing says that none are."""
    about = opened.metadata.row_group(group)
    for place in range(about.num_columns):
        column = about.column(place)
        if column.path_in_schema in roles.columns:
            known = column.is_stats_set and column.statistics.has_null_count
            if not known or column.statistics.null_count:
                return True
    return False


def _joined(runs: list[_Runs], files, roles: Roles, source: str, gaps: bool) -> Places:
    chunks = [chunk for one in runs for chunk in one.key.chunks]
    code, keys = pd.factorize(pa.chunked_array(chunks).to_pandas())
    file, group, row, count = (
        np.concatenate([one[place] for one in runs]) for place in range(1, 5)
    )
    order = np.argsort(code, kind="stable")  # by series, in the order of files and rows
    code, file, group, row, count = (one[order] for one in (code, file, group, row, count))
    same = code[1:] == code[:-1]
    together = (file[1:] != file[:-1]) | (order[1:] == order[:-1] + 1)
    if (same & ~together).any():
        at = int((same & ~together).argmax())
        raise DataError(
            f"the rows of series {keys[code[at]]!r} in {files[file[at]].path} are not together: "
            "other keys stand between them. " + how_to_sort(roles, source)
        )
    first, last = (
        pa.chunked_array([chunk for some in column for chunk in some.chunks]).take(pa.array(order))
        for column in ([one.first for one in runs], [one.last for one in runs])
    )
    back = compute.less_equal(first.slice(1), last.slice(0, len(last) - 1)).to_numpy()
    wrong = same & np.asarray(back, bool)
    if wrong.any():
        at = int(wrong.argmax())
        paths = (files[file[at]].path, files[file[at + 1]].path)
        key = pa.scalar(keys[code[at]])
        raise goes_back(key, last[at], first[at + 1], *paths, roles, source)
    pieces = np.bincount(code)
    offsets = np.concatenate([[0], np.cumsum(pieces)])
    total = np.concatenate([[0], np.cumsum(count)])
    begin = total[:-1] - np.repeat(total[offsets[:-1]], pieces)
    lengths = np.diff(total[offsets])
    return Places(keys.tolist(), lengths, offsets, file, group, row, begin, gaps)
