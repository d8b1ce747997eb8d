"""The gallery's pictures are those that its code draws now."""

import importlib.util
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"


def make_figures():
    spec = importlib.util.spec_from_file_location("make_figures", DOCS / "make_figures.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.slow  # it draws all of them
def test_every_picture_is_what_the_code_beside_it_draws():
    drawn = dict(make_figures().gallery())
    assert len(drawn) >= 18
    for path, picture in drawn.items():
        assert path.read_text("utf-8") == picture.svg, (
            f"{path.name} is of another time: run python docs/make_figures.py"
        )
    assert set(drawn) == set((DOCS / "images" / "gallery").glob("*.svg"))
