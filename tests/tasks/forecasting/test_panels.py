"""`Forecaster` on panels: what goes in, what comes out, what is never looked at."""

import json
import zipfile

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from statewise.sequences import Columns, DataError
from statewise.tasks import Forecaster

QUICK = {"units": 4, "epochs": 2, "lookback": 10}
HORIZON, KNOWN, SERIES = 4, 60, 6
DAYS = pd.date_range("2024-01-01", periods=KNOWN + HORIZON)
NAMES = Columns(
    key="shop",
    time="day",
    target="sold",
    future=["price", "event"],
    past=["visits"],
    static=["region", "size"],
    calendar=["weekday"],
)


def frame(rng, steps=KNOWN):
    """Return a panel with the names that forecasters use."""
    week = np.sin(2 * np.pi * np.arange(steps) / 7)
    values = 20 + np.arange(SERIES)[:, None] + 5 * week + rng.normal(size=(SERIES, steps))
    return pd.DataFrame(
        {
            "unique_id": np.repeat([f"s{i}" for i in range(SERIES)], steps),
            "ds": np.tile(DAYS[:steps], SERIES),
            "y": values.ravel(),
        }
    )


@pytest.fixture(scope="module")
def panel():
    return frame(np.random.default_rng(3))


@pytest.fixture(scope="module")
def fitted(panel):
    return Forecaster(horizon=HORIZON, **QUICK).fit(panel)


