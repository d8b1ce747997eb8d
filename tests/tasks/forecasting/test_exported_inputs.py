"""The example's program says of exported inputs and intervals what `predict` says."""

import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from drawn_forecasters import HORIZON, assert_same, drawn_series, of_one, of_panel
from page_blocks import block_with
from some_slow import some_slow

pytest.importorskip("onnx", reason="needs onnx")
pytest.importorskip("onnxruntime", reason="needs onnxruntime")

PROGRAM = Path(__file__).parents[3] / "examples" / "exported_forecaster" / "forecast.py"
CALENDAR = ["minute", "hour", "weekday", "day", "week", "month", "quarter"]


@pytest.fixture(scope="module")
def forecast():
    return runpy.run_path(str(PROGRAM))["forecast"]


def drawn_panel(rng, lengths, *, freq="17h", lowest=None):
    """Draw a long table with inputs of every kind, and its inputs of the steps to forecast."""
    known, ahead = [], []
    for key, steps in lengths.items():
        every = steps + HORIZON
        table = pd.DataFrame(
            {
                "shop": key,
                "day": pd.date_range("2024-02-21 22:40", periods=every, freq=freq),
                "sold": drawn_series(rng, every, lowest=lowest),
                "price": rng.gamma(3.0, size=every),
                "deal": rng.choice(["none", "half", "third"], size=every),
                "open": rng.random(every) < 0.7,
                "visits": drawn_series(rng, every) * 7 + 30,
                "size": rng.normal() * 40,
                "city": ("north", "south", "west")[len(known) % 3],
            }
        )
        known.append(table[:steps])
        ahead.append(table[steps:])
    return pd.concat(known, ignore_index=True), pd.concat(ahead, ignore_index=True)


KINDS = {
    "all": {
        "future": ["price", "deal", "open"],
        "past": ["visits"],
        "static": ["size", "city"],
        "calendar": CALENDAR,
    },
    "known ahead": {"future": ["deal", "price"]},
    "the calendar": {"calendar": ["weekday"]},
    "what stays the same": {"static": ["city"]},
    "the past": {"past": ["visits", "price"]},
}
OPTIONS = {
    "all": {"cell": "gru", "season": 7, "start": "seasonal"},
    "known ahead": {"log": True, "layers": 2},
    "the calendar": {"season": 9, "also": (4,)},
    "what stays the same": {"likelihood": "quantiles"},
    "the past": {"likelihood": "gaussian", "cell": "rnn", "lookback": 30},
}


@pytest.mark.parametrize("name", some_slow(KINDS, 5))
def test_inputs_are_prepared_as_by_predict(name, forecast, rng, tmp_path):
    kinds = {"future": [], "past": [], "static": [], **KINDS[name]}
    options = OPTIONS[name]
    lowest = 1.5 if options.get("log") else None
    known, ahead = drawn_panel(rng, {"a": 50, "b": 14, "c": 3}, lowest=lowest)
    if kinds["future"]:
        known.loc[2, "price"] = np.nan  # the mean stands in
    columns = {"key": "shop", "time": "day", "target": "sold", **KINDS[name]}
    made = of_panel(known, rng, columns=columns, **options)
    made.export(tmp_path / "made", level=80)
    levels = None if "likelihood" in options else 80
    told = made.predict(future=ahead if kinds["future"] else None, level=levels)
    for key, rows in known.groupby("shop"):
        both = pd.concat([rows, ahead[ahead["shop"] == key]])
        got = forecast(
            tmp_path / "made",
            rows["sold"].to_numpy(),
            HORIZON,
            level=levels,
            past={column: rows[column].to_numpy() for column in kinds["past"]},
            inputs={column: both[column].to_numpy() for column in kinds["future"]}
            | {column: rows[column].iloc[0] for column in kinds["static"]},
            time=both["day"].to_numpy(),
        )
        expected = told[told["shop"] == key]
        names = ["model", "model-lo-80", "model-hi-80"][: 1 if levels is None else 3]
        for one, column in zip([got] if levels is None else got, names, strict=True):
            assert_same(one, expected[column].to_numpy(), rows["sold"].to_numpy())


def test_stamps_are_taken_apart_as_pandas_does(rng):
    part_of = runpy.run_path(str(PROGRAM))["part_of"]
    from statewise.sequences.panel import encode_calendar

    seconds = rng.integers(-(2**31), 2**32, size=500)  # 1901 to 2106
    stamps = pd.DatetimeIndex(np.append(seconds, [951782400, 951868799]).astype("datetime64[s]"))
    encoded = encode_calendar(stamps, CALENDAR)
    for place, name in enumerate(CALENDAR):
        turn = 2 * np.pi * part_of(name, stamps.to_numpy())
        both = np.stack([np.sin(turn), np.cos(turn)], 1)
        np.testing.assert_allclose(both, encoded[:, 2 * place : 2 * place + 2], atol=1e-12)


ALONE = {
    "logarithm": {"cell": "lstm", "log": True, "lags": (7, 1), "lookback": 30},
    "as it is": {"cell": "gru", "log": False, "lags": (), "lookback": 100},
}


