import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Vocabulary, next_token_windows


class TestVocabulary:
    def test_most_frequent_first(self):
        assert Vocabulary.fit("ccbbbaad").tokens == ("b", "a", "c", "d")
        words = Vocabulary.fit(["to", "be", "to"])
        assert words.tokens == ("to", "be")
        assert len(words) == 2
        assert "be" in words
        assert "or" not in words
        assert repr(words) == "Vocabulary(2 tokens, unknown=None)"

    @settings(deadline=None)
    @given(text=st.text("abAB äß\n😀", min_size=1))
    def test_characters_there_and_back(self, text):
        vocabulary = Vocabulary.fit(text)
        ids = vocabulary.encode(text)
        assert ids.dtype == np.int32
        assert ids.shape == (len(text),)
        assert vocabulary.decode(ids) == text

    @settings(deadline=None)
    @given(words=st.lists(st.text("abß", min_size=1), min_size=1))
    def test_words_there_and_back(self, words):
        vocabulary = Vocabulary.fit(words)
        assert vocabulary.decode(vocabulary.encode(words)) == words

    @settings(deadline=None)
    @given(words=st.lists(st.sampled_from("abcdef"), min_size=1), size=st.integers(1, 8))
    def test_size_counts_the_unknown_token(self, words, size):
        vocabulary = Vocabulary.fit(words, size=size, unknown="?")
        assert len(vocabulary) == min(size, len(set(words)) + 1)
        assert vocabulary.tokens[0] == "?"
        expected = [word if word in vocabulary else "?" for word in words]
        assert vocabulary.decode(vocabulary.encode(words)) == expected

    def test_unknown_token_that_is_in_the_text(self):
        vocabulary = Vocabulary.fit("a?b?", unknown="?")
        assert vocabulary.tokens == ("?", "a", "b")
        assert vocabulary.decode(vocabulary.encode("x?a")) == "??a"

    def test_iterators_and_nothing(self):
        vocabulary = Vocabulary.fit(iter(["to", "be"]))
        np.testing.assert_array_equal(vocabulary.encode(iter(["to", "be"])), [1, 0])
        assert vocabulary.encode([]).shape == (0,)
        assert vocabulary.decode([]) == []

    @pytest.mark.parametrize("unknown", [None, "?"])
    @pytest.mark.parametrize("tokens", ["banäna\n", ["to", "be"]])
    def test_state_through_json(self, tokens, unknown):
        vocabulary = Vocabulary.fit(tokens, unknown=unknown)
        again = Vocabulary.from_state(json.loads(json.dumps(vocabulary.get_state())))
        assert again.get_state() == vocabulary.get_state()
        assert again.decode(again.encode(tokens)) == vocabulary.decode(vocabulary.encode(tokens))

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: Vocabulary.fit(""), ValueError, "there is no token"),
            (lambda: Vocabulary.fit(["a", 1]), TypeError, "must be strings, but 1 is among"),
            (lambda: Vocabulary.fit("abc", size=2), ValueError, "size=2 leaves out 1 of 3 tokens"),
            (lambda: Vocabulary.fit("abc", size=0), ValueError, "size must be at least 1"),
            (lambda: Vocabulary("aba"), ValueError, "'a' is in twice"),
            (lambda: Vocabulary("ab", unknown="b"), ValueError, "must be the unknown one, 'b'"),
            (
                lambda: Vocabulary.fit("ab").encode("abxc"),
                ValueError,
                r"'x' is not in the vocabulary \(first at position 2\)",
            ),
            (lambda: Vocabulary.fit(["ab"]).encode("ab"), TypeError, "one of words"),
            (lambda: Vocabulary.fit("ab").decode([0, 2]), ValueError, "from 0 to 1, but 2"),
            (lambda: Vocabulary.fit("ab").decode([-1]), ValueError, "but -1 is among them"),
            (lambda: Vocabulary.fit("ab").decode([0.5]), TypeError, "dtype is float64"),
            (lambda: Vocabulary.fit("ab").decode([[0]]), ValueError, r"the shape \(1, 1\)"),
        ],
    )
    def test_wrong_input(self, call, error, message):
        with pytest.raises(error, match=message):
            call()


class TestNextTokenWindows:
    @settings(deadline=None)
    @given(count=st.integers(2, 40), lookback=st.integers(1, 6), stride=st.integers(1, 5))
    def test_target_is_one_token_later(self, count, lookback, stride):
        ids = np.random.default_rng(count).integers(0, 99, count, dtype=np.int32)
        if count <= lookback:
            with pytest.raises(ValueError, match=f"has {count} tokens.* at least {lookback + 1}"):
                next_token_windows(ids, lookback, stride=stride)
            return
        x, y = next_token_windows(ids, lookback, stride=stride)
        starts = range(0, count - lookback, stride)
        np.testing.assert_array_equal(x, [ids[i : i + lookback] for i in starts])
        np.testing.assert_array_equal(y, [ids[i + 1 : i + 1 + lookback] for i in starts])
        assert x.dtype == y.dtype == np.int32
        assert np.shares_memory(x, ids)

    def test_every_token_is_a_target_once(self):
        _, y = next_token_windows(np.arange(13), 4)
        np.testing.assert_array_equal(y.ravel(), np.arange(1, 13))

    def test_wrong_input(self):
        with pytest.raises(TypeError, match="ids must be whole numbers"):
            next_token_windows("abc", 1)
        with pytest.raises(ValueError, match="stride must be at least 1"):
            next_token_windows([1, 2, 3], 1, stride=0)
