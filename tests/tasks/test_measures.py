import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from statewise.tasks import mae, mape, mase, rmse, smape

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
