import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise.pictures.sparkline import ASCII, BLOCKS, sparkline


def test_the_shape_of_a_series():
    assert sparkline(np.sin(np.arange(16) / 16 * 2 * np.pi)) == "▅▆▇███▇▆▅▃▂▁▁▁▂▃"
    assert sparkline([0, 0, 0, 9, 0], letters=ASCII) == "___#_"


def test_a_long_series_is_averaged():
    steps = np.repeat([1.0, 5.0, 3.0, 2.0], 1000)
    assert sparkline(steps, width=4) == sparkline([1, 5, 3, 2])
    assert sparkline(np.arange(101), width=8) == BLOCKS


def test_what_is_missing_is_blank():
    assert sparkline([1, np.nan, np.inf, 2]) == "▁  █"
    assert sparkline([np.nan] * 3) == "   "
    assert sparkline(np.r_[np.ones(50), np.full(50, np.nan), np.ones(50)], width=3) == "▅ ▅"
    assert sparkline([]) == ""


def test_huge_numbers_have_a_shape_too():
    assert sparkline([-1.7e308, 1.7e308]) == "▁█"
    assert sparkline([1e-310, 2e-310]) == "▁█"
    assert sparkline(np.r_[np.full(100, 1.7e308), np.full(100, -1.7e308)], width=2) == "█▁"


def test_what_cannot_be_drawn():
    with pytest.raises(ValueError, match="width=0"):
        sparkline([1], width=0)
    with pytest.raises(ValueError, match="letters=''"):
        sparkline([1], letters="")


@given(st.lists(st.floats(), max_size=99), st.integers(1, 30), st.sampled_from([BLOCKS, ASCII]))
def test_every_series_has_a_line(values, width, letters):
    line = sparkline(values, width, letters)
    assert len(line) == min(len(values), width)
    assert set(line) <= {*letters, " "}
