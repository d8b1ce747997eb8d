"""What is packed: compressed files and archives, taken apart within bounds."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from typing import IO, Any

import pyarrow as pa

from statewise.sequences.tables import DataError, counted, listed

# What comes out of a packed file at most: a few kilobytes can be made to swell to terabytes.
LARGEST = 4 << 30
_PIECE = 1 << 24
_MAGIC = (
    (b"\x1f\x8b", "gz"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"\x28\xb5\x2f\xfd", "zst"),
    (b"BZh", "bz2"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),
)
PACKED_ENDINGS = (".gz", ".xz", ".zst", ".bz2", ".zip")
_FAULTS = (
    OSError,
    EOFError,
    ValueError,  # pyarrow's own are among these
    RuntimeError,
    NotImplementedError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
)
# What lies beside the table in many archives.
_BESIDE = (".md", ".pdf", ".html", ".htm", ".rst", ".png", ".jpg", ".py", ".ipynb", ".sha256", ".r")
_BESIDE_WORDS = ("readme", "license", "licence", "liesmich", "changelog", "sources")


def packed_as(data: bytes) -> str | None:
    """Return how bytes are packed ("gz", "xz", "zst", "bz2", "zip"), None where they aren't."""
    for magic, kind in _MAGIC:
        if data.startswith(magic):
            return kind
    return None


def unpacked(data: bytes, kind: str, name: str, limit: int | None = None) -> bytes:
    """Return what a compressed file holds.

    Args:
        data: its bytes.
        kind: how it is packed, not "zip".
        name: of the file, for messages.
        limit: how many bytes are wanted; None for all of them.

    Raises:
        DataError: where it is broken or swells beyond ``LARGEST``.
    """
    try:
        with _stream(data, kind) as stream:
            return _bounded(stream, name, limit)
    except DataError:
        raise
    except _FAULTS as error:
        raise DataError(f"{name} can't be unpacked ({kind}): {_why(error)}") from None


def _stream(data: bytes, kind: str) -> Any:
    if kind == "gz":
        return gzip.GzipFile(fileobj=io.BytesIO(data))
    if kind == "xz":
        return lzma.LZMAFile(io.BytesIO(data))
    if kind == "bz2":
        return bz2.BZ2File(io.BytesIO(data))
    return pa.CompressedInputStream(pa.BufferReader(data), "zstd")


def _bounded(stream: IO[bytes], name: str, limit: int | None) -> bytes:
    pieces, length = [], 0
    while piece := stream.read(_PIECE if limit is None else min(_PIECE, limit - length)):
        pieces.append(piece)
        length += len(piece)
        if length > LARGEST:
            raise DataError(
                f"{name} holds more than {LARGEST >> 20:,} MB: unpack it yourself and give the file"
            )
        if limit is not None and length >= limit:
            break
    return b"".join(pieces)


def open_zip(data: bytes, name: str) -> zipfile.ZipFile:
    """Return an archive, to be closed by the caller.

    Raises:
        DataError: where it is broken.
    """
    try:
        return zipfile.ZipFile(io.BytesIO(data))
    except _FAULTS as error:
        raise DataError(f"{name} is no readable zip archive: {_why(error)}") from None


def members(archive: zipfile.ZipFile) -> list[str]:
    """Return the names of an archive's files, without what systems leave in them."""
    return [
        member.filename
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not member.filename.rpartition("/")[2].startswith(".")
    ]


def only_member(archive: zipfile.ZipFile, name: str) -> str:
    """Return the one file of an archive that may be a table.

    Raises:
        DataError: where there is none, or several.
    """
    names = members(archive)
    if not names:
        raise DataError(f"{name} is an empty archive")
    tables = [member for member in names if not _is_beside(member)] or names
    if len(tables) > 1:
        raise DataError(
            f"{name} holds {counted(len(tables), 'file')}: {listed(tables)}; name one of them, as "
            f"in {name}/{tables[0]}"
        )
    return tables[0]


def _is_beside(member: str) -> bool:
    last = member.rpartition("/")[2].lower()
    return last.endswith(_BESIDE) or last.startswith(_BESIDE_WORDS)


def read_member(
    archive: zipfile.ZipFile, member: str, name: str, limit: int | None = None
) -> bytes:
    """Return a file of an archive.

    Raises:
        DataError: where it isn't there, is broken, encrypted or swells beyond ``LARGEST``.
    """
    if member not in archive.namelist():
        raise DataError(f"{name} has no {member!r}; it holds: {listed(members(archive))}")
    if archive.getinfo(member).flag_bits & 1:
        raise DataError(f"{name} is locked with a password: unpack it yourself and give the file")
    try:
        with archive.open(member) as stream:
            return _bounded(stream, f"{name}/{member}", limit)
    except DataError:
        raise
    except _FAULTS as error:
        raise DataError(f"{name}/{member} can't be unpacked: {_why(error)}") from None


def _why(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
