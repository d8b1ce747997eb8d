"""Texts as they come (in memory, in files, one by one from anywhere), read in pieces."""

import codecs
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from statewise.sequences.tables import DataError
from statewise.tasks.text.tokens import as_bytes, as_text

PIECE = 1 << 20  # characters, or bytes, that are read at a time
_NAME = 1024  # letters that the name of a file may have


class Piece(NamedTuple):
    """A part of a document.

    Attributes:
        text: of it; at the level "bytes" bytes.
        begins: whether a document begins with it.
    """

    text: Any
    begins: bool


def pieces(source: Any, level: str, encoding: str = "utf-8") -> Iterator[Piece]:
    """Yield the pieces of all documents, one document after the other.

    Args:
        source: one text; a path, whose file is a document; or an iterable of texts and paths.
        level: "char", "word" or "bytes"; words aren't cut in two.
        encoding: of the files.

    Raises:
        TypeError: where something else came.
        DataError: where a file isn't in that encoding, or is a folder.
        FileNotFoundError, OSError: where a file can't be read.
    """
    for document in _documents(source):
        begins = True
        for text in _read(document, level, encoding):
            if text:
                yield Piece(text, begins)
                begins = False


def _documents(source: Any) -> Iterator[Any]:
    if isinstance(source, str):
        _check_no_name(source)
    if isinstance(source, (str, bytes, bytearray, memoryview, os.PathLike)):
        yield source
        return
    if not isinstance(source, Iterable) or isinstance(source, dict):
        raise TypeError(
            "text must be a str, a path of a file, or an iterable of these, but is of the type "
            f"{type(source).__name__}"
        )
    for number, document in enumerate(source):
        if not isinstance(document, (str, bytes, bytearray, memoryview, os.PathLike)):
            raise TypeError(
                f"text holds {document!r:.60} at position {number}, of the type "
                f"{type(document).__name__}; each document must be a str or a path"
            )
        yield document


def _check_no_name(text: str) -> None:
    """Refuse the name of a file where a text belongs: nobody wants to learn that by heart."""
    if len(text) > _NAME or not os.path.isfile(text):  # False, too, where it can be no name
        return
    raise ValueError(
        f"text={text!r} is the name of a file, and a str is taken for the text itself: give "
        "pathlib.Path(...) for the file"
    )


def _read(document: Any, level: str, encoding: str) -> Iterator[Any]:
    if isinstance(document, os.PathLike):
        parts = _of_file(Path(document), level, encoding)
    elif level == "bytes":
        whole = as_bytes(document)
        parts = (whole[i : i + PIECE] for i in range(0, len(whole), PIECE))
    else:
        text = as_text(document)
        parts = (text[i : i + PIECE] for i in range(0, len(text), PIECE))
    return _between_words(parts) if level == "word" else parts


def _between_words(parts: Iterable[str]) -> Iterator[str]:
    """Cut before white space alone, which only begins a word and is in none."""
    rest = ""
    for part in parts:
        rest += part
        end = next((i for i in range(len(rest) - 1, 0, -1) if rest[i].isspace()), 0)
        yield rest[:end]
        rest = rest[end:]
    yield rest


def _of_file(path: Path, level: str, encoding: str) -> Iterator[Any]:
    if path.is_dir():
        raise DataError(f"{path} is a folder: name the files in it")
    if level == "bytes":
        with path.open("rb") as file:
            while data := file.read(PIECE):
                yield data
        return
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise ValueError(f"encoding={encoding!r}: Python knows no such encoding") from None
    decoder = codecs.getincrementaldecoder("utf-8-sig" if name == "utf-8" else name)()
    done = 0
    with path.open("rb") as file:
        while True:
            data = file.read(PIECE)
            pending = len(decoder.getstate()[0])
            try:
                text = decoder.decode(data, final=not data)
            except UnicodeDecodeError as error:
                raise _not_in(path, name, error, done - pending) from None
            done += len(data)
            yield text
            if not data:
                return


def _not_in(path: Path, name: str, error: UnicodeDecodeError, before: int) -> DataError:
    found = error.object[error.start : error.start + 1].hex()
    with path.open("rb") as file:
        marked = file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
    other = 'encoding="utf-16"' if marked else 'the encoding it is in, such as encoding="cp1252"'
    return DataError(
        f"{path} is not {name} text: its byte {before + error.start:,} is 0x{found} "
        f'({error.reason}). Give {other}, or take level="bytes"'
    )
