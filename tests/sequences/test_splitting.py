import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import split


@pytest.mark.parametrize(
    ("steps", "option", "train_steps"),
    [
        (144, {"train_fraction": 0.67}, 96),
        (144, {"test_fraction": 0.67}, 48),
        (144, {"test_steps": 24}, 120),
        (100, {"train_fraction": 0.29}, 29),  # 0.29 * 100 is 28.999... in floating point
        (10, {"test_fraction": 0.3}, 7),
        (3, {"test_fraction": 0.5}, 2),
        (3, {"train_fraction": 0.5}, 1),
        (2, {"test_steps": 1}, 1),
        (2, {"train_fraction": 0.99}, 1),
        (5, {"test_steps": np.int64(4)}, 1),
        (5, {"train_fraction": np.float32(0.5)}, 2),
    ],
)
def test_where_it_cuts(steps, option, train_steps):
    series = np.arange(steps)
    train, test = split(series, **option)
    np.testing.assert_array_equal(train, np.arange(train_steps))
    np.testing.assert_array_equal(test, np.arange(train_steps, steps))
    assert np.shares_memory(train, series)


@settings(deadline=None)
@given(steps=st.integers(2, 300), test_steps=st.integers(1, 299))
def test_parts_make_the_whole_in_order(steps, test_steps):
    if test_steps >= steps:
        with pytest.raises(ValueError, match="both parts need at least 1"):
            split(np.arange(steps), test_steps=test_steps)
        return
    parts = split(np.arange(steps), test_steps=test_steps)
    assert len(parts.test) == test_steps
    np.testing.assert_array_equal(np.concatenate(parts), np.arange(steps))


def test_frames_keep_their_index():
    frame = pd.DataFrame({"p": np.arange(4.0)}, index=pd.date_range("2020-01-01", periods=4))
    train, test = split(frame, test_steps=1)
    pd.testing.assert_frame_equal(pd.concat([train, test]), frame, check_freq=False)
    assert isinstance(split(frame["p"], test_steps=1).test, pd.Series)


def test_each_series_by_its_own_length():
    series = {"a": np.arange(10), "b": np.arange(20).reshape(10, 2)[:4]}
    train, test = split(series, test_fraction=0.5)
    assert [len(train["a"]), len(test["a"])] == [5, 5]
    assert [train["b"].shape, test["b"].shape] == [(2, 2), (2, 2)]
    train, test = split(list(series.values()), test_steps=3)
    assert [len(part) for part in train] == [7, 1]
    assert [len(part) for part in test] == [3, 3]


def test_array_of_series_is_cut_along_time():
    tanks = np.random.default_rng(0).normal(size=(3, 10, 2))
    train, test = split(tanks, test_steps=4)
    np.testing.assert_array_equal(train, tanks[:, :6])
    np.testing.assert_array_equal(test, tanks[:, 6:])


@pytest.mark.parametrize(
    ("series", "options", "error", "message"),
    [
        ([1, 2, 3], {}, TypeError, "exactly one of .*, got none"),
        (
            [1, 2, 3],
            {"test_steps": 1, "train_fraction": 0.5},
            TypeError,
            "got test_steps and train_fraction",
        ),
        ([1, 2, 3], {"test_steps": 0}, ValueError, "test_steps must be at least 1"),
        ([1, 2, 3], {"test_steps": 0.5}, TypeError, "test_steps must be a whole number"),
        ([1, 2, 3], {"test_steps": 3}, ValueError, "leave 0 to train and 3 to test"),
        ([1, 2, 3], {"test_fraction": 0}, ValueError, "test_fraction must be between 0 and 1"),
        ([1, 2, 3], {"test_fraction": 1.0}, ValueError, "but is 1.0"),
        ([1, 2, 3], {"train_fraction": float("nan")}, ValueError, "but is nan"),
        ([1, 2, 3], {"train_fraction": "0.5"}, TypeError, "must be a number between"),
        ([1, 2, 3], {"test_fraction": 0.1}, ValueError, "leave 3 to train and 0 to test"),
        ([], {"test_fraction": 0.5}, ValueError, "series has 0 time steps"),
        ({"a": [1]}, {"test_fraction": 0.5}, ValueError, "series 'a' has 1 time steps"),
        ([[1, 2], [3]], {"test_steps": 1}, ValueError, "series 1 has 1 time steps"),
        (5.0, {"test_steps": 1}, ValueError, r"has the shape \(\)"),
    ],
)
def test_wrong_input(series, options, error, message):
    with pytest.raises(error, match=message):
        split(series, **options)
