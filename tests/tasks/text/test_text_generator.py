import copy
import pickle

import numpy as np
import pytest

from statewise import TextGenerator
from statewise.sequences import DataError
from statewise.tasks.text import corpus

TEXT = "the cat sat on the mat. " * 60
SMALL = {"units": 16, "steps": 12, "lanes": 4, "embedding": 8, "learning_rate": 0.03}


@pytest.fixture(scope="module")
def fitted():
    return TextGenerator(**SMALL, epochs=12, dropout=0.1).fit(TEXT)


def losses(generator):
    return generator.history_["loss"], generator.history_["val_loss"]


def test_it_learns_a_text_by_heart(fitted):
    assert fitted.validation_loss_ == min(fitted.history_["val_loss"]) < 0.2
    assert fitted.generate("the ", 20, temperature=0) == "cat sat on the mat. "
    assert fitted.generate(["the c", "sat"], 6, temperature=0) == ["at sat", " on th"]
    assert -fitted.score(TEXT) < 0.2 < 2 < -fitted.score("tam eht no tas tac eht")
    assert "".join(fitted.stream("the ", 20, temperature=0)) == "cat sat on the mat. "
    assert fitted.generate("the ", 99, temperature=0, stop="mat") == "cat sat on the "
    assert fitted.counts_["t"] == 60 * 5
    assert fitted.unknown_ == 0


def test_likelihoods_add_up(fitted):
    texts = ["the cat", "", "mat. x"]
    each = fitted.log_likelihood(texts, each=True)
    assert [len(one) for one in each] == [7, 0, 6]
    assert np.allclose(fitted.log_likelihood(texts), [one.sum() for one in each])
    total = sum(map(len, texts))
    assert np.isclose(fitted.score(texts), fitted.log_likelihood(texts).sum() / total)
    assert fitted.log_likelihood("z") == fitted.log_likelihood("q")  # both are unknown


def test_a_state_is_that_of_its_text_alone(fitted):
    texts = ["the cat sat", "", "on the mat. the cat"]
    found = fitted.embed(texts)
    assert found.shape == (3, 16)
    for one, row in zip(texts, found, strict=True):
        np.testing.assert_allclose(fitted.embed(one), row, atol=1e-6)
    assert fitted.embed([]).shape == (0, 16)


def test_a_file_a_pickle_and_a_copy_are_the_same_to_the_bit(fitted, tmp_path):
    path = tmp_path / "cat.model"
    fitted.save(path)
    expected = fitted.log_likelihood(TEXT, each=True)
    for again in (TextGenerator.load(path), pickle.loads(pickle.dumps(fitted))):
        assert again.get_params() == fitted.get_params()
        assert np.array_equal(again.log_likelihood(TEXT, each=True), expected)
        assert again.generate("the", 40, seed=3) == fitted.generate("the", 40, seed=3)
        assert losses(again) == losses(fitted)
    assert copy.copy(fitted).generate("the", 9, seed=3) == fitted.generate("the", 9, seed=3)


def test_damaged_files_are_told(fitted, tmp_path, rng):
    path = tmp_path / "cat.model"
    fitted.save(path)
    data = bytearray(path.read_bytes())
    for place in rng.integers(0, len(data), 25):
        damaged = data.copy()
        damaged[place] ^= 1 + int(rng.integers(255))
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"cat\.model is no file of a text generator, or is"):
            TextGenerator.load(path)
    for stop in (0, 30, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:stop])
        with pytest.raises(DataError):
            TextGenerator.load(path)
    with pytest.raises(DataError, match="is a folder"):
        TextGenerator.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        TextGenerator.load(tmp_path / "dog.model")


def test_sklearn_s_manners():
    generator = TextGenerator(units=5, dropout=0.2)
    again = pytest.importorskip("sklearn.base").clone(generator)
    assert again.get_params() == generator.get_params()
    assert again.set_params(units=7).units == 7
    assert "dropout=0.2" in repr(generator)
    with pytest.raises(ValueError, match="no argument 'size'"):
        generator.set_params(size=3)


@pytest.mark.slow
def test_sklearn_s_tools_take_documents():
    selection = pytest.importorskip("sklearn.model_selection")
    documents = ["hello world, " * 8] * 6
    generator = TextGenerator(**SMALL, epochs=1)
    scores = selection.cross_val_score(generator, documents, cv=2)
    assert scores.shape == (2,)
    assert (scores < 0).all()
    search = selection.GridSearchCV(generator, {"units": [4, 8]}, cv=2).fit(documents)
    assert search.best_params_["units"] in (4, 8)