@pytest.fixture(scope="module")
def shops():
    """Return the whole of a panel with inputs of every kind."""
    rng = np.random.default_rng(5)
    table = frame(rng, KNOWN + HORIZON).set_axis(["shop", "day", "sold"], axis=1)
    return table.assign(
        price=rng.uniform(1, 2, len(table)),
        event=np.where(rng.random(len(table)) < 0.2, "sale", "none"),
        visits=rng.normal(size=len(table)).cumsum(),
        region=np.repeat(["north", "south"], len(table) // 2),
        size=np.repeat(np.arange(SERIES), KNOWN + HORIZON),
    )


@pytest.fixture(scope="module")
def with_inputs(shops):
    return Forecaster(horizon=HORIZON, **QUICK).fit(
        shops[shops["day"] < DAYS[KNOWN]], columns=NAMES
    )


def test_a_long_frame(fitted, panel):
    table = fitted.predict(level=[80, 95])
    bands = ["model-lo-80", "model-hi-80", "model-lo-95", "model-hi-95"]
    assert list(table.columns) == ["unique_id", "ds", "model", *bands]
    assert table["unique_id"].tolist() == np.repeat(panel["unique_id"].unique(), HORIZON).tolist()
    assert table["ds"].tolist() == [*DAYS[KNOWN:]] * SERIES
    assert (np.diff(table[[bands[2], bands[0], "model", bands[1], bands[3]]]) > 0).all()
    assert fitted.keys_.tolist() == [f"s{i}" for i in range(SERIES)]
    assert fitted.season_ == 7
    assert fitted.training_shape_[1] == fitted.lookback_ == 10
    assert fitted.cut_ == {"series": 6, "steps": 360, "held": 12, "windows": 54}
    assert len(fitted.losses_) == fitted.epochs_ == 2
    assert fitted.transform_ in fitted.validation_errors_
    assert len(fitted.validation_errors_) == 4
    # Two epochs are no training, but it began from a forecast that is something.
    naive = np.repeat(panel.groupby("unique_id")["y"].last().to_numpy(), HORIZON)
    truth = 20 + np.arange(SERIES)[:, None] + 5 * np.sin(2 * np.pi * np.arange(60, 64) / 7)
    errors = [np.abs(points - truth.ravel()).mean() for points in (table["model"], naive)]
    assert errors[0] < errors[1]


def test_frames_of_the_kind_that_came(fitted, panel):
    expected = fitted.predict()
    for given, kind in ((pl.from_pandas(panel), pl.DataFrame), (pa.table(panel), pa.Table)):
        table = fitted.predict(new_data=given)
        assert isinstance(table, kind)
        columns = table.to_pandas()
        np.testing.assert_array_equal(columns["model"], expected["model"])
        assert pd.DatetimeIndex(columns["ds"]).tolist() == expected["ds"].tolist()


def test_wide_frames_and_arrays(fitted, panel):
    wide = panel.pivot(index="ds", columns="unique_id", values="y")
    forecaster = Forecaster(horizon=HORIZON, **QUICK).fit(wide)
    table = forecaster.predict(level=[90])
    assert list(table.columns[:4]) == ["s0", "s0-lo-90", "s0-hi-90", "s1"]
    assert table.index.tolist() == [*DAYS[KNOWN:]]
    expected = fitted.predict()["model"].to_numpy().reshape(SERIES, HORIZON)
    np.testing.assert_allclose(table[list(wide.columns)].T, expected, rtol=1e-5)
    in_polars = forecaster.predict(new_data=pl.from_pandas(wide.reset_index()))
    assert in_polars.columns == ["ds", *wide.columns]
    array = Forecaster(horizon=HORIZON, season=7, **QUICK).fit(wide.to_numpy()).predict()
    assert array.shape == (HORIZON, SERIES)


def test_new_series_and_new_steps_teach_nothing(fitted, panel):
    before = fitted.predict()
    other = panel.assign(unique_id="new " + panel["unique_id"], y=3 * panel["y"] - 7)
    table = fitted.predict(6, new_data=other[other["unique_id"] < "new s2"])
    assert table["unique_id"].unique().tolist() == ["new s0", "new s1"]
    assert len(table) == 12
    longer = pd.concat([panel, panel.assign(ds=panel["ds"] + pd.Timedelta(days=KNOWN))])
    assert fitted.predict(new_data=longer)["ds"].min() == DAYS[0] + pd.Timedelta(days=2 * KNOWN)
    pd.testing.assert_frame_equal(fitted.predict(), before)


def test_forecasts_move_with_the_series(panel):
    """A series in another unit is forecast alike: nothing depends on where it stands."""
    forecaster = Forecaster(horizon=HORIZON, **QUICK).fit(panel.assign(y=panel["y"] - 22))
    assert "logarithm" not in forecaster.transform_
    points = forecaster.predict()["model"]
    other = panel.assign(y=1000 * (panel["y"] - 22) + 5e4)
    np.testing.assert_allclose(
        forecaster.predict(new_data=other)["model"], 1000 * points + 5e4, rtol=1e-4
    )


def test_nothing_after_the_cutoff_is_looked_at(panel, rng):
    """Rows that come later, and a series that isn't to be forecast, change no bit."""
    cutoff = DAYS[50]
    changed = panel.copy()
    later = changed["ds"] >= cutoff
    changed.loc[later, "y"] = rng.uniform(-1e4, 1e4, later.sum())
    results = []
    for table in (panel, changed):
        forecaster = Forecaster(horizon=HORIZON, **QUICK).fit(table[table["ds"] < cutoff])
        known = forecaster.predict(level=[80])
        new = forecaster.predict(new_data=table[table["ds"] < cutoff], level=[80])
        pd.testing.assert_frame_equal(known, new)
        names = ("season_", "lookback_", "epochs_", "transform_", "validation_curves_", "losses_")
        results.append((known, [getattr(forecaster, name) for name in names]))
    pd.testing.assert_frame_equal(results[0][0], results[1][0])
    assert results[0][1] == results[1][1]


def test_a_seed_gives_the_same_to_the_bit(fitted, panel):
    np.random.seed(1)
    before = np.random.get_state()[1].copy()
    again = Forecaster(horizon=HORIZON, **QUICK).fit(panel)
    np.testing.assert_array_equal(before, np.random.get_state()[1])
    pd.testing.assert_frame_equal(again.predict(level=[80]), fitted.predict(level=[80]))
    other = Forecaster(horizon=HORIZON, seed=1, **QUICK).fit(panel)
    assert (other.predict()["model"] != fitted.predict()["model"]).all()


SLOW = pytest.mark.slow  # to compile


@pytest.mark.parametrize(
    "likelihood",
    [
        "gaussian",
        pytest.param("student-t", marks=SLOW),
        pytest.param("quantiles", marks=SLOW),
        pytest.param("negative-binomial", marks=SLOW),
    ],
)
def test_likelihoods(likelihood, panel):
    counts = panel.assign(y=panel["y"].round())
    forecaster = Forecaster(horizon=HORIZON, likelihood=likelihood, **QUICK).fit(counts)
    table = forecaster.predict(level=[50, 90])
    pd.testing.assert_frame_equal(forecaster.predict(level=[50, 90]), table)
    assert (table["model-lo-90"] <= table["model-lo-50"]).all()
    assert (table["model-hi-90"] >= table["model-hi-50"]).all()
    assert (table["model-hi-90"] > table["model-lo-90"]).all()
    assert ("logarithm" in str(forecaster.validation_errors_)) != (
        likelihood == "negative-binomial"
    )


def test_inputs_of_every_kind(with_inputs, shops):
    future = shops[shops["day"] >= DAYS[KNOWN]].drop(columns=["sold", "visits"])
    table = with_inputs.predict(future=future, level=[80])
    assert table["shop"].tolist() == future["shop"].tolist()
    again = with_inputs.predict(future=pl.from_pandas(future.sample(frac=1, random_state=1)))
    np.testing.assert_array_equal(again["model"], table["model"])
    # Every kind of input has a say.
    dearer = with_inputs.predict(future=future.assign(price=future["price"] + 1))
    event = with_inputs.predict(future=future.assign(event="sale"))
    known = shops[shops["day"] < DAYS[KNOWN]]
    moved = with_inputs.predict(new_data=known.assign(region="south"), future=future)
    visited = with_inputs.predict(new_data=known.assign(visits=known["visits"] ** 2), future=future)
    for other in (dearer, event, moved, visited):
        assert np.abs(other["model"] - table["model"]).max() > 1e-6


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda t: None, "price, event must be known for the steps to forecast.* from 2024-03-01"),
        (lambda t: t.drop(columns="price"), "no column 'price'"),
        (lambda t: t.drop(t.index[2]), "no row for 2024-03-03 of series 's0'"),
        (lambda t: pd.concat([t, t[:1]]), "the stamp 2024-03-01 twice for series 's0'"),
        (lambda t: t.assign(price=np.nan), "no value of 'price' for 2024-03-01 of series 's0'"),
        (lambda t: t.assign(event="strike"), "'strike' of 'event' .*'s0'.* knows 'none', 'sale'"),
        (lambda t: t.assign(price="dear"), "the column 'price' held numbers in fit"),
    ],
)
def test_refuses_inputs_ahead(with_inputs, shops, change, words):
    future = shops[shops["day"] >= DAYS[KNOWN]].reset_index(drop=True)
    with pytest.raises(DataError, match=words):
        with_inputs.predict(future=change(future))


