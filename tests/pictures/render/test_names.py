"""Layers and series may be called anything: pictures and texts stay well-formed and small."""

import io
import xml.etree.ElementTree as ET

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise import Sequential, layers
from statewise.cli import main
from statewise.pictures import draw, explain, model_from_sketch, plot_forecast
from statewise.pictures.render.names import legible, plain
from statewise.pictures.render.scene import Scene, Words, to_svg
from statewise.sequences import lanes, windows

ODD = "a\x00\x1b[31mb\x85<&>\"'\ufffe\t\n"


@given(st.text(st.characters(exclude_categories=()), max_size=100))
@settings(deadline=None, derandomize=True)
def test_any_text_can_stand_in_a_picture(text):
    scene = Scene(10, 10, text, text)
    scene.add(Words(1, 1, text))
    root = ET.fromstring(to_svg(scene).encode())
    assert root[0].text in (plain(text), None)
    assert len(legible(text)) <= 60
    assert legible(text).isprintable() or " " in text or not text.isprintable()


def test_a_layer_with_an_odd_name():
    model = Sequential([layers.Input((3, 1)), layers.LSTM(2, name=ODD), layers.Dense(1)])
    found = explain(model, (1, 3, 1))
    ET.fromstring(found.drawing.svg.encode())
    told = [found.drawing.text, str(found), *found.sentences, found.weights.to_string()]
    for text in told:
        assert "\x1b" not in text
        assert "\x00" not in text


def test_a_layer_with_a_long_name(tmp_path):
    name = "x" * 20_000
    model = Sequential([layers.Input((3, 1)), layers.LSTM(2, name=name), layers.Dense(1)])
    drawing = draw(model, (1, 3, 1))
    assert drawing.scene.width < 2000
    assert len(drawing.svg) < 20_000
    assert len(drawing.text) < 5000
    texts = [part.text for part in drawing.scene.marks if isinstance(part, Words)]
    assert max(map(len, texts)) < 500  # what takes long to draw
    drawing.save(tmp_path / "a.png")


def test_series_with_odd_and_long_keys():
    series = {ODD: np.arange(8.0), "k" * 20_000: np.arange(5.0)}
    for cut in (lanes(series, lanes=2, steps=4), windows(series, 3)):
        drawing = draw(cut)
        ET.fromstring(drawing.svg.encode())
        assert "\x1b" not in drawing.text
        assert drawing.scene.width < 20_000


def test_a_series_that_is_named_as_a_part_of_a_window():
    names = ("input", "output")
    drawing = draw(lanes({name: np.arange(5.0) for name in names}, lanes=2, steps=4))
    other = draw(lanes({name: np.arange(5.0) for name in ("ab", "cd")}, lanes=2, steps=4))
    for name in names:
        assert f"{name}3" in drawing.text
    assert "ab3" in other.text
    assert [bar[-1] for bar in drawing.structure["bars"]] == list(names)


def test_a_plot_with_odd_and_long_names():
    days = pd.date_range("2024-01-01", periods=9, name=ODD)
    history = pd.Series(np.arange(9.0), days, name="$x" * 10_000)
    ahead = pd.DataFrame({"model": [1.0, 2.0]}, pd.date_range("2024-01-10", periods=2))
    figure = plot_forecast(history, ahead, title="t\x00" * 10_000)
    assert len(figure.axes[0].get_title(loc="left")) <= 160
    assert len(figure.axes[0].get_ylabel()) <= 60
    assert "\x00" not in figure.axes[0].get_xlabel()
    figure.savefig(io.BytesIO())


@pytest.mark.parametrize(
    ("sketch", "words"),
    [
        ("Bidirectional(GRU(3, return_state=True)) | Softmax()", "'softmax.*' .* 3 arrays"),
        ("GRU(3, return_state=True) | Dense(1)", "takes 1 input, but .* hands on 2 arrays"),
        ("GRU(3, return_state=True) | ReLU()", "can't be called: .*not connected"),
        ("LSTM(3, return_state=True) | Flatten()", "3 arrays"),
    ],
)
def test_what_a_layer_cannot_take_is_said(sketch, words):
    with pytest.raises(ValueError, match=words) as caught:
        explain(model_from_sketch(sketch, (1, 5, 2)), (1, 5, 2))
    assert "\x1b" not in str(caught.value)
    result = CliRunner().invoke(main, ["explain", sketch, "--shape", "1,5,2"])
    assert (result.exit_code, result.stderr.count("\n")) == (2, 1)
