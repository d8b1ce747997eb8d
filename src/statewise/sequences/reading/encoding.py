"""Bytes to text: which encoding a file is in, and where its lines end.

What comes out is always UTF-8 with lines that end in a line feed, as bytes: the rest of the reading
finds its way in them without a Python object for every line.
"""

import codecs
import re
from dataclasses import dataclass

from statewise.sequences.tables import DataError

_BOMS = (  # the longer ones first: that of UTF-32 begins as that of UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8", ""),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_SAMPLE = 1 << 16
_HIGH_RUN = re.compile(rb"[\x80-\xff]+")
_MIXED = re.compile(rb"[A-Za-z][\x80-\xff]|[\x80-\xff][A-Za-z]")
_SHIFT_JIS = re.compile(rb"(?:[\x81-\x9f\xe0-\xef][\x40-\x7e\x80-\xfc]|[\xa1-\xdf]|[\x00-\x7f])*")
_KANA = re.compile("[\u3041-\u30ff]")


@dataclass(frozen=True)
class Text:
    """A file's text.

    Attributes:
        data: UTF-8 without a byte order mark, its lines ended by line feeds.
        said: words about an encoding that is not UTF-8; empty where it is.
        note: what the user should know of a choice that could have been another; empty if none.
    """

    data: bytes
    said: str = ""
    note: str = ""


def text_of(data: bytes, name: str, encoding: str | None = None, *, cut: bool = False) -> Text:
    """Return the text that bytes stand for.

    Args:
        data: of a file.
        name: of the file, for messages.
        encoding: which one it is in; None to find out.
        cut: whether these are the first bytes of a file, so that the last character may lack
            some of its own.

    Raises:
        DataError: where the bytes are no text, or not in the encoding that was named.

    >>> text_of(b"a;b\\r\\n1;2\\r\\n", "t.csv").data
    b'a;b\\n1;2\\n'
    >>> text_of("m\u00e4rz\\n".encode("cp1252"), "t.csv").said
    'Windows-1252'
    """
    if encoding is not None:
        return _as_told(data, name, encoding, cut)
    for mark, codec, said in _BOMS:
        if data.startswith(mark):
            rest = data[len(mark) :]
            return Text(_unix(_utf8(rest, codec, name, cut)), said)
    if wide := _utf16_without_mark(data):
        return Text(_unix(_utf8(data, wide, name, cut)), "UTF-16")
    if data.isascii() or _decodes(data, "utf-8", cut):
        return Text(_unix(data if not cut else _whole_characters(data)))
    codec, said = _single_bytes(data)
    note = ""
    if codec not in ("cp1252", "latin-1"):
        note = f"{name} is not UTF-8 text: its letters were taken for {said}"
    return Text(_unix(_utf8(data, codec, name, cut)), said, note)


def _as_told(data: bytes, name: str, encoding: str, cut: bool) -> Text:
    try:
        codec = codecs.lookup(encoding).name
    except LookupError:
        raise DataError(
            f"encoding={encoding!r} is none that Python knows: use 'utf-8', 'cp1252' or 'utf-16', "
            "for example"
        ) from None
    text = _utf8(data, codec, name, cut)
    return Text(_unix(text.removeprefix(codecs.BOM_UTF8)))


def _utf8(data: bytes, codec: str, name: str, cut: bool) -> bytes:
    if codec == "utf-8" and data.isascii():
        return data
    try:
        return codecs.getincrementaldecoder(codec)().decode(data, not cut).encode("utf-8")
    except (UnicodeError, LookupError, TypeError, AttributeError) as error:
        where = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        raise DataError(
            f"{name} is no readable {codec} text{where}: save it as CSV in UTF-8"
        ) from None


def _decodes(data: bytes, codec: str, cut: bool = False) -> bool:
    try:
        codecs.getincrementaldecoder(codec)().decode(data, not cut)
    except UnicodeDecodeError:
        return False
    return True


def _whole_characters(data: bytes) -> bytes:
    return data.decode("utf-8", "ignore").encode("utf-8")


def _utf16_without_mark(data: bytes) -> str | None:
    """Tell UTF-16 by its zeros: every other byte of digits, delimiters and line ends is one."""
    sample = data[:_SAMPLE]
    if len(sample) < 4 or b"\0" not in sample:
        return None
    half = len(sample) // 2
    even, odd = sample[0 : 2 * half : 2].count(0), sample[1 : 2 * half : 2].count(0)
    if odd > 0.3 * half and even <= 0.02 * half:
        return "utf-16-le"
    if even > 0.3 * half and odd <= 0.02 * half:
        return "utf-16-be"
    return None


def _single_bytes(data: bytes) -> tuple[str, str]:
    """Tell encodings apart that are not Unicode.

    In a language of western Europe a letter outside ASCII stands alone between others; where such
    bytes make up whole words, it is another script.
    """
    sample = b"".join(data[start : start + _SAMPLE] for start in _places(len(data)))
    runs = _HIGH_RUN.findall(sample)
    high = sum(map(len, runs))
    alone = sum(len(run) for run in runs if len(run) < 3)
    if high >= 6 and alone < 0.3 * high:
        script = _script(sample, runs, high)
        if script is not None and _decodes(data, script[0]):
            return script
    if _decodes(data, "cp1252"):
        return "cp1252", "Windows-1252"
    return "latin-1", "Latin-1"


def _places(length: int) -> list[int]:
    """Return where to look: at the start, and where a long file's middle and end are."""
    return (
        sorted({0, max(0, length // 2 - _SAMPLE), max(0, length - _SAMPLE)})
        if (length > 3 * _SAMPLE)
        else list(range(0, length, _SAMPLE))
    )


def _script(sample: bytes, runs: list[bytes], high: int) -> tuple[str, str] | None:
    cyrillic = sum(byte >= 0xC0 or byte in b"\xa8\xb8" for run in runs for byte in run)
    small = sum(byte >= 0xE0 for run in runs for byte in run)
    unmixed = len(_MIXED.findall(sample)) < 0.2 * len(runs)  # whole words of them
    if unmixed and cyrillic > 0.95 * high and small > 0.5 * high:
        return "cp1251", "Windows-1251"
    matched = _SHIFT_JIS.match(sample)
    if matched is not None and matched.end() >= len(sample) - 1:
        text = sample.decode("shift_jis", "ignore")
        if len(_KANA.findall(text)) > 0.1 * high / 2:
            return "cp932", "Shift JIS"
    pairs = [run[i : i + 2] for run in runs if len(run) % 2 == 0 for i in range(0, len(run), 2)]
    if not unmixed or 2 * len(pairs) < 0.8 * high or any(min(pair) < 0xA1 for pair in pairs):
        return None
    if all(0xB0 <= pair[0] <= 0xC8 for pair in pairs) and len({p[0] for p in pairs}) > 5:
        return "cp949", "EUC-KR"
    return "gb18030", "GB 18030"


def _unix(data: bytes) -> bytes:
    r"""End lines by \n, whether they ended by \r\n, by \r, or by \r\r\n as faulty copies do."""
    if b"\r" not in data:
        return data
    if b"\r\r\n" in data:
        data = re.sub(rb"\r+\n", b"\n", data)
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
