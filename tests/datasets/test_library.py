import pytest

from statewise.datasets import library_source, library_words


def test_source_is_the_same_every_time_and_python():
    text = library_source(limit=200_000)
    assert len(text) == 200_000
    assert text == library_source(limit=200_000)
    assert text.startswith(library_source(limit=1000))
    assert text.count("def ") > 200


def test_words():
    words = library_words(limit=5000)
    assert len(words) == 5000
    assert words[:200] == library_words(limit=200)
    assert all(word == word.lower() and not any(c.isspace() for c in word) for word in words)
    assert {"the", ".", "(", "you'll"} <= set(words)


def test_all_of_it():
    assert len(library_source()) > 1_000_000
    assert len(library_words()) > 100_000


@pytest.mark.parametrize("read", [library_source, library_words])
def test_wrong_input(read):
    with pytest.raises(ValueError, match="limit must be at least 1, but is 0"):
        read(limit=0)
    with pytest.raises(TypeError, match=r"limit must be a whole number, but is 1\.5"):
        read(limit=1.5)


def test_no_source(monkeypatch, tmp_path):
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(FileNotFoundError, match="no source of the standard library"):
        library_source()
