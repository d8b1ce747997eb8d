import click
import pytest

from statewise.cli.options import Levels


@pytest.mark.parametrize(
    ("text", "levels"), [("80", (80,)), ("95,80,80", (80, 95)), ("80 %, 99.5%", (80, 99.5))]
)
def test_percent(text, levels):
    assert Levels().convert(text, None, None) == levels


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("0.8", "0.8 is no percent: write 80 for 80 %"),
        ("80,0.95", "0.95 is no percent: write 95 for 95 %"),
        ("0", "0 is not between 0 and 100"),
        ("nan", "nan is not between 0 and 100"),
        ("80;95", "'80;95' is no list of numbers such as 80,95"),
    ],
)
def test_what_is_no_percent(text, words):
    with pytest.raises(click.BadParameter, match=words):
        Levels().convert(text, None, None)
