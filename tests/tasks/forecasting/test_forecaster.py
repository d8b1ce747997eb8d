import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from statewise.datasets import airline_path
from statewise.sequences import DataError, read_series
from statewise.tasks import Forecaster, evaluate_closed_loop, evaluate_one_step

SERIES = read_series(airline_path())
QUICK = {"units": 2, "epochs": 3}


def changed(series, first, rng):
    """Return the series with every value from ``first`` on replaced."""
    values = series.values.copy()
    values[first:] = rng.uniform(1, 5000, values[first:].shape)
    return replace(series, values=values)


@pytest.fixture(scope="module")
def closed_loop():
    return evaluate_closed_loop(Forecaster(horizon=6, **QUICK), SERIES)


@pytest.fixture(scope="module")
def one_step():
    return evaluate_one_step(Forecaster(horizon=9, **QUICK), SERIES, train_fraction=0.67)


def chosen(forecaster):
    names = ("season_", "lookback_", "epochs_", "transform_", "validation_errors_", "losses_")
    return [getattr(forecaster, name) for name in names]


def test_closed_loop_leaks_nothing(closed_loop, rng):
    other = evaluate_closed_loop(Forecaster(horizon=6, **QUICK), changed(SERIES, 138, rng))
    pd.testing.assert_frame_equal(closed_loop.forecasts, other.forecasts)
    assert chosen(closed_loop.forecaster) == chosen(other.forecaster)
    chains = [one.forecaster._engine.pipeline.get_state() for one in (closed_loop, other)]
    assert chains[0] == chains[1]
    assert not closed_loop.table.equals(other.table)


def test_one_step_ahead_leaks_nothing(one_step, rng):
    other = evaluate_one_step(
        Forecaster(horizon=1, **QUICK), changed(SERIES, 100, rng), train_fraction=0.67
    )
    assert chosen(one_step.forecaster) == chosen(other.forecaster)
    # The history up to step 99 is the same, so are the forecasts of 96 to 100, and no others.
    pd.testing.assert_frame_equal(one_step.forecasts[:5], other.forecasts[:5])
    assert (one_step.forecasts["model"][5:] != other.forecasts["model"][5:]).all()


def test_the_evaluation_says_what_was_compared(closed_loop, one_step):
    assert list(closed_loop.table.columns) == ["MAE", "RMSE", "MAPE", "MASE"]
    assert list(closed_loop.table.index) == ["model", "naive", "seasonal naive"]
    assert len(closed_loop.train) == 138
    assert closed_loop.truth.tolist() == SERIES.values[138:, 0].tolist()
    np.testing.assert_array_equal(
        closed_loop.forecasts["seasonal naive"], SERIES.values[126:132, 0]
    )
    assert closed_loop.forecasts.index[0] == pd.Timestamp("1960-07-01")
    assert len(one_step.train) == 96
    assert one_step.forecaster.horizon == 1
    assert one_step.table.loc["naive", "RMSE"] == pytest.approx(48.04, abs=0.01)
    assert one_step.table.loc["seasonal naive", "RMSE"] == pytest.approx(41.85, abs=0.01)


@pytest.mark.parametrize(
    ("errors", "words"),
    [
        ([1.0, 4.0, 2.0], "beats the naive forecast and the seasonal naive forecast: .* 50 % less"),
        ([3.0, 4.0, 2.0], "beats the naive forecast, but not the seasonal naive forecast: .* 3 "),
        ([4.0, 4.0, 2.0], "does not beat the naive forecast and the seasonal naive forecast"),
    ],
)
def test_verdict(closed_loop, errors, words):
    table = closed_loop.table.assign(MAE=errors)
    assert pd.Series([replace(closed_loop, table=table).verdict()]).str.contains(words).all()


def test_a_seed_gives_the_same_forecast_and_touches_no_global_one(closed_loop):
    train = SERIES.until(138)
    np.random.seed(3)
    before = np.random.get_state()[1].copy()
    same = Forecaster(horizon=6, **QUICK).fit(train)
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    np.testing.assert_array_equal(same.predict(), closed_loop.forecasts["model"])
    other = Forecaster(horizon=6, seed=1, **QUICK).fit(train)
    assert (other.predict() != same.predict()).all()


def test_predict(closed_loop):
    forecaster = closed_loop.forecaster
    far = forecaster.predict(15)
    assert isinstance(far, pd.Series)
    assert (far.name, far.index[-1]) == ("passengers", pd.Timestamp("1961-09-01"))
    np.testing.assert_allclose(far[:6], closed_loop.forecasts["model"], rtol=1e-6)
    later = forecaster.predict(2, new_data=SERIES)
    assert list(later.index.strftime("%Y-%m")) == ["1961-01", "1961-02"]
    one_by_one = forecaster.predict_one_step(SERIES, first=138)
    assert one_by_one[0] == pytest.approx(far.iloc[0], rel=1e-6)
    assert one_by_one[3] == pytest.approx(forecaster.predict(1, new_data=SERIES.until(141)).iloc[0])
    with pytest.raises(ValueError, match="horizon must be at least 1"):
        forecaster.predict(0)
    with pytest.raises(ValueError, match="first=144: the series has the steps 0 to 143 only"):
        forecaster.predict_one_step(SERIES, first=144)
    with pytest.raises(DataError, match="only 3 steps are known before the forecast"):
        forecaster.predict_one_step(SERIES, first=3)


def test_known_values_without_a_logarithm(closed_loop, one_step):
    forecaster = one_step.forecaster
    if not forecaster._engine.spec.log:
        forecaster = closed_loop.forecaster
    assert forecaster._engine.spec.log
    fallen = replace(SERIES, values=np.where(np.arange(144)[:, None] == 143, -5.0, SERIES.values))
    with pytest.warns(UserWarning, match=r"1 known values are not above 0.* shown 104 in their"):
        assert np.isfinite(forecaster.predict(new_data=fallen)).all()


