import codecs

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import DataError
from statewise.tasks.text import corpus as module
from statewise.tasks.text import documents
from statewise.tasks.text.corpus import in_lanes, parts_of, place_of, read_corpus, same_tokens
from statewise.tasks.text.documents import pieces

TEXTS = st.lists(st.text(alphabet="ab c\n", max_size=30), min_size=1, max_size=6).filter(any)


def whole(texts, tokens):
    """The numbers of a corpus, and where its documents begin, the plain way."""
    numbers, begins = [], []
    for text in texts:
        if text:
            begins.append(len(numbers))
            numbers += [len(tokens), *tokens.encode(text)]
    return numbers, begins


@settings(max_examples=60, deadline=None)
@given(TEXTS, st.sampled_from(["char", "word", "bytes"]), st.integers(1, 9), st.booleans())
def test_a_corpus_is_its_documents_in_pieces_of_any_size(texts, level, size, on_disk):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(documents, "PIECE", size)
        patch.setattr(module, "_AT_ONCE", size)
        patch.setattr(module, "_IN_MEMORY", 0 if on_disk else 1 << 20)
        corpus = read_corpus(iter(texts), level, None)
        other = same_tokens(texts, corpus.tokens)
    numbers, begins = whole(texts, corpus.tokens)
    assert isinstance(corpus.numbers, np.memmap) == on_disk
    for one in (corpus, other):
        assert one.numbers.tolist() == numbers
        assert one.begins.tolist() == begins
        assert len(one) == len(numbers) - len(begins)
    told = [place for place in range(len(numbers)) if place not in begins]
    assert [place_of(corpus, i) for i in range(len(corpus))] == told


@settings(max_examples=100, deadline=None)
@given(TEXTS, st.integers(1, 7), st.integers(1, 5), st.data())
def test_every_token_of_a_stretch_is_told_once(texts, count, steps, data):
    corpus = read_corpus(texts, "char", None)
    first = data.draw(st.integers(0, len(corpus.numbers) - 1))
    parts = parts_of(corpus, first, len(corpus.numbers), count)
    told = []
    for start, length in zip(parts.starts, parts.lengths, strict=True):
        assert not set(range(start + 1, start + length)) & set(corpus.begins)
        told += range(start + 1, start + length)
    inside = range(first, len(corpus.numbers))
    expected = [place for place in inside if place not in corpus.begins]
    assert sorted(told) == (expected if first or told else expected[1:])
    if not told:
        return
    laid = in_lanes(parts, count, steps, 0).arrays()
    assert sorted(laid.y[laid.valid][:, 0]) == sorted(corpus.numbers[told])
    marks = int(np.sum(laid.x[laid.resets] == len(corpus.tokens)))
    assert marks == sum(start in corpus.begins for start in parts.starts)


@pytest.mark.parametrize("level", ["char", "word"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "cp1252"])
def test_files_are_read_as_they_are(tmp_path, monkeypatch, level, encoding):
    monkeypatch.setattr(documents, "PIECE", 3)
    text = "naïve\r\nwords, été"
    path = tmp_path / "a.txt"
    path.write_bytes(text.encode(encoding))
    read = [piece for piece in pieces(path, level, encoding)]
    assert "".join(piece.text for piece in read) == text
    assert [piece.begins for piece in read] == [True] + [False] * (len(read) - 1)


def test_a_mark_of_utf_8_is_no_part_of_the_text(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(codecs.BOM_UTF8 + b"ab")
    assert [piece.text for piece in pieces([path], "char")] == ["ab"]
    assert [piece.text for piece in pieces([path], "bytes")] == [codecs.BOM_UTF8 + b"ab"]


@pytest.mark.parametrize("size", [2, 7, 1 << 20])
def test_another_encoding_is_told_with_its_place(tmp_path, monkeypatch, size):
    monkeypatch.setattr(documents, "PIECE", size)
    path = tmp_path / "old.txt"
    path.write_bytes("grün, äußerst".encode("cp1252"))
    with pytest.raises(DataError, match=r"old.txt is not utf-8 text: its byte 2 is 0xfc.*cp1252"):
        list(pieces(path, "char"))
    path.write_bytes("grün".encode("utf-16"))
    with pytest.raises(DataError, match=r'its byte 0 is 0xff.*encoding="utf-16"'):
        list(pieces(path, "char"))
    path.write_bytes("grü".encode()[:-1])
    with pytest.raises(DataError, match=r"its byte 2 is 0xc3 \(unexpected end of data\)"):
        list(pieces(path, "word"))


@pytest.mark.parametrize(
    ("source", "error", "words"),
    [
        ("", DataError, "text is empty"),
        (["", ""], DataError, "text is empty"),
        ([], DataError, "text is empty"),
        (5, TypeError, "type int"),
        ({"a": "b"}, TypeError, "type dict"),
        (["a", None], TypeError, "None at position 1, of the type NoneType"),
        (b"ab", TypeError, 'level="bytes"'),
        ([np.nan], TypeError, "nan at position 0"),
    ],
)
def test_what_is_no_text_is_refused(source, error, words):
    with pytest.raises(error, match=words):
        read_corpus(source, "char", None)


def test_names_of_files_folders_and_encodings_are_told(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("ab")
    with pytest.raises(ValueError, match=r"is the name of a file.*pathlib\.Path"):
        read_corpus(str(path), "char", None)
    with pytest.raises(DataError, match="is a folder"):
        read_corpus(tmp_path, "char", None)
    with pytest.raises(FileNotFoundError):
        read_corpus(tmp_path / "b.txt", "char", None)
    with pytest.raises(ValueError, match="encoding='latin-99'"):
        read_corpus(path, "char", None, "latin-99")
