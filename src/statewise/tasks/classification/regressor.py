"""`SequenceRegressor`: a number for a sequence, or for each of its steps."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from statewise.sequences import DataError
from statewise.tasks.classification.explaining import Contributions, contributions_of
from statewise.tasks.classification.keeping import Kept
from statewise.tasks.classification.scale import Scale, on_scale
from statewise.tasks.classification.targets import numbers_of, read_targets
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.serialization import limits
from statewise.tasks.forecasting.serialization.parts import damage_told


class SequenceRegressor(Kept):
    """Tells a number, or several, of a sequence, or of each of its steps, by recurrent networks.

    As `SequenceClassifier`, which says more; it learns by squared error, on the scale of the
    numbers that ``fit`` saw.

    Args:
        cell: "gru", "lstm" or "rnn".
        units: of a recurrent layer, in each direction.
        layers: recurrent layers.
        bidirectional: whether sequences are read backwards too.
        members: networks whose answers are averaged.
        epochs: passes over the sequences; "auto" takes about 300 updates, 20 to 200 passes.
        per_step: whether each step has a number, not each sequence.
        early: whether to learn from beginnings of the sequences too.
        axes: which axis of an array is time, as for `SequenceClassifier`.
        seed: of everything that is drawn.

    Attributes (after ``fit``):
        outputs_: how many numbers are told at once.
        features_, feature_names_, epochs_, axes_, losses_: as of `SequenceClassifier`.

    >>> rng = np.random.default_rng(0)
    >>> walks = [rng.normal(size=(n, 1)).cumsum(0) for n in range(10, 40)]
    >>> ends = [walk[-1, 0] for walk in walks]
    >>> regressor = SequenceRegressor(units=4, members=1, epochs=60).fit(walks, ends)
    >>> regressor.predict(walks[:3]).shape, regressor.score(walks, ends) > 0.7
    ((3,), True)
    """

    _kind, _word = "numbers", "number"
    _estimator_type = "regressor"

    def __init__(
        self,
        *,
        cell: str = "gru",
        units: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        members: int = 3,
        epochs: int | str = "auto",
        per_step: bool = False,
        early: bool = False,
        axes: str | None = None,
        seed: int = 0,
    ):
        self.cell = cell
        self.units = units
        self.layers = layers
        self.bidirectional = bidirectional
        self.members = members
        self.epochs = epochs
        self.per_step = per_step
        self.early = early
        self.axes = axes
        self.seed = seed

    def fit(
        self,
        X: Any,
        y: Any = None,
        *,
        columns: Mapping[str, Any] | None = None,
        lengths: Any = None,
        progress: Progress | bool | None = None,
    ) -> Self:
        """Learn from sequences and their numbers, and return ``self``.

        Args:
            X, columns, lengths, progress: as for `SequenceClassifier.fit`.
            y: a number for each sequence, (sequences,), or several, (sequences, outputs); by key as
                a mapping or a Series. With ``per_step`` arrays (time,) or (time, outputs).

        Raises:
            DataError: as `SequenceClassifier.fit`; where numbers are missing or none.
            TypeError, ValueError: where an argument makes no sense.
        """
        with self._kept_where_it_fails():
            sequences, targets, roles = self._read(X, y, columns, lengths)
            numbers = numbers_of(targets)
            self._flat = targets.ndim == 1
            self._target_scale = Scale.of(numbers)
            weights = np.ones(len(numbers), np.float32)
            self._learn(sequences, roles, self._target_scale.apply(numbers), weights, progress)
            self.outputs_ = numbers.shape[1]
        return self

    def predict(self, X: Any, *, columns: Any = None, lengths: Any = None) -> Any:
        """Return the number of each sequence, or of each step.

        Returns:
            float64 (sequences,), or (sequences, outputs) where ``fit`` was given several; the forms
            are those of `SequenceClassifier.predict`.

        Raises:
            ValueError: before ``fit``.
            DataError: where X can't be read, or has other features.
        """
        sequences = self._known(X, columns, lengths)
        return self._given_back(sequences, self._numbers(sequences))

    def score(self, X: Any, y: Any = None, *, columns: Any = None, lengths: Any = None) -> float:
        """Return R squared: 1 - squared errors / squared distances from the mean.

        The mean over the outputs, where there are several.

        Raises:
            DataError: as `predict`; where the numbers can't be read, or are all the same.
        """
        sequences = self._known(X, columns, lengths)
        label = self._label_column(columns) if y is None else None
        targets = read_targets(X, y, sequences, label, self._of_steps, self._word)
        truth = numbers_of(targets)
        told = self._numbers(sequences).reshape(len(truth), -1)
        if truth.shape[1] != self.outputs_:
            raise DataError(
                f"y has {truth.shape[1]} numbers for each, but {self.outputs_} were learned from"
            )
        apart = ((truth - truth.mean(0)) ** 2).sum(0)
        if not apart.all():
            raise DataError(
                f"y holds {len(truth)} numbers that are all the same: R squared needs some that "
                "differ"
            )
        return float((1 - ((truth - told) ** 2).sum(0) / apart).mean())

    def explain(
        self, X: Any, *, output: int = 0, columns: Any = None, lengths: Any = None
    ) -> list[Contributions]:
        """Say which steps of each sequence decided, by gradient times input.

        Args:
            X, columns, lengths: as for `predict`.
            output: which of several numbers.

        Returns:
            A `Contributions` for each sequence, in the unit of the number; see
            `SequenceClassifier.explain`.

        Raises:
            ValueError: before ``fit``; where there is no such output.
            DataError: as `predict`.
        """
        sequences = self._known(X, columns, lengths)
        if isinstance(output, bool) or output not in range(self.outputs_):
            raise ValueError(f"output must be from 0 to {self.outputs_ - 1}, but is {output!r}")
        numbers = self._numbers(sequences).reshape(-1, self.outputs_)[:, output]
        if self._of_steps:
            numbers = np.add.reduceat(numbers, sequences.offsets[:-1])
        wanted = np.zeros((len(sequences), self.outputs_), np.float32)
        wanted[:, output] = self._target_scale.scale[output]
        scaled = on_scale(sequences, self._scale)
        gradients = self._networks.gradients(scaled, wanted)
        return contributions_of(sequences, scaled, gradients, numbers)

    def save(self, path: Any) -> None:
        """Write what was learned into one file, none of the sequences.

        Raises:
            ValueError: before ``fit``.
            OSError: where the file can't be written.
        """
        self._check_fitted()
        scale = self._target_scale
        arrays = {"target_shift": scale.shift, "target_scale": scale.scale}
        self._save(path, {"flat": self._flat}, arrays)

    @classmethod
    def load(cls, path: Any) -> Self:
        """Return the regressor that `save` wrote: its numbers are the same to the bit.

        Raises:
            DataError: where it is no file of a regressor, is damaged, or of another format.
            FileNotFoundError: where there is none.
        """
        self, plain, arrays = cls._loaded(path)
        with damage_told(path, f"a {cls.__name__}"):
            self.outputs_ = self._networks.architecture.outputs
            for name in ("target_shift", "target_scale"):
                limits.check_shape(arrays, name, (self.outputs_,))
            self._target_scale = Scale(arrays["target_shift"], arrays["target_scale"])
            self._flat = bool(plain["flat"])
        return self

    def _numbers(self, sequences: Any) -> np.ndarray:
        """Return the numbers, (sequences or steps,) or (..., outputs), float64."""
        scale = self._target_scale
        told = self._scores(sequences).astype(np.float64) * scale.scale + scale.shift
        return told[:, 0] if self._flat else told
