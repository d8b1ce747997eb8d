"""What a backtest found: forecasts beside the truth, errors, and a verdict in words."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from statewise._renamed import say_renamed
from statewise.tasks.evaluation.origins import Origins
from statewise.tasks.evaluation.pooled import measure
from statewise.tasks.evaluation.reference_models import check_peers, forecast_peer
from statewise.tasks.evaluation.significance import LEAST
from statewise.tasks.evaluation.verdict import (
    NOTHING_BETTER,
    against,
    copies,
    covered,
    found_nothing_better,
    number,
    same,
    unit_of,
)
from statewise.tasks.forecasting.forecast import Forecast
from statewise.tasks.forecasting.result_names import MODEL, NAIVE, SEASONAL_NAIVE


@dataclass(frozen=True, eq=False)
class Backtest:
    """Forecasts from rolling origins, and how far off they were.

    Attributes:
        forecaster: as fitted, at the first origin, or with ``refit`` at the last one.
        origins: where each series was cut, and what came: ``panel``, ``first`` (series, windows),
            ``horizon``.
        arrays: the forecasts by name, "model" first: ``points`` (series, windows, horizon) and
            ``bands``, by level the lower and the upper ends.
        scale: of each series, (series,): its mean absolute seasonal difference within what was
            known at the first origin, by which MASE divides; NaN where it didn't change.
        season: steps in the season that the seasonal naive forecast repeats and the MASE goes by:
            the one that was given, or of those that the calendar offers the one whose repetition
            errs least at the end of what was known at the first origin, whether the model looks at
            it or not; 1 for none.
        refit: whether the forecaster was fitted at each origin.
        left_out: keys of the series that were too short.
        notes: what there is to know about the data, in words.
    """

    forecaster: Any
    origins: Origins
    arrays: dict[str, Forecast]
    scale: np.ndarray
    season: int
    refit: bool
    left_out: list
    notes: list[str]

    @cached_property
    def truth(self) -> np.ndarray:
        """What came, (series, windows, horizon); NaN where the table has no value."""
        return self.origins.truth()

    @property
    def levels(self) -> tuple[float, ...]:
        """The levels of the intervals, in percent."""
        return tuple(self.arrays[MODEL].bands)

    @cached_property
    def forecasts(self) -> pd.DataFrame:
        """All forecasts beside the truth, a pandas frame: a row for each series, window and step.

        The columns: those of key and time, "window", "step" (both from 1), "cutoff" (the last
        known stamp), the target's name, and for each way to forecast its points and ends of
        intervals, such as "model", "model-lo-80", "model-hi-80", "naive".
        """
        panel, (series, windows, horizon) = self.origins.panel, self.truth.shape
        columns, rows = panel.columns, self.origins.rows()
        frame = {
            columns.key: np.repeat(panel.keys, windows * horizon),
            columns.time: panel.time[rows.ravel()],
            "window": np.tile(np.repeat(np.arange(1, windows + 1), horizon), series),
            "step": np.tile(np.arange(1, horizon + 1), series * windows),
            "cutoff": np.repeat(panel.time[rows[..., 0].ravel() - 1], horizon),
            columns.target: self.truth.ravel(),
        }
        for name, forecast in self.arrays.items():
            frame[name] = forecast.points.ravel()
            for level, (low, high) in forecast.bands.items():
                frame[f"{name}-lo-{level:g}"] = low.ravel()
                frame[f"{name}-hi-{level:g}"] = high.ravel()
        return pd.DataFrame(frame)

    @cached_property
    def errors(self) -> pd.DataFrame:
        """All errors in one tidy frame: a row for each series, step and way to forecast.

        The columns: that of the key, "step", "forecast", then MAE, RMSE, sMAPE (0 to 200), MASE,
        WQL and the coverage of each level in percent, each over the windows; NaN where a measure
        has no value.
        """
        panel, (series, _, horizon) = self.origins.panel, self.truth.shape
        parts = []
        for name, forecast in self.arrays.items():
            found = measure(self.truth, forecast, self.scale, (1,))
            frame = {
                panel.columns.key: np.repeat(panel.keys, horizon),
                "step": np.tile(np.arange(1, horizon + 1), series),
                "forecast": name,
            }
            parts.append(pd.DataFrame(frame | {k: v.ravel() for k, v in found.items()}))
        return pd.concat(parts, ignore_index=True)

    @cached_property
    def table(self) -> pd.DataFrame:
        """The errors over all series, windows and steps: a row for each way to forecast."""
        return self._pooled((0, 1, 2), None)

    @cached_property
    def by_step(self) -> pd.DataFrame:
        """The errors over all series and windows: a row for each way to forecast, and step."""
        steps = pd.RangeIndex(1, self.truth.shape[2] + 1, name="step")
        return self._pooled((0, 1), steps)

    @cached_property
    def by_series(self) -> pd.DataFrame:
        """The errors over all windows and steps: a row for each way to forecast, and series."""
        panel = self.origins.panel
        return self._pooled((1, 2), pd.Index(panel.keys, name=panel.columns.key))

    def verdict(self) -> str:
        """Say in words whether the model is better than the others, by how much, and how surely.

        Errors are compared in units of each series' mean absolute seasonal difference, as in MASE;
        those of a single series by their mean. Whether a difference is significant says the test
        of Diebold and Mariano over the windows, where there are 8 at least, or Wilcoxon's
        signed-rank test over the series, where there are 8 at least; see `significance`. It says
        so where the model is a naive forecast, since validation found nothing better, and where
        the forecast is the last value, shifted: where it hardly leaves the last known value and
        gains nothing by leaving it.

        >>> from statewise.tasks import Forecaster, backtest
        >>> series = 100 + np.tile([0.0, 10.0, 5.0, -15.0], 12)
        >>> result = backtest(Forecaster(horizon=4, season=4, epochs=1), series, windows=2)
        >>> result.verdict()
        'Over 2 windows of 4 steps the model ... the naive forecast...'
        """
        return " ".join(self.sentences())

    def sentences(self) -> list[str]:
        """Return the sentences of `verdict`."""
        series, windows, horizon = self.truth.shape
        measured = "MASE" if series > 1 and np.isfinite(self.table.loc[MODEL, "MASE"]) else "MAE"
        errors = self.table[measured]
        many = f" and {series} series" if series > 1 else ""
        others = ", ".join(
            f"the {name} forecast {number(e)}" for name, e in errors.iloc[1:].items()
        )
        what = "scaled error (MASE)" if measured == "MASE" else "error"
        said = [
            f"Over {_counted(windows, 'window')} of {_counted(horizon, 'step')}{many} the model "
            f"has a mean absolute {what} of {number(errors[MODEL])}, {others}."
        ]
        if measured == "MASE":
            said.append(self._in_units())
        scale = self.scale if measured == "MASE" else np.ones(series)
        mine = self._losses(MODEL, scale)
        itself = self._same_as()
        if itself is not None:
            said.append(f"It is the {itself} forecast: {NOTHING_BETTER}.")
        said += [
            against(name, mine, self._losses(name, scale))
            for name in self.arrays
            if name not in (MODEL, itself)
        ]
        if max(series, windows) < LEAST:
            said.append(
                f"Fewer than {LEAST} windows, and fewer than {LEAST} series: too few to tell by a "
                "test whether that is chance."
            )
        for name, sentence in (
            (
                NAIVE,
                "This forecast is the last value, shifted: it stays near the last known value "
                "and is no nearer to the truth than that.",
            ),
            (
                SEASONAL_NAIVE,
                "This forecast is the last season, repeated: it stays near that and "
                "is no nearer to the truth.",
            ),
        ):
            if itself is None and name in self.arrays and self._copies(name, scale):
                said.append(sentence)
                break
        said.append(covered(self.truth, self.arrays[MODEL]))
        if self.left_out:
            said.append(f"{_counted(len(self.left_out), 'key')} left out as too short.")
        return [sentence for sentence in said if sentence]

    def beside(self, *names: str, progress: Callable[[str], None] | None = None) -> "Backtest":
        """Return the backtest with statistical forecasts beside the others.

        They come from statsforecast (``pip install statsforecast``), and are fitted to each
        series at each origin, which takes long for many series.

        Args:
            names: "AutoETS", "AutoARIMA", "AutoTheta".
            progress: called with the name of each before it begins.

        Raises:
            ValueError: for another name.
            ImportError: where statsforecast isn't installed.
        """
        check_peers(names)
        arrays = dict(self.arrays)
        for name in names:
            if progress is not None:
                progress(name)
            arrays[name] = forecast_peer(name, self.origins, season=self.season, levels=self.levels)
        return replace(self, arrays=arrays)

    @property
    def casts(self) -> dict[str, Forecast]:
        """The old name of ``arrays``."""
        say_renamed("Backtest.casts", "Backtest.arrays")
        return self.arrays

    def _in_units(self) -> str:
        """Say how large the errors are in the table's own units."""
        errors, unit = self.table["MAE"], unit_of(self.origins.panel.columns.target)
        others = ", ".join(
            f"the {name} forecast {number(e)}" for name, e in errors.iloc[1:].items()
        )
        return (
            f"In the table's units that is a mean absolute error of {number(errors[MODEL])}{unit}, "
            f"{others}."
        )

    def _losses(self, name: str, scale: np.ndarray) -> np.ndarray:
        """Return the mean absolute scaled errors of each window, (series, windows)."""
        found = measure(self.truth, self.arrays[name], scale, (2,))
        return found["MASE"]

    def _same_as(self) -> str | None:
        """Return the name of the naive forecast that validation chose; None where it chose none."""
        if not found_nothing_better(self.forecaster):
            return None
        points = self.arrays[MODEL].points
        for name in (NAIVE, SEASONAL_NAIVE):
            reference = self.arrays[name].points if name in self.arrays else None
            if reference is not None and same(points, reference, self.scale[:, None, None]):
                return name
        return None

    def _copies(self, name: str, scale: np.ndarray) -> bool:
        points, reference = self.arrays[MODEL].points, self.arrays[name].points
        return copies(self.truth, points, reference, scale)

    def _pooled(self, axes: tuple[int, ...], index: pd.Index | None) -> pd.DataFrame:
        parts = {}
        for name, forecast in self.arrays.items():
            found = measure(self.truth, forecast, self.scale, axes)
            if index is None:
                parts[name] = pd.Series({key: float(value) for key, value in found.items()})
            else:
                parts[name] = pd.DataFrame(found, index=index)
        if index is None:
            return pd.DataFrame(parts).T.rename_axis("forecast")
        return pd.concat(parts, names=["forecast"])


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("s" if count != 1 else "")
