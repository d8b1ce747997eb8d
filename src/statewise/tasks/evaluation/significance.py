"""Whether one forecast is better than another, or only was so this time.

Two tests, each for the case that it is made for. Both compare losses of two forecasts of the same
values, and ask how often a difference as large as theirs would come about by chance.

*Over origins*: the test of Diebold and Mariano ("Comparing predictive accuracy", Journal of
Business & Economic Statistics 13, 1995) with the correction of Harvey, Leybourne and Newbold for
few origins ("Testing the equality of prediction mean squared errors", International Journal of
Forecasting 13, 1997). The losses of all series at an origin count as one value, so it doesn't
matter how much the series go along with each other. It needs many origins.

*Over series*: the signed-rank test of Wilcoxon, as Demšar recommends it for comparisons over many
data sets ("Statistical comparisons of classifiers over multiple data sets", Journal of Machine
Learning Research 7, 2006). It needs no particular distribution, and few series with huge errors
don't decide it. But series that go along with each other count as if they didn't, which makes
it too sure of itself; therefore it is taken only where there are too few origins.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np

LEAST = 8  # origins, or series, below which a test tells nothing
LEVEL = 0.05


@dataclass(frozen=True)
class Comparison:
    """What a test of two forecasts found.

    Attributes:
        test: its name, and over what; empty where there was too little for one.
        p_value: how likely a difference as large is by chance; NaN where there is none.
        count: the origins, or series, compared.
    """

    test: str
    p_value: float
    count: int

    @property
    def significant(self) -> bool:
        """Whether it is below 5 %."""
        return bool(self.p_value < LEVEL)

    def __str__(self) -> str:
        """Say it in words."""
        if not self.test:
            return f"no test with fewer than {LEAST} windows, and fewer than {LEAST} series"
        p = "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.2g}"
        return f"{self.test}, {p}"


def diebold_mariano(losses: Any, others: Any, *, overlap: int = 1) -> float:
    """Return the two-sided p-value of the hypothesis that two forecasts are equally good.

    With the differences ``d`` of the losses at n origins in the order of time, their mean over
    its standard error, in which autocovariances up to ``overlap - 1`` count, times
    ``sqrt((n + 1 - 2 k + k (k - 1) / n) / n)`` for ``k = overlap``, is compared with Student's t
    of n - 1 degrees of freedom. Where the autocovariances make the variance negative they are left
    out, as Harvey, Leybourne and Newbold do.

    Args:
        losses: of one forecast at each origin, (origins,).
        others: of the other one.
        overlap: how many origins forecast the same step at most; 1 where they don't overlap.

    Returns:
        The p-value; 1 where the losses are equal everywhere.

    Raises:
        ValueError: where the shapes differ, or there are fewer than 3 origins or not more than
            ``overlap``.

    >>> rng = np.random.default_rng(0)
    >>> noise = rng.normal(size=(2, 30))
    >>> bool(diebold_mariano(noise[0], noise[1]) > 0.05)
    True
    >>> bool(diebold_mariano(noise[0], noise[1] + 2) < 0.001)
    True
    """
    from scipy.special import stdtr

    a, b = np.asarray(losses, np.float64), np.asarray(others, np.float64)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"losses have the shapes {a.shape} and {b.shape}: both must be (origins,)")
    count = len(a)
    if count < 3 or overlap < 1 or overlap >= count:
        raise ValueError(
            f"{count} origins with overlap={overlap}: there must be 3 and more of them"
        )
    d = a - b
    if not d.any():
        return 1.0
    rest = d - d.mean()
    lags = [rest[lag:] @ rest[: count - lag] / count for lag in range(overlap)]
    variance = lags[0] + 2 * sum(lags[1:])
    variance = (variance if variance > 0 else lags[0]) / count
    if variance <= (1e-12 * np.abs(d).max()) ** 2:
        return 0.0
    corrected = (count + 1 - 2 * overlap + overlap * (overlap - 1) / count) / count
    statistic = d.mean() / np.sqrt(variance) * np.sqrt(corrected)
    return float(2 * stdtr(count - 1, -abs(statistic)))


def compare(losses: np.ndarray, others: np.ndarray) -> Comparison:
    """Compare two forecasts by the test that assumes least among those there is enough for.

    Args:
        losses: scaled errors of one forecast, (series, windows); NaN where there is none. The
            windows don't overlap and stand in the order of time.
        others: of the other one.

    >>> str(compare(np.ones((2, 3)), np.ones((2, 3))))
    'no test with fewer than 8 windows, and fewer than 8 series'
    """
    from scipy.stats import wilcoxon

    difference = losses - others
    known = ~np.isnan(difference)
    at_origins, of_series = known.any(axis=0), known.any(axis=1)
    if at_origins.sum() >= LEAST:
        a, b = (
            np.nanmean(np.where(known, x, np.nan)[:, at_origins], axis=0) for x in (losses, others)
        )
        count = len(a)
        return Comparison(
            f"Diebold-Mariano test over {count} windows", diebold_mariano(a, b), count
        )
    if of_series.sum() >= LEAST:
        d = np.nanmean(difference[of_series], axis=1)
        p = float(wilcoxon(d).pvalue) if d.any() else 1.0
        return Comparison(f"Wilcoxon's signed-rank test over {len(d)} series", p, len(d))
    return Comparison("", float("nan"), max(int(at_origins.sum()), int(of_series.sum())))
