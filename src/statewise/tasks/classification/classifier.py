"""`SequenceClassifier`: which class a sequence is of, or each of its steps."""

from collections.abc import Mapping
from typing import Any, Self

import numpy as np

from statewise.tasks.classification import calibration
from statewise.tasks.classification.class_weights import weights_of
from statewise.tasks.classification.inference import Networks
from statewise.tasks.classification.insight import Insight
from statewise.tasks.classification.labels_file import as_list, from_list
from statewise.tasks.classification.sequences import Sequences, joined
from statewise.tasks.classification.step_temperatures import (
    StepTemperatures,
    chosen_beginnings,
    step_temperatures,
)
from statewise.tasks.classification.targets import classes_of, places_among, read_targets
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.forecasting.serialization.parts import damage_told


class SequenceClassifier(Insight):
    """Tells which class a sequence is of, or each of its steps, by recurrent networks.

    A few networks read each sequence, forwards and backwards; of what they made of it the mean, the
    maximum and the last are weighed into a score for each class, and the scores are averaged over
    the networks. Inputs are brought to a common scale by what ``fit`` saw of them. Sequences may
    have any lengths: they are laid end to end, and none has a say in another's result.

    The probabilities are calibrated. One network is trained on four fifths of the sequences, and
    the temperature of the softmax is chosen for the highest likelihood of the other fifth (drawn
    class by class; whole sequences, where each step has a label); then the networks that tell are
    trained on everything. A class of fewer than 4 sequences leaves nothing to measure that on:
    the temperature then is 1. Beginnings of those held out are what `predict_proba_by_step` and
    `predict_early` are calibrated on, by as many steps as were seen.

    As in scikit-learn: ``get_params``, ``set_params``, ``clone``, ``cross_val_score``, pipelines
    and ``GridSearchCV`` take it as one of theirs. Lists, arrays (cases, ...) and nested frames can
    be cut by cases; a long frame can't, make a list of it first.

    Args:
        cell: "gru", "lstm" or "rnn".
        units: of a recurrent layer, in each direction.
        layers: recurrent layers.
        bidirectional: whether sequences are read backwards too.
        members: networks whose scores are averaged.
        epochs: passes over the sequences; "auto" takes about 300 updates, 20 to 200 passes.
        class_weight: None weighs all sequences alike; "balanced" all classes; or a mapping from
            classes to weights. Steps, where each has a label.
        per_step: whether each step has a label, not each sequence.
        early: whether to learn from beginnings of the sequences too, for `predict_early`.
        axes: which axis of an array is time: "time first" for (cases, time, features), "time last"
            for (cases, channels, time), as aeon has it. None is "time first", and asks where an
            array looks as if it were the other way round.
        seed: of everything that is drawn. The same seed gives the same probabilities.

    Attributes (after ``fit``):
        classes_: each class once, in order.
        features_: of a step; ``feature_names_``: where they have names.
        epochs_, axes_: what was taken for the arguments of these names.
        temperature_: by which scores are divided before the softmax.
        calibration_: how it was measured, a `Calibration`.
        step_temperatures_: those for sequences of which only so many steps were seen yet.
        losses_: the loss after each epoch, the mean of the networks.
        notes_: what is to be known of the fit, in words.

    >>> rng = np.random.default_rng(0)
    >>> waves = [np.sin(speed * np.arange(n)) for speed in (0.4, 1.2) for n in range(12, 22)]
    >>> labels = ["slow"] * 10 + ["fast"] * 10
    >>> classifier = SequenceClassifier(units=4, members=1, epochs=30).fit(waves, labels)
    >>> classifier.predict([np.sin(0.4 * np.arange(15)), np.sin(1.2 * np.arange(18))]).tolist()
    ['slow', 'fast']
    """

    _kind, _word = "classes", "label"
    _estimator_type = "classifier"

    def __init__(
        self,
        *,
        cell: str = "gru",
        units: int = 64,
        layers: int = 1,
        bidirectional: bool = True,
        members: int = 3,
        epochs: int | str = "auto",
        class_weight: str | Mapping[Any, float] | None = None,
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
        self.class_weight = class_weight
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
        """Learn from sequences and their labels, and return ``self``.

        Args:
            X: sequences. A list (or mapping by key) of arrays (time, features) or (time,); an array
                (cases, time, features) or (cases, time); see ``axes`` for other orders. Frames of
                pandas, polars or Arrow: long with ``columns``, sktime's with a multi-index
                (sequence, time), or nested, each cell a Series; a list of frames, one for each
                sequence.
            y: a label for each sequence, in their order (that in which keys first appear), or by
                key, as a mapping or a Series. With ``per_step`` an array (time,) of labels for
                each, or for a long frame one for each row. None for the column that ``columns``
                names.
            columns: of a long frame: "key" tells the sequences apart, "time" orders their steps
                (without it they come in order), "label" has the labels, "features" are the inputs
                (without them all others).
            lengths: of a padded array: the time steps of each sequence.
            progress: called after each epoch with "training", the epochs done by all networks, how
                many there will be, and the loss; True shows a bar.

        Raises:
            DataError: where X can't be read as sequences of numbers, holds NaN or a sequence
                without steps; where there aren't as many labels as sequences, or only one class.
            TypeError, ValueError: where an argument makes no sense.
        """
        with self._kept_where_it_fails():
            sequences, labels, roles = self._read(X, y, columns, lengths)
            self.classes_, self._places = classes_of(labels)
            self._lengths = sequences.lengths
            targets = np.eye(len(self.classes_), dtype=np.float32)[self._places]
            weights = weights_of(self.class_weight, self.classes_, self._places)
            self.calibration_ = calibration.NONE
            self.step_temperatures_ = StepTemperatures.all_of(1.0)
            self.notes_: list[str] = []
            self._learn(sequences, roles, targets, weights, progress)
            self.temperature_ = self.calibration_.temperature
            del self._places, self._lengths
        return self

    def predict(self, X: Any, *, columns: Any = None, lengths: Any = None) -> Any:
        """Return the likeliest class of each sequence, or of each step.

        Args:
            X: sequences in the form that ``fit`` took, or any other form with the same features.
            columns: of a long frame, the key and the time, where they aren't those of ``fit``.
            lengths: of a padded array, as in ``fit``.

        Returns:
            An array (sequences,); for sequences with keys (long frames, mappings) a Series by key.
            With ``per_step`` a list of arrays (time,); for a long frame a Series by its rows.

        Raises:
            ValueError: before ``fit``.
            DataError: where X can't be read, or has other features.
        """
        sequences = self._known(X, columns, lengths)
        return self._given_back(sequences, self.classes_[self._scores(sequences).argmax(-1)])

    def predict_proba(self, X: Any, *, columns: Any = None, lengths: Any = None) -> Any:
        """Return the probability of each class, (sequences, classes), in the order of ``classes_``.

        With ``per_step`` a list of (time, classes). Sequences with keys give a frame by key, a
        column for each class. Raises as `predict`.
        """
        sequences = self._known(X, columns, lengths)
        return self._given_back(sequences, self._probabilities(sequences), self.classes_)

    def score(self, X: Any, y: Any = None, *, columns: Any = None, lengths: Any = None) -> float:
        """Return the accuracy: which part of the sequences, or steps, is told right.

        Raises:
            DataError: as `predict`, and for labels that ``fit`` never saw.
        """
        sequences = self._known(X, columns, lengths)
        label = self._label_column(columns) if y is None else None
        labels = read_targets(X, y, sequences, label, self._of_steps, self._word)
        places = places_among(labels, self.classes_)
        return float((self._scores(sequences).argmax(-1) == places).mean())

    def save(self, path: Any) -> None:
        """Write what was learned into one file, none of the sequences.

        Raises:
            ValueError: before ``fit``.
            DataError: where classes or names are of a type that no file can hold.
            OSError: where the file can't be written.
        """
        self._check_fitted()
        self._save(
            path,
            {
                "classes": as_list(self.classes_),
                "calibration": list(self.calibration_),
                "step_temperatures": [one.tolist() for one in self.step_temperatures_],
                "notes": self.notes_,
            },
            {},
        )

    @classmethod
    def load(cls, path: Any) -> Self:
        """Return the classifier that `save` wrote: its probabilities are the same to the bit.

        Raises:
            DataError: where it is no file of a classifier, is damaged, or of another format.
            FileNotFoundError: where there is none.
        """
        self, plain, _ = cls._loaded(path)
        with damage_told(path, f"a {cls.__name__}"):
            self.classes_ = from_list(plain["classes"], self._networks.architecture.outputs)
            temperature, held, *rest = map(float, plain["calibration"])
            self.calibration_ = calibration.Calibration(temperature, int(held), *rest)
            self.temperature_ = self.calibration_.temperature
            if not 0 < self.temperature_ < 1000:
                raise ValueError(f"it has temperature={self.temperature_!r}")
            # Files of before these were measured have none.
            known = plain.get("step_temperatures", [[1.0], [self.temperature_]])
            self.step_temperatures_ = StepTemperatures.of(*known)
            self.notes_ = list(plain["notes"])
            if isinstance(self.class_weight, list):  # a mapping, as pairs
                self.class_weight = {key: weight for key, weight in self.class_weight}
        return self

    def _plain_params(self) -> dict[str, Any]:
        params = self.get_params()
        if isinstance(self.class_weight, Mapping):  # JSON's names are text
            params["class_weight"] = [
                [getattr(key, "item", lambda key=key: key)(), float(weight)]
                for key, weight in self.class_weight.items()
            ]
        return params

    def _held_out(self) -> np.ndarray:
        rng = np.random.default_rng([int(self.seed), 0])
        places = self._places
        if self.per_step:  # whole sequences; any that has steps of its own
            places = np.zeros(len(self._lengths), np.int64)
        held = calibration.held_out(places, rng)
        if not len(held):
            self.notes_.append(
                f"a class has fewer than {calibration.LEAST} sequences: none were held out, and "
                "the probabilities aren't calibrated (temperature 1)"
            )
        return held

    def _calibrate(self, network: Networks, scaled: Sequences, held: np.ndarray) -> None:
        chosen = joined([scaled[i] for i in held])
        scores = network.scores(chosen)
        if self.per_step:
            of_steps = np.isin(np.repeat(np.arange(len(scaled)), scaled.lengths), held)
            self.calibration_ = calibration.calibrated(scores, self._places[of_steps])
            return
        places = self._places[held]
        self.calibration_ = calibration.calibrated(scores, places)
        parts, owners, knots = chosen_beginnings(chosen)
        self.step_temperatures_ = step_temperatures(
            network.scores(parts),
            places[owners],
            knots,
            int(chosen.lengths.max()),
            self.calibration_.temperature,
        )
