"""NAB's score: cases reckoned by hand from the published formulas, and what must hold of any."""

from math import tanh

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.tasks.anomaly.nab import (
    PROFILES,
    alarms_of,
    best_threshold,
    judge,
    nab_score,
    probation_of,
    weight_of,
)

WINDOWS = [(100, 199), (400, 449)]


def w(y):
    """The same curve by another formula: 2 / (1 + exp(5 y)) - 1 = -tanh(5 y / 2)."""
    return -tanh(2.5 * y)


@pytest.mark.parametrize("y", [-1.0, -0.31, 0.0, 0.2, 1.0, 2.99, 3.0])
def test_the_curve(y):
    assert weight_of(y) == pytest.approx(w(y), abs=1e-12)
    assert weight_of(-1.0) == pytest.approx(0.98661430, abs=1e-8)
    assert weight_of(3.01) == -1.0


def test_the_first_step_of_a_window_is_worth_one_and_later_ones_less():
    assert judge([100], WINDOWS[:1]).score == pytest.approx(1.0)
    # Step 150 has 50 of 100 steps from itself to the end: y = -0.5.
    assert judge([150], WINDOWS[:1]).score == pytest.approx(tanh(1.25) / tanh(2.5))
    # Its last step: y = -1/100.
    assert judge([199], WINDOWS[:1]).score == pytest.approx(tanh(0.025) / tanh(2.5))


def test_only_the_first_alarm_of_a_window_counts():
    assert judge([150, 100, 120, 199], WINDOWS[:1]) == judge([100], WINDOWS[:1])


def test_a_false_alarm_is_weighed_by_the_window_before_it():
    before = judge([50], WINDOWS)
    assert before.score == pytest.approx(-0.11 - 2)
    # 33 steps after a window whose ends are 99 apart: y = 1/3.
    assert judge([232], WINDOWS).score == pytest.approx(-0.11 * tanh(2.5 / 3) - 2)
    # The second window is the one before step 470: y = 21/49.
    assert judge([470], WINDOWS).score == pytest.approx(-0.11 * tanh(2.5 * 21 / 49) - 2)
    assert judge([900], WINDOWS).score == pytest.approx(-0.11 - 2)  # farther than three widths


def test_profiles_and_counts():
    alarms = [10, 150, 160, 300, 600]
    hit, far = tanh(1.25) / tanh(2.5), tanh(2.5 * 101 / 99)
    wrong = 1 + far + 1  # step 600: 151/49 widths, more than three
    for profile, (tp, fp, fn) in PROFILES.items():
        judged = judge(alarms, WINDOWS, profile=profile)
        assert judged.score == pytest.approx(tp * hit - fp * wrong - fn)
        assert judged[1:] == (1, 1, 3)
        expected = 100 * (judged.score + 2 * fn) / (2 * tp + 2 * fn)
        assert nab_score([judged], profile) == pytest.approx(expected)


def test_the_probationary_part_does_not_count():
    assert judge([10, 99], WINDOWS, probation=100) == judge([], WINDOWS)
    assert [probation_of(n) for n in (100, 4032, 5000, 22695)] == [15, 604, 750, 750]


def test_nothing_is_worth_0_and_everything_at_once_100():
    assert nab_score([judge([], WINDOWS), judge([], [(3, 5)])]) == 0.0
    assert nab_score([judge([100, 400], WINDOWS), judge([3], [(3, 5)])]) == pytest.approx(100.0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 999), max_size=12), st.sampled_from(sorted(PROFILES)))
def test_more_false_alarms_never_score_more(alarms, profile):
    score = judge(alarms, WINDOWS, profile=profile).score
    outside = [step for step in (5, 250, 399, 460, 990) if step not in alarms]
    for step in outside:
        assert judge([*alarms, step], WINDOWS, profile=profile).score < score


def test_the_best_threshold_is_the_best_of_all(rng):
    scores = {"a": rng.normal(size=700), "b": rng.normal(size=300)}
    scores["a"][150:155] += 6
    windows = {"a": WINDOWS, "b": [(200, 220)]}

    def total(threshold, quiet):
        return nab_score(
            judge(alarms_of(one, threshold, quiet), windows[name], probation=probation_of(len(one)))
            for name, one in scores.items()
        )

    for quiet in (0, 20):
        threshold, best = best_threshold(scores, windows, quiet=quiet, candidates=2000)
        assert total(threshold, quiet) == pytest.approx(best)
        every = np.concatenate([*scores.values()])
        assert best >= max(total(one, quiet) for one in np.quantile(every, [0.5, 0.9, 0.99, 0.999]))


def test_what_makes_no_sense_is_refused():
    with pytest.raises(ValueError, match="profile='mild': expected one of standard, few false"):
        judge([], WINDOWS, profile="mild")
    with pytest.raises(ValueError, match="in order"):
        judge([], WINDOWS[::-1])
    with pytest.raises(ValueError, match="no window"):
        nab_score([judge([3], [])])
    with pytest.raises(ValueError, match="none of them is a number"):
        best_threshold({"a": np.full(3, np.nan)}, {"a": []})
