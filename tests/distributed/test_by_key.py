"""Forecasts and backtests by key are those in one piece, whoever makes them, in every form."""

import numpy as np
import pandas as pd
import polars as pl
import pytest

import statewise
from statewise.distributed import OneProcess, backtest, predict, predict_files
from statewise.distributed.blocks import places_of_blocks
from statewise.tasks import Forecaster


class Backwards:
    """Does tasks in reverse, as workers might, and gives results in the tasks' order."""

    workers = 3

    def __init__(self):
        self.tasks = 0

    def run(self, function, tasks, shared=None, *, finished=None):
        tasks = list(tasks)
        self.tasks += len(tasks)
        results = {}
        for done, i in enumerate(reversed(range(len(tasks))), 1):
            results[i] = function(shared, tasks[i])
            if finished is not None:
                finished(done)
        return iter([results[i] for i in range(len(tasks))])


@pytest.fixture(scope="module")
def table():
    """Forty series of different lengths, with an input known for the future and a static one."""
    rng = np.random.default_rng(7)
    parts = []
    for i in range(40):
        steps = int(rng.integers(28, 40))
        price = rng.uniform(1, 2, steps)
        season = np.tile([0.0, 3.0, 1.0, 2.0], 10)[:steps]
        parts.append(
            pd.DataFrame(
                {
                    "shop": f"shop {i}",
                    "day": pd.date_range("2024-01-01", periods=steps),
                    "sold": 20 + i + season - 2 * price + rng.normal(0, 0.3, steps),
                    "price": price,
                    "town": ["north", "south"][i % 2],
                }
            )
        )
    return pd.concat(parts).sample(frac=1, random_state=1)


COLUMNS = {
    "key": "shop",
    "time": "day",
    "target": "sold",
    "future": ["price"],
    "static": ["town"],
}


@pytest.fixture(scope="module")
def fitted(table):
    forecaster = Forecaster(horizon=3, season=4, epochs=1, units=4)
    return forecaster.fit(table, columns=COLUMNS)


def future_of(table, steps=5):
    last = table.groupby("shop")["day"].max()
    rows = [(k, day + pd.Timedelta(s, "D")) for k, day in last.items() for s in range(1, steps + 1)]
    frame = pd.DataFrame(rows, columns=["shop", "day"])
    return frame.assign(price=np.linspace(1, 2, len(frame)))


@pytest.mark.parametrize("level", [None, [80, 95]])
def test_forecasts_by_key_are_those_in_one_piece(fitted, table, level):
    future, executor, told = future_of(table), Backwards(), []
    expected = fitted.predict(5, level=level, future=future)
    got = predict(
        fitted,
        executor=executor,
        horizon=5,
        level=level,
        future=future,
        progress=lambda *said: told.append(said[:3]),
    )
    pd.testing.assert_frame_equal(got, expected, rtol=1e-5)
    assert executor.tasks == 3
    assert told == [("forecasting", i, 40) for i in (14, 28, 40)]


@pytest.mark.slow
def test_new_data_keeps_its_form(fitted, table):
    some = table[table["shop"].isin([f"shop {i}" for i in range(0, 40, 2)])]
    future = future_of(some)
    for frame in (some, pl.from_pandas(some)):
        expected = fitted.predict(new_data=frame, future=future)
        got = predict(fitted, frame, executor=OneProcess(), future=future)
        assert type(got) is type(expected)
        pd.testing.assert_frame_equal(
            pl.DataFrame(got).to_pandas(), pl.DataFrame(expected).to_pandas(), rtol=1e-5
        )


def test_what_is_wrong_is_told_as_in_one_piece(fitted, table):
    future = future_of(table)
    with pytest.raises(statewise.sequences.DataError, match="future has no row for"):
        predict(fitted, executor=Backwards(), future=future.iloc[:-3])
    with pytest.raises(statewise.sequences.DataError, match="must be known for the steps"):
        predict(fitted, executor=Backwards())
    with pytest.raises(ValueError, match="not fitted yet"):
        predict(Forecaster(horizon=3), executor=OneProcess())
    with pytest.raises(ValueError, match="horizon"):
        predict(fitted, executor=OneProcess(), horizon=0, future=future)


