"""The seasons are those of the calendar that help on the validation part; there may be several."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.datasets import airline
from statewise.sequences import DataError, read_panel, read_wide
from statewise.tasks import Forecaster, backtest, evaluate_closed_loop, evaluate_one_step
from statewise.tasks.forecasting.seasons import best_first, best_repeated, offered, seasons_of

QUICK = {"units": 4, "epochs": 1, "lookback": 14}


def waves(rng, frequency, steps, lengths, *, series=1, noise=1.0, strength=2.0):
    """Return a long frame of series with seasons of these lengths, each a pattern of its own."""
    t, stamps = np.arange(steps), pd.date_range("2019-01-07", periods=steps, freq=frequency)
    parts = []
    for i in range(series):
        y = 50 + noise * rng.normal(size=steps)
        for length in lengths:
            y += strength * rng.normal(size=length)[t % length]
        parts.append(pd.DataFrame({"unique_id": f"s{i:03}", "ds": stamps, "y": y}))
    return pd.concat(parts)


@pytest.mark.parametrize(
    ("frequency", "steps", "lengths"),
    [
        ("MS", 96, [12]),
        ("QS", 80, [4]),
        ("W-SUN", 260, [52]),
        ("D", 120, [7]),
        ("B", 120, [5]),
        ("h", 900, [24]),
        ("h", 1200, [168]),
        ("h", 1200, [24, 168]),
        ("30min", 2000, [48, 336]),
    ],
)
def test_seasons_of_the_calendar(frequency, steps, lengths, rng):
    panel = read_panel(waves(rng, frequency, steps, lengths))
    found = seasons_of(panel, 12)
    assert not found.tentative
    assert set(lengths) <= set(found.lengths)
    # The longest repeats the shorter ones as well, where these divide it.
    assert len(lengths) == 1 or best_repeated(panel, 12) == found.lengths[0] == max(lengths)


def test_a_week_and_a_year(rng):
    frame = waves(rng, "D", 4 * 365, [7], noise=0.5)
    frame["y"] += 10 * np.sin(2 * np.pi * np.arange(len(frame)) / 365)
    assert set(seasons_of(read_panel(frame), 30).lengths) == {7, 365}


def test_a_season_that_few_series_confirm(rng):
    """Each by itself drowns in noise: M4's weeks are so, whose year was taken for none."""
    frame = waves(rng, "W-SUN", 260, [52], series=60, strength=1.0, noise=2.0)
    assert seasons_of(read_panel(frame), 13).lengths == (52,)


def test_a_season_that_one_series_doesnt_confirm(rng):
    frame = waves(rng, "D", 365, [7], strength=0.8, noise=1.5)
    assert seasons_of(read_panel(frame), 14).lengths == (7,)


@pytest.mark.parametrize("frequency", ["D", "B", "h", "W-SUN", "MS", "30min"])
def test_nothing_but_the_calendar_speaks_for_a_season_of_walks(frequency, rng):
    frame = waves(rng, frequency, 400, [], series=30)
    frame["y"] = frame.groupby("unique_id")["y"].transform(lambda y: (y - 50).cumsum())
    found = seasons_of(read_panel(frame), 7)
    assert found.tentative or not found.lengths
    assert best_repeated(read_panel(frame), 7) > 1


def test_what_is_too_short_is_not_offered():
    assert offered(read_wide(pd.DataFrame(np.ones(7)))) == []
    days = pd.date_range("2024-01-01", periods=300)
    assert offered(read_panel(pd.DataFrame({"ds": days[:7], "y": 1.0}))) == []
    assert offered(read_panel(pd.DataFrame({"ds": days, "y": 1.0}))) == [7]
    years = read_panel(pd.DataFrame({"ds": pd.date_range("1900", periods=99, freq="YS"), "y": 1.0}))
    assert offered(years) == []
    assert seasons_of(years, 3).lengths == ()


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(["D", "B", "h", "W-SUN", "MS", "QS", "YS", "30min", "min"]),
    st.lists(st.integers(1, 120), min_size=1, max_size=4),
    st.integers(1, 60),
    st.floats(0, 1),
    st.sampled_from([0.0, 1.0, 1e12, 1e-300]),
    st.integers(0, 2**32 - 1),
)
def test_whatever_comes(frequency, lengths, horizon, missing, scale, seed):
    """Short, still, huge, with hardly a value: there is an answer, and no warning."""
    rng = np.random.default_rng(seed)
    stamps = pd.date_range("1980-01-06", periods=120, freq=frequency)
    parts = []
    for i, length in enumerate([40, *lengths]):
        y = scale * rng.normal(size=length)
        y[rng.random(length) < missing] = np.nan
        parts.append(pd.DataFrame({"unique_id": i, "ds": stamps[:length], "y": y}))
    panel = read_panel(pd.concat(parts))
    found = seasons_of(panel, horizon)
    possible = offered(panel)
    assert set(found.lengths) <= set(possible)
    assert best_repeated(panel, horizon) in (possible or [1])


