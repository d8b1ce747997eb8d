"""Names as pictures can show them: layers and columns may be called anything."""

import re

# XML has no place for these, not even escaped; a terminal would obey some.
_NO_LETTERS = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\u2028\u2029]")
_LONGEST = 60


def legible(name: object, most: int = _LONGEST) -> str:
    """Return a name on one line, a long one shortened in the middle.

    >>> legible("a\\tb\\x1b"), legible("abcdefgh", most=5)
    ('a�b�', 'ab…gh')
    """
    text = str(name)
    if len(text) > most:
        half = (most - 1) // 2
        text = f"{text[:half]}…{text[len(text) - half :]}"
    return plain(text)


def plain(text: str) -> str:
    """Return a text whose every letter can stand in XML and on a terminal.

    >>> plain("a\\x00b\\ud800")
    'a�b�'
    """
    return _NO_LETTERS.sub("�", text)
