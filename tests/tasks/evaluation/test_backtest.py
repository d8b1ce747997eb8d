import sys

import numpy as np
import pandas as pd
import pytest

from statewise.sequences import Columns, DataError, read_panel, read_series
from statewise.tasks import (
    Backtest,
    Forecaster,
    backtest,
    evaluate_closed_loop,
    evaluate_one_step,
    mae,
    mase,
    naive,
    rmse,
    seasonal_naive,
    smape,
    wql,
)
from statewise.tasks.evaluation.backtesting import from_evaluation
from statewise.tasks.evaluation.verdict import against, copies

QUICK = {"units": 4, "epochs": 2, "lookback": 8}


def panel_frame(rng, series=6, steps=60, **columns):
    """A panel with a weekly season, level and length of each series its own."""
    parts = []
    for i in range(series):
        n = steps + 3 * i
        t = np.arange(n)
        y = 50 * (i + 1) + 10 * np.sin(2 * np.pi * t / 7) + rng.normal(size=n)
        stamps = pd.date_range(end="2024-06-30", periods=n)
        parts.append(pd.DataFrame({"unique_id": f"s{i}", "ds": stamps, "y": y}))
    return pd.concat(parts, ignore_index=True).assign(**columns)


class Fake(Forecaster):
    """Forecasts by a rule, and keeps what it was shown."""

    rule = staticmethod(lambda values, horizon: naive(values, horizon))
    season_of_it = 7

    def fit(self, data, *, columns=None, short="raise", missing="mask", progress=None):
        self.fitted = [*getattr(self, "fitted", []), data]
        self.season_, self.notes_, self.left_out_ = self.season_of_it, [], []
        self.keys_ = data.keys
        if progress is not None:
            progress("training", 1, 1, 0.5)
        return self

    def predict(self, horizon=None, *, new_data=None, level=None, future=None):
        Fake.shown.append((new_data, future))
        points = []
        for a, b in zip(new_data.offsets[:-1], new_data.offsets[1:], strict=True):
            points.append(self.rule(new_data.values[a:b, 0], horizon))
        points = np.concatenate(points)
        frame = pd.DataFrame({"model": points})
        for one in level or ():
            frame[f"model-lo-{one:g}"], frame[f"model-hi-{one:g}"] = points - one, points + one
        return frame


@pytest.fixture
def fake():
    Fake.shown = []

    def make(rule=naive, horizon=5):
        forecaster = Fake(horizon=horizon)
        Fake.rule = staticmethod(rule)
        return forecaster

    return make


@pytest.fixture(scope="module")
def frame():
    return panel_frame(np.random.default_rng(0))


@pytest.fixture(scope="module")
def result(frame):
    return backtest(Forecaster(horizon=5, **QUICK), frame, windows=3)


def test_each_origin_is_shown_what_came_before_it_and_nothing_else(fake, frame):
    result = backtest(fake(), frame, windows=3)
    panel = read_panel(frame)
    fitted = result.forecaster.fitted
    assert len(fitted) == 1
    assert fitted[0].lengths.tolist() == (panel.lengths - 15).tolist()
    assert [new.lengths.tolist() for new, _ in Fake.shown] == [
        (panel.lengths - held).tolist() for held in (15, 10, 5)
    ]
    assert result.origins.first.tolist() == [[n - 15, n - 10, n - 5] for n in panel.lengths]


def test_refit_fits_at_each_origin(fake, frame):
    seen = []
    result = backtest(fake(), frame, windows=2, refit=True, progress=lambda *now: seen.append(now))
    assert result.refit
    assert [now[0] for now in seen] == ["window 1 of 2: training", "window 2 of 2: training"]
    assert len(result.forecaster.fitted) == 1  # a forecaster of its own each time
    assert result.forecaster.fitted[0].lengths[0] == 60 - 5


def test_the_baselines_are_those_of_one_series(result, frame):
    for i, key in enumerate(("s0", "s5")):
        values = frame.loc[frame["unique_id"] == key, "y"].to_numpy()
        row = (0, 5)[i]
        for window, held in enumerate((15, 10, 5)):
            known = values[: len(values) - held]
            found = result.arrays
            np.testing.assert_array_equal(found["naive"].points[row, window], naive(known, 5))
            np.testing.assert_array_equal(
                found["seasonal naive"].points[row, window], seasonal_naive(known, 5, season=7)
            )
    assert result.season == 7


def test_the_intervals_of_the_naive_forecast_cover_a_random_walk(fake, rng):
    walks = pd.DataFrame(rng.normal(size=(300, 60)).cumsum(axis=0))
    table = backtest(fake(horizon=10), walks, windows=10).table
    assert table.loc["naive", "coverage-80"] == pytest.approx(80, abs=3)
    assert table.loc["naive", "coverage-95"] == pytest.approx(95, abs=2)


