"""Streams give what a whole series gives, one step at a time, through a restart and a kill."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import score_until_killed
import statewise
from small_detectors import of_one, of_several, wave
from statewise.streams import Streams
from statewise.tasks import AnomalyDetector
from statewise.tasks.anomaly.scaling import scaled


def compared(detector, data, pieces):
    """Push what came at once, piece by piece, and compare with the scores of the whole."""
    cut = {key: one[: sum(pieces)] for key, one in data.items()}
    expected = detector.score(cut, by_feature=True, follows=True)
    streams, found = Streams(detector.model_), {key: [] for key in data}
    begin = 0
    for piece in pieces:
        readings = detector.push(
            streams, {key: one[begin : begin + piece] for key, one in data.items()}
        )
        begin += piece
        for key, one in readings.items():
            scores = np.atleast_1d(one.score)
            found[key].append(np.column_stack([scores, np.reshape(one.by_feature, (piece, -1))]))
            np.testing.assert_array_equal(one.is_anomaly, one.score >= 4.0)
    for key in data:
        np.testing.assert_allclose(np.concatenate(found[key]), expected[key], rtol=1e-3, atol=2e-3)


@settings(max_examples=5, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.sampled_from([1, 2, 5]), min_size=2, max_size=6))
def test_streams_give_the_scores_of_the_whole_series(seed, pieces):
    """Whatever came at once, missing values among it, to rounding."""
    series = wave(sum(pieces), 1, seed)
    rng = np.random.default_rng(seed)
    series[rng.random(series.shape) < 0.1] = np.nan
    series[rng.integers(len(series))] *= 1.5
    compared(of_one(), {"tank": series}, pieces)


@pytest.mark.slow
@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.lists(st.integers(1, 9), min_size=2, max_size=6))
def test_streams_of_several_keys_and_features(seed, pieces):
    rng = np.random.default_rng(seed)
    steps = sum(pieces)
    data = {"north": wave(steps, 2, seed), 7: 1e6 + 1e3 * wave(steps, 2, seed + 1)}
    for one in data.values():
        one[rng.random(one.shape) < 0.1] = np.nan
        one[rng.integers(steps)] *= 1.5
    compared(of_several(), data, pieces)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["autoencoder", "feedback"])
def test_autoencoders_stream_and_find_what_is_odd(method):
    """The live cell's arithmetic is that of the network that was trained."""
    series = wave(150, 2, 5)
    options = {"units": 6, "window": 8, "epochs": 4, "season": 1}
    detector = AnomalyDetector(method=method, **options).fit({"a": series[:120]})
    network = detector._learned.network
    inputs = scaled(series[:40], *detector._learned.scales["a"])
    x = np.stack([inputs[i : i + 8, :2] for i in range(30)])
    rebuilt = np.asarray(network.model.predict(x, verbose=0))[:, -1]
    features = network.design.features
    odd = np.asarray(network.live(None)(inputs[None]))[0, 7:37, 1 : 1 + features]
    spread = network.arrays()[-1]
    expected = spread + 2.5 * np.log1p(((x[:, -1] - rebuilt) / np.exp(spread)) ** 2 / 4)
    np.testing.assert_allclose(odd, expected, rtol=1e-3, atol=1e-3)
    compared(detector, {"a": series[120:]}, [1, 4, 1])
    series[135, 1] += 200
    table = detector.detect({"a": series})
    assert 135 in table["begin"].tolist()
    assert table.loc[table["begin"] == 135, "feature"].tolist() == ["feature 1"]


def test_single_steps_and_a_restart(tmp_path):
    detector, series = of_one(), wave(110, seed=0)[90:, 0]
    detector.save(tmp_path / "a.detector")
    scores = []
    for part in (series[:9], series[9:]):
        again = AnomalyDetector.load(tmp_path / "a.detector")
        with Streams(again.model_, store=tmp_path / "live.db") as streams:
            for value in part:
                reading = again.push(streams, {"tank": value})["tank"]
                assert isinstance(reading.score, float)
                assert reading.by_feature.shape == (1,)
                scores.append(reading.score)
    np.testing.assert_allclose(scores, detector.score(series, follows=True), rtol=1e-3, atol=2e-3)


@pytest.mark.slow
def test_a_refused_push_changes_nothing():
    detector = of_several()
    streams = Streams(detector.model_)
    good = wave(1, 2, 1)[0]
    for wrong, error, message in (
        ({"north": good, 7: [1.0]}, ValueError, r"key 7 have the shape \(1,\); expected \(2,\)"),
        ({"north": good, 7: [1.0, np.inf]}, ValueError, "key 7 hold an infinity"),
        ({"north": good, 7: ["a", "b"]}, TypeError, "key 7 must be numbers"),
        ({"north": good, "south": good}, KeyError, "not on one with the key 'south'"),
        ([good], TypeError, "a mapping"),
    ):
        with pytest.raises(error, match=message):
            detector.push(streams, wrong)
        assert len(streams) == 0
    with pytest.raises(ValueError, match="of this very detector"):
        of_one().push(streams, {"north": 3.0})


@pytest.mark.slow
def test_a_killed_process_goes_on_with_the_same_scores(tmp_path):
    """What was acknowledged is in the store: the next process scores as if nothing had been."""
    detector, series = of_one(), wave(130, seed=0)[90:, 0]
    detector.save(tmp_path / "a.detector")
    np.save(tmp_path / "series.npy", series)
    source = str(Path(statewise.__file__).parents[1])
    scores: dict[int, float] = {}
    for least in (5, 20, len(series)):
        program = subprocess.Popen(
            [sys.executable, score_until_killed.__file__, str(tmp_path)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": source},
        )
        with program:
            for line in program.stdout:
                step, score = line.split()
                assert scores.setdefault(int(step), float(score)) == float(score)
                if len(scores) >= least:
                    break
            program.send_signal(signal.SIGKILL)
    expected = detector.score(series, follows=True)
    # A step that was pushed, but not told before the kill, isn't told again.
    assert len(scores) >= len(series) - 2
    for step, score in scores.items():
        assert score == pytest.approx(expected[step], rel=1e-3, abs=2e-3)