def test_numbered_steps_show_their_season(rng):
    values = np.tile([3.0, 9.0, 4.0, 6.0, 1.0], 30) + 0.3 * rng.normal(size=150)
    result = evaluate_closed_loop(Forecaster(horizon=10, **QUICK), values)
    assert (result.forecaster.season_, result.forecaster.seasons_) == (5, (5,))
    assert list(result.table.index) == ["model", "naive", "seasonal naive"]
    several = pd.DataFrame(np.column_stack([values, values[::-1], rng.normal(size=150)]))
    assert seasons_of(read_wide(several), 10).lengths == (5,)
    assert seasons_of(read_wide(several.iloc[:, 2:].cumsum()), 10).lengths == ()


def test_repetition_is_measured_at_the_end_of_what_is_known(rng):
    frame = waves(rng, "h", 800, [24, 168])
    panel = read_panel(frame)
    assert best_first(panel, [24, 168], 24) == (168, 24)
    day = waves(rng, "h", 800, [24], noise=0.1)
    day["y"] += 0.01 * np.arange(800)  # so last week is further off
    assert best_repeated(read_panel(day), 24) == 24
    short = read_panel(frame[:100])
    assert offered(short) == [24]


@pytest.mark.slow
def test_airline_has_one_season_and_the_forecast_of_one_that_is_told():
    series = airline().set_index("month")["passengers"]
    found, told, both = (
        Forecaster(horizon=6, season=season, **QUICK).fit(series) for season in ("auto", 12, (12,))
    )
    assert (found.season_, found.seasons_) == (12, (12,))
    np.testing.assert_array_equal(found.predict(), told.predict())
    np.testing.assert_array_equal(both.predict(), told.predict())
    assert Forecaster(horizon=6, season=1, **QUICK).fit(series).seasons_ == ()


@pytest.fixture(scope="module")
def hours():
    """Return a long frame of two hourly series with a day and a week."""
    rng = np.random.default_rng(5)
    return waves(rng, "h", 900, [24, 168], series=2, noise=0.3)


@pytest.fixture(scope="module")
def of_several(hours):
    return Forecaster(horizon=24, **QUICK).fit(hours)


@pytest.mark.slow
def test_several_seasons_at_once(of_several, hours):
    assert (of_several.season_, of_several.seasons_) == (168, (24, 168))
    told = Forecaster(horizon=24, season=[168, 24], **QUICK).fit(hours)
    assert told.season == (168, 24)
    assert told.seasons_ == (24, 168)
    np.testing.assert_array_equal(told.predict()["model"], of_several.predict()["model"])
    one = Forecaster(horizon=24, season=168, **QUICK).fit(hours)
    assert told.training_shape_[2] == one.training_shape_[2] + 2  # each season has two inputs


def test_one_short_series_of_several_seasons(hours):
    one = hours[hours["unique_id"] == "s000"].set_index("ds")["y"]
    fitted = Forecaster(horizon=24, units=2, epochs=1).fit(one)
    assert fitted.seasons_ == (24, 168)
    assert len(fitted.validation_errors_) == 12  # none, the step before, each season and both
    assert "difference over 168 steps" in fitted.validation_errors_
    result = evaluate_closed_loop(fitted, one)
    assert result.season == 168


def test_seasons_are_saved(of_several, hours, tmp_path):
    one = hours[hours["unique_id"] == "s000"].set_index("ds")["y"]
    local = Forecaster(horizon=24, season=(24, 168), units=2, epochs=1).fit(one)
    for fitted in (of_several, local):
        fitted.save(tmp_path / "a.zip")
        loaded = Forecaster.load(tmp_path / "a.zip")
        assert (loaded.season_, loaded.seasons_) == (168, (24, 168))
        assert loaded.get_params() == fitted.get_params()
        pd.testing.assert_frame_equal(
            pd.DataFrame(loaded.predict(level=80)), pd.DataFrame(fitted.predict(level=80))
        )


@pytest.mark.slow
def test_files_with_one_season_load(tmp_path):
    """What was saved before there could be several says nothing of others."""
    days = pd.Series(np.tile([1.0, 5, 3, 2, 9, 7, 4], 9), pd.date_range("2024", periods=63))
    for series in (days, pd.concat([days, days + 1], axis=1)):
        fitted = Forecaster(horizon=7, **QUICK).fit(series)
        fitted.save(tmp_path / "new.zip")
        with zipfile.ZipFile(tmp_path / "new.zip") as file:
            parts = {name: file.read(name) for name in file.namelist()}
        plain = json.loads(parts["forecaster.json"])
        assert plain.pop("also") == []
        plain["format"] = 1
        for part in ("request", "plan"):
            plain["parts"].get(part, {}).pop("also", None)
        parts["forecaster.json"] = json.dumps(plain).encode()
        with zipfile.ZipFile(tmp_path / "old.zip", "w") as file:
            for name, data in parts.items():
                file.writestr(name, data)
        loaded = Forecaster.load(tmp_path / "old.zip")
        assert (loaded.season_, loaded.seasons_) == (7, (7,))
        pd.testing.assert_frame_equal(
            pd.DataFrame(loaded.predict()), pd.DataFrame(fitted.predict())
        )