def test_refuses_unknown_categories(with_inputs, shops):
    known = shops[shops["day"] < DAYS[KNOWN]]
    with pytest.raises(DataError, match=r"'east' of 'region' \(series 's0'\) was not there in fit"):
        with_inputs.predict(new_data=known.assign(region="east"), future=shops)


def test_missing_values_are_masked(panel):
    gone = panel.copy()
    gone.loc[gone.index[[5, 30, 100, 200]], "y"] = np.nan
    gone = gone.drop(gone.index[[40, 41]])
    forecaster = Forecaster(horizon=HORIZON, **QUICK).fit(gone)
    assert (
        "6 of 360 steps have missing values: they don't count in the loss" in forecaster.notes_[0]
    )
    assert np.isfinite(forecaster.predict(level=[80])["model-lo-80"]).all()
    # Gaps in what came later are no trouble, nor is that there are none.
    assert np.isfinite(forecaster.predict(new_data=panel)["model"]).all()
    with pytest.raises(DataError, match=r"6 of 360 steps have missing values, .* series 's0'"):
        forecaster.fit(gone, missing="raise")


def test_known_values_without_a_logarithm(fitted, panel):
    assert "logarithm" in fitted.transform_
    fallen = panel.assign(y=panel["y"].where(panel.index % 50 > 0, -3.0))
    with pytest.warns(UserWarning, match=r"8 known values are not above 0.* in their place"):
        assert np.isfinite(fitted.predict(new_data=fallen)["model"]).all()


def test_series_that_are_too_short(panel):
    short = panel.drop(panel.index[69:120])  # nine steps of s1 are left
    forecaster = Forecaster(horizon=HORIZON, **QUICK)
    with pytest.raises(DataError, match=r"1 of 6 series have too few .*'s1'.* by short=\"drop\""):
        forecaster.fit(short)
    forecaster.fit(short, short="drop")
    assert forecaster.left_out_ == ["s1"]
    assert "left out: 1 of 6 series" in forecaster.notes_[0]
    assert "s1" not in set(forecaster.predict()["unique_id"])


