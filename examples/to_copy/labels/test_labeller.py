"""A labeller tells sequences apart, and is what it was after it was saved."""

import numpy as np
import pytest
from statewise.tasks.labels import Labeller

from statewise.sequences import DataError


@pytest.fixture(scope="module")
def waves():
    """Slow and fast waves of several lengths."""
    rng = np.random.default_rng(0)
    labels = ["slow", "fast"] * 20
    speeds = [0.3 if label == "slow" else 1.5 for label in labels]
    lengths = rng.integers(12, 20, len(labels))
    waves = []
    for speed, length in zip(speeds, lengths, strict=True):
        waves.append(np.sin(speed * np.arange(length) + rng.uniform(0, 6))[:, None])
    return waves, labels


def test_it_learns_and_is_saved(waves, tmp_path):
    sequences, labels = waves
    labeller = Labeller(units=8, epochs=60).fit(sequences[:30], labels[:30])
    told = labeller.predict(sequences[30:])
    assert np.mean(np.array(told) == labels[30:]) >= 0.9
    labeller.save(tmp_path / "waves.labeller")
    assert Labeller.load(tmp_path / "waves.labeller").predict(sequences[30:]) == told


def test_what_makes_no_sense_is_refused(waves):
    sequences, labels = waves
    with pytest.raises(DataError, match="40 sequences, but 39 labels"):
        Labeller().fit(sequences, labels[1:])
    with pytest.raises(ValueError, match="not fitted yet"):
        Labeller().predict(sequences)
