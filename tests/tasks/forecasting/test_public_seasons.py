"""Seasons of public series: what the calendar offers is found, or stands beside in any case."""

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import read_panel, read_series
from statewise.tasks import Forecaster, evaluate_closed_loop
from statewise.tasks.evaluation.baselines import baselines
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.forecasting.adapters import panel_of
from statewise.tasks.forecasting.seasons import best_repeated, seasons_of


def test_births(shared_data):
    path = shared_data("tables/daily-total-female-births.csv")
    births = read_series(path, target="Births")
    result = evaluate_closed_loop(Forecaster(horizon=14, units=4, epochs=1), births)
    assert result.season == 7
    assert result.table.loc["seasonal naive", "MAE"] == pytest.approx(5.0)
    assert "seasonal naive forecast" in result.verdict()


def test_taxis(shared_data):
    """A day and a week; the week repeats itself best, and that is what stands beside."""
    taxis = panel_of(read_series(shared_data("nab/nyc_taxi.csv")))
    known = taxis.until(len(taxis.values) - 96)
    assert set(seasons_of(known, 96).lengths) == {48, 336}
    assert best_repeated(known, 96) == 336
    origins = Origins(taxis, np.array([[len(known.values)]]), 96)
    week = baselines(origins, season=336)["seasonal naive"].points
    assert np.abs(week - origins.truth()).mean() == pytest.approx(1387, abs=1)


def test_temperatures_have_a_year(shared_data):
    temperatures = read_series(
        shared_data("tables/daily-min-temperatures.csv"), target="Temp", missing="fill"
    )
    assert 365 in seasons_of(panel_of(temperatures), 14).lengths


def test_quarters(shared_data):
    lines = shared_data("panels/tourism_quarterly-train.csv").read_text().splitlines()
    series = [np.array(line.split(",")[1:]) for line in lines]
    quarters = pd.date_range("1950-01-01", periods=200, freq="QS")
    table = pd.concat(
        pd.DataFrame({"unique_id": i, "ds": quarters[: len(y)], "y": y[y != ""].astype(float)})
        for i, y in enumerate(one[one != ""] for one in series)
    )
    found = seasons_of(read_panel(table), 8)
    assert (found.lengths, found.tentative) == ((4,), False)


def weekly(path):
    """Return M4's weekly series with stamps, as a long frame."""
    train = pd.read_csv(path)
    values = train.iloc[:, 1:].to_numpy(float)
    weeks = pd.date_range("1950-01-01", periods=values.shape[1], freq="W-SUN")
    series, step = np.nonzero(~np.isnan(values))
    return pd.DataFrame(
        {"unique_id": train.iloc[:, 0].to_numpy()[series], "ds": weeks[step]}
    ).assign(y=values[series, step])


def test_weeks_are_tried_with_their_year(shared_data):
    """Less than a third of the series confirm it, and a regression makes little of it."""
    found = seasons_of(read_panel(weekly(shared_data("m4/weekly-train.csv"))), 13)
    assert (found.lengths, found.tentative) == ((52,), True)


@pytest.mark.slow
def test_weeks_by_themselves_reach_what_they_reach_when_told(shared_data):
    table = weekly(shared_data("m4/weekly-train.csv"))
    truth = pd.read_csv(shared_data("m4/weekly-test.csv")).iloc[:, 1:].to_numpy(float)
    found, told = (Forecaster(horizon=13, season=season).fit(table) for season in ("auto", 52))
    assert (found.season_, found.seasons_) == (52, (52,))
    points = found.predict()["model"].to_numpy().reshape(truth.shape)
    np.testing.assert_allclose(points.ravel(), told.predict()["model"], rtol=1e-3)
    smape = 200 * np.mean(np.abs(truth - points) / (np.abs(truth) + np.abs(points)))
    assert smape < 7