@pytest.mark.slow
def test_files_are_forecast_by_blocks_each_key_once(tmp_path, table, monkeypatch):
    monkeypatch.setattr("statewise.distributed.files._ROWS", 300)
    columns = {"key": "shop", "time": "day", "target": "sold"}
    table = table.drop(columns=["price", "town"]).sort_values(["shop", "day"])
    (tmp_path / "sales").mkdir()
    for i in range(3):
        keep = table["shop"].isin(sorted(table["shop"].unique())[i * 14 : (i + 1) * 14])
        table[keep].to_parquet(tmp_path / "sales" / f"{i}.parquet")
    fitted = Forecaster(horizon=3, season=4, epochs=1, units=4).fit(table, columns=columns)
    executor = Backwards()
    made = predict_files(
        fitted, tmp_path / "sales", tmp_path / "out.parquet", executor=executor, level=80
    )
    assert made.series == 40
    assert executor.tasks > 3
    got = pd.read_parquet(tmp_path / "out.parquet").set_index(["shop", "day"])
    expected = fitted.predict(level=80).set_index(["shop", "day"])
    assert got.index.is_unique
    pd.testing.assert_frame_equal(
        got.sort_index(), expected.sort_index(), rtol=1e-4, check_index_type=False
    )
    with pytest.raises(TypeError, match="predict takes what is in memory"):
        predict_files(fitted, table, tmp_path / "more.parquet", executor=executor)
    with pytest.raises(statewise.sequences.DataError, match="say where to write"):
        predict(fitted, tmp_path / "sales", executor=executor)


def test_one_series_is_a_block_by_itself():
    series = pd.Series(100 + np.tile([0.0, 10, 5, -15], 9), name="x")
    fitted = Forecaster(horizon=4, season=4, epochs=1).fit(series)
    expected = fitted.predict(level=80)
    pd.testing.assert_frame_equal(predict(fitted, executor=OneProcess(), level=80), expected)


@pytest.mark.slow
@pytest.mark.parametrize("refit", [False, True])
def test_a_backtest_by_key_is_the_one_in_one_piece(table, refit):
    forecaster = Forecaster(horizon=3, season=4, epochs=1, units=4)
    options = {"windows": 2, "refit": refit, "columns": COLUMNS}
    expected = statewise.backtest(forecaster, table, **options)
    executor, told = Backwards(), []
    got = backtest(
        forecaster,
        table,
        executor=executor,
        progress=lambda *said: told.append(said[:3]),
        **options,
    )
    pd.testing.assert_frame_equal(got.forecasts, expected.forecasts, rtol=1e-5)
    pd.testing.assert_frame_equal(got.table, expected.table, rtol=1e-4)
    assert (got.notes, got.left_out) == (expected.notes, expected.left_out)
    assert executor.tasks == (2 if refit else 3)
    phase = "fitting and forecasting" if refit else "forecasting"
    assert [said for said in told if said[0] == phase][-1][1:] == (2 if refit else 40,) * 2


@pytest.mark.slow
@pytest.mark.parametrize("executor", [Backwards(), OneProcess()])
def test_series_too_short_for_the_first_window_have_no_say_in_others(table, executor):
    long = table["shop"].isin([f"shop {i}" for i in range(6)])
    short = table["shop"].eq("shop 7") & (table["day"] < "2024-01-08")
    short |= table["shop"].eq("shop 8") & (table["day"] < "2024-01-15")
    some, told = table[long | short], []
    forecaster = Forecaster(horizon=3, season=4, epochs=1, units=4)
    options = {"windows": 3, "refit": True, "columns": COLUMNS}
    expected = statewise.backtest(forecaster, some, **options)
    got = backtest(
        forecaster, some, executor=executor, progress=lambda *s: told.append(s), **options
    )
    assert expected.left_out == ["shop 7", "shop 8"]
    assert getattr(executor, "tasks", 5) == 5  # three windows, and two of them once more
    pd.testing.assert_frame_equal(got.forecasts, expected.forecasts, rtol=1e-5)
    pd.testing.assert_frame_equal(got.table, expected.table, rtol=1e-4)
    assert (got.notes, got.left_out) == (expected.notes, expected.left_out)
    assert told[-1][1:3] == (3, 3)


@pytest.mark.parametrize("count", [1, 15, 16, 17, 255, 256, 257, 5000, 40_000])
def test_each_series_is_in_one_block(count):
    keys = np.random.default_rng(count).permutation(count)
    places = places_of_blocks(keys)
    assert sorted(np.concatenate(places).tolist()) == list(range(count))
    assert max(map(len, places)) <= 1024
    # The order in which series came decides nothing.
    again = places_of_blocks(np.arange(count))
    assert [keys[which].tolist() for which in places] == [which.tolist() for which in again]
