import numpy as np
import pandas as pd

from statewise.datasets import airline, airline_path


def test_shape_names_and_calendar():
    frame = airline()
    assert list(frame.columns) == ["month", "passengers"]
    assert frame["passengers"].dtype == np.int64
    expected = pd.date_range("1949-01-01", "1960-12-01", freq="MS")
    assert (pd.DatetimeIndex(frame["month"]) == expected).all()


def test_file_lies_in_the_package():
    lines = airline_path().read_text(encoding="utf-8").splitlines()
    assert lines[0] == "month,passengers"
    assert lines[-1] == "1960-12,432"
    assert len(lines) == 145


def test_known_errors_of_the_naive_forecasts():
    values = airline()["passengers"].to_numpy(float)
    last_year = np.tile(values[108:120], 2)
    assert np.abs(values[120:] - last_year).mean() == 71.25

    # The last third, as the tutorials test on it: lookback=1 takes its first step as an input.
    test = values[96:]
    one_step = np.sqrt(np.mean((test[1:] - test[:-1]) ** 2))
    assert round(float(one_step), 2) == 48.53
    seasonal = np.sqrt(np.mean((test - values[84:-12]) ** 2))
    assert round(float(seasonal), 2) == 41.85
