import numpy as np
import pandas as pd
import pytest

from statewise.tasks.forecasting.number_stamps import numbers_of, way_of

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
    assert way_of(number, STAMP) == way
    assert way_of(number, STAMP.tz_localize("UTC")) == way
    assert numbers_of(pd.DatetimeIndex([STAMP]), way)[0] == (number if way else STAMP)


def test_what_is_no_stamp_stays():
    numbers = pd.Index(np.arange(3))
    assert numbers_of(numbers, "s") is numbers
    assert way_of(5, 5) == ""