@pytest.mark.parametrize("name", some_slow(ALONE, 2))
def test_intervals_of_one_series_are_those_of_predict(name, forecast, rng, tmp_path):
    options = ALONE[name]
    values = drawn_series(rng, 50, lowest=2.0 if options["log"] else None)
    made = of_one(values, rng, **options)
    made.export(tmp_path / "made", level=[37.5, 95])
    for horizon in (2, HORIZON, 15):  # beyond what validation forecast they grow
        told = made.predict(horizon, level=[37.5, 95])
        for level in (37.5, 95):
            got = forecast(tmp_path / "made", values, horizon, level=level)
            columns = [column for column in told if column.endswith((f"-{level:g}", "model"))]
            assert len(columns) == 3
            most = np.abs(told[columns]).max().max()
            for one, column in zip(got, columns, strict=True):
                np.testing.assert_allclose(one, told[column], rtol=0, atol=2e-6 * most)


@pytest.mark.slow
def test_intervals_of_a_panel_are_those_of_predict(forecast, rng, tmp_path):
    series = {key: drawn_series(rng, steps) for key, steps in {"long": 60, "short": 5}.items()}
    series["still"] = np.full(20, 3.0)
    series["positive"] = np.abs(series["long"])[:12]
    made = of_panel(series, rng, cell="rnn", season=4)
    made.export(tmp_path / "made")
    told = made.predict(8, level=[50, 95])
    for key, values in series.items():
        for level in (50, 95):
            ends = [
                told[key][f"model{end}"].to_numpy() for end in ("", f"-lo-{level}", f"-hi-{level}")
            ]
            got = forecast(tmp_path / "made", values, 8, level=level)
            for one, expected in zip(got, ends, strict=True):
                np.testing.assert_allclose(one, expected, rtol=0, atol=4e-6 * np.abs(ends).max())
    points, low, high = forecast(tmp_path / "made", [2.5], 3, level=95)
    assert (points == 2.5).all()
    assert np.isnan([low, high]).all()


def test_what_is_missing_is_refused_in_words(forecast, rng, tmp_path):
    known, ahead = drawn_panel(rng, {"a": 30, "b": 12})
    columns = {"key": "shop", "time": "day", "target": "sold", **KINDS["all"]}
    of_panel(known, rng, columns=columns).export(tmp_path / "made", level=[80])
    rows = pd.concat([known[known["shop"] == "a"], ahead[ahead["shop"] == "a"]])
    values = rows["sold"].to_numpy()[:30]
    good = {
        "past": {"visits": rows["visits"].to_numpy()[:30]},
        "inputs": {name: rows[name].to_numpy() for name in ("price", "deal", "open")}
        | {"size": 3.0, "city": "north"},
        "time": rows["day"].to_numpy(),
    }
    inputs = good["inputs"]
    unknown = np.where(rows["price"] > 3, "quarter", rows["deal"])
    gone = np.append(inputs["price"][:-1], np.nan)
    for wrong, words in [
        ({"past": None}, "past: the forecaster needs 'visits'"),
        ({"past": {"visits": 3, "prise": 3}}, r"past: .* has no 'prise'; it takes \['visits'\]"),
        ({"past": {"visits": values[1:]}}, "'visits' must hold 30 numbers"),
        ({"inputs": {**inputs, "y": 3}}, "inputs: the forecaster has no 'y'"),
        ({"inputs": {**inputs, "price": unknown}}, "'price' must hold 36 numbers"),
        ({"inputs": {**inputs, "city": "east"}}, r"'city' has 'east'; the forecaster knows \['n"),
        ({"inputs": {**inputs, "deal": unknown}}, "'deal' has 'quarter'"),
        ({"inputs": {**inputs, "price": gone}}, "'price' must be known for each step to forecast"),
        ({"inputs": {**inputs, "price": gone[1:]}}, r"'price' must be 36 values, but .*\(35,\)"),
        ({"inputs": {**inputs, "size": gone}}, "'size' must be one value"),
        ({"inputs": {"price": gone}}, "'price' must be known|needs 'deal'"),
        ({"time": None}, "time must be 36 stamps"),
        ({"time": rows["day"].to_numpy()[1:]}, "time must be 36 stamps"),
        ({"level": 90}, "level=90: exported were 80"),
        ({"past": {"visits": np.append(good["past"]["visits"][1:], np.nan)}}, "value is missing"),
    ]:
        with pytest.raises(ValueError, match=words):
            forecast(tmp_path / "made", values, HORIZON, **{**good, **wrong})
    for shape, steps in (((30, 1), 6), ((30,), 6.0)):
        with pytest.raises(ValueError, match=r"values must be \(time,\), .* a whole number"):
            forecast(tmp_path / "made", values.reshape(shape), steps, **good)
    namespace = {}
    exec(compile(block_with("onnx.md", "def closed_loop"), "docs/onnx.md", "exec"), namespace)
    with pytest.raises(ValueError, match="or inputs are needed"):
        namespace["forecast"](tmp_path / "made", values, HORIZON)
    made = of_panel(known, rng, columns=columns, likelihood="student-t")
    made.export(tmp_path / "drawn")
    with pytest.raises(ValueError, match="draws paths for its intervals"):
        forecast(tmp_path / "drawn", values, HORIZON, **good, level=80)
