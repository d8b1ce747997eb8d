"""`Labeller`: learns which label belongs to a sequence, and tells that of others."""

import json
from collections.abc import Hashable, Sequence
from typing import Any, Self

import keras
import numpy as np
import safetensors.numpy

from statewise import layers
from statewise._whole_files import written_whole
from statewise.models import Sequential
from statewise.sequences import DataError


class Labeller:
    """Tells sequences apart by an LSTM that reads them and a softmax over the labels.

    Args:
        units: of the LSTM.
        epochs: passes over the sequences.
        seed: of everything that is drawn.

    Attributes (after ``fit``):
        labels_: each label once, in their order.

    >>> up, down = np.linspace(0, 1, 6)[:, None], np.linspace(1, 0, 6)[:, None]
    >>> labeller = Labeller(units=4, epochs=60).fit([up, down] * 8, ["up", "down"] * 8)
    >>> labeller.predict([up, down])
    ['up', 'down']
    """

    def __init__(self, *, units: int = 16, epochs: int = 20, seed: int = 0):
        self.units = units
        self.epochs = epochs
        self.seed = seed

    def fit(self, sequences: Sequence[Any], labels: Sequence[Hashable]) -> Self:
        """Learn from sequences (time, features), one label each, and return ``self``.

        Raises:
            DataError: where there are more or fewer labels than sequences, or no sequence.
        """
        x, mask = _padded(sequences)
        if len(labels) != len(x):
            raise DataError(f"there are {len(x)} sequences, but {len(labels)} labels: one for each")
        self.labels_ = list(dict.fromkeys(labels))
        y = np.array([self.labels_.index(label) for label in labels])
        keras.utils.set_random_seed(self.seed)
        self._model = self._network(x.shape[2])
        optimizer = keras.optimizers.Adam(0.02)
        self._model.compile(loss="sparse_categorical_crossentropy", optimizer=optimizer)
        self._model.fit(np.concatenate([x, mask], 2), y, epochs=self.epochs, verbose=0)
        return self

    def predict(self, sequences: Sequence[Any]) -> list[Hashable]:
        """Return the likeliest label of each sequence.

        Raises:
            ValueError: before ``fit``.
        """
        self._check_fitted()
        scores = self._model.predict(np.concatenate(_padded(sequences), 2), verbose=0)
        return [self.labels_[i] for i in scores.argmax(1)]

    def save(self, path: Any) -> None:
        """Write what was learned into one file.

        Raises:
            ValueError: before ``fit``.
            OSError: where the file can't be written.
        """
        self._check_fitted()
        arrays = {str(i): array for i, array in enumerate(self._model.get_weights())}
        told = {"units": self.units, "labels": self.labels_, "inputs": self._model.input_shape[-1]}
        with written_whole(path) as beside:
            safetensors.numpy.save_file(arrays, beside, {"labeller": json.dumps(told)})

    @classmethod
    def load(cls, path: Any) -> Self:
        """Return the labeller that `save` wrote."""
        with safetensors.safe_open(path, "np") as file:
            told = json.loads(file.metadata()["labeller"])
            arrays = [file.get_tensor(str(i)) for i in range(len(file.keys()))]
        labeller = cls(units=told["units"])
        labeller.labels_ = told["labels"]
        labeller._model = labeller._network(told["inputs"] - 1)
        labeller._model.set_weights(arrays)
        return labeller

    def _network(self, features: int) -> Sequential:
        """Return the network: of the features, and of whether a step is one (see `_padded`)."""
        return Sequential(
            [
                layers.Input((None, features + 1)),
                layers.LSTM(self.units),
                layers.Dense(len(self.labels_), activation="softmax"),
            ]
        )

    def _check_fitted(self) -> None:
        if not hasattr(self, "_model"):
            raise ValueError("this Labeller is not fitted yet: call fit(sequences, labels) first")


def _padded(sequences: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return sequences of any lengths as (samples, time, features), and which steps are theirs.

    Shorter ones have zeros in front: what a network read last it remembers best.
    """
    arrays = [np.asarray(one, np.float32) for one in sequences]
    if not arrays:
        raise DataError("there is no sequence")
    time = max(len(one) for one in arrays)
    x = np.stack([np.pad(one, ((time - len(one), 0), (0, 0))) for one in arrays])
    steps = np.stack([np.arange(time) >= time - len(one) for one in arrays])
    return x, steps[..., None].astype(np.float32)
