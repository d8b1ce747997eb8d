"""A saved detector is the same to the bit; a damaged file is told as one."""

import numpy as np
import pandas as pd
import pytest

from small_detectors import of_one, of_several, wave
from statewise.sequences import DataError
from statewise.tasks import AnomalyDetector


@pytest.mark.slow
def test_a_loaded_detector_scores_the_same_to_the_bit(tmp_path):
    data = {"north": wave(50, 2, 8), 7: 1e6 + 1e3 * wave(40, 2, 9)}
    of_several().save(tmp_path / "a.detector")
    again = AnomalyDetector.load(tmp_path / "a.detector")
    assert again.get_params() == of_several().get_params()
    assert again.keys_ == ["north", 7]
    assert again.features_ == of_several().features_
    for follows in (False, True):
        ours, theirs = (one.score(data, follows=follows) for one in (of_several(), again))
        for key in data:
            np.testing.assert_array_equal(ours[key], theirs[key])
    assert again.detect(data, quantile=0.9).equals(of_several().detect(data, quantile=0.9))


def test_damage_is_told(tmp_path):
    path = tmp_path / "a.detector"
    of_one().save(path)
    whole = path.read_bytes()
    rng = np.random.default_rng(0)
    for place in [0, 9, *rng.integers(len(whole), size=20), len(whole) - 1]:
        changed = bytearray(whole)
        changed[place] ^= 1 << rng.integers(8)
        path.write_bytes(changed)
        with pytest.raises(DataError, match=r"a\.detector is no file of a detector"):
            AnomalyDetector.load(path)
    for length in (0, 7, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match=r"a\.detector is no file of a detector"):
            AnomalyDetector.load(path)
    with pytest.raises(DataError, match="is a folder"):
        AnomalyDetector.load(tmp_path)
    with pytest.raises(FileNotFoundError):
        AnomalyDetector.load(tmp_path / "b.detector")


@pytest.mark.slow
def test_what_cannot_be_written_is_refused(tmp_path):
    with pytest.raises(ValueError, match="not fitted yet"):
        AnomalyDetector().save(tmp_path / "a.detector")
    detector = AnomalyDetector.load(_saved(tmp_path))
    detector._learned.scales = {frozenset("a"): next(iter(detector._learned.scales.values()))}
    with pytest.raises(DataError, match="of the type frozenset"):
        detector.save(tmp_path / "c.detector")
    assert not (tmp_path / "c.detector").exists()


@pytest.mark.slow
def test_a_table_is_read_as_it_was_in_training(tmp_path):
    hours = pd.date_range("2024-03-01", periods=60, freq="h", tz="Europe/Berlin")
    frame = pd.DataFrame({"level": wave(60)[:, 0], "at": hours})
    detector = AnomalyDetector(units=2, window=8, epochs=1, season=1)
    detector.fit(frame, time="at", target="level").save(tmp_path / "a.detector")
    again = AnomalyDetector.load(tmp_path / "a.detector")
    assert again.score(frame).equals(detector.score(frame))
    assert again._learned.ends == {"series": hours[-1].timestamp()}


def _saved(folder):
    of_one().save(folder / "a.detector")
    return folder / "a.detector"
