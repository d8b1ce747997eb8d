import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from statewise.sequences import Columns, DataError, encode_calendar, read_panel, read_wide

DAYS = pd.date_range("2024-01-30", periods=6)


def long(**keys):
    """Return a long frame: for each key its stamps, with values that tell key and step."""
    parts = [
        pd.DataFrame({"unique_id": key, "ds": stamps, "y": 100.0 * i + np.arange(len(stamps))})
        for i, (key, stamps) in enumerate(keys.items())
    ]
    return pd.concat(parts, ignore_index=True)


FRAME = long(b=DAYS, a=DAYS[2:])


@pytest.mark.parametrize(
    "frame",
    [
        FRAME,
        FRAME.sample(frac=1, random_state=4).sort_values("unique_id", ascending=False),
        pl.from_pandas(FRAME),
        pa.Table.from_pandas(FRAME, preserve_index=False),
        FRAME.assign(ds=FRAME["ds"].dt.strftime("%Y-%m-%d")),
    ],
    ids=["pandas", "shuffled", "polars", "arrow", "text"],
)
def test_frames_of_any_kind(frame):
    panel = read_panel(frame)
    assert panel.keys.tolist() == ["b", "a"]
    assert panel.lengths.tolist() == [6, 4]
    assert panel.values[:, 0].tolist() == [0, 1, 2, 3, 4, 5, 100, 101, 102, 103]
    assert panel.calendar.phrase == "daily"
    assert list(panel.future_stamps(2).strftime("%d")) == ["05", "06", "05", "06"]


def test_rows_that_are_absent_are_missing_values():
    panel = read_panel(FRAME.drop(index=[2, 7]))
    assert panel.lengths.tolist() == [6, 4]
    assert np.flatnonzero(np.isnan(panel.values[:, 0])).tolist() == [2, 7]
    assert panel.time.tolist() == [*DAYS, *DAYS[2:]]


def test_series_that_end_at_different_times_and_months():
    months = pd.date_range("2023-10-31", periods=5, freq="ME")
    panel = read_panel(long(x=months, y=months[:3]))
    assert panel.calendar.frequency == "ME"
    stamps = [str(stamp.date()) for stamp in panel.future_stamps(2)]
    assert stamps == ["2024-03-31", "2024-04-30", "2024-01-31", "2024-02-29"]


def test_weeks_that_begin_on_different_days():
    weeks = pd.date_range("2024-01-01", periods=5, freq="7D")
    panel = read_panel(long(monday=weeks, tuesday=weeks + pd.Timedelta(days=1)))
    assert len(panel.calendars) == 2
    assert panel.future_stamps(1).day_name().tolist() == ["Monday", "Tuesday"]


def test_parts_of_a_panel():
    panel = read_panel(FRAME.assign(kind=FRAME["unique_id"]), Columns(static=["kind"]))
    one = panel.select(np.array([1]))
    assert one.keys.tolist() == ["a"]
    assert one.values[:, 0].tolist() == [100, 101, 102, 103]
    assert one.static["kind"].tolist() == ["a"]
    cut = panel.until(np.array([2, 3]))
    assert cut.values[:, 0].tolist() == [0, 1, 100, 101, 102]
    with pytest.raises(ValueError, match="stops must be between 1 and"):
        panel.until(5)


def test_a_table_without_keys_is_one_series():
    panel = read_panel(FRAME[:6].drop(columns="unique_id"))
    assert len(panel) == 1


def test_wide():
    panel = read_wide(pd.DataFrame({"p": range(5), "q": range(5, 10)}, index=DAYS[:5]))
    assert panel.keys.tolist() == ["p", "q"]
    assert panel.values[:, 0].tolist() == list(range(10))
    assert panel.calendar.phrase == "daily"
    assert read_wide(pd.DataFrame({"p": [1.0, 2.0, 4.0]})).calendar.phrase == "numbered"
    with pytest.raises(DataError, match="no column of numbers besides the time"):
        read_wide(pd.DataFrame({"day": DAYS}))