def test_the_measures_are_those_of_one_series(result, frame):
    values = frame.loc[frame["unique_id"] == "s2", "y"].to_numpy()
    told = result.forecasts.query("unique_id == 's2'")
    truth = told["y"].to_numpy()
    np.testing.assert_array_equal(truth, values[-15:])
    row = result.by_series.loc[("model", "s2")]
    forecast = told["model"].to_numpy()
    assert row["MAE"] == pytest.approx(mae(truth, forecast))
    assert row["RMSE"] == pytest.approx(rmse(truth, forecast))
    assert row["sMAPE"] == pytest.approx(smape(truth, forecast))
    assert row["MASE"] == pytest.approx(mase(truth, forecast, train=values[:-15], season=7))
    quantiles = (0.5, 0.1, 0.9, 0.025, 0.975)
    names = ("", "-lo-80", "-hi-80", "-lo-95", "-hi-95")
    ends = [told[f"model{name}"] for name in names]
    assert row["WQL"] == pytest.approx(wql(truth, ends, quantiles=quantiles))
    inside = told["model-lo-80"].le(told["y"]) & told["model-hi-80"].ge(told["y"])
    assert row["coverage-80"] == pytest.approx(100 * inside.mean())
    step = result.errors.query("unique_id == 's2' and step == 4 and forecast == 'model'").iloc[0]
    assert step["MAE"] == pytest.approx(mae(truth[3::5], forecast[3::5]))


