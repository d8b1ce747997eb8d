"""Trainings that are killed at any step end as if they never had been; a few of the script's."""

import random

import pytest

import train_until_killed

pytestmark = pytest.mark.slow


def test_twenty_kills_change_nothing(tmp_path):
    trainings = train_until_killed.Trainings(tmp_path)
    try:
        done, ended = train_until_killed.kill(
            trainings, list(train_until_killed.KINDS), 20, random.Random(6), by_time=0.3
        )
    finally:
        trainings.close()
    assert done >= 20
    assert ended >= 2
