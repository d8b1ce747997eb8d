"""The tokens of a text, which are its characters, words or bytes, and their numbers.

No level loses anything: the tokens of a text, one after the other, are the text. A word takes the
space before it along ("to", " be", ",", " or"), other white space is a token by itself.
"""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

LEVELS = ("char", "word", "bytes")
UNKNOWN = 0  # the number of the token that stands for all that aren't in the vocabulary
_BYTES = 256

# A word (with an apostrophe inside), a number or a sign, each with the space before it, if there is
# one; any other white space. Each character of a text is in exactly one token.
_WORD = re.compile(r" ?(?:[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]|_)|\s")


def words(text: str) -> list[str]:
    """Return the words of a text, which joined are the text.

    >>> words("To be, or not  to be?")
    ['To', ' be', ',', ' or', ' not', ' ', ' to', ' be', '?']
    """
    return _WORD.findall(text)


def cut(text: Any, level: str) -> list[Any]:
    """Return the tokens of a piece of a text: of bytes each as bytes.

    >>> cut("a b", "char"), cut(b"ab", "bytes")
    (['a', ' ', 'b'], [b'a', b'b'])
    """
    if level == "bytes":
        return [bytes([value]) for value in as_bytes(text)]
    return words(as_text(text)) if level == "word" else list(as_text(text))


class Tokens:
    """The tokens that a text may be made of, the most frequent first.

    Args:
        level: "char", "word" or "bytes".
        names: the tokens behind number 0, the unknown one; empty for bytes, whose number is their
            value.
        counts: how often each was there, that of the unknown one first; of bytes all 256.

    >>> tokens = Counting("char").finish("banana", None)
    >>> tokens.encode("nab!").tolist(), tokens.decode([2, 1])
    ([2, 1, 3, 0], 'na')
    """

    def __init__(self, level: str, names: Iterable[str], counts: Iterable[int]):
        self.level, self.names, self.counts = level, tuple(names), tuple(counts)
        self._numbers = {name: i + 1 for i, name in enumerate(self.names)}
        if level == "char":
            codes = np.array([ord(name) for name in self.names], np.uint32)
            self._order = np.argsort(codes).astype(np.int32)
            self._codes = codes[self._order]

    def __len__(self) -> int:
        """How many there are, the unknown one included."""
        return _BYTES if self.level == "bytes" else len(self.names) + 1

    @property
    def never_drawn(self) -> int | None:
        """The number of what is never written: the unknown token, where there is one."""
        return None if self.level == "bytes" else UNKNOWN

    def encode(self, text: str | bytes) -> np.ndarray:
        """Return the numbers of a text's tokens, int32 (time,)."""
        if self.level == "bytes":
            return np.frombuffer(as_bytes(text), np.uint8).astype(np.int32)
        if self.level == "word":
            found = words(as_text(text))
            get = self._numbers.get
            return np.fromiter((get(word, UNKNOWN) for word in found), np.int32, len(found))
        codes = code_points(as_text(text))
        at = np.minimum(np.searchsorted(self._codes, codes), len(self._codes) - 1)
        return np.where(self._codes[at] == codes, self._order[at] + 1, UNKNOWN).astype(np.int32)

    def decode(self, numbers: Iterable[int]) -> Any:
        """Return the text of some numbers: a str, of bytes as they are. An unknown token is "�"."""
        if self.level == "bytes":
            return bytes(int(i) for i in numbers)
        return "".join("\ufffd" if i == UNKNOWN else self.names[i - 1] for i in numbers)

    def get_state(self) -> dict[str, Any]:
        """Return a plain dict that JSON keeps exactly."""
        return {"level": self.level, "names": list(self.names), "counts": list(self.counts)}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> "Tokens":
        """Return the tokens whose `get_state` gave ``state``.

        Raises:
            KeyError, TypeError, ValueError: where it isn't such a state.
        """
        level, names, counts = state["level"], state["names"], state["counts"]
        if level not in LEVELS:
            raise ValueError(f"its tokens are {level!r:.40}")
        if not all(isinstance(name, str) and name for name in names):
            raise TypeError("a token is no text")
        if level == "char" and any(len(name) != 1 for name in names):
            raise ValueError("a token is no single character")
        if len(set(names)) < len(names) or (level == "bytes") != (not names):
            raise ValueError("its tokens aren't all different, or there are none")
        if not all(type(count) is int and count >= 0 for count in counts):
            raise TypeError("a count of tokens is no whole number")
        tokens = cls(level, names, counts)
        if len(counts) != len(tokens):
            raise ValueError(f"it counts {len(counts)} of {len(tokens)} tokens")
        return tokens