def test_the_frames(result):
    assert isinstance(result, Backtest)
    assert list(result.forecasts.columns[:7]) == [
        "unique_id",
        "ds",
        "window",
        "step",
        "cutoff",
        "y",
        "model",
    ]
    assert len(result.forecasts) == 6 * 3 * 5
    first = result.forecasts.iloc[0]
    assert first["ds"] - first["cutoff"] == pd.Timedelta(days=1)
    assert len(result.errors) == 6 * 5 * 3
    assert list(result.table.index) == ["model", "naive", "seasonal naive"]
    assert list(result.table.columns) == [
        "MAE",
        "RMSE",
        "sMAPE",
        "MASE",
        "WQL",
        "coverage-80",
        "coverage-95",
    ]
    assert result.by_step.index.names == ["forecast", "step"]
    assert result.by_step.loc["naive"].index.tolist() == [1, 2, 3, 4, 5]
    mean = result.errors.groupby("forecast")["MASE"].mean()
    assert mean["model"] == pytest.approx(result.table.loc["model", "MASE"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("refit", "likelihood"),
    [(False, "auto"), pytest.param(True, "gaussian", marks=pytest.mark.slow)],
)
def test_nothing_after_a_cutoff_is_looked_at(rng, refit, likelihood):
    frame = panel_frame(rng, series=4, steps=50, price=rng.normal(size=218))
    last = frame.groupby("unique_id")["ds"].rank(ascending=False, method="first")
    changed = frame.copy()
    changed.loc[last <= 5, "y"] = rng.uniform(-1e4, 1e4, size=20)
    names = Columns(past=["price"])
    changed.loc[last <= 5, "price"] = rng.uniform(-1e4, 1e4, size=20)
    forecaster = Forecaster(horizon=5, likelihood=likelihood, **QUICK)
    # The last of two windows begins where the change does: no forecast of either may differ.
    one, two = (
        backtest(forecaster, each, windows=2, refit=refit, columns=names)
        for each in (frame, changed)
    )
    told = [c for c in one.forecasts.columns if c != "y"]
    pd.testing.assert_frame_equal(one.forecasts[told], two.forecasts[told])
    assert not one.forecasts["y"].equals(two.forecasts["y"])
    np.testing.assert_array_equal(one.scale, two.scale)
    states = [each.forecaster._engine.state() for each in (one, two)]
    assert states[0][0] == states[1][0]  # every chosen option
    assert states[0][1].keys() == states[1][1].keys()
    for name, array in states[0][1].items():  # weights, scaling, residuals
        np.testing.assert_array_equal(array, states[1][1][name])
    if not refit:
        # And fitted once, nothing of the second window's known steps has entered the fit.
        again = changed.copy()
        again.loc[last <= 10, "y"] = 7.0
        three = backtest(forecaster, again, windows=2, columns=names)
        assert three.forecaster._engine.state()[0] == states[0][0]
        first = one.forecasts["window"] == 1
        pd.testing.assert_frame_equal(one.forecasts[told][first], three.forecasts[told][first])


def test_the_order_of_rows_and_the_kind_of_frame_change_nothing(fake, frame):
    pl = pytest.importorskip("polars")
    shuffled = pl.from_pandas(frame.sample(frac=1, random_state=1))
    one, two = (
        backtest(fake(), each, windows=3)
        .forecasts.sort_values(["unique_id", "ds"], ignore_index=True)
        .astype({"ds": "datetime64[us]", "cutoff": "datetime64[us]"})
        for each in (frame, shuffled)
    )
    pd.testing.assert_frame_equal(one, two)


def test_short_series_are_left_out_and_named(frame, rng):
    short = pd.DataFrame(
        {"unique_id": "short", "ds": pd.date_range(end="2024-06-30", periods=9), "y": 1.0}
    )
    barely = short.assign(unique_id="barely")
    barely = pd.concat([barely, barely.assign(ds=barely["ds"] - pd.Timedelta(days=9))])
    result = backtest(Forecaster(horizon=5, **QUICK), pd.concat([frame, short, barely]), windows=2)
    assert result.left_out == ["short", "barely"]
    assert "2 of 8 series have too few time steps before the first window" in result.notes[0]
    assert "2 keys left out as too short." in result.verdict()
    assert len(result.origins.panel) == 6
    with pytest.raises(DataError, match=r"longest series has 9 .* 2 windows of 5 steps \(10 in"):
        backtest(Forecaster(horizon=5), short, windows=2)


def test_series_that_end_at_different_times_are_noted(fake, frame):
    ended = frame[(frame["unique_id"] != "s1") | (frame["ds"] < "2024-06-01")]
    result = backtest(fake(), ended, windows=1)
    assert "each is cut at its own end" in result.notes[-1]
    assert result.forecasts.query("unique_id == 's1'")["ds"].max() == pd.Timestamp("2024-05-31")


def test_missing_truth_counts_nowhere(fake, frame):
    holed = frame.copy()
    holed.loc[holed.groupby("unique_id").tail(1).index, "y"] = np.nan
    holed.loc[holed.groupby("unique_id").nth(-6).index, "y"] = np.nan  # right before the origin
    result = backtest(fake(), holed, windows=1)
    assert np.isnan(result.truth).sum() == 6
    assert np.isnan(result.errors.query("step == 5")["MAE"]).all()
    assert np.isfinite(result.table.loc["naive"]).all()
    values = holed.loc[holed["unique_id"] == "s0", "y"].to_numpy()
    assert result.arrays["naive"].points[0, 0, 0] == values[-7]


def test_filled_values_of_a_series_do_not_tell_of_the_future(fake):
    values = np.arange(40.0)
    values[[33, 34]] = np.nan
    series = read_series(pd.DataFrame({"y": values}), missing="fill")
    result = backtest(fake(), series, windows=1, horizon=6)
    assert np.isnan(Fake.shown[0][0].values[33, 0])
    assert np.isnan(result.truth[0, 0, 0])


def test_inputs_known_for_the_future_are_handed_over(fake, rng):
    frame = panel_frame(rng, series=2, steps=40, price=np.arange(83.0))
    backtest(fake(), frame, windows=2, columns={"future": ["price"]})
    future = Fake.shown[1][1]
    assert list(future.columns) == ["unique_id", "ds", "price"]
    assert future["price"].tolist() == [*range(35, 40), *range(78, 83)]


def test_old_names_work_for_a_release(fake, result):
    frame = panel_frame(np.random.default_rng(0), series=2, steps=30, price=1.0)
    with pytest.warns(FutureWarning, match="names= is now called columns="):
        old = backtest(fake(), frame, windows=1, names={"past": ["price"]})
    assert old.origins.panel.columns.past == ("price",)
    with pytest.warns(FutureWarning, match=r"Backtest\.casts is now called Backtest\.arrays"):
        assert result.casts is result.arrays


def test_a_filled_series_is_measured_alike_in_both():
    values = 50 + 9 * np.sin(np.arange(80.0)) + np.arange(80)
    values[[30, 51, 70]] = np.nan
    series = read_series(pd.DataFrame({"y": values}), missing="fill")
    evaluation = evaluate_closed_loop(Forecaster(horizon=6, units=2, epochs=1), series)
    result = from_evaluation(evaluation, level=[80])
    told = result.forecasts[["model", "naive"]].to_numpy()
    np.testing.assert_allclose(told, evaluation.forecasts[["model", "naive"]], rtol=1e-6)
    with pytest.raises(ValueError, match="forecasts of one step have no intervals"):
        from_evaluation(evaluate_one_step(Forecaster(horizon=1, units=2, epochs=1), series))


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"windows": 0}, ValueError, "windows must be at least 1"),
        ({"windows": 1.5}, TypeError, "windows must be a whole number"),
        ({"windows": 1, "horizon": 0}, ValueError, "horizon must be at least 1"),
        ({"windows": 1, "level": [120]}, ValueError, "between 0 and 100 percent, but is 120"),
        ({"windows": 1, "level": [80, 80]}, ValueError, "names one twice: 80, 80"),
        ({"windows": 1, "columns": {"key": "shop", "target": "z"}}, DataError, "no column 'z'"),
    ],
)
def test_refuses(frame, options, error, words):
    with pytest.raises(error, match=words):
        backtest(Forecaster(horizon=5), frame, **options)


