"""Intervals that cover what they say: conformal prediction from the residuals of validation.

What a network missed by in the validation part, which it didn't learn from, tells what it will
miss by: the quantiles of its residuals, each in units of its window's own scale, are put around
the points. There is a band for each step of the horizon. With n residuals the quantile at
``ceil((n + 1) q) / n`` is taken, which covers at least q for exchangeable residuals (split
conformal prediction: Papadopoulos et al., "Inductive confidence machines for regression", ECML
2002; Lei et al., "Distribution-free predictive inference for regression", JASA 113, 2018).

A likelihood has intervals of its own, the quantiles of its paths. Those are widened or narrowed by
one factor for each level, which the validation part tells too (conformalized quantile regression:
Romano, Patterson and Candès, NeurIPS 2019, with a factor in place of a sum).

The windows of one series overlap, so its residuals are far fewer than they look, and they come from
one stretch of time. `band_of_few` widens a band for that.
"""

from dataclasses import dataclass

import numpy as np
from scipy import stats

_MOST = 4096  # residuals kept for each step
_LEVELS = (10, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95, 97, 99)  # at which factors are measured


@dataclass(frozen=True)
class Residuals:
    """Residuals of validation.

    Attributes:
        sorted: (windows, horizon) float64, each column sorted on its own; NaN at the end where a
            truth was missing.
    """

    sorted: np.ndarray

    @classmethod
    def of(cls, residuals: np.ndarray) -> "Residuals":
        """Sort residuals (windows, horizon), and keep evenly many of them."""
        ordered = np.sort(residuals.astype(np.float64), axis=0)
        if len(ordered) > _MOST:
            ordered = ordered[np.linspace(0, len(ordered) - 1, _MOST).round().astype(int)]
        return cls(ordered)

    def band(self, level: float, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Return how far below and above the points an interval reaches, (horizon,) each.

        Beyond the steps that validation forecast, the band widens as a random walk's does.

        Args:
            level: how many percent are to lie within.
            horizon: steps.

        >>> residuals = Residuals.of(np.arange(-49.0, 50.0)[:, None] * [[1, 2]])
        >>> residuals.band(80, 3)[1].round(1)
        array([40., 80., 98.])
        """
        tail = (1 - level / 100) / 2
        known = min(horizon, self.sorted.shape[1])
        low, high = np.empty(known), np.empty(known)
        for step in range(known):
            column = self.sorted[:, step]
            column = column[~np.isnan(column)]
            count = len(column)
            if not count:
                low[step], high[step] = (low[step - 1], high[step - 1]) if step else (0.0, 0.0)
                continue
            rank = min(int(np.ceil((count + 1) * (1 - tail))), count) - 1
            low[step], high[step] = column[count - 1 - rank], column[rank]
        grown = np.sqrt(np.arange(known + 1, horizon + 1) / known)
        return (
            np.concatenate([low, low[-1] * grown]),
            np.concatenate([high, high[-1] * grown]),
        )

    def around(self, level: float, horizon: int) -> tuple[np.ndarray, np.ndarray]:
        """Return a band as `band` does that holds the point itself, whatever the level.

        Where most of validation's errors lean to one side, a narrow band of them lies beside the
        point. That they leaned there once doesn't show that the next ones will: the band reaches as
        far as they did, and as far as it would had they been centred.

        >>> leaning = Residuals.of(np.arange(1.0, 100.0)[:, None])  # all above the points
        >>> [end.tolist() for end in leaning.around(80, 1)]
        [[-40.0], [90.0]]
        """
        low, high = self.band(level, horizon)
        lean = np.mean(self.band(0, horizon), axis=0)
        return np.minimum(low, low - lean), np.maximum(high, high - lean)


def band_of_few(
    residuals: Residuals, level: float, horizon: int, *, independent: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return a band from windows that hardly tell more than a few independent ones would.

    Each end is moved out as the interval of a normal sample is when its spread has to be estimated
    from ``n`` values, ``t(n - 1) / z * sqrt(1 + 1 / n)`` (Student, "The probable error of a mean",
    Biometrika 6, 1908); and as far as the other end, since a few windows that all erred to one side
    don't show that the next ones will.

    Args:
        residuals: of validation.
        level: how many percent are to lie within.
        horizon: steps.
        independent: how many windows without overlap the validation part holds; at least 2 are
            taken for granted.

    >>> residuals = Residuals.of(np.arange(-49.0, 50.0)[:, None])
    >>> [float(band_of_few(residuals, 80, 1, independent=n)[1].round(1)[0]) for n in (2, 6, 1000)]
    [117.7, 49.8, 40.0]
    """
    low, high = residuals.band(level, horizon)
    few, quantile = max(2.0, independent), 0.5 + level / 200
    wider = stats.t.ppf(quantile, few - 1) / stats.norm.ppf(quantile) * np.sqrt(1 + 1 / few)
    reach = np.maximum(-low, high)
    return np.minimum(wider * low, -reach), np.maximum(wider * high, reach)


@dataclass(frozen=True)
class Factors:
    """By how much intervals of paths are widened, for each of some levels.

    Attributes:
        values: (levels,) float64.
    """

    values: np.ndarray

    @classmethod
    def of(
        cls,
        paths: np.ndarray,
        truth: np.ndarray,
        least: np.ndarray,
        points: np.ndarray | None = None,
    ) -> "Factors":
        """Measure the factors on a validation part.

        Args:
            paths: (windows, paths, horizon).
            truth: (windows, horizon), NaN where it is missing.
            least: the least half-width of an interval, (windows, 1).
            points: around which the intervals lie, (windows, horizon); None for the paths' medians.
        """
        known = ~np.isnan(truth)
        points = np.median(paths, axis=1) if points is None else points
        values = []
        for level in _LEVELS:
            low, middle, high = ends_of(paths, level)
            width = np.where(truth > points, high - middle, middle - low)
            ratio = np.sort((np.abs(truth - points) / np.maximum(width, least))[known])
            rank = min(int(np.ceil((len(ratio) + 1) * level / 100)), len(ratio)) - 1
            values.append(ratio[rank] if len(ratio) else 1.0)
        return cls(np.array(values))

    def widened(
        self,
        paths: np.ndarray,
        level: float,
        least: np.ndarray,
        points: np.ndarray | None = None,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the ends of an interval, (windows, horizon) each.

        It is that of the paths moved so that their median is the point, and widened.

        Args:
            paths: (windows, paths, horizon).
            level: how many percent are to lie within.
            least: the least half-width that the factor is applied to, (windows, 1).
            points: around which it lies, (windows, horizon); None for the paths' medians.

        >>> paths = np.linspace(-50, 50, 101)[None, :, None]
        >>> Factors(np.full(13, 2.0)).widened(paths, 80, np.zeros((1, 1)))
        (array([[-80.]]), array([[80.]]))
        """
        points = np.median(paths, axis=1) if points is None else points
        low, high = np.full_like(points, np.inf), np.full_like(points, -np.inf)
        # A wider level's factor may be far smaller: it must not end up within a narrower one.
        for one in [*(each for each in _LEVELS if each < level), level]:
            below, middle, above = ends_of(paths, one)
            factor = np.interp(one, _LEVELS, self.values)
            low = np.minimum(low, points - factor * np.maximum(middle - below, least))
            high = np.maximum(high, points + factor * np.maximum(above - middle, least))
        return low, high


def ends_of(paths: np.ndarray, level: float) -> np.ndarray:
    """Return the lower end, the median and the upper end of an interval, (windows, horizon)."""
    tail = (1 - level / 100) / 2
    return np.quantile(paths, (tail, 0.5, 1 - tail), axis=1)
