import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Windows, create_dataset, windows


def numbered(steps, features, key=0):
    """Every value says where it is: 10000 * series + 10 * step + feature."""
    return 10000 * key + 10 * np.arange(steps)[:, None] + np.arange(features)[None, :]


class TestCreateDataset:
    def test_the_pages_reshape(self):
        series = np.arange(144.0)
        x, y = create_dataset(series, 3)
        assert x.shape == (141, 3)
        assert y.shape == (141,)
        assert np.reshape(x, (x.shape[0], 3, 1)).shape == (141, 3, 1)
        for i in (0, 1, 140):
            np.testing.assert_array_equal(x[i], series[i : i + 3])
            assert y[i] == series[i + 3]

    def test_default_lookback_is_one(self):
        x, y = create_dataset([5, 7, 11])
        np.testing.assert_array_equal(x, [[5], [7]])
        np.testing.assert_array_equal(y, [7, 11])

    def test_one_column_is_one_feature(self):
        column = np.array([[5.0], [7.0], [11.0]], np.float32)
        x, y = create_dataset(column, 2)
        np.testing.assert_array_equal(x, [[5, 7]])
        np.testing.assert_array_equal(y, [11])
        assert x.dtype == y.dtype == np.float32

    def test_several_features_predict_the_first(self):
        series = numbered(6, 3)
        x, y = create_dataset(series, 4)
        assert x.shape == (2, 4, 3)
        np.testing.assert_array_equal(x[1], series[1:5])
        np.testing.assert_array_equal(y, series[4:, 0])

    def test_results_are_writable_copies(self):
        series = np.arange(5.0)
        x, y = create_dataset(series, 2)
        x += 100
        y += 100
        np.testing.assert_array_equal(series, np.arange(5.0))

    def test_missing_values_pass_through(self):
        x, y = create_dataset([1.0, np.nan, 3.0, np.nan], 2)
        np.testing.assert_array_equal(x, [[1, np.nan], [np.nan, 3]])
        np.testing.assert_array_equal(y, [3, np.nan])

    @pytest.mark.parametrize("steps", [0, 1, 3])
    def test_too_short_says_both_numbers(self, steps):
        message = f"series has {steps} time steps, but lookback=3 needs at least 4"
        with pytest.raises(ValueError, match=message):
            create_dataset(np.zeros(steps), 3)

    def test_shortest(self):
        x, y = create_dataset([1, 2, 3, 4], 3)
        assert (x.shape, y.shape) == ((1, 3), (1,))

    @pytest.mark.parametrize(
        ("series", "lookback", "error", "message"),
        [
            (["a", "b", "c"], 1, TypeError, "must hold real numbers, but its dtype is"),
            ([1 + 2j, 3], 1, TypeError, "complex128"),
            ([[1, 2], [3]], 1, TypeError, "can't be read as one array of numbers"),
            (np.zeros((2, 3, 4)), 1, ValueError, r"has the shape \(2, 3, 4\)"),
            (3.0, 1, ValueError, r"has the shape \(\)"),
            ([1, 2, 3], 0, ValueError, "lookback must be at least 1, but is 0"),
            ([1, 2, 3], 1.5, TypeError, "lookback must be a whole number, but is 1.5"),
            ([1, 2, 3], True, TypeError, "lookback must be a whole number, but is True"),
        ],
    )
    def test_wrong_input(self, series, lookback, error, message):
        with pytest.raises(error, match=message):
            create_dataset(series, lookback)


class TestOneSeries:
    def test_shapes_and_values(self):
        series = numbered(11, 3)
        cut = windows(series, 4, horizon=2, stride=2)
        assert cut.x.shape == (3, 4, 3)
        assert cut.y.shape == (3, 2, 3)
        np.testing.assert_array_equal(cut.start, [0, 2, 4])
        np.testing.assert_array_equal(cut.key, [0, 0, 0])
        for i, start in enumerate(cut.start):
            np.testing.assert_array_equal(cut.x[i], series[start : start + 4])
            np.testing.assert_array_equal(cut.y[i], series[start + 4 : start + 6])

    def test_last_window_reaches_the_last_step(self):
        series = np.arange(10)
        assert windows(series, 3, horizon=2).y[-1, -1, 0] == 9
        assert windows(series, 3, horizon=0).x[-1, -1, 0] == 9

    def test_shares_memory_and_is_read_only(self):
        series = np.random.default_rng(0).normal(size=(50, 3))
        cut = windows(series, 5, horizon=2, stride=3, targets=[1, 2])
        assert np.shares_memory(cut.x, series)
        assert np.shares_memory(cut.y, series)
        with pytest.raises(ValueError, match="read-only"):
            cut.x[0, 0, 0] = 1
        with pytest.raises(ValueError, match="read-only"):
            cut.y[0, 0, 0] = 1
        series[0, 0] = 7  # the user's own array stays as it was
        assert cut.x[0, 0, 0] == 7

    def test_unpacks_and_counts(self):
        cut = windows([1, 2, 3, 4], 2)
        x, y = cut
        assert x is cut.x
        assert y is cut.y
        assert len(cut) == 2
        assert isinstance(cut, Windows)
        assert repr(cut) == f"Windows(x=(2, 2, 1), y=(2, 1, 1), dtype={cut.x.dtype})"

    def test_no_targets(self):
        cut = windows(numbered(5, 2), 5, horizon=0, targets=1)
        assert cut.x.shape == (1, 5, 2)
        assert cut.y.shape == (1, 0, 1)

    @pytest.mark.parametrize("dtype", [np.int32, np.float32, np.float64, bool])
    def test_dtype_stays(self, dtype):
        cut = windows(np.ones(5, dtype), 2)
        assert cut.x.dtype == cut.y.dtype == dtype

    def test_pandas(self):
        frame = pd.DataFrame({"p": [1.0, 2, 3, 4], "t": [5.0, 6, 7, 8]})
        cut = windows(frame, 2, targets="t")
        np.testing.assert_array_equal(cut.x[0], [[1, 5], [2, 6]])
        np.testing.assert_array_equal(cut.y[:, 0, 0], [7, 8])
        assert windows(frame["p"], 2).x.shape == (2, 2, 1)

    @pytest.mark.parametrize(
        ("targets", "columns"),
        [(0, [0]), (-1, [3]), ([2, 3], [2, 3]), ([3, 1], [3, 1]), (np.int64(2), [2])],
    )
    def test_targets(self, targets, columns):
        series = numbered(6, 4)
        cut = windows(series, 3, horizon=2, targets=targets)
        np.testing.assert_array_equal(cut.y[1], series[4:6][:, columns])


