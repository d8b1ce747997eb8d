"""Every model on every way in and out: the same outputs, or a sentence, as the page shows."""

import pytest

import interop_ways
from interop_ways import CASES, WAYS

# Each takes up to some seconds: these now, all of them slowly.
QUICK = (
    "LSTM",
    "GRU, reset before, hard_sigmoid",
    "SimpleRNN, stateful",
    "both ways, another layer back",
    "a model within, twice",
    "words to a word each",
)


def _slowly(way: str, name: str) -> list:
    quick = QUICK[:1] if way == "Keras 2 .keras" else QUICK  # much as the other two of Keras 2, 3
    return [] if name in quick else [pytest.mark.slow]


@pytest.mark.parametrize(
    ("way", "name"),
    [pytest.param(way, name, marks=_slowly(way, name)) for way in WAYS for name in CASES],
)
def test_a_model_comes_through_a_way_as_the_page_shows(way, name):
    if missing := WAYS[way].missing():
        pytest.skip(f"{missing[0]} isn't installed")
    assert interop_ways.check(way, name) == interop_ways.shown()[way, name]


def test_there_are_at_least_sixty_models():
    assert len(CASES) >= 60


def test_the_page_shows_every_model_and_way():
    assert interop_ways.shown().keys() == {(way, name) for way in WAYS for name in CASES}


def test_the_page_shows_the_layouts_as_they_are():
    text = interop_ways.PAGE.read_text("utf-8")
    assert interop_ways.part(text, interop_ways.LAYOUT_MARKS) == interop_ways.layouts(), (
        "python scripts/interop_table.py --write"
    )