def test_a_long_series_makes_a_panel_of_its_own(rng):
    series = np.sin(np.arange(1200) / 4) + 0.1 * rng.normal(size=1200)
    forecaster = Forecaster(horizon=3, season=25, units=4, epochs=1).fit(series)
    assert forecaster.cut_["held"] == 240
    ahead = forecaster.predict_one_step(series, first=1150)
    assert ahead.shape == (50,)
    one = forecaster.predict(1, new_data=series[:1170])
    assert ahead[20] == pytest.approx(one[0], abs=1e-4)
    changed = np.concatenate([series[:1160], rng.normal(size=40)])
    np.testing.assert_array_equal(forecaster.predict_one_step(changed, first=1150)[:11], ahead[:11])


@pytest.mark.parametrize("kind", ["inputs", "likelihood", "local"])
def test_saved_and_loaded(kind, with_inputs, shops, panel, tmp_path):
    path, options = tmp_path / "forecaster.zip", {"level": [80]}
    if kind == "inputs":
        forecaster, options = with_inputs, {"level": [80], "future": shops}
    elif kind == "likelihood":
        forecaster = Forecaster(horizon=HORIZON, likelihood="gaussian", **QUICK)
        forecaster.fit(panel.assign(unique_id=panel["unique_id"].str[1:].astype(int)))
    else:
        forecaster = Forecaster(horizon=HORIZON, units=2, epochs=2)
        forecaster.fit(panel[:KNOWN].set_index("ds")["y"])
    forecaster.save(path)
    again = Forecaster.load(path)
    before, after = forecaster.predict(**options), again.predict(**options)
    pd.testing.assert_frame_equal(before, after)
    assert repr(again) == repr(forecaster)
    shown = [name for name in vars(forecaster) if name.endswith("_") and name != "keys_"]
    assert {name: getattr(again, name) for name in shown} == {
        name: getattr(forecaster, name) for name in shown
    }
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_files_that_are_none(fitted, tmp_path):
    path = tmp_path / "forecaster.zip"
    with pytest.raises(FileNotFoundError):
        Forecaster.load(path)
    path.write_text("something else")
    with pytest.raises(DataError, match="is no file of a forecaster, or is damaged"):
        Forecaster.load(path)
    fitted.save(path)
    with zipfile.ZipFile(path) as file:
        parts = {name: file.read(name) for name in file.namelist()}
    plain = json.loads(parts["forecaster.json"]) | {"format": 99}
    with zipfile.ZipFile(path, "w") as file:
        for name, part in (parts | {"forecaster.json": json.dumps(plain)}).items():
            file.writestr(name, part)
    with pytest.raises(DataError, match="has the format 99, but this version of statewise reads"):
        Forecaster.load(path)
    with pytest.raises(ValueError, match="not fitted yet"):
        Forecaster(horizon=2).save(path)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"short": "skip"}, ValueError, "short must be one of raise, drop, but is 'skip'"),
        ({"missing": "fill"}, ValueError, "missing must be one of mask, raise, but is 'fill'"),
        ({"columns": "y"}, TypeError, "columns must be a Columns or a mapping"),
        ({"columns": {"shop": "a"}}, TypeError, "columns has no part 'shop'; it has key, time"),
    ],
)
def test_refuses_options_of_fit(panel, options, error, words):
    with pytest.raises(error, match=words):
        Forecaster(horizon=HORIZON, **QUICK).fit(panel, **options)


def test_columns_by_their_old_names(panel):
    made = Forecaster(horizon=HORIZON, **QUICK)
    with pytest.warns(FutureWarning, match="names= is now called columns="):
        made.fit(panel, names={"key": "unique_id"})
    with pytest.warns(FutureWarning, match="id= is now called key="):
        made.fit(panel, columns={"id": "unique_id"})
    with pytest.raises(TypeError, match="got names= and columns="):
        made.fit(panel, names=None, columns=None)


def test_refuses_a_key_that_is_not_there(panel):
    with pytest.raises(DataError, match="has no column 'store'; its columns are"):
        Forecaster(horizon=HORIZON, **QUICK).fit(panel, columns={"key": "store"})


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [2.5, -1.0])
def test_refuses_what_is_no_count(wrong):
    counts = np.random.default_rng(0).poisson(5, size=(60, 3)).astype(float)
    counts[7, 0] = np.nan
    forecaster = Forecaster(horizon=HORIZON, likelihood="negative-binomial", **QUICK).fit(counts)
    counts[20, 1] = wrong
    words = f"at 20 the series 1 has {wrong:g}"
    with pytest.raises(DataError, match=words):
        Forecaster(horizon=HORIZON, likelihood="negative-binomial", **QUICK).fit(counts)
    with pytest.raises(DataError, match=words):
        forecaster.predict(new_data=counts)


