"""The picture of ``statewise forecast``: which series, its name, its parts."""

import numpy as np
import pandas as pd
import pytest

from statewise.cli.forecast_picture import picture_of
from statewise.cli.written_names import target_name
from statewise.sequences import Columns, read_panel
from statewise.tasks import Forecaster, backtest
from statewise.tasks.evaluation.beyond import forecast_beyond
from statewise.tasks.forecasting.parameters import fresh


@pytest.fixture(scope="module")
def parts():
    """Return forecasts of held-out steps and beyond the end, of three stores."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=40)
    table = pd.concat(
        pd.DataFrame({"store": i, "day": days, "sold": rng.normal(10 * (i + 1), i + 1, 40)})
        for i in range(3)
    )
    panel = read_panel(table, Columns(key="store", time="day", target="sold"))
    forecaster = Forecaster(horizon=4, units=2, epochs=1, lookback=8, season=7)
    held = backtest(forecaster, panel, windows=1, level=[80])
    fitted = fresh(forecaster).fit(panel)
    return held, forecast_beyond(fitted, panel, levels=(80.0,))


def title_of(figure):
    return " ".join(figure.axes[0].get_title(loc="left").split())


@pytest.mark.slow
def test_both_parts(parts):
    figure = picture_of(*parts)
    title = title_of(figure)
    assert title.startswith("Forecast of sold, store 1 (the median error of 3 series): mean error ")
    assert title.endswith("; 4 steps beyond the end")
    texts = [text.get_text().strip() for text in figure.axes[0].texts]
    assert texts == ["known", "held out", "beyond the end"]
    assert figure.axes[0].get_ylabel() == "sold, store 1"


def test_the_lines_are_those_of_one_series(parts):
    held, beyond = parts
    figure = picture_of(held, beyond)
    drawn = [line.get_ydata() for line in figure.axes[0].lines]
    for arrays in (held.arrays, beyond.arrays):
        points = arrays["model"].points[1, -1]
        assert any(len(line) == 4 and np.allclose(line, points) for line in drawn)
    low, high = figure.axes[0].get_ylim()
    for arrays in (held.arrays, beyond.arrays):
        ends = arrays["model"].bands[80]
        assert low <= ends[0][1].min()
        assert ends[1][1].max() <= high


def test_one_part(parts):
    held, beyond = parts
    assert "beyond" not in title_of(picture_of(held, None))
    title = title_of(picture_of(None, beyond))
    assert (
        title == "Forecast of sold, store 1 (the median level of 3 series): 4 steps beyond the end"
    )
    with pytest.raises(ValueError, match="neither a held-out part nor one beyond"):
        picture_of(None, None)


@pytest.mark.parametrize(
    ("name", "file", "called"),
    [
        ("0", "sales.csv", "sales"),
        (0, "folder/sales.v2.parquet", "sales"),
        ("", "-", "the series"),
        (None, None, "the series"),
        ("Unnamed: 1", "a b.csv", "a b"),
        ("sold", "sales.csv", "sold"),
        ("2nd", "sales.csv", "2nd"),
    ],
)
def test_what_has_no_name_is_called_as_its_file(name, file, called):
    assert target_name(name, file) == called


@pytest.mark.slow
def test_one_step_is_one_step():
    series = pd.DataFrame({"day": pd.date_range("2024-01-01", periods=30), "sold": 3.0})
    panel = read_panel(series, Columns(time="day", target="sold"))
    forecaster = Forecaster(horizon=1, units=2, epochs=1, lookback=8, season=1)
    held = backtest(forecaster, panel, windows=1, level=[80])
    beyond = forecast_beyond(fresh(forecaster).fit(panel), panel)
    title = title_of(picture_of(held, None))
    assert "over 1 held-out step (" in title
    assert title_of(picture_of(None, beyond)).endswith(": 1 step beyond the end")
