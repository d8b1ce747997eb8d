import numpy as np
import pandas as pd
import pytest

from statewise.tasks.forecasting.written_stamps import WAYS, number_way, text_way, written

STAMP = pd.Timestamp("2024-02-29")


@pytest.mark.parametrize(
    ("number", "way"),
    [
        (2024, "year"),
        (202402, "yyyymm"),
        (20240229, "yyyymmdd"),
        (1709164800, "s"),
        (1709164800_000, "ms"),
        (1709164800_000_000, "us"),
        (1709164800_000_000_000, "ns"),
        (17, ""),
        (2024.0, ""),
        ("2024", ""),
    ],
)
def test_numbers_go_there_and_back(number, way):
    assert number_way(number, STAMP) == way
    assert number_way(number, STAMP.tz_localize("UTC")) == way
    assert written(pd.DatetimeIndex([STAMP]), way)[0] == (number if way else STAMP)


@pytest.mark.parametrize("way", [way for way in WAYS if "%" in way])
def test_texts_go_there_and_back(way):
    freq = "MS" if way.startswith("%Y-%m") and "%d" not in way else "D"
    stamps = pd.date_range("2024-01-01 00:00", periods=40, freq=freq)
    texts = stamps.strftime(way)
    assert written(stamps, text_way(texts[:20].tolist(), stamps)).equals(texts)


def test_what_the_way_leaves_out_stays_a_stamp():
    hours = pd.date_range("2024-01-01", periods=3, freq="h")
    assert written(hours, "%Y-%m-%d").equals(hours)
    assert text_way(["2024-01-09"], hours) == ""
    assert text_way(["1.2.24"], pd.DatetimeIndex(["2024-02-01"])) == ""
    assert text_way([], hours) == ""


def test_what_is_no_stamp_stays():
    numbers = pd.Index(np.arange(3))
    assert written(numbers, "s") is numbers
    assert number_way(5, 5) == ""
    assert text_way(["2024-01-01"], numbers) == ""
