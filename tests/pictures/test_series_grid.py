import io

import numpy as np
import pandas as pd
import pytest

from statewise.pictures.series_grid import SmallPicture, draw_series_grid


def pictures(count, time=None):
    time = pd.date_range("2020-01-01", periods=50, freq="D") if time is None else time
    values = np.sin(np.arange(len(time)))
    return [SmallPicture(f"shop {number}", time, values * 10**number) for number in range(count)]


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def png(figure):
    file = io.BytesIO()
    figure.savefig(file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("count", "columns", "drawn"), [(1, 1, 1), (2, 2, 2), (4, 2, 4), (5, 3, 5), (40, 3, 12)]
)
def test_up_to_twelve_side_by_side(count, columns, drawn):
    figure = draw_series_grid(pictures(count), title="a table")
    assert len(figure.axes) == drawn
    assert figure.axes[0].get_gridspec().ncols == columns
    assert figure.bbox.width <= 1200
    assert png(figure)[:4] == b"\x89PNG"


def test_names_are_as_they_are_and_numbers_plain():
    time = pd.date_range("2020-01-01", periods=9, freq="MS")
    names = ["$x$ and $y", "a" * 200, 7, "Ж"]
    values = np.arange(9) * 1e6
    figure = draw_series_grid([SmallPicture(name, time, values) for name in names])
    said = titles(figure)
    assert said[0] == "$x$ and $y (millions)"
    assert len(said[1]) < 60
    assert "…" in said[1]
    assert said[2:] == ["7 (millions)", "Ж (millions)"]
    figure.draw_without_rendering()
    for axes in figure.axes:
        assert axes.yaxis.get_offset_text().get_text() == ""


def test_gaps_stay_and_marked_steps_have_dots():
    values = np.array([1.0, np.nan, 3.0, np.inf, 9.0])
    picture = SmallPicture("a", pd.RangeIndex(5), values, marked=[1, 4])
    line, dots = draw_series_grid([picture]).axes[0].lines
    np.testing.assert_array_equal(line.get_ydata(), [1, np.nan, 3, np.nan, 9])
    assert dots.get_xydata().tolist() == [[4, 9]]


@pytest.mark.parametrize(
    "time",
    [
        pd.RangeIndex(5),
        pd.Index([1749.042, 1749.123, 1749.204, 1749.285, 1749.366]),
        pd.date_range("2020-10-24", periods=5, freq="h", tz="Europe/Berlin"),
        pd.date_range("0050-01-01", periods=5, freq="YS", unit="s"),
        pd.date_range("9995-01-01", periods=5, freq="YS", unit="s"),
        pd.DatetimeIndex(["2020-01-01"]),
    ],
    ids=["numbers", "years", "zone", "old", "far", "one"],
)
def test_every_kind_of_time(time):
    png(draw_series_grid(pictures(2, time)))


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="pictures is empty"):
        draw_series_grid([])
    png(draw_series_grid([SmallPicture("a", pd.RangeIndex(3), np.full(3, np.nan))]))
    png(draw_series_grid([SmallPicture("a", pd.RangeIndex(0), np.array([]))]))