def test_what_a_file_claims_of_seasons(of_several, tmp_path):
    of_several.save(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "a.zip") as file:
        parts = {name: file.read(name) for name in file.namelist()}
    for wrong in ([10**12], ["x"], 7, [True]):
        plain = json.loads(parts["forecaster.json"]) | {"also": wrong, "format": 1}
        with zipfile.ZipFile(tmp_path / "b.zip", "w") as file:
            for name, data in {**parts, "forecaster.json": json.dumps(plain)}.items():
                file.writestr(name, data)
        with pytest.raises(DataError, match="is no file of a forecaster, or is damaged"):
            Forecaster.load(tmp_path / "b.zip")


@pytest.mark.parametrize(
    ("season", "error", "words"),
    [
        ((), ValueError, "season must name 1 to 8 different numbers of steps .*but names 0"),
        (range(2, 20), ValueError, "season must name 1 to 8 .*but names 18"),
        ((24, 1), ValueError, "season must be at least 2, but is 1"),
        ((24, "x"), TypeError, "season must be a whole number, but is 'x'"),
        ((24, 168.0), TypeError, "season must be a whole number, but is 168.0"),
        (24.0, TypeError, "season must be a whole number, but is 24.0"),
        ("week", ValueError, "season must be a whole number or \"auto\", but is 'week'"),
        ((7, 10**9), ValueError, "season must be at most 1,000,000 steps"),
        ([[7], 3], TypeError, "season must be a whole number"),
        ({7}, TypeError, "season must be a whole number"),
    ],
)
def test_seasons_that_make_no_sense(season, error, words):
    with pytest.raises(error, match=words):
        Forecaster(horizon=2, season=season).fit(np.arange(50.0))


@pytest.fixture(scope="module")
def walk():
    """Return two daily random walks, too short for a model to learn of their weeks."""
    walks = np.random.default_rng(1).normal(size=(44, 2)).cumsum(axis=0)
    return pd.DataFrame(walks, pd.date_range("2024-01-01", periods=44), columns=["a", "b"])


@pytest.mark.slow
def test_the_calendars_seasonal_naive_always_stands_beside(walk):
    forecaster = Forecaster(horizon=7, **QUICK)
    result = backtest(forecaster, walk, windows=2)
    assert result.forecaster.seasons_ == ()
    assert result.season == 7
    assert list(result.table.index) == ["model", "naive", "seasonal naive"]
    held = walk["a"].to_numpy()
    np.testing.assert_array_equal(result.arrays["seasonal naive"].points[0, 0], held[-21:-14])
    for evaluation in (
        evaluate_closed_loop(forecaster, walk["a"]),
        evaluate_one_step(Forecaster(horizon=1, **QUICK), walk["a"]),
    ):
        assert evaluation.season == 7
        assert list(evaluation.table.index) == ["model", "naive", "seasonal naive"]
        assert list(evaluation.forecasts.columns) == ["model", "naive", "seasonal naive"]
        assert "seasonal naive" in evaluation.verdict()


def test_a_holiday_of_a_walk_lies_between_the_days_around_it(tmp_path):
    """Its week is tried, and turns out to be none: last week's value would be far off."""
    days = pd.bdate_range("2023-01-02", periods=220)
    walk = pd.Series(np.random.default_rng(3).normal(size=220).cumsum() + np.arange(220.0), days)
    kept = walk.drop(days[[40, 99, 180]])
    fitted = Forecaster(horizon=5, **QUICK).fit(kept)
    assert (fitted.season_, fitted.seasons_) == (1, ())
    values = fitted._engine.values
    assert len(values) == 220
    np.testing.assert_allclose(values[99], (values[98] + values[100]) / 2)
    later = walk.drop(days[[40, 217]])
    fitted.save(tmp_path / "a.zip")
    loaded = Forecaster.load(tmp_path / "a.zip")
    assert loaded.seasons_ == ()
    pd.testing.assert_series_equal(loaded.predict(new_data=later), fitted.predict(new_data=later))


@pytest.mark.slow
def test_a_season_that_is_given_is_the_one_that_is_compared(walk):
    result = backtest(Forecaster(horizon=7, season=5, **QUICK), walk, windows=1)
    np.testing.assert_array_equal(
        result.arrays["seasonal naive"].points[0, 0],
        walk["a"].to_numpy()[[*range(-12, -7), -12, -11]],
    )
    assert backtest(Forecaster(horizon=7, season=1, **QUICK), walk, windows=1).season == 1


def test_a_long_horizon_of_a_short_series(rng):
    """The calendar's year stands beside what is too short to learn it."""
    months = waves(rng, "MS", 30, [12], noise=0.1).set_index("ds")["y"]
    result = evaluate_closed_loop(Forecaster(horizon=12, **QUICK | {"lookback": 4}), months)
    assert result.season == 12
    assert result.table.loc["seasonal naive", "MAE"] < 1
