"""Files cut short or with bits flipped, and what whoever reads them says and takes."""

import resource
from collections.abc import Callable
from pathlib import Path

_MOST = 1_000_000  # KiB that reading damaged files may take


def damaged(content: bytes, rng, number: int) -> bytes:
    """Return a file cut short, or with bits flipped, in turn."""
    if number % 2:
        return content[: rng.integers(0, len(content))]
    flipped = bytearray(content)
    for place in rng.integers(0, len(content), 1 + number % 7):
        flipped[place] ^= 1 << int(rng.integers(8))
    return bytes(flipped)


def check_damaged(path: Path, content: bytes, rng, count: int, tell: Callable[[Path], str]) -> None:
    """Write damaged files and read them: each that is refused is named, and memory is bounded.

    Args:
        path: where to write them.
        content: of the whole file.
        rng: what is damaged is drawn from it.
        count: how many.
        tell: reads the file; returns what was said, or nothing where what is left of it was read.
            Errors that it doesn't catch are none that a reader may raise.
    """
    told, before = 0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(count):
        path.write_bytes(damaged(content, rng, number))
        said = tell(path)
        told += bool(said)
        assert not said or path.stem in said
    assert told >= count / 3
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < _MOST
