"""Weka's files (ARFF): names stand in a line each, above the data."""

import re

from statewise.sequences.reading.report import Understood

_BEGIN = re.compile(rb"(?:\s*%[^\n]*\n|\s*\n)*\s*@relation\b", re.IGNORECASE)
_DATA = re.compile(rb"^[ \t]*@data[ \t]*$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(
    r"""[ \t]*@attribute[ \t]+(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)"|(\S+))""", re.IGNORECASE
)


def without_attributes(data: bytes, understood: Understood) -> bytes:
    """Return a text of this kind as one with a line of names, each line where it was.

    >>> text = b"@relation r\\n@attribute day string\\n@attribute y numeric\\n@data\\n2020,5\\n"
    >>> without_attributes(text, Understood())
    b'\\n\\n\\nday,y\\n2020,5\\n'
    """
    if _BEGIN.match(data[: 1 << 16]) is None or (found := _DATA.search(data)) is None:
        return data
    head = data[: found.start()].decode("utf-8", "replace")
    names = [
        next(name for name in match.groups() if name is not None)
        for match in map(_NAME.match, head.split("\n"))
        if match
    ]
    if not names:
        return data
    understood.tell("file", "ARFF")
    line = ",".join(_quoted(name) for name in names)
    return b"\n" * head.count("\n") + line.encode() + data[found.end() :]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"' if set(name) & set(',"\n') else name