@pytest.mark.parametrize("cell", ["gru", "rnn"])
def test_arrays_of_a_constant(cell):
    seen = []
    forecaster = Forecaster(horizon=3, cell=cell, lookback=4, epochs=2)
    forecast = forecaster.fit(np.full(20, 7), progress=lambda *now: seen.append(now)).predict()
    np.testing.assert_array_equal(forecast, [7, 7, 7])
    assert forecaster.season_ == 1
    assert forecaster.lookback_ == 4
    assert forecaster.training_shape_ == (16, 4, 1)
    assert [now[:3] for now in seen] == [
        ("choosing", 1, 2),
        ("choosing", 2, 2),
        ("training", 1, 2),
        ("training", 2, 2),
    ]


def test_the_shortest_series():
    forecaster = Forecaster(horizon=1, epochs=1).fit([3.0, 5.0, 2.0, 6.0, 1.0, 4.0, 7.0, 2.5, 3.5])
    assert forecaster.transform_ in ("none", "logarithm")
    assert np.isfinite(forecaster.predict()).all()


@pytest.mark.slow
def test_wide_networks_are_trained_in_groups():
    series = 10 + np.sin(np.arange(40.0)) + np.arange(40) % 4
    forecaster = Forecaster(horizon=2, units=100, epochs=1, season=4).fit(series)
    assert len(forecaster.validation_errors_) == 8
    assert forecaster._engine.model.output_shape == (None, None, 2)
    assert np.isfinite(forecaster.predict()).all()


class TestArguments:
    def test_in_scikit_learns_manners(self):
        forecaster = Forecaster(horizon=4, cell="gru")
        params = forecaster.get_params()
        assert params == {
            "horizon": 4,
            "lookback": "auto",
            "cell": "gru",
            "units": "auto",
            "layers": 1,
            "likelihood": "auto",
            "epochs": "auto",
            "season": "auto",
            "seed": 0,
        }
        again = type(forecaster)(**params)
        assert repr(again) == repr(forecaster)
        assert again.set_params(horizon=5, seed=2) is again
        assert (again.horizon, again.seed) == (5, 2)
        with pytest.raises(ValueError, match="no argument 'depth'; it has horizon, lookback"):
            again.set_params(depth=2)
        with pytest.raises(ValueError, match="not fitted yet"):
            forecaster.predict()

    @pytest.mark.parametrize(
        ("arguments", "error", "words"),
        [
            ({"horizon": 0}, ValueError, "horizon must be at least 1"),
            ({"horizon": 2.5}, TypeError, "horizon must be a whole number"),
            ({"lookback": 1}, ValueError, "lookback must be at least 2"),
            ({"units": "many"}, ValueError, 'units must be a whole number or "auto"'),
            ({"cell": "tcn"}, ValueError, "cell must be one of lstm, gru, rnn, but is 'tcn'"),
            ({"season": 0}, ValueError, "season must be at least 1"),
            ({"epochs": 0}, ValueError, "epochs must be at least 1"),
            ({"seed": -1}, ValueError, "seed must be at least 0"),
        ],
    )
    def test_refuses_arguments(self, arguments, error, words):
        with pytest.raises(error, match=words):
            Forecaster(**{"horizon": 3} | arguments).fit(SERIES)

    @pytest.mark.parametrize(
        ("series", "arguments", "words"),
        [
            (range(10), {}, "has 10 time steps to learn from, but lookback 8 \\+ horizon 3 need"),
            (range(30), {"lookback": 28}, "30 time steps .* lookback 28 \\+ horizon 3 need .* 31"),
            ([1.0, np.nan, 2.0] * 9, {}, "9 missing values"),
            ([1.0, np.inf, 2.0] * 9, {}, "9 infinite values"),
            (
                read_series(
                    pd.DataFrame({"a": range(30), "b": range(30)}), target="a", features=["b"]
                ),
                {},
                "one series of one feature; this one has 2: a, b",
            ),
        ],
    )
    def test_refuses_series(self, series, arguments, words):
        with pytest.raises(DataError, match=words):
            Forecaster(horizon=3, **arguments).fit(series)

    def test_nothing_to_hold_out(self):
        with pytest.raises(DataError, match="has 20 time steps, so 24 can't be held out"):
            evaluate_closed_loop(Forecaster(horizon=24), range(20))


def test_filled_values_tell_nothing_and_are_not_measured(rng):
    frame = pd.DataFrame({"y": 20 + rng.normal(size=40)})
    frame.loc[[29, 30, 35], "y"] = None
    series = read_series(frame, missing="fill")
    result = evaluate_one_step(Forecaster(horizon=1, **QUICK), series, train_fraction=0.75)
    assert result.train.values[29, 0] == frame["y"][28]
    assert result.truth.isna().tolist() == [True, *[False] * 4, True, *[False] * 4]
    assert result.forecasts["naive"].iloc[0] == frame["y"][28]
    assert result.forecasts["naive"].iloc[6] == frame["y"][34]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_airline_passengers(seed):
    with warnings.catch_warnings():
        closed = evaluate_closed_loop(Forecaster(horizon=24, seed=seed), SERIES).table
        one = evaluate_one_step(Forecaster(horizon=1, seed=seed), SERIES).table
    assert closed.loc["seasonal naive", "MAE"] == pytest.approx(71.25)
    assert closed.loc["model", "MAE"] < 30
    assert one.loc["model", "RMSE"] < 22
