"""Where a table is: a path, a member of an archive, a folder, standard input; never a URL."""

import os
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from statewise.sequences.reading.archives import (
    PACKED_ENDINGS,
    members,
    only_member,
    open_zip,
    packed_as,
    read_member,
    unpacked,
)
from statewise.sequences.tables import DataError, counted, listed

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:/{1,2}[^/]|file:///")
_DEEPEST = 3  # a table packed in a zip that is packed: further down it's no table that was meant
_HEAD = 1 << 18
_KINDS = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "feather"),
    (b"FEA1", "feather"),
    (b"\xff\xff\xff\xff", "arrow stream"),
)
_REFUSED = (
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        "a workbook of old Excel (.xls): save it as .xlsx or CSV",
    ),
    (b"SQLite format 3\0", "an SQLite database: export the table as CSV"),
    (b"\x89HDF", "an HDF5 file: read it with pandas.read_hdf and give the frame"),
    (b"CDF\x01", "a NetCDF file: read it with xarray and give the frame"),
    (b"CDF\x02", "a NetCDF file: read it with xarray and give the frame"),
    (b"%PDF", "a PDF document: a table in it must be copied out into a CSV file"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
    (b"\x93NUMPY", "a NumPy array: load it and give it as a pandas frame"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive: unpack it and give the file"),
    (b"Rar!", "a rar archive: unpack it and give the file"),
    (b"{\\rtf", "a text document (RTF): save the table as CSV"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself: git lfs pull gets it"),
)
_PAGE = re.compile(rb"\s*(?:<!--.*?-->\s*)*<(?:!doctype html|html|head|body|table)\b", re.I | re.S)
_XML = re.compile(rb"\s*<\?xml\b", re.I)


@dataclass(frozen=True)
class Source:
    """The bytes of a table, unpacked.

    Attributes:
        name: what to call it in a message.
        data: its bytes, the first of them only where no more were asked for.
        ending: of its name, in small letters, without what says how it was packed.
        kind: "text", "json", "xlsx", "parquet", "feather", "arrow stream" or "folder".
        said: words about how it was packed; empty where it wasn't.
        path: of a folder of Parquet files.
        cut: whether ``data`` is only the first part.
    """

    name: str
    data: bytes
    ending: str
    kind: str
    said: list[str] = field(default_factory=list)
    path: Path | None = None
    cut: bool = False


def open_source(path: Any, *, head: bool = False) -> Source:
    """Return the table's bytes and what kind of file they are, told by the content.

    Args:
        path: of a file or a folder of Parquet files, of a member of a zip archive
            (``archive.zip/member.csv``), or "-" for standard input.
        head: whether the first part of a text is enough.

    Raises:
        DataError: where there is no such file, it can't be read, is empty or no table.
        TypeError: where it is no path.
    """
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"a file is given as its path, not as {type(path).__name__}")
    if str(path) == "-":
        return _unpack(_standard_input(), "standard input", "", [], head)
    if _URL.match(str(path)):
        address = re.sub(r"^(\w+):/(?!/)", r"\1://", str(path))
        raise DataError(f"{address} is a URL: download it first, and give the file")
    path = Path(path)
    if str(path).startswith("~"):
        path = path.expanduser()
    try:
        if path.is_dir():
            return _folder(path)
        if not path.exists():
            return _member(path, head)
        return _unpack(_bytes_of(path, head), str(path), path.name, [], head)
    except OSError as error:
        raise DataError(f"{path} can't be read: {error.strerror or error}") from None
    except ValueError as error:  # a zero in the name
        if isinstance(error, DataError):
            raise
        raise DataError(f"{str(path)!r} is no path: {error}") from None


def _bytes_of(path: Path, head: bool) -> bytes:
    with path.open("rb") as file:
        start = file.read(_HEAD)
        # A packed file, or one whose table of contents is at its end, is read whole.
        if head and len(start) == _HEAD and packed_as(start) is None and _kind(start, "") == "text":
            return start
        return start + file.read()


_last_input: tuple[Any, bytes] | None = None


def _standard_input() -> bytes:
    """Read what is piped in: once, however often it is asked for."""
    global _last_input
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise DataError("standard input is closed: pipe a table into the command")
    if _last_input is None or _last_input[0] is not stream:
        try:
            _last_input = (stream, stream.read())
        except (OSError, ValueError) as error:
            raise DataError(f"standard input can't be read: {error}") from None
    return _last_input[1]


def _folder(path: Path) -> Source:
    if any(_parquet_files(path)):
        return Source(str(path), b"", "", "folder", ["a folder of Parquet files"], path)
    files = sorted(item.name for item in path.iterdir() if item.is_file())[:100]
    holds = f"; give its files: {listed(files)}" if files else ""
    raise DataError(f"{path} is a folder, and holds no Parquet files{holds}")


def _parquet_files(path: Path) -> Any:
    return (file for ending in ("*.parquet", "*.pq") for file in path.rglob(ending))


def _member(path: Path, head: bool) -> Source:
    """Return a file of an archive, by a path that goes on after the archive's name."""
    for parent in path.parents:
        if parent.is_file():
            data = parent.read_bytes()
            if packed_as(data) != "zip":
                break
            with open_zip(data, str(parent)) as archive:
                member = path.relative_to(parent).as_posix()
                inside = _enough(partial(read_member, archive, member, str(parent)), member, head)
            return _unpack(inside, str(path), path.name, [], head, depth=1)
    raise DataError(f"{path}: no such file")


def _unpack(
    data: bytes, name: str, last: str, said: list[str], head: bool, depth: int = 0
) -> Source:
    packed = packed_as(data)
    ending = Path(last).suffix.lower()
    if packed is None or depth > _DEEPEST:
        kind = _kind(data, ending, name)
        cut = head and kind == "text" and len(data) >= _HEAD
        return Source(name, data, ending, kind, said, cut=cut)
    if packed != "zip":
        inner = last[: -len(ending)] if ending in PACKED_ENDINGS else last
        inside = _enough(partial(unpacked, data, packed, name), inner, head)
        return _unpack(inside, name, inner, [*said, packed], head, depth + 1)
    with open_zip(data, name) as archive:
        names = archive.namelist()
        if "xl/workbook.xml" in names:
            return Source(name, data, ".xlsx", "xlsx", said)
        if office := _other_office(names):
            raise DataError(f"{name} is {office}")
        member = only_member(archive, name)
        count = len(members(archive))
        inside = _enough(partial(read_member, archive, member, name), member, head)
    words = f"{member} of a zip archive" + (f" of {counted(count, 'file')}" if count > 1 else "")
    return _unpack(inside, name, member.rpartition("/")[2], [*said, words], head, depth + 1)


def _enough(read: Callable[[int | None], bytes], last: str, head: bool) -> bytes:
    """Return the first part of a text where that is enough, all of anything else."""
    if head:
        start = read(_HEAD)
        if len(start) < _HEAD:
            return start
        if packed_as(start) is None and _kind(start, Path(last).suffix.lower()) == "text":
            return start
    return read(None)


def _other_office(inside: list[str]) -> str | None:
    if "xl/workbook.bin" in inside:
        return "a binary Excel workbook (.xlsb): save it as .xlsx or CSV"
    if "content.xml" in inside and "mimetype" in inside:
        return "an OpenDocument file: save the sheet as .xlsx or CSV"
    if "word/document.xml" in inside:
        return "a text document: save the table as CSV"
    if any(member.endswith(".npy") for member in inside):
        return "a file of NumPy arrays: load it and give a pandas frame"
    return None


def _kind(data: bytes, ending: str, name: str | None = None) -> str:
    """Return what kind of file the bytes are.

    Raises:
        DataError: where ``name`` is given, and they are no table that is read.
    """
    for magic, kind in _KINDS:
        if data.startswith(magic):
            return kind
    if name is not None:
        _refuse(data, ending, name)
    start = data[:64].lstrip(b"\xef\xbb\xbf \t\r\n")
    if ending in (".json", ".jsonl", ".ndjson", ".geojson"):
        return "json"
    if ending in (".parquet", ".pq"):
        return "parquet"
    if ending in (".feather", ".arrow"):
        return "feather"
    if re.match(rb'\{\s*["}]|\[\s*[\[{]', start):
        return "json"
    return "text"


def _refuse(data: bytes, ending: str, name: str) -> None:
    if not data.strip(b" \t\r\n"):
        raise DataError(f"{name} is empty")
    for magic, words in _REFUSED:
        if data.startswith(magic):
            raise DataError(f"{name} is {words}")
    if data[257:262] == b"ustar":
        raise DataError(f"{name} is a tar archive: unpack it and give the file")
    if _PAGE.match(data[:4096]):
        raise DataError(
            f"{name} is a web page (HTML), not a table: download the data themselves, and give "
            "that file"
        )
    if _XML.match(data[:4096]):
        raise DataError(f"{name} is XML, not a table: export it as CSV")
    if ending in (".parquet", ".pq", ".feather", ".arrow"):
        return  # its reader says what is wrong
    if _is_binary(data[: 1 << 16]):
        raise DataError(
            f"{name} is a binary file of a kind that isn't read: export the table as CSV"
        )


def _is_binary(sample: bytes) -> bool:
    """Tell what no text has: control characters and zeros, but for the zeros of UTF-16 and -32."""
    if sample.startswith((b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")):
        return False
    zeros = sample.count(0)
    control = sum(sample.count(code) for code in range(1, 32) if code not in b"\t\n\v\f\r\x1a\x1b")
    if zeros:
        half = max(1, len(sample) // 2)
        sides = sorted((sample[0::2].count(0), sample[1::2].count(0)))
        return sides[0] > 0.02 * half or sides[1] <= 0.3 * half
    return control > 0.01 * len(sample)
