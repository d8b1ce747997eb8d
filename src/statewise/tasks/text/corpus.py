"""A text as numbers of tokens in one array, on disk where it is long, and cut into lanes."""

import tempfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise.sequences import Lanes
from statewise.sequences import lanes as lay
from statewise.sequences.memory_maps import LetGo
from statewise.sequences.tables import DataError
from statewise.tasks.text.documents import pieces
from statewise.tasks.text.tokens import Counting, Tokens

_IN_MEMORY = 1 << 26  # tokens; more stay in a file without a name, which goes when it's closed
_AT_ONCE = 1 << 22  # tokens that are numbered anew at a time


@dataclass(frozen=True, eq=False)
class Corpus:
    """The tokens of all documents, one after the other, a mark before each document.

    Attributes:
        numbers: of the tokens, (time,); the mark's is the number of tokens there are.
        begins: where the documents begin, (documents,) int64: at their marks.
        tokens: what the numbers stand for.
    """

    numbers: np.ndarray
    begins: np.ndarray
    tokens: Tokens

    def __len__(self) -> int:
        """How many tokens, without the marks."""
        return len(self.numbers) - len(self.begins)


def read_corpus(source: Any, level: str, size: int | None, encoding: str = "utf-8") -> Corpus:
    """Read texts of any size, once, piece by piece.

    Args:
        source: as `pieces` takes it.
        level: "char", "word" or "bytes".
        size: how many tokens the vocabulary has at most, the unknown one included; None for all.
        encoding: of files.

    Raises:
        TypeError, DataError, OSError: as `pieces`.
        DataError: where there is no text.

    >>> corpus = read_corpus(["ab", "", "b"], "char", None)
    >>> corpus.numbers.tolist(), corpus.begins.tolist(), corpus.tokens.names
    ([3, 2, 1, 3, 1], [0, 3], ('b', 'a'))
    """
    counting, begins, length, marks = Counting(level), [], 0, 0
    with tempfile.TemporaryFile() as spool:
        for piece in pieces(source, level, encoding):
            if piece.begins:
                begins.append(length + marks)
                marks += 1
            given = counting.take(piece.text)
            spool.write(given.tobytes())
            length += len(given)
        if length == 0:
            raise DataError("text is empty: there is nothing to learn from")
        tokens = counting.finish(size=size)
        spool.flush()
        spool.seek(0)
        return Corpus(_numbered(spool, counting, tokens, begins, length), np.array(begins), tokens)


def _numbered(spool, counting: Counting, tokens: Tokens, begins: list[int], length: int):
    """Return the final numbers with the marks among them, of a file of provisional ones."""
    places, mark, total = counting.places(tokens), len(tokens), length + len(begins)
    if total <= _IN_MEMORY:
        numbers: np.ndarray = np.empty(total, np.int32)
    else:
        with tempfile.TemporaryFile() as file:  # the map keeps it open
            numbers = np.memmap(file, np.min_scalar_type(mark), "w+", shape=(total,))
    marks = np.array(begins, np.int64)
    numbers[marks] = mark
    before, done, let_go = marks - np.arange(len(marks)), 0, LetGo()  # tokens before each mark
    while data := spool.read(4 * _AT_ONCE):
        given = places[np.frombuffer(data, np.uint32)]
        ordinal = np.arange(done, done + len(given))
        at = ordinal + np.searchsorted(before, ordinal, "right")
        let_go(numbers[at[0] : at[-1] + 1])[at - at[0]] = given
        done += len(given)
    return numbers


@dataclass(frozen=True, eq=False)
class Parts:
    """Parts of a corpus: each but for its first token is to be told.

    Attributes:
        corpus: the whole.
        starts: where each part begins: at a document's mark, or at the token before it.
        lengths: tokens of each, that one included.
    """

    corpus: Corpus
    starts: np.ndarray
    lengths: np.ndarray

    def series(self) -> list[np.ndarray]:
        """Return the parts as `lanes` takes them, parts of the corpus itself."""
        stops = self.starts + self.lengths
        both = zip(self.starts.tolist(), stops.tolist(), strict=True)
        return [self.corpus.numbers[start:stop] for start, stop in both]


def parts_of(corpus: Corpus, first: int, stop: int, count: int) -> Parts:
    """Cut a stretch of a corpus into at least ``count`` parts that are about equal.

    Each token of it is told once. A part that begins within a document has the token before as its
    first.

    Args:
        corpus: the whole.
        first, stop: the stretch, in places of ``numbers``.
        count: of lanes.

    >>> corpus = read_corpus(["abcd", "ef"], "char", None)
    >>> parts = parts_of(corpus, 0, 8, 2)
    >>> [part.tolist() for part in parts.series()]
    [[7, 1, 2, 3], [3, 4], [7, 5, 6]]
    """
    inside = corpus.begins[(corpus.begins >= first) & (corpus.begins < stop)]
    grid = first + (np.arange(1, count) * (stop - first)) // count
    cuts = np.unique(np.concatenate([[first], inside, grid, [stop]]))
    begin, end = cuts[:-1], cuts[1:]
    marked = np.isin(begin, inside)
    starts = begin - ~marked
    kept = end - starts >= 2
    return Parts(corpus, starts[kept], (end - starts)[kept])


def in_lanes(parts: Parts, count: int, steps: int, seed: int | None) -> Lanes:
    """Lay parts into lanes; each token is an input, and the next one its target."""
    count = min(count, len(parts.lengths))
    alone = len(parts.lengths) == count  # then nothing can change places
    return lay(parts.series(), lanes=count, steps=steps, seed=None if alone else seed)


def same_tokens(source: Any, tokens: Tokens, encoding: str = "utf-8") -> Corpus:
    """Read texts by a vocabulary that is there already; in memory.

    Raises:
        TypeError, DataError, OSError: as `read_corpus`.
    """
    begins, parts, length = [], [], 0
    for piece in pieces(source, tokens.level, encoding):
        if piece.begins:
            begins.append(length)
            parts.append(np.array([len(tokens)], np.int32))
            length += 1
        parts.append(tokens.encode(piece.text))
        length += len(parts[-1])
    if not parts:
        raise DataError("validation is an empty text: there is nothing to validate on")
    return Corpus(np.concatenate(parts), np.array(begins), tokens)


def place_of(corpus: Corpus, token: int) -> int:
    """Return where in ``numbers`` a token is, given how many others are before it.

    >>> corpus = read_corpus(["ab", "b"], "char", None)
    >>> [place_of(corpus, i) for i in range(3)]
    [1, 2, 4]
    """
    before = corpus.begins - np.arange(len(corpus.begins))
    return token + int(np.searchsorted(before, token, "right"))
