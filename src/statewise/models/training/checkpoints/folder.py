"""The checkpoints of a training in a folder: their names, which is the newest whole one, how many.

A checkpoint is a file ``training-<batches>.safetensors``, numbered by the batches trained so far.
Where several processes train together, the first of them writes it for all.
"""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from statewise._whole_files import sync_folder
from statewise.models.training.checkpoints.container import (
    DamagedCheckpointError,
    read,
    write,
)

_NAME = re.compile(r"training-(\d{12})\.safetensors")
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

    >>> import tempfile
    >>> folder = Folder(Path(tempfile.mkdtemp()), keep=2)
    >>> for batches in (10, 20, 30):
    ...     folder.write(batches, {"a": np.ones(batches)}, {"epoch": batches // 10})
    >>> folder.numbers()
    [20, 30]
    >>> folder.newest().document
    {'epoch': 3}
    """

    def __init__(self, path: Path, keep: int = 3):
        self.path = path
        self._keep = keep

    def name(self, number: int) -> str:
        """Return the name of a checkpoint's file."""
        return f"training-{number:012d}.safetensors"

    def numbers(self) -> list[int]:
        """Return the numbers of the checkpoints that are there, in order."""
        return sorted(int(_NAME.fullmatch(file.name)[1]) for file in self._files())  # type: ignore[index]

    def newest(self, damaged: str = "before") -> Read | None:
        """Return the newest whole checkpoint; None where there is none.

        Args:
            damaged: what to do about one that is damaged: ``"before"`` warns, naming it, and takes
                the one before; ``"refuse"`` raises.

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
        return found

    def read(self, number: int) -> Read:
        """Read a checkpoint.

        Raises:
            OSError: where there is no such file.
            DamagedCheckpointError: where it's damaged.
        """
        path = self.path / self.name(number)
        return Read(path, *read(path))

    def write(
        self, number: int, arrays: Mapping[str, np.ndarray], document: Mapping[str, Any]
    ) -> None:
        """Write a checkpoint, and remove those that are too old.

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
        self.forget_before(number)

    def forget_before(self, number: int) -> None:
        """Remove all but the last checkpoints up to a number: a kill may have left one too many."""
        # Files of higher numbers are damaged ones that a new run hasn't come to yet.
        whole = [n for n in self.numbers() if n <= number]
        for file in self._files() if len(whole) >= self._keep else []:
            old = int(_NAME.fullmatch(file.name)[1])  # type: ignore[index]
            if old < whole[-self._keep] and file.name == self.name(old):
                file.unlink(missing_ok=True)

    def clean(self) -> None:
        """Remove what a kill has left of files that were being written."""
        left = list(self.path.glob(_UNFINISHED))
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
