from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.tasks.text.tokens import Counting, Tokens, words

TEXTS = st.text(max_size=60)


@settings(max_examples=200)
@given(st.text(alphabet=st.sampled_from("ab'’ \n\t_-1é²٣.,\u2003😀"), max_size=40) | TEXTS)
def test_words_lose_nothing_and_each_has_something(text):
    found = words(text)
    assert "".join(found) == text
    assert all(found)


@settings(max_examples=100)
@given(
    st.lists(TEXTS, min_size=1, max_size=4).filter(any), TEXTS, st.sampled_from(["char", "word"])
)
def test_tokens_are_those_counted_in_any_pieces(pieces, other, level):
    counting = Counting(level)
    provisional = [counting.take(piece) for piece in pieces]
    tokens = counting.finish()
    cut = list if level == "char" else words
    counts = Counter(token for piece in pieces for token in cut(piece))
    assert dict(zip(tokens.names, tokens.counts[1:], strict=True)) == counts
    assert list(tokens.names) == sorted(counts, key=lambda name: (-counts[name], name))
    places = counting.places(tokens)
    for piece, numbers in zip(pieces, provisional, strict=True):
        assert places[numbers].tolist() == tokens.encode(piece).tolist()
        assert tokens.decode(tokens.encode(piece)) == piece
    expected = [tokens.names.index(t) + 1 if t in counts else 0 for t in cut(other)]
    assert tokens.encode(other).tolist() == expected


@given(st.binary(max_size=50))
def test_bytes_are_themselves(data):
    tokens = Counting("bytes").finish(data)
    assert len(tokens) == 256
    assert tokens.decode(tokens.encode(data)) == data
    assert tokens.counts == tuple(data.count(i) for i in range(256))


def test_a_small_vocabulary_keeps_the_most_frequent_and_counts_the_rest():
    tokens = Counting("char").finish("cabbacab!?", 3)
    assert tokens.names == ("a", "b")
    assert tokens.counts == (4, 3, 3)
    assert tokens.encode("abc").tolist() == [1, 2, 0]
    assert tokens.decode([1, 0, 2]) == "a\ufffdb"


def test_half_a_surrogate_pair_is_a_character_too():
    tokens = Counting("char").finish("a\ud83d", None)
    assert tokens.decode(tokens.encode("\ud83da")) == "\ud83da"


@pytest.mark.parametrize("level", ["char", "word", "bytes"])
def test_the_state_is_all_of_it(level):
    tokens = Counting(level).finish("to be, or not", None)
    again = Tokens.from_state(tokens.get_state())
    assert again.get_state() == tokens.get_state()
    assert np.array_equal(again.encode("or bee"), tokens.encode("or bee"))


@pytest.mark.parametrize(
    "state",
    [
        {"level": "letters", "names": ["a"], "counts": [0, 1]},
        {"level": "char", "names": ["ab"], "counts": [0, 1]},
        {"level": "char", "names": ["a", "a"], "counts": [0, 1, 1]},
        {"level": "char", "names": [], "counts": [0]},
        {"level": "bytes", "names": ["a"], "counts": [0] * 256},
        {"level": "word", "names": [1], "counts": [0, 1]},
        {"level": "word", "names": ["a"], "counts": [0]},
        {"level": "word", "names": ["a"], "counts": [0, 0.5]},
    ],
)
def test_a_state_that_is_none_is_refused(state):
    with pytest.raises((TypeError, ValueError)):
        Tokens.from_state(state)


def test_the_other_kind_of_text_is_refused():
    with pytest.raises(TypeError, match='level="bytes"'):
        Counting("char").take(b"ab")
    with pytest.raises(TypeError, match="type int"):
        Counting("bytes").take(5)
