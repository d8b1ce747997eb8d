"""A sample of series that pass by: the same however they come, whatever their lengths."""

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Columns
from statewise.sequences.panel_reading import read_rows
from statewise.tasks.forecasting.global_model.features import Encoder
from statewise.tasks.forecasting.scanned.encoding import InputSurvey
from statewise.tasks.forecasting.scanned.sample import SeriesSample

NAMES = Columns(future=["price", "event"], static=["size"])


def rows_of(lengths, rng):
    count = int(sum(lengths))
    number = np.repeat(np.arange(len(lengths)), lengths)
    frame = pd.DataFrame(
        {
            "unique_id": number,
            "ds": np.concatenate([np.arange(n) for n in lengths]),
            "y": number * 1.0,
            "price": 1e3 + rng.normal(size=count),
            "event": rng.choice(["b", "a", "c"], count),
            "size": np.array(lengths)[number] * 1.5,
        }
    )
    frame.loc[rng.random(count) < 0.1, "price"] = np.nan
    return read_rows(frame, NAMES)


def parts_of(panel, rng):
    cuts = np.sort(rng.integers(0, len(panel) + 1, 3))
    each = np.split(np.arange(len(panel)), cuts)
    return [panel.select(one) for one in each if len(one)]


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.lists(st.integers(1, 9), min_size=1, max_size=40))
def test_a_sample_is_the_same_in_whatever_blocks_its_series_come(seed, lengths):
    rng = np.random.default_rng(seed)
    panel = rows_of(lengths, rng)
    room = {"rows": int(rng.integers(1, 60)), "series": int(rng.integers(1, 12)), "seed": seed}
    whole, apart = SeriesSample(**room), SeriesSample(**room)
    whole.add(panel)
    for part in parts_of(panel, rng):
        apart.add(part)
    taken = whole.taken()
    assert taken.keys.tolist() == apart.taken().keys.tolist() == sorted(taken.keys)
    np.testing.assert_array_equal(taken.values, apart.taken().values)
    assert len(taken) == 1 or len(taken.values) <= room["rows"]
    assert len(taken) <= room["series"]
    np.testing.assert_array_equal(taken.values[:, 0], np.repeat(taken.keys, taken.lengths))


def test_long_series_are_as_likely_as_short_ones():
    panel = rows_of([1, 19] * 40, np.random.default_rng(0))
    long = 0
    for seed in range(60):
        sample = SeriesSample(rows=200, series=99, seed=seed)
        sample.add(panel)
        long += int((sample.taken().lengths == 19).sum()) / len(sample.taken())
    assert 0.4 < long / 60 < 0.6


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 999), st.lists(st.integers(1, 9), min_size=2, max_size=30))
def test_inputs_are_measured_as_in_memory(seed, lengths):
    rng = np.random.default_rng(seed)
    panel, survey = rows_of(lengths, rng), InputSurvey()
    if np.isnan(panel.future["price"]).all():
        return
    for part in parts_of(panel, rng):
        survey.add(part)
    found, want = survey.encoder(), Encoder.fit(panel)
    assert found.vocabularies == want.vocabularies
    for name in want.means:
        np.testing.assert_allclose(found.means[name], want.means[name], rtol=1e-12)
        np.testing.assert_allclose(found.deviations[name], want.deviations[name], rtol=1e-9)
