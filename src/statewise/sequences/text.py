"""Text as sequences of whole numbers: a vocabulary, and windows to learn the next token from."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Self

import numpy as np

from statewise.sequences.arrays import check_count, without_mask
from statewise.sequences.windowing import windows


class Vocabulary:
    """Tokens and their numbers, for characters (from a string) and for words (from a list).

    Make one with ``fit``. A token that was not there at fitting is an error, unless an ``unknown``
    token stands for all such: then that one has the number 0.

    Attributes:
        tokens: the token of each number, the most frequent first; equally frequent ones in
            alphabetical order.
        unknown: the token that stands for those that are not in the vocabulary, or ``None``.
        characters: whether the tokens are the characters of strings.

    Example:
        >>> letters = Vocabulary.fit("banana")
        >>> letters.encode("nab")
        array([1, 0, 2], dtype=int32)
        >>> letters.decode([2, 0, 1])
        'ban'
        >>> words = Vocabulary.fit("to be or not to be".split(), size=3, unknown="?")
        >>> words.decode(words.encode(["not", "to", "be"]))
        ['?', 'to', 'be']
    """

    def __init__(
        self, tokens: Iterable[str], *, unknown: str | None = None, characters: bool = False
    ):
        self.tokens = tuple(tokens)
        self.unknown = unknown
        self.characters = characters
        self._ids = {token: i for i, token in enumerate(self.tokens)}
        if len(self._ids) < len(self.tokens):
            twice = Counter(self.tokens).most_common(1)[0][0]
            raise ValueError(f"each token can be in a vocabulary once, but {twice!r} is in twice")
        if unknown is not None and self.tokens[:1] != (unknown,):
            raise ValueError(f"the first token must be the unknown one, {unknown!r}")

    @classmethod
    def fit(
        cls, tokens: str | Iterable[str], *, size: int | None = None, unknown: str | None = None
    ) -> Self:
        """Collect the distinct characters of a string, or the distinct items of a list.

        Args:
            tokens: a string (its characters are the tokens), or tokens.
            size: how many tokens to keep at most, the unknown one included; ``None`` for all.
            unknown: the token for all that are not kept or not there. It needs to be given where
                ``size`` leaves tokens out.

        Raises:
            TypeError: where a token is no string.
            ValueError: where there is no token, or ``size`` leaves some out and ``unknown`` is
                not given.
        """
        characters = isinstance(tokens, str)
        counts = Counter(tokens)
        for token in counts:
            if not isinstance(token, str):
                raise TypeError(f"tokens must be strings, but {token!r} is among them")
        if not counts:
            raise ValueError("there is no token to make a vocabulary of")
        if unknown is not None:
            counts.pop(unknown, None)
        kept = sorted(counts, key=lambda token: (-counts[token], token))
        reserved = [] if unknown is None else [unknown]
        if size is not None:
            room = check_count(size, "size") - len(reserved)
            if unknown is None and room < len(kept):
                raise ValueError(
                    f"size={size} leaves out {len(kept) - room} of {len(kept)} tokens: "
                    'give the token that stands for them, such as unknown="<unknown>"'
                )
            kept = kept[:room]
        return cls(reserved + kept, unknown=unknown, characters=characters)

    def __len__(self) -> int:
        """The number of tokens."""
        return len(self.tokens)

    def __contains__(self, token: object) -> bool:
        """Whether a token has a number of its own."""
        return token in self._ids

    def __repr__(self) -> str:
        kind = "characters" if self.characters else "tokens"
        return f"Vocabulary({len(self)} {kind}, unknown={self.unknown!r})"

    def encode(self, tokens: str | Iterable[str]) -> np.ndarray:
        """Return the number of each token: int32 (time,).

        Raises:
            TypeError: where a string is given, but the tokens are not characters.
            ValueError: where a token is not in the vocabulary and no ``unknown`` stands for it.
        """
        if isinstance(tokens, str) and not self.characters:
            raise TypeError("this vocabulary is one of words: give a list of them, not a string")
        tokens = tokens if isinstance(tokens, (str, Sequence)) else list(tokens)
        if self.unknown is not None:
            numbers = (self._ids.get(token, 0) for token in tokens)
            return np.fromiter(numbers, np.int32, len(tokens))
        try:
            return np.fromiter((self._ids[token] for token in tokens), np.int32, len(tokens))
        except KeyError as error:
            raise ValueError(
                f"{error.args[0]!r} is not in the vocabulary (first at position "
                f"{list(tokens).index(error.args[0])}); fit it on text that has it, or with an "
                "unknown token"
            ) from None

    def decode(self, ids: Any) -> str | list[str]:
        """Return the tokens of numbers (time,): a string for characters, else a list.

        Raises:
            TypeError: where the ids are no whole numbers.
            ValueError: where they have more than one axis, or one is not below the size.
        """
        ids = _as_ids(ids)
        wrong = (ids < 0) | (ids >= len(self))
        if wrong.any():
            raise ValueError(
                f"ids must be from 0 to {len(self) - 1}, but {ids[wrong][0]} is among them"
            )
        tokens = [self.tokens[i] for i in ids]
        return "".join(tokens) if self.characters else tokens

    def get_state(self) -> dict[str, Any]:
        """Return a plain dict that JSON keeps exactly."""
        return {
            "tokens": list(self.tokens),
            "unknown": self.unknown,
            "characters": self.characters,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the vocabulary whose ``get_state`` gave ``state``."""
        return cls(state["tokens"], unknown=state["unknown"], characters=state["characters"])


def next_token_windows(
    ids: Any, lookback: int, *, stride: int | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Cut a text into windows, each with the same window one token later as its target.

    Args:
        ids: the text as numbers, (time,).
        lookback: tokens in a window, at least 1.
        stride: tokens from the start of one window to the start of the next; ``None`` takes
            ``lookback``, so that every token is a target once.

    Returns:
        ``x`` and ``y``, both (samples, lookback), read-only views of ``ids``.

    Raises:
        TypeError: where the ids are no whole numbers.
        ValueError: where they have more than one axis, or are too few for one window.

    Example:
        >>> x, y = next_token_windows([5, 6, 7, 8, 9], lookback=2)
        >>> x
        array([[5, 6],
               [7, 8]])
        >>> y
        array([[6, 7],
               [8, 9]])
    """
    ids = _as_ids(ids)
    lookback = check_count(lookback, "lookback")
    if len(ids) <= lookback:
        raise ValueError(
            f"ids has {len(ids)} tokens, but lookback={lookback} needs at least {lookback + 1}"
        )
    stride = lookback if stride is None else stride
    both = windows(ids, lookback + 1, horizon=0, stride=stride).x[..., 0]  # (samples, lookback + 1)
    return both[:, :-1], both[:, 1:]


def _as_ids(ids: Any) -> np.ndarray:
    array = np.asarray(without_mask(ids, "ids"))
    if array.size == 0:
        array = array.astype(np.int32)
    if array.dtype.kind not in "iu":
        raise TypeError(f"ids must be whole numbers, but their dtype is {array.dtype}")
    if array.ndim != 1:
        raise ValueError(f"ids must have the shape (time,), but have the shape {array.shape}")
    return array
