"""Fitting series of ever other lengths, as a nightly job does, keeps no memory for each length."""

import gc

import jax.extend
import pandas as pd
import pytest

from statewise.tasks import Forecaster
from statewise.tasks.forecasting.global_model import programs as global_programs


def programs():
    gc.collect()
    return len(jax.extend.backend.get_backend().live_executables())


@pytest.mark.slow
def test_one_series_of_many_lengths(rng):
    counts = []
    for steps in range(60, 70):
        forecaster = Forecaster(horizon=4, epochs=1, units=2, season=4)
        forecaster.fit(rng.normal(size=steps)).predict()
        del forecaster
        counts.append(programs())
    assert counts[-1] <= counts[4] + 2


@pytest.mark.slow
def test_panels_of_many_lengths(rng, monkeypatch):
    monkeypatch.setattr(global_programs, "_SHAPES", 3)
    counts = []
    for steps in range(60, 78):
        table = pd.DataFrame(rng.normal(size=(steps, 3)))
        Forecaster(horizon=4, epochs=1, units=4, lookback=10).fit(table).predict()
        counts.append(programs())
    assert max(counts) <= counts[0] + 3 * 3 + 2
    assert len(set(counts)) < 12
