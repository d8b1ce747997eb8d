import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from statewise.tasks import coverage, mae, mape, mase, rmse, rmsse, smape, wql
from statewise.tasks.evaluation.pooled import measure
from statewise.tasks.forecasting.forecast import Forecast

VALUES = st.lists(
    st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6)), min_size=1, max_size=20
).map(lambda pairs: tuple(np.array(pairs).T))


def test_by_hand():
    truth, forecast = [1.0, -2.0, 4.0], [2.0, -4.0, 4.0]
    assert mae(truth, forecast) == 1.0
    assert rmse(truth, forecast) == pytest.approx(math.sqrt(5 / 3))
    assert mape(truth, forecast) == pytest.approx(100 * (1 + 1 + 0) / 3)
    assert smape(truth, forecast) == pytest.approx(200 * (1 / 3 + 2 / 6 + 0) / 3)


def test_mase_scales_by_the_seasonal_naive_error_of_the_training_part():
    train = [1.0, 5.0, 2.0, 7.0, 3.0]  # seasonal differences 1, 2, 1
    assert mase([3.0], [7.0], train=train, season=2) == pytest.approx(4 / (4 / 3))
    assert mase([3.0], [7.0], train=train) == pytest.approx(4 / 4)


def test_no_value_where_it_would_divide_by_zero():
    assert math.isnan(mape([0.0, 1.0], [1.0, 1.0]))
    assert math.isnan(mase([1.0], [2.0], train=[3.0, 3.0]))
    assert math.isnan(mase([1.0], [2.0], train=[3.0, 4.0], season=2))
    assert smape([0.0], [0.0]) == 0.0


@given(VALUES)
def test_the_mean_error_is_at_most_the_squared_one(pair):
    assert mae(*pair) <= rmse(*pair) * (1 + 1e-9) + 1e-9
    assert mae(*pair) == mae(*reversed(pair))
    assert 0 <= smape(*pair) <= 200 + 1e-9


@pytest.mark.parametrize("measure", [mae, rmse, mape, smape])
def test_refuses(measure):
    with pytest.raises(ValueError, match=r"shape \(2,\), forecast \(1,\)"):
        measure([1.0, 2.0], [1.0])
    with pytest.raises(ValueError, match="nothing to compare"):
        measure([], [])
    with pytest.raises(ValueError, match="forecast holds 1 values that are missing or infinite"):
        measure([1.0], [np.nan])


def test_mase_refuses_a_season_of_nothing():
    with pytest.raises(ValueError, match="season=0: a season has at least 1 step"):
        mase([1.0], [1.0], train=[1.0, 2.0], season=0)


def test_rmsse_scales_by_the_squared_steps_of_the_training_part():
    train = [1.0, 5.0, 2.0, 7.0, 3.0]  # seasonal differences 1, 2, 1
    assert rmsse([3.0], [7.0], train=train, season=2) == pytest.approx(4 / math.sqrt(2))
    assert math.isnan(rmsse([1.0], [2.0], train=[3.0, 3.0]))
    assert math.isnan(rmsse([1.0], [2.0], train=[3.0, 4.0], season=2))


def test_the_quantile_loss_of_a_point_is_its_weighted_error():
    truth, point = [10.0, 20.0, 30.0], [12.0, 20.0, 24.0]
    assert wql(truth, [point] * 3, quantiles=[0.1, 0.5, 0.9]) == pytest.approx(8 / 60)
    assert math.isnan(wql([0.0], [[1.0]], quantiles=[0.5]))


def test_the_true_quantiles_have_the_least_loss(rng):
    truth = rng.normal(100, 10, 20_000)

    def loss(factor):
        ends = [np.full_like(truth, 100 + sign * factor * 12.816) for sign in (-1, 1)]
        return wql(truth, ends, quantiles=[0.1, 0.9])

    assert loss(1.0) < min(loss(0.8), loss(1.2))


@pytest.mark.parametrize(
    ("quantiles", "words"),
    [([0.5, 1.0], "between 0 and 1"), ([0.5], "1 quantiles, but forecasts for 2 of them")],
)
def test_the_quantile_loss_refuses(quantiles, words):
    with pytest.raises(ValueError, match=words):
        wql([1.0], [[1.0], [2.0]], quantiles=quantiles)


def test_coverage_counts_the_ends():
    assert coverage([1.0, 2.0, 3.0], [1.0, 0.0, 4.0], [5.0, 2.0, 5.0]) == pytest.approx(200 / 3)
    with pytest.raises(ValueError, match="the same"):
        coverage([1.0], [0.0], [1.0, 2.0])


@given(VALUES)
def test_one_series_is_the_case_of_many(pair):
    truth, points = pair
    assume(not 0 < np.abs(truth).sum() < 1e-9)  # the quantile loss divides by it
    low, high = np.minimum(truth, points), np.maximum(truth, points)
    forecast = Forecast(points[None, None], {80.0: (low[None, None] - 1, high[None, None] - 1)})
    found = measure(truth[None, None], forecast, np.array([2.0]), (0, 1, 2))
    assert found["MAE"] == mae(truth, points)
    assert found["RMSE"] == rmse(truth, points)
    assert found["sMAPE"] == smape(truth, points)
    assert found["MASE"] == pytest.approx(mae(truth, points) / 2, nan_ok=True)
    assert found["coverage-80"] == coverage(truth, low - 1, high - 1)
    tail = (1 - 80 / 100) / 2
    quantiles = wql(truth, [points, low - 1, high - 1], quantiles=[0.5, tail, 1 - tail])
    assert found["WQL"] == pytest.approx(quantiles, nan_ok=True)


def test_what_is_missing_of_a_training_part_counts_nowhere():
    train = np.array([1.0, 2.0, np.nan, 5.0, 4.0, 6.0])  # steps of 1, 1 and 2
    assert mase([3.0], [7.0], train=train) == pytest.approx(3)
    assert rmsse([3.0], [7.0], train=train) == pytest.approx(4 / math.sqrt(2))
    assert math.isnan(mase([3.0], [7.0], train=train[:1]))
