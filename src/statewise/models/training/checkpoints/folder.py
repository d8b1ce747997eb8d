"""The checkpoints of a training in a folder: their names, which is the newest whole one, how many.

A checkpoint is a file ``training-<batches>.safetensors``, numbered by the batches trained so far.
Where several processes train together, each writes a part, ``training-<batches>.2-of-4...``; such a
checkpoint is whole when all of its parts are there.
"""

import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise._whole_files import sync_folder
from statewise.models.training.checkpoints.container import (
    DamagedCheckpointError,
    read,
    write,
)

_NAME = re.compile(r"training-(\d{12})(?:\.(\d+)-of-(\d+))?\.safetensors")
_UNFINISHED = ".*.part.safetensors"  # what a kill leaves of a file that was being written


class Read(NamedTuple):
    """A checkpoint that was read.

    Attributes:
        path: of its file.
        arrays: by name.
        document: the rest.
    """

    path: Path
    arrays: dict[str, np.ndarray]
    document: dict[str, Any]

    @property
    def number(self) -> int:
        """How many batches were trained before it."""
        return int(_NAME.fullmatch(self.path.name)[1])  # type: ignore[index]


class Folder:
    """A folder of checkpoints.

    Args:
        path: of the folder; it's made when the first checkpoint is written.
        keep: how many checkpoints stay, the last ones.
        part: the number of this process among those that train together, from 0.
        parts: how many they are.

    >>> import tempfile
    >>> folder = Folder(Path(tempfile.mkdtemp()), keep=2)
    >>> for batches in (10, 20, 30):
    ...     folder.write(batches, {"a": np.ones(batches)}, {"epoch": batches // 10})
    >>> folder.numbers()
    [20, 30]
    >>> folder.newest().document
    {'epoch': 3}
    """

    def __init__(self, path: Path, keep: int = 3, part: int = 0, parts: int = 1):
        self.path = path
        self._keep = keep
        self._part, self._parts = part, parts

    def name(self, number: int) -> str:
        """Return the name of this process's file of a checkpoint."""
        part = "" if self._parts == 1 else f".{self._part + 1}-of-{self._parts}"
        return f"training-{number:012d}{part}.safetensors"

    def numbers(self) -> list[int]:
        """Return the numbers of the checkpoints all of whose parts are there, in order.

        Raises:
            ValueError: where there are checkpoints only of another number of processes.
        """
        found: dict[int, int] = {}
        others = set()
        for file in self._files():
            number, _, parts = _NAME.fullmatch(file.name).groups()  # type: ignore[union-attr]
            if int(parts or 1) == self._parts:
                found[int(number)] = found.get(int(number), 0) + 1
            else:
                others.add(int(parts or 1))
        if others and not found:
            raise ValueError(
                f"The checkpoints in {self.path} are those of {sorted(others)[0]} processes, and "
                f"{self._parts} train now. Start as many as before, or give another folder."
            )
        return sorted(number for number, parts in found.items() if parts == self._parts)

    def newest(
        self, damaged: str = "before", agreed: Callable[[int | None], int | None] | None = None
    ) -> Read | None:
        """Return the newest whole checkpoint; None where there is none.

        Args:
            damaged: what to do about one that is damaged: ``"before"`` warns, naming it, and takes
                the one before; ``"refuse"`` raises.
            agreed: where several processes train together: takes the number of the newest that this
                one could read, and returns the one that all can.

        Raises:
            DamagedCheckpointError: where a damaged one is to be refused, or all are damaged.
        """
        found, faults = None, []
        for number in reversed(self.numbers()):
            try:
                found = self.read(number)
                break
            except DamagedCheckpointError as error:
                faults.append(str(error))
                if damaged == "refuse":
                    raise DamagedCheckpointError(
                        f"{error}. Remove it to go on from the checkpoint before, or put an intact "
                        'copy in its place; damaged="before" takes the one before.'
                    ) from error
        if faults and found is None:
            raise DamagedCheckpointError(
                f"No checkpoint in {self.path} is whole: {'; '.join(faults)}. Nothing was changed. "
                "Put an intact copy in its place, or give another folder to begin anew."
            )
        if faults:
            warnings.warn(
                f"{'; '.join(faults)}. The training goes on from the one before, {found.path}.",  # type: ignore[union-attr]
                stacklevel=2,
            )
        if agreed is None:
            return found
        newest = None if found is None else found.number
        common = agreed(newest)
        return found if common == newest or common is None else self.read(common)

    def read(self, number: int) -> Read:
        """Read this process's file of a checkpoint.

        Raises:
            OSError: where there is no such file.
            DamagedCheckpointError: where it's damaged.
        """
        path = self.path / self.name(number)
        return Read(path, *read(path))

    def write(
        self, number: int, arrays: Mapping[str, np.ndarray], document: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint (or this process's part of it), and remove those that are too old.

        The old ones go when the new one is on the disk, so there is room for one more needed.

        Raises:
            OSError: where it can't be written; those written before stay.
        """
        path = self.path / self.name(number)
        try:
            if not self.path.is_dir():
                self.path.mkdir(parents=True, exist_ok=True)
                sync_folder(self.path.parent)
            write(path, arrays, document)
        except OSError as error:
            raise OSError(
                error.errno,
                f"The checkpoint could not be written ({error.strerror}); {self._last()} The model "
                "keeps the weights it has. Make room, and call fit again with the same checkpoint",
                str(path),
            ) from error
        # Files of higher numbers are damaged ones that a new run hasn't come to yet.
        whole = [n for n in self.numbers() if n <= number]
        for file in self._files() if len(whole) >= self._keep else []:
            old = int(_NAME.fullmatch(file.name)[1])  # type: ignore[index]
            if old < whole[-self._keep] and file.name == self.name(old):
                file.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove what a kill has left of files that were being written."""
        left = list(self.path.glob(_UNFINISHED)) if self._part == 0 else []
        for file in left:
            file.unlink(missing_ok=True)
        if left:
            sync_folder(self.path)

    def _files(self) -> list[Path]:
        if not self.path.is_dir():
            return []
        return [file for file in self.path.iterdir() if _NAME.fullmatch(file.name)]

    def _last(self) -> str:
        numbers = self.numbers()
        if not numbers:
            return "there is none before it."
        return f"the one before, {self.name(numbers[-1])}, is whole."
