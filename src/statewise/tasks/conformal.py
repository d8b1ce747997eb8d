"""Intervals that cover what they say: conformal prediction from the residuals of validation.

What a network missed by in the validation part, which it didn't learn from, tells what it will
miss by: the quantiles of its residuals, each in units of its window's own scale, are put around
the points. There is a band for each step of the horizon. With n residuals the quantile at
``ceil((n + 1) q) / n`` is taken, which covers at least q for exchangeable residuals (split
conformal prediction: Papadopoulos et al., "Inductive confidence machines for regression", 2002; Lei et al.,
"Distribution-free predictive inference for regression", 2018).
"""

from dataclasses import dataclass

import numpy as np

_MOST = 4096  # residuals kept for each step


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
