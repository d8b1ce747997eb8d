"""`Forecaster` on a folder: in memory what it is there, block by block each key once, in order."""

import numpy as np
import pandas as pd
import pytest
from pyarrow import dataset

from statewise.sequences import DataError, scan_panel
from statewise.tasks import Forecaster
from statewise.tasks.forecasting import fitting

COLUMNS = {"key": "shop", "time": "day", "target": "sold"}
QUICK = {"horizon": 3, "units": 2, "epochs": 1, "lookback": 7, "season": 7}
ROWS = 300


@pytest.fixture(scope="module")
def fitted(folder):
    """Return a forecaster that has learned from the folder block by block."""
    told = []
    made = Forecaster(**QUICK).fit(
        folder, columns=COLUMNS, rows=ROWS, progress=lambda *now: told.append(now)
    )
    made.told = told
    return made


@pytest.fixture(scope="module")
def in_memory(table):
    return Forecaster(**QUICK).fit(table, columns=COLUMNS)


@pytest.fixture(scope="module")
def written(fitted, folder, tmp_path_factory):
    """Return what it writes of the folder, and where."""
    output = tmp_path_factory.mktemp("forecasts") / "out"
    return fitted.predict(level=80, output=output), output


class TakenError(Exception):
    """What was taken in is seen, and no more is to be done."""


@pytest.mark.parametrize("columns", [COLUMNS, None])
def test_a_folder_that_fits_into_memory_is_taken_in_as_a_table(columns, table, folder, monkeypatch):
    seen = []

    def engine_for(taken, arguments):
        seen.append(taken)
        raise TakenError

    monkeypatch.setattr(fitting, "engine_for", engine_for)
    for data, named in ((folder, columns), (table, COLUMNS)):
        with pytest.raises(TakenError):
            Forecaster(**QUICK).fit(data, columns=named)
    found, want = seen
    assert found.form == want.form
    assert found.known.keys.tolist() == want.known.keys.tolist()
    assert found.known.columns == want.known.columns
    for name in ("offsets", "values", "time"):
        np.testing.assert_array_equal(getattr(found.known, name), getattr(want.known, name))


@pytest.mark.slow
def test_so_are_its_forecasts(table, folder, in_memory, tmp_path):
    made = Forecaster(**QUICK).fit(str(folder))  # which finds the columns, too
    pd.testing.assert_frame_equal(made.predict(), in_memory.predict(), check_exact=True)
    known = table[table["day"] < "2024-01-28"]
    want = in_memory.predict(new_data=known, level=80)
    path = tmp_path / "known.parquet"
    known.to_parquet(path, index=False)
    found = in_memory.predict(new_data=path, level=80)
    pd.testing.assert_frame_equal(found, want, check_exact=True)


def test_what_is_said_of_a_folder(fitted, table):
    note, *_ = fitted.notes_
    assert note.startswith(f"learned from 37 series of {len(table):,} rows, block by block; season")
    assert "have missing values" in fitted.notes_[1]
    assert fitted.cut_["series"] == len(fitted.keys_) < 5
    phases = list(dict.fromkeys(phase for phase, *_ in fitted.told))
    assert phases == ["reading", "choosing", "collecting", "training"]
    read = [done for phase, done, *_ in fitted.told if phase == "reading"]
    assert read[-1] == 37
    assert len(read) > 3
    assert read == sorted(set(read))


def test_each_key_comes_once_in_order(written, table):
    about, output = written
    assert (about.series, about.found, about.left_out, about.skipped) == (37, 0, 0, [])
    frame = pd.read_parquet(output)
    assert list(frame.columns) == ["shop", "day", "model", "model-lo-80", "model-hi-80"]
    assert frame["shop"].tolist() == np.repeat(table["shop"].unique(), 3).tolist()
    last = table.groupby("shop", sort=False)["day"].max()
    ahead = frame["day"] - frame["shop"].map(last)
    assert ahead.dt.days.tolist() == [1, 2, 3] * 37
    assert frame["model"].between(frame["model-lo-80"], frame["model-hi-80"]).all()
    error = np.abs(frame["model"].to_numpy().reshape(37, 3).mean(1) - (20 + np.arange(37)))
    assert error.max() < 9


def test_blocks_change_a_forecast_by_rounding_alone(fitted, written, table, folder, tmp_path):
    frame = pd.read_parquet(written[1])
    at_once = fitted.predict(new_data=table, level=80)
    by_file = fitted.predict(new_data=dataset.dataset(folder), level=80, output=tmp_path / "a.csv")
    assert by_file.files == [tmp_path / "a.csv"]
    for other in (at_once, pd.read_csv(tmp_path / "a.csv", parse_dates=["day"])):
        pd.testing.assert_frame_equal(frame, other, rtol=1e-4, check_dtype=False)


def test_a_saved_forecaster_forecasts_a_folder(fitted, written, folder, tmp_path):
    fitted.save(tmp_path / "forecaster.zip")
    loaded = Forecaster.load(tmp_path / "forecaster.zip")
    path = tmp_path / "all.parquet"
    loaded.predict(new_data=folder, level=80, output=path, rows=ROWS)
    pd.testing.assert_frame_equal(
        pd.read_parquet(path), pd.read_parquet(written[1]), check_exact=True
    )


@pytest.mark.slow
def test_forecasts_of_what_is_in_memory_are_written_too(in_memory, tmp_path):
    about = in_memory.predict(output=tmp_path / "a.parquet", level=80)
    assert (about.series, about.files) == (37, [tmp_path / "a.parquet"])
    want = in_memory.predict(level=80)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "a.parquet"), want, check_exact=True)


