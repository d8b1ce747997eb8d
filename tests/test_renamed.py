"""Old names work for a release, and say what they are called now."""

import importlib
import sys

import pytest

from statewise import Sequential, layers, sequences
from statewise._renamed import renamed_arguments
from statewise.sequences import Columns, create_dataset
from statewise.streams import Streams


@renamed_arguments(look_back="lookback")
def taken(x, lookback=1):
    return x, lookback


def test_an_argument_by_its_old_name():
    with pytest.warns(FutureWarning, match=r"look_back= is now called lookback=") as told:
        assert taken(1, look_back=3) == (1, 3)
    assert told[0].filename == __file__
    assert taken(1, 4) == (1, 4)
    assert taken(1, lookback=5) == (1, 5)


def test_an_argument_by_both_names():
    with pytest.raises(TypeError, match="look_back= and lookback=, which are two names of one"):
        taken(1, look_back=3, lookback=3)


def test_the_old_place_of_keras1(monkeypatch):
    for name in [name for name in sys.modules if name.startswith("statewise.keras1")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.warns(FutureWarning, match=r"now statewise\.interop\.keras1"):
        old = importlib.import_module("statewise.keras1")
    new = importlib.import_module("statewise.interop.keras1")
    assert old.Sequential is new.Sequential
    assert importlib.import_module("statewise.keras1.layers.core") is new.layers.core


def test_arguments_and_attributes_of_0_1():
    with pytest.warns(FutureWarning, match="look_back= is now called lookback="):
        assert create_dataset([1.0, 2.0, 3.0], look_back=2)[0].tolist() == [[1.0, 2.0]]
    with pytest.warns(FutureWarning, match="id= is now called key="):
        columns = Columns(id="shop")
    assert columns == Columns(key="shop")
    with pytest.warns(FutureWarning, match=r"Columns\.id is now called Columns\.key"):
        assert columns.id == "shop"
    with pytest.warns(FutureWarning, match=r"Chain is now called sequences\.Pipeline"):
        assert sequences.Chain is sequences.Pipeline


def test_words_of_0_1():
    model = Sequential([layers.Input((None, 1)), layers.GRU(2)])
    with pytest.warns(
        FutureWarning, match="missing='refuse' is now called missing='raise'"
    ) as told:
        streams = Streams(model, missing="refuse")
    assert told[0].filename == __file__
    with pytest.raises(ValueError, match="NaN"):
        streams.push({"a": [float("nan")]})