class Counting:
    """Numbers the tokens of a text as they come, and counts them.

    The numbers are provisional ones: a character's is its code point, a word's how many others were
    there before it. `places` tells which numbers they become.

    Args:
        level: "char", "word" or "bytes".
    """

    def __init__(self, level: str):
        self.level = level
        self._counts: Counter[int] = Counter()
        self._numbers: dict[str, int] = {}

    def take(self, text: str | bytes) -> np.ndarray:
        """Return the provisional numbers of a piece's tokens, uint32 (time,)."""
        if self.level == "word":
            numbers = self._numbers
            found = [numbers.setdefault(word, len(numbers)) for word in words(as_text(text))]
            given = np.array(found, np.uint32)
        elif self.level == "char":
            given = code_points(as_text(text))
        else:
            given = np.frombuffer(as_bytes(text), np.uint8).astype(np.uint32)
        counts = np.bincount(given)
        different = np.flatnonzero(counts)
        for number, count in zip(different.tolist(), counts[different].tolist(), strict=True):
            self._counts[number] += count
        return given

    def finish(self, text: str | bytes = "", size: int | None = None) -> Tokens:
        """Return the tokens of all that was taken, and of ``text``.

        Args:
            text: taken before.
            size: how many to keep at most, the unknown one included; None for all.
        """
        if text:
            self.take(text)
        if self.level == "bytes":
            return Tokens("bytes", (), (self._counts[i] for i in range(_BYTES)))
        if self.level == "word":
            named = {name: self._counts[number] for name, number in self._numbers.items()}
        else:
            named = {chr(number): count for number, count in self._counts.items()}
        order = sorted(named, key=lambda name: (-named[name], name))
        kept = order if size is None else order[: max(size - 1, 1)]
        counts = [named[name] for name in kept]
        return Tokens(self.level, kept, [sum(named.values()) - sum(counts), *counts])

    def places(self, tokens: Tokens) -> np.ndarray:
        """Return the number of each provisional number, int32."""
        most = max(self._counts, default=0)
        if self.level == "bytes":
            return np.arange(_BYTES, dtype=np.int32)
        places = np.zeros(most + 1, np.int32)
        for i, name in enumerate(tokens.names):
            places[self._numbers[name] if self.level == "word" else ord(name)] = i + 1
        return places


def code_points(text: str) -> np.ndarray:
    """Return the code points of a text, uint32 (time,).

    >>> code_points("aé").tolist()
    [97, 233]
    """
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), "<u4")


def as_text(text: str | bytes) -> str:
    """Return a text that must be no bytes.

    Raises:
        TypeError: where it's something else.
    """
    if isinstance(text, str):
        return text
    if isinstance(text, (bytes, bytearray, memoryview)):
        raise TypeError(
            'text came as bytes, but level "char" or "word" takes str: decode it, or take '
            'level="bytes"'
        )
    raise TypeError(f"text must be a str, but is of the type {type(text).__name__}")


def as_bytes(text: str | bytes) -> bytes:
    """Return the bytes of a text, those of UTF-8 for a str.

    Raises:
        TypeError: where it's something else.
    """
    if isinstance(text, str):
        return text.encode("utf-8", "surrogateescape")
    if isinstance(text, (bytes, bytearray, memoryview)):
        return bytes(text)
    raise TypeError(f"text must be str or bytes, but is of the type {type(text).__name__}")
