"""What `SequenceClassifier` and `SequenceRegressor` have in common: read, learn, tell, keep."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import numpy as np
import pandas as pd

from statewise._runtime.forks import check_not_forked
from statewise.recurrence import CELLS
from statewise.sequences import DataError
from statewise.sequences.arrays import check_count
from statewise.tasks.classification import scikit_learn
from statewise.tasks.classification.forms import AXES, take_in
from statewise.tasks.classification.frames import Roles, is_frame, roles_of
from statewise.tasks.classification.inference import Networks
from statewise.tasks.classification.network import Architecture
from statewise.tasks.classification.scale import Scale, on_scale
from statewise.tasks.classification.sequences import Sequences
from statewise.tasks.classification.targets import read_targets
from statewise.tasks.classification.training import Examples, Trainer, epochs_for
from statewise.tasks.forecasting.global_model.programs import in_threads
from statewise.tasks.forecasting.parameters import Parameters
from statewise.tasks.forecasting.progress import Progress, as_progress

_MOST_UNITS, _MOST_LAYERS, MOST_MEMBERS = 8192, 16, 64


class Estimator(Parameters):
    """Learns something of sequences; see its two kinds.

    A class says ``_kind`` ("classes" or "numbers"), what of its targets a network learns, and what
    it makes of a network's answers.
    """

    _kind: str
    _word: str
    cell: str
    units: int
    layers: int
    bidirectional: bool
    members: int
    epochs: int | str
    per_step: bool
    early: bool
    axes: str | None
    seed: int

    _networks: Networks
    _scale: Scale

    def _check(self) -> None:
        """Refuse arguments that make no sense."""
        for name, most in (
            ("units", _MOST_UNITS),
            ("layers", _MOST_LAYERS),
            ("members", MOST_MEMBERS),
        ):
            if check_count(getattr(self, name), name) > most:
                raise ValueError(f"{name} must be at most {most:,}, but is {getattr(self, name):,}")
        check_count(self.seed, "seed", 0)
        if not isinstance(self.epochs, str):
            check_count(self.epochs, "epochs")
        elif self.epochs != "auto":
            raise ValueError(f'epochs must be a whole number or "auto", but is {self.epochs!r}')
        if self.cell not in CELLS:
            raise ValueError(f"cell must be one of {', '.join(CELLS)}, but is {self.cell!r}")
        for name in ("bidirectional", "per_step", "early"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise TypeError(f"{name} must be True or False, but is {getattr(self, name)!r}")
        if self.axes not in (None, *AXES):
            raise ValueError(f"axes must be None or one of {', '.join(AXES)}, but is {self.axes!r}")

    @contextmanager
    def _kept_where_it_fails(self) -> Iterator[None]:
        """Leave all as it was where a fit doesn't come to its end.

        The classes or numbers and the scale of one fit say nothing of the networks of another.
        """
        before = dict(vars(self))
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    @property
    def _of_steps(self) -> bool:
        """Whether it tells something of each step, as it has learned (``per_step`` may be new)."""
        return self._networks.architecture.per_step

    def _read(
        self, X: Any, y: Any, columns: Any, lengths: Any
    ) -> tuple[Sequences, np.ndarray, Roles]:
        """Return what ``fit`` was given: the sequences, their targets, and the columns' roles."""
        check_not_forked()
        self._check()
        roles = roles_of(columns)
        sequences = take_in(X, self.axes, roles, lengths)
        targets = read_targets(X, y, sequences, roles.label, bool(self.per_step), self._word)
        return sequences, targets, roles

    def _learn(
        self,
        sequences: Sequences,
        roles: Roles,
        targets: np.ndarray,
        weights: np.ndarray,
        progress: Progress | bool | None,
    ) -> None:
        """Train the networks, on the scale of what they are shown.

        Args:
            sequences: as they came.
            roles: of a long frame's columns.
            targets: (sequences or steps, outputs) float32.
            weights: of each, float32.
            progress: as ``fit`` takes it.
        """
        self._scale, scaled = self._scaled(sequences)
        longest = int(sequences.lengths.max())
        epochs = epochs_for(len(sequences)) if self.epochs == "auto" else int(self.epochs)
        architecture = Architecture(
            sequences.features,
            targets.shape[1],
            self.cell,
            int(self.units),
            int(self.layers),
            bool(self.bidirectional),
            bool(self.per_step),
        )
        examples = Examples(scaled, targets, weights)
        everything, show = np.arange(len(sequences)), as_progress(progress)
        held = self._held_out()
        count = int(self.members) + bool(len(held))
        done, lock = 0, threading.Lock()

        def after(_: int, loss: float) -> None:
            nonlocal done
            with lock:  # networks are trained side by side
                done += 1
                show("training", done, count * epochs, loss)

        trainer = Trainer(
            architecture, examples, self._kind, epochs, int(self.seed), early=bool(self.early)
        )
        learned = [everything] * int(self.members)
        if len(held):
            learned.append(np.setdiff1d(everything, held))
        found = in_threads(
            [partial(trainer.train, those, k, after) for k, those in enumerate(learned)]
        )
        members = [one for one, _ in found]
        if len(held):
            self._calibrate(Networks(architecture, [members.pop()], longest), scaled, held)
            del found[-1]
        self._networks = Networks(architecture, members, longest)
        self.losses_ = np.mean([losses for _, losses in found], axis=0).tolist()
        self.epochs_ = epochs
        self.features_ = sequences.features
        self.feature_names_ = sequences.names
        self.axes_ = sequences.axes
        self._roles = roles

    def _held_out(self) -> np.ndarray:
        """Return the places of the sequences that calibration is measured on; none by default."""
        return np.empty(0, np.int64)

    def _calibrate(self, network: Networks, scaled: Sequences, held: np.ndarray) -> None:
        """Measure how sure a network may be, on sequences that it didn't learn from.

        Args:
            network: that learned from the others.
            scaled: all sequences, on its scale.
            held: the places of these.
        """

    @staticmethod
    def _scaled(sequences: Sequences) -> tuple[Scale, Sequences]:
        scale = Scale.of(sequences.values)
        return scale, on_scale(sequences, scale)

    def _known(self, X: Any, columns: Any, lengths: Any) -> Sequences:
        """Return sequences of the kind that was learned from, as they come.

        Raises:
            DataError: where they have other features.
        """
        check_not_forked()
        self._check_fitted()
        said = self._roles if columns is None else roles_of(columns)
        roles = Roles(said.key, said.time, None, self.feature_names_)
        if columns is None and not is_frame(X):
            roles = Roles()  # other forms have no columns that could be named
        sequences = take_in(X, self.axes_, roles, lengths)
        if sequences.names is not None and self.feature_names_ is not None:
            sequences = _in_order_of(sequences, self.feature_names_)
        if sequences.features != self.features_:
            other = ""
            if sequences.keys is None and (sequences.lengths == self.features_).all():
                other = f', read as axes="{self.axes_}": are they the other way round?'
            raise DataError(
                f"X has {sequences.features} features a step, but {type(self).__name__} is "
                f"expecting {self.features_} features as input{other}"
            )
        return sequences

    def _label_column(self, columns: Any) -> Any:
        """Return the column of a long frame that has what is to be told; None where none has."""
        return (self._roles if columns is None else roles_of(columns)).label

    def _scores(self, sequences: Sequences) -> np.ndarray:
        """Return the networks' answers, (sequences or steps, outputs)."""
        return self._networks.scores(on_scale(sequences, self._scale))

    def _given_back(self, sequences: Sequences, told: np.ndarray, names: Any = None) -> Any:
        """Return what was told in the form in which the sequences came.

        Args:
            sequences: that it is about.
            told: (sequences or steps, ...).
            names: of its columns.
        """

        def labelled(values: np.ndarray, index: Any) -> Any:
            if values.ndim == 1:
                return pd.Series(values, index=index)
            return pd.DataFrame(values, index=index, columns=names)

        if not self._of_steps:
            return told if sequences.keys is None else labelled(told, _index_of(sequences.keys))
        if sequences.rows is not None:
            in_rows = np.empty_like(told)
            in_rows[sequences.rows] = told
            return labelled(in_rows, sequences.index)
        parts = np.split(told, sequences.offsets[1:-1])
        if sequences.keys is None:
            return parts
        return dict(zip(sequences.keys.tolist(), parts, strict=True))

    def _check_fitted(self) -> None:
        if not hasattr(self, "_networks"):
            raise scikit_learn.not_fitted(type(self).__name__)

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "_networks")

    def __sklearn_tags__(self) -> Any:
        kind = "classifier" if self._kind == "classes" else "regressor"
        return scikit_learn.tags(kind, bool(self.per_step))


def _in_order_of(sequences: Sequences, names: tuple[Any, ...]) -> Sequences:
    """Return sequences with the features in the order in which they were learned from."""
    if sequences.names == names:
        return sequences
    missing = [name for name in names if name not in (sequences.names or ())]
    if missing or len(names) != sequences.features:
        raise DataError(
            f"X has the features {list(sequences.names or ())}, but {list(names)} were learned from"
        )
    order = [(sequences.names or ()).index(name) for name in names]
    given = {**vars(sequences), "values": sequences.values[:, order], "names": names}
    return Sequences(**given)


def _index_of(keys: np.ndarray) -> pd.Index:
    return pd.Index(list(keys), tupleize_cols=False)
