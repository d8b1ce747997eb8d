"""`AnomalyDetector`: how odd each step of a series is, given all before it."""

from collections.abc import Hashable, Mapping
from typing import Any, Self

import numpy as np
import pandas as pd

from statewise._runtime.forks import check_not_forked
from statewise.models import Model
from statewise.models.state import State
from statewise.sequences import DataError
from statewise.tasks.anomaly import saved
from statewise.tasks.anomaly.arguments import check, threshold_of
from statewise.tasks.anomaly.data import (
    ONE,
    Columns,
    Taken,
    give_back,
    in_order_of,
    take_in,
)
from statewise.tasks.anomaly.even_steps import Steps, on_steps
from statewise.tasks.anomaly.fitting import Learned, learn
from statewise.tasks.anomaly.intervals import Reading, table_of
from statewise.tasks.anomaly.live import push
from statewise.tasks.anomaly.running import run
from statewise.tasks.anomaly.scaling import scaled
from statewise.tasks.forecasting.parameters import Parameters


class AnomalyDetector(Parameters):
    """Says of each step of a series how rarely one is that odd, strictly by what came before it.

    A recurrent network learns from a stretch of usual life what comes next. A value's surprise is
    how much less likely it was than the likeliest one; its score is how rare such a surprise is,
    as minus a decimal logarithm: 4 means once in 10,000 steps. See `docs/anomalies.md`.

    Args:
        method: "forecast": the surprise of a forecast of the next step, the quickest and by
            default; "autoencoder": an encoder and a decoder that is given the code again and again
            reconstruct the last steps, and the newest one's error counts; "feedback": the same
            with a decoder that is fed with its own outputs.
        units: of a recurrent layer.
        window: steps that are trained on at a time, and that an autoencoder sees.
        season: steps in a season, 1 for none; "auto" finds it.
        rate: how rare a step has to be for `detect`, a share of all steps.
        epochs: passes over the training's windows at most; the last fifth of them tells when to
            stop.
        seed: of everything that is drawn. The same seed gives the same scores.

    Attributes (after ``fit``):
        model_: the live model: ``(batch, time, 2 features)``, scaled values and whether they are
            known, to scores. `statewise.streams.Streams` steps it.
        season_: steps in the season.
        threshold_: the score that belongs to ``rate``.
        features_: names of the features.
        keys_: of the series that were learned from.
        losses_: the validation loss after each epoch.
        notes_: what was done about gaps and disorder, in words.

    >>> rng = np.random.default_rng(0)
    >>> hours = np.arange(400)
    >>> series = 10 + np.sin(hours / 24 * 2 * np.pi) + 0.1 * rng.normal(size=400)
    >>> series[350] = 14
    >>> detector = AnomalyDetector(units=8, epochs=5, season=24).fit(series[:300])
    >>> detector.detect(series)["begin"].tolist()
    [350]
    """

    def __init__(
        self,
        *,
        method: str = "forecast",
        units: int = 16,
        window: int = 64,
        season: int | str = "auto",
        rate: float = 1e-4,
        epochs: int = 20,
        seed: int = 0,
    ):
        self.method = method
        self.units = units
        self.window = window
        self.season = season
        self.rate = rate
        self.epochs = epochs
        self.seed = seed

    def fit(self, data: Any, y: Any = None, *, key=None, time=None, target=None) -> Self:
        """Learn from a stretch of usual life.

        Args:
            data: one series or several: an array (time,) or (time, features), a Series, a
                `TimeSeries`, a mapping of such by key, or a frame with a row for each time (and
                key) and the features as columns. NaN where a value is missing.
            y: not looked at.
            key, time, target: columns of a frame; ``target`` one or several.

        Raises:
            DataError: where there are too few steps, or a feature has no values.
            TypeError, ValueError: for an argument that makes no sense.
        """
        check_not_forked()
        check(self)
        target = None if target is None else (target if isinstance(target, list) else [target])
        columns = Columns(key, time, None if target is None else tuple(target))
        taken = take_in(data, columns)
        self._adopt(learn(self, taken))
        return self

    def score(self, data: Any, *, by_feature: bool = False, follows: bool = False) -> Any:
        """Return the score of each step: minus the decimal logarithm of how likely such a one was.

        A score depends on nothing after its step, and is what a stream gives.

        Args:
            data: in a form that ``fit`` takes, with the same features. A table's columns are those
                named for ``fit``. Several series need the keys that ``fit`` saw, by whose scale
                they are measured; where it saw one series, any series is measured by that.
            by_feature: whether to return the score of each feature too.
            follows: whether the series go on where those of ``fit`` ended; else they begin anew.

        Returns:
            In the form of the data: an array (time,), a Series, a frame, or a mapping of these; NaN
            where there is no score: at the first step of all, and where values are missing. With
            ``by_feature`` the features' after the score, (time, 1 + features).

        Raises:
            DataError: where the features are others, or a key wasn't seen.
            ValueError: before ``fit``.
        """
        taken, scores = self._scored(data, follows)
        return give_back(taken, scores, by_feature)

    def detect(
        self,
        data: Any,
        threshold: float | str = "auto",
        *,
        quantile: float | None = None,
        follows: bool = False,
    ) -> pd.DataFrame:
        """Return the intervals in which the score reaches a threshold, and doesn't fall for long.

        An interval ends when 64 steps in a row stay below it: what began as one anomaly is one.

        Args:
            data, follows: as in `score`.
            threshold: a score, or "auto" for the one of the detector's ``rate``.
            quantile: instead of a threshold, the quantile of the training's own scores, 0 to 1.

        Returns:
            A row for each interval: its key, begin, end, number of steps, highest score, the
            feature that was oddest then, and when that was ("worst").

        Raises:
            DataError, ValueError: as `score`, and for a threshold that makes no sense.
        """
        self._check_fitted()
        level = threshold_of(threshold, quantile, self.threshold_, self._learned.scores)
        taken, scores = self._scored(data, follows)
        return table_of(taken, scores, level)

    def push(self, streams: Any, values: Mapping[Any, Any]) -> dict[Any, Reading]:
        """Score what just arrived for some keys, and let their streams go on.

        A key that is new to the streams goes on where its series in ``fit`` ended, if there was one
        of that key (of a single series: whatever its key is, it begins where that ended).

        Args:
            streams: ``Streams(detector.model_, store=...)``: they keep all that is known of each
                key, on disk through a crash if there is a store.
            values: for each key one step, (features,) or a number, or several, (time, features);
                NaN where a value is missing. A Series or a frame of pandas is taken by the names of
                the features. Every step of time is to be pushed.

        Returns:
            For each key a `Reading`, with arrays (time,) where several steps came.

        Raises:
            KeyError: for a key that ``fit`` didn't see, among several.
            TypeError, ValueError: where values don't fit, or the streams are of another model;
                then nothing has changed.
            OSError: as `Streams.push`.
        """
        self._check_fitted()
        return push(self, streams, values)

    def save(self, path: Any) -> None:
        """Save the fitted detector as one file; an existing one is replaced.

        Raises:
            ValueError: before ``fit``.
            DataError: where a key or a name is of a type that no file can hold.
            OSError: where the file can't be written.
        """
        self._check_fitted()
        saved.write(path, self.get_params(), self._learned)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Return the detector that `save` wrote: its scores are the same to the bit.

        Raises:
            DataError: where it is no file of a detector, or is damaged.
            FileNotFoundError: where there is none.
        """
        check_not_forked()
        params, learned = saved.read(path)
        self = cls(**params)
        self._adopt(learned)
        return self

    def _adopt(self, learned: Learned) -> None:
        self._learned = learned
        self.model_: Model = learned.live()
        self.season_, self.features_ = learned.design.season, list(learned.names)
        self.keys_ = list(learned.scales)
        self.losses_, self.notes_ = list(learned.losses), list(learned.notes)

    @property
    def threshold_(self) -> float:
        """The score from which on a step is an anomaly: that of the rate."""
        self._check_fitted()
        return float(-np.log10(self.rate))

    def _check_fitted(self) -> None:
        if not hasattr(self, "_learned"):
            raise ValueError("this AnomalyDetector is not fitted yet: call fit(series) first")

    def _scored(self, data: Any, follows: bool) -> tuple[Taken, dict[Hashable, np.ndarray]]:
        """Return what was taken in, and the scores (time, 1 + features) of its rows."""
        check_not_forked()
        self._check_fitted()
        learned = self._learned
        taken = take_in(data, learned.columns)
        for key, one in taken.series.items():
            if len(one.names) != len(learned.names):
                raise DataError(
                    f"the series{'' if key is ONE else f' of {key!r}'} has {len(one.names)} "
                    f"features, but the detector was fitted on {len(learned.names)}: "
                    f"{', '.join(map(str, learned.names))}"
                )
        taken = in_order_of(taken, learned.names)
        steps: dict[Hashable, Steps] = {}
        inputs, states = [], []
        for key, one in taken.series.items():
            known = learned.known_as(key)
            steps[key] = on_steps(one, learned.between, self.season_)
            inputs.append(scaled(steps[key].values, *learned.scales[known]))
            states.append(learned.states[known])
        begin: list[State] | None = states if follows else None
        outputs, _ = run(self.model_, inputs, begin)
        made = {
            key: output[steps[key].places].astype(np.float64)
            for key, output in zip(taken.series, outputs, strict=True)
        }
        if len(learned.names) == 1:
            made = {key: np.repeat(one, 2, axis=1) for key, one in made.items()}
        return taken, made
