"""Stocks that move together, with a little in them that can be foreseen."""

import numpy as np

from statewise.datasets._checks import check_counts

STOCK_FEATURES = (
    "return",
    "market",
    "sector",
    "week",
    "month",
    "volatility",
    "volume",
    "gap",
)

_SECTORS = 5
_MOMENTUM, _DRIFT = 0.98, 0.1  # persistence of the hidden drift, what a day adds to it
_REVERSION = 0.3  # of yesterday's own move, given back today
_SETTLE = 60  # days before the first one handed out: longer than any average looks back


def stocks(stocks: int = 400, steps: int = 250, *, seed: int = 0) -> np.ndarray:
    """Simulate the daily returns of stocks that share a market and five sectors.

    Stock i in sector k returns each day, in percent::

        r = beta_i m + s_k + o        market, sector, own move
        m = 0.15 m_yesterday + 0.8 normal()
        s_k = 0.5 normal()
        d = 0.98 d_yesterday + 0.1 normal()              hidden drift: momentum
        o = d - 0.3 o_yesterday + normal()               the own move partly reverts

    Market and sectors correlate the stocks. The drift and the reversion can be foreseen, which is
    a few percent of the variance: taking the last return for the next one is far worse than
    saying 0, a network that weighs the last days against the last weeks is a little better.

    The features, each known at the end of its day, are named in ``STOCK_FEATURES``:

    - ``return``: r, in percent;
    - ``market``, ``sector``: the mean return of all stocks, and of those of its sector;
    - ``week``, ``month``: the sum of its last 5, and 20 returns, over sqrt(5) and sqrt(20);
    - ``volatility``: the root of the exponential average of r squared (factor 0.94);
    - ``volume``: the logarithm of the traded volume over its usual one, higher on moving days;
    - ``gap``: the logarithm of the price over its 20-day average, in percent, over sqrt(20).

    Args:
        stocks: how many, at least 1.
        steps: days, at least 1; more days continue the same series.
        seed: what the random numbers start from.

    Returns:
        float32 (stocks, steps, 8), the features as above.

    Raises:
        TypeError: where a count is no whole number.
        ValueError: where a count is below 1.

    Example:
        >>> stocks(stocks=5, steps=30).shape
        (5, 30, 8)
    """
    check_counts(stocks=stocks, steps=steps)
    rng = np.random.default_rng(seed)
    sector_of = np.arange(stocks) % _SECTORS
    beta = rng.uniform(0.5, 1.5, size=stocks)
    draws = rng.normal(size=(_SETTLE + steps, 1 + _SECTORS + 3 * stocks))  # by time
    market_draw, sector_draw = draws[:, 0], draws[:, 1 : 1 + _SECTORS]
    drift_draw, own_draw, volume_draw = np.split(draws[:, 1 + _SECTORS :], 3, axis=1)

    returns = np.empty((_SETTLE + steps, stocks))
    volume = np.empty_like(returns)
    market, drift, own, busy = 0.0, np.zeros(stocks), np.zeros(stocks), np.zeros(stocks)
    for day in range(_SETTLE + steps):
        market = 0.15 * market + 0.8 * market_draw[day]
        drift = _MOMENTUM * drift + _DRIFT * drift_draw[day]
        own = drift - _REVERSION * own + own_draw[day]
        returns[day] = beta * market + 0.5 * sector_draw[day, sector_of] + own
        busy = 0.7 * busy + 0.2 * (np.abs(returns[day]) - 1) + 0.2 * volume_draw[day]
        volume[day] = busy
    features = np.stack(
        [
            returns,
            np.broadcast_to(returns.mean(axis=1, keepdims=True), returns.shape),
            _sector_means(returns, sector_of),
            _running_sum(returns, 5) / np.sqrt(5),
            _running_sum(returns, 20) / np.sqrt(20),
            _volatility(returns),
            volume,
            _gap(returns, 20) / np.sqrt(20),
        ],
        axis=-1,
    )  # (time, stocks, features)
    return np.ascontiguousarray(features[_SETTLE:].swapaxes(0, 1), dtype=np.float32)


def _sector_means(returns: np.ndarray, sector_of: np.ndarray) -> np.ndarray:
    means = np.empty_like(returns)
    for sector in np.unique(sector_of):
        members = sector_of == sector
        means[:, members] = returns[:, members].mean(axis=1, keepdims=True)
    return means


def _running_sum(values: np.ndarray, days: int) -> np.ndarray:
    total = values.cumsum(axis=0)
    total[days:] = total[days:] - total[:-days]
    return total


def _volatility(returns: np.ndarray) -> np.ndarray:
    variance = np.ones_like(returns)
    for day in range(1, len(returns)):
        variance[day] = 0.94 * variance[day - 1] + 0.06 * returns[day] ** 2
    return np.sqrt(variance)


def _gap(returns: np.ndarray, days: int) -> np.ndarray:
    price = returns.cumsum(axis=0)
    return price - _running_sum(price, days) / days