@pytest.mark.slow
def test_a_text_on_disk_and_a_text_to_validate_on(monkeypatch, tmp_path):
    monkeypatch.setattr(corpus, "_IN_MEMORY", 0)
    options = SMALL | {"epochs": 2, "level": "word", "vocabulary": 5}
    held = TextGenerator(**options, validation="the cat sat").fit([TEXT, "the dog. " * 9])
    assert held.vocabulary_ == (" the", ".", " cat", " mat")
    # "the" twice, " sat", " on", " dog", and the space at the end of each.
    assert held.unknown_ == 2 + 60 + 60 + 9 + 2
    held.save(tmp_path / "a.model")
    again = TextGenerator.load(tmp_path / "a.model")
    assert again.validation is None
    assert again.score("the cat") == held.score("the cat")


@pytest.mark.parametrize(
    "call",
    [
        lambda g: g.generate("a"),
        lambda g: g.stream("a"),
        lambda g: g.score("a"),
        lambda g: g.log_likelihood("a"),
        lambda g: g.embed("a"),
        lambda g: g.save("never.model"),
    ],
)
def test_before_fit(call):
    with pytest.raises(ValueError, match=r"not fitted yet: call fit\(text\) first"):
        call(TextGenerator())


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        ({"level": "letters"}, ValueError, "level must be one of char, word, bytes, but is"),
        ({"cell": "transformer"}, ValueError, "cell must be one of lstm, gru, rnn"),
        ({"units": 0}, ValueError, "units"),
        ({"units": 2.5}, TypeError, "units"),
        ({"units": 10**7}, ValueError, "GB to train, but this machine has"),
        ({"layers": 99}, ValueError, "layers must be at most 16"),
        ({"embedding": "wide"}, ValueError, 'embedding must be a whole number or "auto"'),
        ({"vocabulary": 1}, ValueError, "vocabulary"),
        ({"vocabulary": 9, "level": "bytes"}, ValueError, "there are 256 bytes"),
        ({"dropout": 1}, ValueError, "dropout must be from 0 to below 1, but is 1"),
        ({"weight_drop": -0.1}, ValueError, "weight_drop"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be above 0"),
        ({"learning_rate": "fast"}, TypeError, "learning_rate must be a number, but is 'fast'"),
        ({"clip": np.nan}, ValueError, "clip"),
        ({"validation": 1.0}, ValueError, "validation must be from 0 to below 1, or a text"),
        ({"validation": ""}, DataError, "validation is an empty text"),
        ({"tied": "yes"}, TypeError, "tied must be True or False"),
        ({"patience": 0}, ValueError, "patience"),
        ({"epochs": 0}, ValueError, "epochs"),
        ({"lanes": "many"}, ValueError, "lanes"),
        ({"seed": -1}, ValueError, "seed"),
    ],
)
def test_arguments_that_make_no_sense(given, error, words):
    with pytest.raises(error, match=words):
        TextGenerator(**given).fit(TEXT)


@pytest.mark.parametrize("text", ["", "a", "ab", [""]])
def test_texts_that_are_too_short(text):
    with pytest.raises(DataError, match="text"):
        TextGenerator(**SMALL).fit(text)


def test_what_generate_refuses(fitted):
    for given, error, words in (
        ({"length": 0}, ValueError, "length"),
        ({"temperature": -1}, ValueError, "temperature"),
        ({"prompt": []}, ValueError, "prompt is an empty list"),
        ({"prompt": b"a"}, TypeError, "bytes"),
        ({"prompt": 5}, TypeError, "type int"),
        ({"seed": 0.5}, TypeError, "seed"),
        ({"stop": ""}, ValueError, "stop"),
    ):
        with pytest.raises(error, match=words):
            fitted.generate(**given)
    with pytest.raises(TypeError, match="one text"):
        fitted.stream(["a", "b"])
    with pytest.raises(DataError, match="empty"):
        fitted.score("")


@pytest.mark.slow
def test_a_training_that_goes_astray_is_told():
    # Weights as large make scores that are infinite.
    generator = TextGenerator(**SMALL | {"learning_rate": 1e38}, epochs=3, clip=None)
    with pytest.raises(ValueError, match=r"went astray\. Take a lower learning_rate than 1e"):
        generator.fit(TEXT)


class StoppedError(Exception):
    pass


@pytest.mark.slow
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(tmp_path):
    options = SMALL | {"epochs": 3, "weight_drop": 0.3, "dropout": 0.2, "cell": "gru"}

    def stop(phase, done, most, loss):
        if done == 2:
            raise StoppedError

    whole = TextGenerator(**options).fit([TEXT[:500], TEXT[500:]])
    with pytest.raises(StoppedError):
        TextGenerator(**options).fit(
            [TEXT[:500], TEXT[500:]], progress=stop, checkpoint=tmp_path, every=5
        )
    again = TextGenerator(**options).fit([TEXT[:500], TEXT[500:]], checkpoint=tmp_path, every=5)
    assert losses(again) == losses(whole)
    for one, other in zip(again.model_.get_weights(), whole.model_.get_weights(), strict=True):
        assert np.array_equal(one, other)
