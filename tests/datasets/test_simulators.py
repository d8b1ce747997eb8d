import numpy as np
import pytest

from statewise.datasets import STOCK_FEATURES, TANK_FEATURES, stocks, tanks


@pytest.mark.parametrize("simulate", [tanks, stocks])
class TestEverySimulator:
    def test_shape_and_dtype(self, simulate):
        features = len({tanks: TANK_FEATURES, stocks: STOCK_FEATURES}[simulate])
        series = simulate(3, 40)
        assert series.shape == (3, 40, features)
        assert series.dtype == np.float32
        assert np.isfinite(series).all()
        assert simulate(1, 1).shape == (1, 1, features)

    def test_seed_decides(self, simulate):
        np.testing.assert_array_equal(simulate(3, 20, seed=4), simulate(3, 20, seed=4))
        assert not np.array_equal(simulate(3, 20, seed=4), simulate(3, 20, seed=5))

    def test_more_steps_continue(self, simulate):
        np.testing.assert_array_equal(simulate(3, 60)[:, :25], simulate(3, 25))

    def test_wrong_counts(self, simulate):
        with pytest.raises(ValueError, match="steps must be at least 1, but is 0"):
            simulate(3, 0)
        with pytest.raises(TypeError, match=r"must be a whole number, but is 2\.5"):
            simulate(2.5, 3)


class TestTanks:
    def test_physical_range(self):
        pressure, temperature = np.moveaxis(tanks(50, 400), -1, 0)
        assert 50 < pressure.min() < pressure.max() < 500
        assert 10 < temperature.min() < temperature.max() < 60

    def test_heater_comes_every_day(self):
        temperature = tanks(20, 24 * 10)[..., 1]
        by_hour = temperature.reshape(20, 10, 24).mean(axis=1)
        assert (np.ptp(by_hour, axis=1) > 10).all()

    def test_memory_is_longer_than_five_steps(self):
        series = tanks(64, 200, seed=1).astype(float)
        series = (series - series.mean(axis=(0, 1))) / series.std(axis=(0, 1))
        errors = {}
        for lookback in (5, 30):
            cuts = [series[:, 30 - lag : 199 - lag] for lag in range(1, lookback + 1)]
            x = np.concatenate([*cuts, np.ones((64, 169, 1))], axis=-1)
            y = series[:, 30:199]
            train, test = slice(0, 32), slice(32, 64)
            weights, *_ = np.linalg.lstsq(
                x[train].reshape(-1, x.shape[-1]), y[train].reshape(-1, 2), rcond=None
            )
            errors[lookback] = np.sqrt(np.mean((x[test] @ weights - y[test]) ** 2, axis=(0, 1)))
        assert errors[30][1] < 0.6 * errors[5][1]  # temperature: the heater is foreseen
        assert errors[30][0] < errors[5][0]


class TestStocks:
    def test_correlated_more_within_a_sector(self):
        correlation = np.corrcoef(stocks(60, 250)[..., 0])
        same = np.arange(60)[:, None] % 5 == np.arange(60)[None] % 5
        within = correlation[same & ~np.eye(60, dtype=bool)].mean()
        across = correlation[~same].mean()
        assert 0.15 < across < within < 0.7

    def test_features_follow_from_the_returns(self):
        series = dict(zip(STOCK_FEATURES, np.moveaxis(stocks(11, 60), -1, 0), strict=True))
        returns = series["return"].astype(float)
        np.testing.assert_allclose(series["market"][4], returns.mean(axis=0), rtol=1e-4, atol=1e-5)
        sector = returns[[3, 8]].mean(axis=0)
        np.testing.assert_allclose(series["sector"][8], sector, rtol=1e-4, atol=1e-5)
        for name, days in (("week", 5), ("month", 20)):
            expected = returns[:, 40 - days : 40].sum(axis=1) / np.sqrt(days)
            np.testing.assert_allclose(series[name][:, 39], expected, rtol=1e-4, atol=1e-5)
        price = returns.cumsum(axis=1)
        gap = (price[:, 39] - price[:, 20:40].mean(axis=1)) / np.sqrt(20)
        np.testing.assert_allclose(series["gap"][:, 39], gap, rtol=1e-4, atol=1e-5)
        before, after = series["volatility"][:, 38].astype(float), series["volatility"][:, 39]
        expected = np.sqrt(0.94 * before**2 + 0.06 * returns[:, 39] ** 2)
        np.testing.assert_allclose(after, expected, rtol=1e-4)

    @pytest.mark.parametrize("seed", [0, 1, 2])
    def test_a_little_can_be_foreseen(self, seed):
        series = stocks(400, 250, seed=seed).astype(float)
        x = np.concatenate([series[:, :-1], np.ones((400, 249, 1))], axis=-1)
        y = series[:, 1:, 0]
        weights, *_ = np.linalg.lstsq(x[:, :150].reshape(-1, 9), y[:, :150].reshape(-1), rcond=None)
        rest = y[:, 150:]
        zero = np.mean(rest**2)
        assert 0.9 < np.mean((x[:, 150:] @ weights - rest) ** 2) / zero < 0.99
        assert np.mean((series[:, 150:-1, 0] - rest) ** 2) / zero > 1.5
