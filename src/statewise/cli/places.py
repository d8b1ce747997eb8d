"""The places that commands write to, looked at before the work is done."""

import os
import secrets
from collections.abc import Sequence
from pathlib import Path

from statewise.cli.refusal import Refusal


def check_places(paths: Sequence[Path], option: str, *, force: bool) -> None:
    """Make the folder of files that will be written, and refuse what would fail then.

    Not to fail after the training, nor to write over what another one left.

    Args:
        paths: of the files, in one folder.
        option: which names the place.
        force: whether files that are there may be written over.

    Raises:
        Refusal: where the folder can't be made or written to, where a path is a folder, where a
            file is there.
    """
    folder = paths[0].parent
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Refusal(f"{option} {folder} is no folder to write to: {error.strerror}") from None
    for path in paths:
        if path.is_dir():
            raise Refusal(f"{option}: {path} is a folder, and can't be written as a file")
    there = [path for path in paths if path.is_file()]
    if there and not force:
        names = " and ".join(map(str, there))
        one = len(there) == 1
        raise Refusal(
            f"{names} {'is' if one else 'are'} there already: --force writes over "
            f"{'it' if one else 'them'}, {option} names another place"
        )
    probe = folder / f".{secrets.token_hex(6)}.part"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        # Files that are there can be changed where no new one can be made; so can devices.
        if not all(path.exists() and os.access(path, os.W_OK) for path in paths):
            raise unwritten(folder, error) from None


def unwritten(folder: Path, error: OSError) -> Refusal:
    """Return the refusal for a folder that an error said can't be written to."""
    return Refusal(f"{folder} can't be written to: {error.strerror or error}")