@pytest.mark.slow
def test_forecasts_of_one_series_are_written_as_a_long_table(tmp_path):
    series = pd.Series(np.arange(40.0), pd.date_range("2024-01-01", periods=40), name="one")
    Forecaster(horizon=2, epochs=1, units=2).fit(series).predict(output=tmp_path / "b.csv")
    found = pd.read_csv(tmp_path / "b.csv")
    assert found.columns.tolist() == ["unique_id", "ds", "model"]
    assert found["ds"].tolist() == ["2024-02-10", "2024-02-11"]


@pytest.mark.slow
def test_series_that_are_too_short(fitted, table, tmp_path):
    few = table["shop"].isin(["shop 003", "shop 036"]) & (table["day"] > "2024-01-14")
    path = tmp_path / "short.parquet"
    table[~few].to_parquet(path, index=False)
    with pytest.raises(DataError, match=r"2 of 37 series have too few rows .*'shop 003'.*drop"):
        Forecaster(**QUICK | {"horizon": 9}).fit(path, columns=COLUMNS, rows=ROWS)
    made = Forecaster(**QUICK | {"horizon": 9}).fit(path, columns=COLUMNS, rows=ROWS, short="drop")
    assert made.left_out_ == ["shop 003", "shop 036"]
    about = made.predict(output=tmp_path / "out", rows=ROWS)
    assert (about.series, about.left_out) == (35, 2)
    frame = pd.read_parquet(tmp_path / "out")
    assert frame["shop"].nunique() == 35
    assert len(frame) == 35 * 9


def test_what_is_wrong_is_told(fitted, folder, tmp_path):
    with pytest.raises(ValueError, match="block by block: name where to write by output="):
        fitted.predict()
    with pytest.raises(ValueError, match=r"ends in .parquet or .csv, or to a folder"):
        fitted.predict(output=tmp_path / "a.xlsx")
    for place in (folder, folder / "out", folder / "a.csv"):
        with pytest.raises(ValueError, match="would be read among them"):
            fitted.predict(output=place)
    with pytest.raises(DataError, match="no file or folder"):
        Forecaster(horizon=2).fit(tmp_path / "nowhere")
    with pytest.raises(ValueError, match="rows must be"):
        Forecaster(horizon=2).fit(folder, columns=COLUMNS, rows=0)
    scan = scan_panel(folder, key="shop")
    with pytest.raises(DataError, match="scan was made with 'shop'"):
        Forecaster(horizon=2).fit(scan, columns={"key": "other", "target": "sold"})
    with pytest.raises(DataError, match="reads no column 'y'"):
        Forecaster(horizon=2).fit(scan_panel(folder, key="shop", columns=[]))
    frame = pd.read_parquet(folder)
    frame.loc[frame["shop"] == "shop 020", "sold"] = np.nan
    frame.to_parquet(tmp_path / "a.parquet", index=False)
    with pytest.raises(DataError, match="'shop 020' has no value"):
        fitted.predict(new_data=tmp_path / "a.parquet", output=tmp_path / "b", rows=ROWS)


def test_values_missing_can_be_refused(folder):
    with pytest.raises(DataError, match=r"a value is missing at 2024-.* of series 'shop"):
        Forecaster(**QUICK).fit(folder, columns=COLUMNS, rows=ROWS, missing="raise")


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (pd.date_range("2024-01-02 07:00", periods=30), "make no calendar"),
        (pd.date_range("2024-01-02", periods=30, tz="UTC"), "schema changes"),
        (pd.date_range("2024-01-01", periods=12, freq="7D"), "mixed frequencies"),
        (np.arange(30), "schema changes"),
    ],
)
def test_series_of_other_steps_are_told(second, message, tmp_path):
    first = pd.date_range("2024-01-01", periods=80)
    for key, time in (("a", first), ("b", second)):
        frame = pd.DataFrame({"unique_id": key, "ds": time, "y": np.arange(float(len(time)))})
        frame.to_parquet(tmp_path / f"{key}.parquet", index=False)
    with pytest.raises(DataError, match=message):
        Forecaster(**QUICK).fit(tmp_path, rows=80)


@pytest.mark.slow
def test_inputs_of_a_folder(table, tmp_path):
    rng = np.random.default_rng(3)
    frame = table.assign(
        price=rng.uniform(1, 2, len(table)),
        event=rng.choice(["sale", "none"], len(table)),
        visits=rng.normal(size=len(table)).cumsum(),
        region=table["shop"].str[-1].map(lambda one: "north" if one < "4" else "south"),
    )
    (tmp_path / "in").mkdir()
    frame.to_parquet(tmp_path / "in" / "all.parquet", index=False)
    columns = COLUMNS | {
        "future": ["price", "event"],
        "past": ["visits"],
        "static": ["region"],
        "calendar": ["weekday"],
    }
    made = Forecaster(**QUICK).fit(tmp_path / "in", columns=columns, rows=ROWS)
    last = table.groupby("shop")["day"].max()
    ahead = pd.DataFrame(
        {
            "shop": np.repeat(last.index, 3),
            "day": [day + pd.Timedelta(days=i) for day in last for i in (1, 2, 3)],
            "price": 1.5,
            "event": "sale",
        }
    )
    ahead.to_parquet(tmp_path / "ahead.parquet", index=False)
    made.predict(future=tmp_path / "ahead.parquet", output=tmp_path / "out", rows=ROWS)
    found = pd.read_parquet(tmp_path / "out")
    want = made.predict(new_data=frame, future=ahead)
    pd.testing.assert_frame_equal(found, want, rtol=1e-4, check_dtype=False)
    with pytest.raises(DataError, match=r"future has no row for .* of series 'shop 036'"):
        made.predict(future=ahead[:-1], output=tmp_path / "b.csv", rows=ROWS)
    assert not (tmp_path / "b.csv").exists()
