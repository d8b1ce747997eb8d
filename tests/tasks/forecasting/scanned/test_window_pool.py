"""Windows cut out of a panel that passes by are those of the panel in memory, to the bit."""

import jax
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from statewise.sequences import Columns, DataError, read_panel
from statewise.tasks.forecasting.global_model import window_pool
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.config import (
    IncrementSpec,
    Request,
    schedule_of,
    starting_from,
)
from statewise.tasks.forecasting.global_model.features import Encoder, lay_out, with_gaps
from statewise.tasks.forecasting.global_model.training import TrainingRun, Updates, _draw_windows
from statewise.tasks.forecasting.global_model.window_pool import Wider, train_on_wider

NAMES = Columns(past=["visits"], static=["region"], calendar=["weekday"])


def panel_of(rng, lengths, gaps):
    count = int(sum(lengths))
    frame = pd.DataFrame(
        {
            "unique_id": np.repeat(np.arange(len(lengths)), lengths),
            "ds": np.concatenate([pd.date_range("2024-01-01", periods=n) for n in lengths]),
            "y": rng.uniform(1, 9, count),
            "visits": rng.normal(size=count).cumsum(),
            "region": np.repeat(rng.choice(["n", "s", "w"], len(lengths)), lengths),
        }
    )
    if gaps:
        frame.loc[rng.random(count) < 0.15, ["y"]] = np.nan
    return read_panel(frame, NAMES)


def case(rng, *, lookback, horizon, seasons, log, gaps, series=5):
    first, *also = seasons or (1,)
    request = Request(
        horizon=horizon,
        season=first,
        lookback=lookback,
        least=min(8, lookback),
        cell="lstm",
        units=2,
        layers=1,
        likelihood="none",
        epochs=1,
        seed=int(rng.integers(99)),
        also=tuple(also),
    )
    least = request.least + horizon
    panel = panel_of(rng, rng.integers(least, least + 40, series), gaps)
    spec = IncrementSpec(log, "seasonal" if first > 1 else "naive")
    encoder = Encoder.fit(panel)
    data, _ = lay_out(panel, encoder, log=log, counts=False, season=request.shortest, extra=horizon)
    data = starting_from(with_gaps(data, request.shortest), spec, request)
    architecture = Architecture(
        cell="lstm",
        units=2,
        layers=1,
        channels=2,
        inputs=data.inputs.shape[1],
        categories=(len(encoder.vocabularies["region"]),),
        season=first,
        lookback=lookback,
        likelihood="none",
        gaps=True,
        also=request.also,
    )

    def blocks():
        cut = int(rng.integers(0, len(panel) + 1))
        parts = (np.arange(cut), np.arange(cut, len(panel)))
        return (panel.select(part) for part in parts if len(part))

    wider = Wider(blocks, len(panel), encoder, float(np.nanmin(panel.values[:, 0])))
    return panel, data, architecture, spec, request, wider


def windows_of(data, rows, series, some, steps, horizon):
    """Return all that a network may look at in some windows, as `cut_windows` looks it up."""
    first, series = rows.ravel()[some], series.ravel()[some]
    begin = np.asarray(data.begins)[series]
    inside = first[:, None] + np.arange(horizon - steps, horizon)
    inside = np.maximum(inside, begin[:, None])
    found = {n: np.asarray(getattr(data, n))[inside] for n in ("values", "observed", "inputs")}
    if data.seasonal is not None:
        found["seasonal"] = np.asarray(data.seasonal)[inside]
    found |= {n: np.asarray(getattr(data, n))[series] for n in ("unit", "floor", "categories")}
    return found | {
        "known": np.minimum(first - begin, steps - horizon),  # of more it's asked only whether
        "start": np.asarray(data.start),
    }


@settings(max_examples=10, deadline=None)
@given(
    seed=st.integers(0, 999),
    lookback=st.integers(2, 20),
    horizon=st.integers(1, 9),
    seasons=st.sampled_from([(), (7,), (4, 9), (11, 3)]),
    log=st.booleans(),
    gaps=st.booleans(),
)
def test_the_windows_are_those_of_the_panel_in_memory(seed, lookback, horizon, seasons, log, gaps):
    rng = np.random.default_rng(seed)
    options = {"lookback": lookback, "horizon": horizon, "seasons": seasons}
    panel, data, architecture, spec, request, wider = case(rng, log=log, gaps=gaps, **options)
    schedule = schedule_of(request)
    members = [Updates(architecture, request, 1 + i) for i in range(2)]
    pool = window_pool._Pool(architecture, spec, request, members, 2, wider)
    number, epoch = rng.integers(0, 2, 2).tolist()
    drawn = np.random.default_rng([request.seed, 1 + number])
    for _ in range(epoch + 1):
        first, series = _draw_windows(drawn, panel.lengths, schedule, request.least)
    own, rows, places = pool.of(number, epoch)
    some = rng.integers(0, first.size, 40)
    steps = window_pool.before(architecture) + horizon
    begins = np.asarray(data.begins)
    want = windows_of(data, begins[series] + first, series, some, steps, horizon)
    found = windows_of(own, rows, places, some, steps, horizon)
    for name, array in want.items():
        np.testing.assert_array_equal(found[name], array, err_msg=name)


@pytest.mark.slow
def test_so_are_the_weights_after_training(monkeypatch):
    rng = np.random.default_rng(4)
    panel, data, architecture, spec, request, wider = case(
        rng, lookback=5, horizon=2, seasons=(7,), log=False, gaps=True
    )
    passes = []
    monkeypatch.setattr(window_pool, "_HELD", 1)  # a pass for each epoch
    counted = Wider(lambda: passes.append(1) or wider.blocks(), *wider[1:])
    told = []
    trained = train_on_wider(
        counted, architecture, spec, request, 2, lambda *now: told.append(now[:3])
    )
    for number, member in enumerate(trained):
        run = TrainingRun(architecture, data, panel.lengths, request, 1 + number)
        assert [run.epoch(), run.epoch()] == member.losses
        jax.tree.map(np.testing.assert_array_equal, run.weights, member.weights)
    assert len(passes) == 2
    assert told == [("training", 1, 2), ("training", 2, 2)]


def test_a_panel_that_changes_while_it_is_learned_from_is_told(monkeypatch):
    rng = np.random.default_rng(1)
    *_, architecture, spec, request, wider = case(
        rng, lookback=3, horizon=1, seasons=(), log=False, gaps=False
    )
    fewer = wider._replace(series=wider.series + 1)
    with pytest.raises(DataError, match="6 series when the panel was read first, and 5 now"):
        train_on_wider(fewer, architecture, spec, request, 1, lambda *now: None)
    monkeypatch.setattr(window_pool, "_MOST", 1000)
    with pytest.raises(DataError, match=r"looks back on .* shorter season or lookback"):
        train_on_wider(wider, architecture, spec, request, 1, lambda *now: None)
