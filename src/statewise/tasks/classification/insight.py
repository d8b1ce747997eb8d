"""What a classifier says beside a label: how sure it is after each step, and what decided."""

from typing import Any

import numpy as np
from scipy.special import softmax

from statewise.tasks.classification.early import Decisions, decide, each_beginning
from statewise.tasks.classification.explaining import Contributions, contributions_of
from statewise.tasks.classification.keeping import Kept
from statewise.tasks.classification.scale import on_scale
from statewise.tasks.classification.sequences import Sequences
from statewise.tasks.classification.step_temperatures import StepTemperatures
from statewise.tasks.classification.targets import places_among


class Insight(Kept):
    """A classifier's probabilities as a sequence goes on, and which of its steps decided."""

    classes_: np.ndarray
    temperature_: float
    step_temperatures_: StepTemperatures

    def predict_proba_by_step(self, X: Any, *, columns: Any = None, lengths: Any = None) -> Any:
        """Return the probabilities after each step, (time, classes) for each sequence.

        Row t is told from the first t + 1 steps alone: nothing after them is seen, nor whether
        more come. The scores are those of `predict_proba`; the temperature is that of as many
        steps (``step_temperatures_``), so that early probabilities mean what they say too. Fit with
        ``early=True`` where they are asked for, and the networks learn from beginnings too. A
        sequence of n steps takes as long as n sequences of half its steps.

        Returns:
            A list of arrays; by key, a mapping of them.

        Raises:
            ValueError: before ``fit``, and with ``per_step``.
            DataError: as `predict`.
        """
        sequences = self._known(X, columns, lengths)
        self._refuse_steps("predict_proba_by_step")
        told = self._told_by_step(sequences)
        if sequences.keys is None:
            return told
        return dict(zip(sequences.keys.tolist(), told, strict=True))

    def predict_early(
        self,
        X: Any,
        *,
        confidence: float = 0.9,
        columns: Any = None,
        lengths: Any = None,
    ) -> Decisions:
        """Decide on each sequence as soon as a class is likely enough, and see no further step.

        Args:
            X, columns, lengths: as for `predict`.
            confidence: the probability at which it is decided; where none becomes so likely, at
                the end.

        Returns:
            `Decisions`: the classes, after how many steps, at which probability.

        Raises:
            ValueError: as `predict_proba_by_step`; for a confidence outside of 0 to 1.
        """
        sequences = self._known(X, columns, lengths)
        self._refuse_steps("predict_early")
        told = self._told_by_step(sequences)
        return decide(told, self.classes_, confidence, sequences)

    def explain(
        self, X: Any, *, label: Any = None, columns: Any = None, lengths: Any = None
    ) -> list[Contributions]:
        """Say which steps of each sequence decided, by gradient times input.

        Args:
            X, columns, lengths: as for `predict`.
            label: the class whose score is explained; None for the one that is told, of each.

        Returns:
            A `Contributions` for each sequence; ``statewise.pictures.plot_contributions`` draws
            one.

        Raises:
            ValueError: before ``fit``.
            DataError: as `predict`; for a label that ``fit`` never saw.
        """
        sequences = self._known(X, columns, lengths)
        scores = self._scores(sequences)
        if self._of_steps:  # the class of most steps stands for the sequence
            scores = np.add.reduceat(scores, sequences.offsets[:-1], axis=0)
        if label is None:
            places = scores.argmax(-1)
        else:
            places = np.repeat(places_among(np.array([label]), self.classes_), len(sequences))
        wanted = np.eye(len(self.classes_), dtype=np.float32)[places] - 1 / len(self.classes_)
        scaled = on_scale(sequences, self._scale)
        gradients = self._networks.gradients(scaled, wanted.astype(np.float32))
        return contributions_of(sequences, scaled, gradients, self.classes_[places])

    def _told_by_step(self, sequences: Sequences) -> list[np.ndarray]:
        found = []
        for scores in each_beginning(sequences, self._scores):
            temperatures = self.step_temperatures_.after(np.arange(1, len(scores) + 1))
            found.append(softmax(scores.astype(np.float64) / temperatures[:, None], axis=-1))
        return found

    def _probabilities(self, sequences: Any) -> np.ndarray:
        scores = self._scores(sequences).astype(np.float64)
        return softmax(scores / self.temperature_, axis=-1)

    def _refuse_steps(self, name: str) -> None:
        if self._of_steps:
            raise ValueError(
                f"{name} is for one label a sequence, but per_step=True: predict_proba tells of "
                "each step already (fit with bidirectional=False, so that it sees none after it)"
            )
