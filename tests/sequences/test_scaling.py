import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from statewise.sequences import MinMaxScaler, StandardScaler


def random_series(shape, seed=0):
    """Positive, with a scale of its own for each feature."""
    values = np.random.default_rng(seed).lognormal(size=shape)
    return values * np.array([1.0, 50.0, 0.01]) if len(shape) > 1 else values


def series_strategy(low, high):
    shape = hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=6)
    return hnp.arrays(np.float64, shape, elements=st.floats(low, high, allow_subnormal=False))


class TestScalers:
    def test_standard(self):
        series = random_series((30, 3))
        z = StandardScaler().fit(series).transform(series)
        np.testing.assert_allclose(z.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(z.std(axis=0), 1, rtol=1e-12)

    def test_min_max(self):
        series = random_series((30, 3))
        z = MinMaxScaler((-2, 3)).fit(series).transform(series)
        np.testing.assert_allclose(z.min(axis=0), -2, rtol=1e-12)
        np.testing.assert_allclose(z.max(axis=0), 3, rtol=1e-12)

    def test_samples_and_time_are_measured_together(self):
        panel = random_series((4, 30, 3))
        together = StandardScaler().fit(panel)
        flat = StandardScaler().fit(panel.reshape(-1, 3))
        np.testing.assert_array_equal(together.shift, flat.shift)
        np.testing.assert_array_equal(together.scale, flat.scale)
        np.testing.assert_array_equal(
            together.transform(panel), flat.transform(panel.reshape(-1, 3)).reshape(panel.shape)
        )

    @pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
    def test_only_fit_counts(self, scaler):
        fitted = scaler().fit([1.0, 2.0, 4.0])
        before = fitted.get_state()
        fitted.transform([1000.0, -5.0])
        assert fitted.get_state() == before

    @pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
    def test_missing_values_do_not_count_and_stay(self, scaler):
        known = np.array([[1.0, 7.0], [3.0, 9.0], [8.0, 10.0]])
        gaps = np.array([[1.0, np.nan], [np.nan, 7.0], [3.0, 9.0], [8.0, 10.0]])
        fitted = scaler().fit(gaps)
        assert fitted.get_state() == scaler().fit(known).get_state()
        np.testing.assert_array_equal(np.isnan(fitted.transform(gaps)), np.isnan(gaps))

    @pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
    def test_constant_feature(self, scaler):
        series = np.column_stack([np.full(3, 0.1), [1.0, 2.0, 3.0]])
        fitted = scaler().fit(series)
        assert fitted.scale[0] == 1
        np.testing.assert_array_equal(fitted.transform(series)[:, 0], [0, 0, 0])
        np.testing.assert_array_equal(fitted.inverse_transform(fitted.transform(series)), series)

    @pytest.mark.parametrize("scaler", [StandardScaler, MinMaxScaler])
    def test_integers_frames_and_float32(self, scaler):
        for series in ([1, 2, 4], pd.Series([1, 2, 4]), np.array([1, 2, 4], np.float32)):
            z = scaler().fit(series).transform(series)
            assert z.dtype == np.float64
            np.testing.assert_array_equal(z, scaler().fit([1.0, 2, 4]).transform([1.0, 2, 4]))

    @pytest.mark.parametrize("scaler", [StandardScaler(), MinMaxScaler((-1, 2))])
    @settings(deadline=None)
    @given(series=series_strategy(-1e9, 1e9))
    def test_undone(self, scaler, series):
        scaler.fit(series)
        back = scaler.inverse_transform(scaler.transform(series))
        assert back.shape == series.shape
        largest = np.abs(series).max()
        np.testing.assert_allclose(back, series, rtol=1e-12, atol=1e-12 * largest)

    @pytest.mark.parametrize(
        ("call", "error", "message"),
        [
            (lambda: StandardScaler().transform([1.0]), ValueError, "StandardScaler is not fitted"),
            (lambda: MinMaxScaler().inverse_transform([1.0]), ValueError, "is not fitted yet"),
            (lambda: MinMaxScaler().get_state(), ValueError, "is not fitted yet"),
            (
                lambda: StandardScaler().fit([[1.0, 2], [np.inf, 3], [-np.inf, 4]]),
                ValueError,
                "2 infinities, the first at time step 1, feature 0",
            ),
            (
                lambda: StandardScaler().fit([[1.0, 2.0]]).transform(np.full((1, 2, 2), np.inf)),
                ValueError,
                "4 infinities, the first at sample 0, time step 0, feature 0",
            ),
            (lambda: StandardScaler().fit([]), ValueError, "feature 0 holds no value"),
            (lambda: StandardScaler().fit(np.zeros((3, 0))), ValueError, "series has no feature"),
            (
                lambda: MinMaxScaler().fit([[1.0, np.nan], [2.0, np.nan]]),
                ValueError,
                "feature 1 holds no value",
            ),
            (
                lambda: StandardScaler().fit([[1.0, 2.0]]).transform([1.0]),
                ValueError,
                "series has 1 features, but this StandardScaler was fitted on 2",
            ),
            (lambda: StandardScaler().fit(3.0), ValueError, r"has the shape \(\)"),
            (lambda: StandardScaler().fit(["a"]), TypeError, "must hold real numbers"),
            (lambda: MinMaxScaler((1, 1)), ValueError, r"low below high, but is \(1, 1\)"),
        ],
    )
    def test_wrong_input(self, call, error, message):
        with pytest.raises(error, match=message):
            call()