class TestManySeries:
    def test_mapping(self):
        cut = windows({"a": numbered(5, 2, 1), "b": numbered(4, 2, 2)}, 2, horizon=1)
        assert list(cut.key) == ["a", "a", "a", "b", "b"]
        assert list(cut.start) == [0, 1, 2, 0, 1]
        np.testing.assert_array_equal(cut.x[3], numbered(4, 2, 2)[:2])
        assert not cut.x.flags.writeable

    def test_list_and_array_are_the_same(self):
        array = np.random.default_rng(1).normal(size=(3, 9, 2))
        from_array = windows(array, 4, horizon=2)
        from_list = windows(list(array), 4, horizon=2)
        np.testing.assert_array_equal(from_array.x, from_list.x)
        np.testing.assert_array_equal(from_array.y, from_list.y)
        np.testing.assert_array_equal(from_array.key, np.repeat([0, 1, 2], 4))

    def test_keys_of_any_kind(self):
        cut = windows({("a", 1): [1, 2, 3], 7: [4, 5, 6]}, 2)
        assert list(cut.key) == [("a", 1), 7]

    def test_frames_by_key_with_named_target(self):
        frames = {k: pd.DataFrame({"p": [1.0, 2, 3], "t": [5.0, 6, 7 + k]}) for k in range(2)}
        np.testing.assert_array_equal(windows(frames, 2, targets="t").y[:, 0, 0], [7, 8])
        listed = windows(list(frames.values()), 2, targets=["t"])
        np.testing.assert_array_equal(listed.y[:, 0, 0], [7, 8])

    @settings(deadline=None)
    @given(
        lengths=st.lists(st.integers(5, 20), min_size=1, max_size=5),
        lookback=st.integers(1, 3),
        horizon=st.integers(0, 2),
        stride=st.integers(1, 4),
    )
    def test_no_window_crosses(self, lengths, lookback, horizon, stride):
        series = {f"s{k}": numbered(n, 2, k) for k, n in enumerate(lengths)}
        cut = windows(series, lookback, horizon=horizon, stride=stride)
        expected = [
            (key, start)
            for key, values in series.items()
            for start in range(0, len(values) - lookback - horizon + 1, stride)
        ]
        assert list(zip(cut.key, cut.start, strict=True)) == expected
        for (key, start), x, y in zip(expected, *cut, strict=True):
            end = start + lookback
            np.testing.assert_array_equal(x, series[key][start:end])
            np.testing.assert_array_equal(y, series[key][end : end + horizon])


@pytest.mark.parametrize(
    ("series", "options", "error", "message"),
    [
        ([1, 2, 3], {"lookback": 3}, ValueError, "has 3 time steps.*need at least 4"),
        (
            {"a": [1], "b": [1, 2, 3], "c": [1, 2]},
            {"lookback": 2},
            ValueError,
            "2 of 3 series are too short: .*at least 3 time steps, but 'a' has 1, 'c' has 2;",
        ),
        ([[1, 2]] * 30, {"lookback": 2}, ValueError, "19 has 2, and 10 more"),
        ({}, {"lookback": 2}, ValueError, "series is empty"),
        (
            {"a": np.zeros((5, 2)), "b": np.zeros((5, 3))},
            {"lookback": 2},
            ValueError,
            "'a' has 2 and series 'b' has 3",
        ),
        ({"a": ["x"]}, {"lookback": 1}, TypeError, "series 'a' must hold real numbers"),
        ([1, 2, 3], {"lookback": 0}, ValueError, "lookback must be at least 1"),
        ([1, 2, 3], {"lookback": 1, "horizon": -1}, ValueError, "horizon must be at least 0"),
        ([1, 2, 3], {"lookback": 1, "stride": 0}, ValueError, "stride must be at least 1"),
        ([1, 2, 3], {"lookback": 1, "targets": 1}, ValueError, "feature 1, but.* have 1 "),
        ([1, 2, 3], {"lookback": 1, "targets": -2}, ValueError, "must be at least -1"),
        ([1, 2, 3], {"lookback": 1, "targets": []}, ValueError, "targets is empty"),
        ([1, 2, 3], {"lookback": 1, "targets": "p"}, ValueError, "have no column names"),
        (
            pd.DataFrame({"p": [1.0, 2], "t": [3.0, 4]}),
            {"lookback": 1, "targets": "q"},
            ValueError,
            r"'q', but the columns are \['p', 't'\]",
        ),
    ],
)
def test_wrong_input(series, options, error, message):
    with pytest.raises(error, match=message):
        windows(series, **options)