def test_a_bar(panel, capsys):
    Forecaster(horizon=HORIZON, **QUICK).fit(panel, progress=True)
    shown = capsys.readouterr().out
    choosing, training = shown.split("Training on everything")
    assert "Choosing on the validation part" in choosing
    assert "2/2" in choosing  # epochs, of all candidates side by side
    assert "2/2" in training


def test_a_candidate_that_is_behind_gives_up():
    """A walk has no season: the candidate that begins from the season before is soon behind."""
    walks = np.random.default_rng(0).normal(size=(20, 120)).cumsum(axis=1)
    fitted = Forecaster(horizon=7, season=7, lookback=14, units=4, seed=0).fit(walks)
    best, behind = sorted(fitted.validation_curves_.values(), key=lambda c: min(e for _, e in c))
    assert 5 <= len(behind) < len(best)
    assert [epochs for epochs, _ in best] == list(range(len(best)))


def test_refuses_options(fitted, panel):
    with pytest.raises(ValueError, match="level must be between 0 and 100 percent, but is 100"):
        fitted.predict(level=[100])
    with pytest.raises(ValueError, match="future was given, but fit had no inputs"):
        fitted.predict(future=panel)
    nothing = panel.assign(y=panel["y"].where(panel["unique_id"] != "s2"))
    with pytest.raises(DataError, match="series 's2' of new_data have no value"):
        fitted.predict(new_data=nothing)
    with pytest.raises(ValueError, match="likelihood must be None, auto, gaussian"):
        Forecaster(horizon=2, likelihood="poisson").fit(panel)
    with pytest.raises(ValueError, match="layers must be at least 1"):
        Forecaster(horizon=2, layers=0).fit(panel)


def test_scikit_learns_clone():
    base = pytest.importorskip("sklearn.base")
    forecaster = Forecaster(horizon=3, likelihood="gaussian", layers=2)
    assert base.clone(forecaster).get_params() == forecaster.get_params()


@pytest.mark.slow
def test_random_walks_are_not_worse_than_naive(rng):
    """The trap: the first step of a multi-step forecast, where nothing can be foreseen."""
    steps = rng.normal(size=(200, 130))
    walks = 100 + steps.cumsum(axis=1)
    known, truth = walks[:, :120], walks[:, 120:]
    points = Forecaster(horizon=10).fit(known.T).predict(level=[80])
    ends = {
        c: points[[f"{i}{c}" if c else i for i in range(200)]].T.to_numpy()
        for c in ("", "-lo-80", "-hi-80")
    }
    errors = np.abs(ends[""] - truth).mean(axis=0)
    naive = np.abs(known[:, -1:] - truth).mean(axis=0)
    assert errors[0] < 1.05 * naive[0]
    assert errors.mean() < 1.02 * naive.mean()
    assert np.mean((truth >= ends["-lo-80"]) & (truth <= ends["-hi-80"])) == pytest.approx(
        0.8, abs=0.07
    )


@pytest.mark.slow
@pytest.mark.parametrize("likelihood", [None, "gaussian"])
def test_a_series_of_one_value_has_points_but_no_intervals(likelihood, panel):
    fitted = Forecaster(horizon=HORIZON, likelihood=likelihood, **QUICK).fit(panel)
    rows = {
        "unique_id": ["new", "s", "s", "s"],
        "ds": DAYS[[0, 0, 1, 2]],
        "y": [5.0, 1.0, 3.0, 2.0],
    }
    with pytest.warns(UserWarning, match="series 'new' of new_data have one value") as told:
        table = fitted.predict(new_data=pd.DataFrame(rows), level=[80, 95])
    assert told[0].filename == __file__
    assert table["model"].notna().all()
    ends = table.filter(like="-").set_index(table["unique_id"])
    assert ends.loc["new"].isna().all(axis=None)
    assert ends.loc["s"].notna().all(axis=None)
    assert (ends["model-lo-95"] < ends["model-hi-95"])["s"].all()