@pytest.mark.parametrize("names", [(0, 1, 2), (("a", 1), ("b", 2), ("c", 3))])
def test_columns_may_have_names_of_any_type(names):
    key, time, target = names
    frame = FRAME.set_axis(pd.Index(names, tupleize_cols=False), axis=1)
    columns = Columns(key=key, time=time, target=target)
    panel = read_panel(frame, columns)
    assert panel.keys.tolist() == ["b", "a"]
    assert panel.values[:, 0].tolist() == FRAME["y"].tolist()
    if names == (0, 1, 2):
        assert read_panel(frame, columns, every="1D").lengths.tolist() == [6, 4]
    wide = pd.DataFrame(np.ones((6, 3)), columns=frame.columns).astype(object)
    wide[key] = DAYS
    assert read_wide(wide).keys.tolist() == [time, target]


WEEKS = pd.date_range("2024-01-01", periods=6, freq="7D")
EVEN_WEEKS = pd.date_range("2024-01-30", periods=8, freq="2D")
UNEVEN = pd.DatetimeIndex(["2024-01-01", "2024-01-02", "2024-01-11", "2024-01-30"])


@pytest.mark.parametrize(
    ("frame", "columns", "words"),
    [
        (pd.concat([FRAME, FRAME[7:8]]), {}, "1 duplicate time stamp, the first 2024-02-02 of .*a"),
        (long(a=DAYS, w=WEEKS), {}, "mixed frequencies: 'a' is daily, 'w' is weekly"),
        (long(a=EVEN_WEEKS, b=pd.date_range("2024-01-30", periods=9)), {}, "mixed frequencies"),
        (long(a=UNEVEN, b=UNEVEN), {}, "the time stamps of series 'a' are uneven"),
        (FRAME.drop(columns="y"), {}, "no column 'y'; its columns are: unique_id, ds"),
        (FRAME, {"past": ["rain"]}, "no column 'rain'"),
        (FRAME.assign(y="n/k"), {}, "holds text in row 0: 'n/k' is no number"),
        (FRAME.assign(y=np.inf), {}, "holds 10 infinite values, the first in row 0"),
        (FRAME.assign(unique_id=[None, *FRAME["unique_id"][1:]]), {}, "1 missing key, .* row 0"),
        (FRAME.assign(ds=[*FRAME["ds"][:-1], None]), {}, "1 missing time stamp, .* row 9"),
        (FRAME[:0], {}, "has no rows"),
        (long(a=DAYS[:2]), {}, "no series has as many as 3 time steps"),
        (
            FRAME.assign(kind=list("uuvuuuuuuu")),
            {"static": ["kind"]},
            "static column 'kind' changes within series 'b': from 'u' to 'v'",
        ),
        (
            FRAME.assign(event=[None, *"abcdefghi"]),
            {"future": ["event"]},
            "the category 'event' is missing in row 0",
        ),
    ],
)
def test_refuses(frame, columns, words):
    with pytest.raises(DataError, match=words):
        read_panel(frame, Columns(**columns))


def test_refuses_what_is_no_table():
    with pytest.raises(TypeError, match="a panel is a frame of pandas, polars or Arrow"):
        read_panel({"y": [1, 2]})


@pytest.mark.parametrize(
    ("parts", "error", "words"),
    [
        ({"future": "price"}, TypeError, "future must be a sequence of names"),
        ({"future": ["y"]}, ValueError, "the column 'y' is named twice"),
        ({"categories": ["kind"]}, ValueError, "neither in future nor in static"),
        ({"calendar": ["moon"]}, ValueError, "calendar has no feature 'moon'; it has minute"),
    ],
)
def test_columns_refuse(parts, error, words):
    with pytest.raises(error, match=words):
        Columns(**parts)


def test_calendar_features_go_round():
    stamps = pd.date_range("2024-01-01", periods=49, freq="h")
    features = encode_calendar(stamps, ["hour", "weekday"])
    assert features.shape == (49, 4)
    np.testing.assert_allclose(features[0, :2], features[24, :2], atol=1e-12)
    assert np.abs(features[24, 2:] - features[0, 2:]).max() > 0.1
    np.testing.assert_allclose(np.square(features[:, :2]).sum(1), 1)
    every = encode_calendar(stamps, ["minute", "day", "week", "month", "quarter"])
    assert np.isfinite(every).all()
    with pytest.raises(DataError, match="time is given as numbers"):
        encode_calendar(pd.RangeIndex(3), ["hour"])
