"""What is read block by block, told without loading what reads it."""

import os
from typing import Any

ROWS = 1 << 20  # in memory at a time, where nobody said how many
_OURS = (  # modules, all of whose classes are read so
    "pyarrow._dataset",
    "statewise.sequences.scanning.scan",
    "statewise.tasks.forecasting.scanned.panel",
)


def is_scanned(data: Any) -> bool:
    """Whether data are read block by block: a path, several, a scan, a data set of Arrow's.

    >>> is_scanned("a folder"), is_scanned([1.0, 2.0]), is_scanned(["a.csv", "b.csv"])
    (True, False, True)
    """
    if isinstance(data, (list, tuple)):
        return bool(data) and all(is_path(one) for one in data)
    places = {kind.__module__: kind.__name__ for kind in type(data).__mro__}
    reader = places.get("pyarrow.lib") == "RecordBatchReader"
    return is_path(data) or reader or any(place in places for place in _OURS)


def is_path(data: Any) -> bool:
    """Whether something is the path of a file or folder."""
    return isinstance(data, (str, os.PathLike))