class TestTheVerdict:
    def test_a_naive_forecaster_is_told_from_a_good_one(self, fake, frame):
        shifted = backtest(fake(), frame, windows=8)
        said = shifted.verdict()
        assert "This forecast is the last value, shifted" in said
        assert "equal to that of the naive forecast" in said
        season = backtest(
            fake(lambda values, horizon: seasonal_naive(values, horizon, season=7)),
            frame,
            windows=5,
        )
        assert "the last season, repeated" in season.verdict()
        assert "last value" not in season.verdict()

        def good(values, horizon):
            level, t = np.mean(values), len(values) + np.arange(horizon)
            return level + 10 * np.sin(2 * np.pi * t / 7)

        best = backtest(fake(good), frame, windows=8)
        assert "shifted" not in best.verdict()
        assert "repeated" not in best.verdict()
        assert "below that of the naive forecast, significantly (Diebold-Mariano" in best.verdict()

    def test_one_series_is_measured_in_its_own_unit(self, fake, frame):
        one = backtest(fake(), frame.query("unique_id == 's3'"), windows=2)
        error = one.table.loc["naive", "MAE"]
        assert f"Over 2 windows of 5 steps the model has a mean absolute error of {error:.4g}" in (
            one.verdict()
        )
        assert "Fewer than 8 windows, and fewer than 8 series" in one.verdict()
        assert "the 80 % intervals hold" in one.verdict()

    def test_constant_series(self, fake):
        flat = pd.DataFrame({"a": np.ones(40), "b": np.full(40, 2.0)})
        said = backtest(fake(), flat, windows=2).verdict()
        assert "The naive forecast has no error to compare with." in said

    @pytest.mark.parametrize(
        ("blend", "noise", "copy"),
        [
            (1.0, 0.0, True),  # the last value itself
            (1.0, 0.3, True),  # blurred
            (0.997, 0.1, True),  # drawn towards the mean, as small networks do
            (0.0, 0.0, False),  # the mean: bad, but no copy
        ],
    )
    def test_copies_of_a_random_walk(self, rng, blend, noise, copy):
        walk = rng.normal(size=2000).cumsum()
        truth, last = walk[1:].reshape(1, -1, 1), walk[:-1].reshape(1, -1, 1)
        points = blend * last + (1 - blend) * walk.mean() + noise * rng.normal(size=last.shape)
        assert copies(truth, points, last, np.ones(1)) == copy

    def test_one_who_knows_a_little_copies_nothing(self, rng):
        step = rng.normal(size=(1, 2000, 1))
        last = np.zeros_like(step)
        assert not copies(step, 0.1 * step, last, np.ones(1))

    @pytest.mark.parametrize(
        ("model", "other", "words"),
        [
            (1.0, 1.0, "equal to that of the naive forecast"),
            (1.0, 2.0, "50 % below that of the naive forecast, significantly"),
            (3.0, 2.0, "50 % above that of the naive forecast, significantly"),
        ],
    )
    def test_against(self, model, other, words):
        assert words in against("naive", np.full((20, 1), model), np.full((20, 1), other))

    def test_a_mean_that_few_series_decide_is_said(self):
        model, other = np.full((20, 1), 1.1), np.full((20, 1), 1.0)
        other[0] = 50.0
        assert "a few decide the mean" in against("naive", model, other)

    def test_chance(self, rng):
        model, other = rng.normal(5, 1, size=(2, 10, 1))
        assert "may be chance" in against("naive", model, other)


class TestPeers:
    def test_says_how_to_install_them(self, result, monkeypatch):
        monkeypatch.setitem(sys.modules, "statsforecast", None)
        with pytest.raises(ImportError, match=r"AutoETS come from .* pip install statsforecast"):
            result.beside("AutoETS")
        with pytest.raises(ValueError, match="no peer 'Prophet'; there are AutoETS, AutoARIMA"):
            result.beside("Prophet")

    def test_stand_beside_the_others(self, result):
        pytest.importorskip("statsforecast")
        seen = []
        both = result.beside("AutoETS", "AutoARIMA", progress=seen.append)
        assert seen == ["AutoETS", "AutoARIMA"]
        assert list(both.table.index)[3:] == ["AutoETS", "AutoARIMA"]
        assert np.isfinite(both.table).all(axis=None)
        assert both.table.loc["AutoETS", "MAE"] < both.table.loc["naive", "MAE"]
        assert "AutoETS-lo-80" in both.forecasts
        assert "AutoETS" not in result.arrays
        assert "AutoARIMA forecast" in both.verdict()
