from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from statewise.tasks.forecasting.global_model.architecture import Architecture, initial_weights
from statewise.tasks.forecasting.global_model.features import Arrays
from statewise.tasks.forecasting.global_model.network import close_loop, teacher_forcing, warm_up
from statewise.tasks.forecasting.global_model.windows import cut_windows, scale_of

ARCHITECTURE = Architecture("lstm", 5, 1, 2, 3, (4,), 6, 12, "none", False)


def panel(rng, steps=60, series=3):
    """Return arrays of a panel, and weights that do something."""
    rows = steps * series
    return Arrays(
        values=jnp.asarray(rng.normal(size=(rows, 2)).cumsum(0), jnp.float32),
        observed=None,
        inputs=jnp.asarray(rng.normal(size=(rows, 3)), jnp.float32),
        categories=jnp.asarray(rng.integers(0, 4, (series, 1))),
        begins=jnp.arange(series) * steps,
        unit=jnp.ones((series, 2), jnp.float32),
        floor=jnp.ones((series, 2), jnp.float32),
        start=jnp.float32(0),
    )


def weights_of(architecture, rng):
    return jax.tree.map(
        lambda a: a + jnp.asarray(0.2 * rng.normal(size=a.shape), jnp.float32),
        initial_weights(architecture, 0),
    )


@partial(jax.jit, static_argnums=(0, 5))
def forecast(architecture, weights, data, first, series, horizon):
    windows = cut_windows(architecture, data, first, series, horizon)
    scale = scale_of(architecture, windows)
    warm = warm_up(architecture, weights, windows, scale)
    return close_loop(architecture, weights, warm, windows, scale, horizon), windows


ARCHITECTURES = {
    "lstm": ARCHITECTURE,
    "two layers of gru": replace(ARCHITECTURE, cell="gru", layers=2),
    "rnn": replace(ARCHITECTURE, cell="rnn"),
    "gaps": replace(ARCHITECTURE, gaps=True),
    "two seasons": replace(ARCHITECTURE, also=(17,)),
    "the longer is repeated": replace(ARCHITECTURE, season=8, also=(6,)),
    "no season": replace(ARCHITECTURE, season=1, season_seen=False, shortcut=False),
}


TWO = ("two seasons", "the longer is repeated")


@pytest.mark.parametrize("architecture", ARCHITECTURES.values(), ids=ARCHITECTURES)
def test_the_closed_loop_is_teacher_forcing_with_its_own_answers(architecture, rng):
    data, weights = panel(rng)._replace(start=jnp.float32(1)), weights_of(architecture, rng)
    first, series, horizon = np.array([40, 95, 177]), np.array([0, 1, 2]), 7
    data = data._replace(values=jnp.pad(data.values, ((0, 9), (0, 0))))
    data = data._replace(inputs=jnp.pad(data.inputs, ((0, 9), (0, 0))))
    ahead, windows = forecast(architecture, weights, data, first, series, horizon)
    known = windows.values[:, :-horizon]
    given = windows._replace(values=jnp.concatenate([known, ahead], 1))
    raw, now = jax.jit(teacher_forcing, static_argnums=(0, 3))(
        architecture, weights, given, horizon
    )
    points = now.value + now.start + now.scale * raw[..., 0]
    np.testing.assert_allclose(points[:, -horizon:], ahead, rtol=1e-3, atol=1e-3)
    assert np.abs(np.diff(np.asarray(ahead), axis=1)).max() > 0.1


SEASONS = {"one season": ARCHITECTURE, **{name: ARCHITECTURES[name] for name in TWO}}
of_seasons = pytest.mark.parametrize("architecture", SEASONS.values(), ids=SEASONS)


@of_seasons
def test_what_comes_later_is_not_looked_at(architecture, rng):
    data, weights = panel(rng), weights_of(architecture, rng)
    first, series = np.array([40]), np.array([0])
    before, _ = forecast(architecture, weights, data, first, series, 19)
    later = data._replace(values=data.values.at[40:].set(99.0))
    after, _ = forecast(architecture, weights, later, first, series, 19)
    np.testing.assert_array_equal(before, after)
    other = data._replace(values=data.values.at[:60].add(1000.0))
    np.testing.assert_allclose(
        forecast(architecture, weights, other, first, series, 19)[0] - 1000, before, atol=2e-2
    )


@of_seasons
def test_before_its_beginning_a_series_says_nothing(architecture, rng):
    data, weights = panel(rng), weights_of(architecture, rng)
    first, series = np.array([65]), np.array([1])  # five steps are known
    before, _ = forecast(architecture, weights, data, first, series, 5)
    other = data._replace(values=data.values.at[:60].set(50.0))
    after, _ = forecast(architecture, weights, other, first, series, 5)
    np.testing.assert_array_equal(before, after)


@of_seasons
@pytest.mark.parametrize("start", ["naive", "seasonal"])
def test_untrained_networks_are_naive(start, architecture, rng):
    data = panel(rng)._replace(start=jnp.float32(start == "seasonal"))
    ahead, _ = forecast(
        architecture, initial_weights(architecture, 1), data, np.array([40]), np.array([0]), 19
    )
    values, season = np.asarray(data.values[:40]), architecture.season
    expected = np.resize(values[-season:], (19, 2)) if start == "seasonal" else values[[-1] * 19]
    np.testing.assert_allclose(ahead[0], expected, atol=1e-5)


def test_a_longer_season_is_seen_as_a_near_one_is(rng):
    """What lies far back is looked up in the panel: it is what a longer window would show."""
    several = replace(ARCHITECTURE, season=8, also=(6,))
    data = panel(rng)
    first, series = jnp.array([40, 66]), jnp.array([0, 1])
    windows = cut_windows(several, data, first, series, 3)
    values = np.asarray(data.values)
    for i, begin in enumerate((0, 60)):
        for step in range(several.lookback + 3):
            row = int(first[i]) - several.lookback + step  # the last one known
            back = row + 1 - 8
            back -= 8 * (back >= int(first[i]))
            before, move, there = (part[i, step, 0] for part in windows.distant)
            assert bool(there[0]) == (back > begin)
            if there[0]:
                np.testing.assert_array_equal(before, values[back])
                np.testing.assert_array_equal(move, values[back] - values[back - 1])


def test_a_blind_network_does_not_look_at_the_season(rng):
    data, weights = panel(rng), weights_of(ARCHITECTURE, rng)
    first, series = np.array([40]), np.array([0])
    seen, _ = forecast(ARCHITECTURE, weights, data, first, series, 4)
    for sees in (1, 0):
        told = data._replace(sees=jnp.float32(sees))
        found, _ = forecast(ARCHITECTURE, weights, told, first, series, 4)
        assert np.allclose(found, seen, atol=1e-5) == bool(sees)


def test_a_window_in_which_nothing_happened_has_a_scale(rng):
    data = panel(rng)
    still = data._replace(values=data.values.at[10:60].set(2.0))
    windows = cut_windows(ARCHITECTURE, still, jnp.array([45]), jnp.array([0]), 3)
    np.testing.assert_allclose(scale_of(ARCHITECTURE, windows), 0.1, rtol=1e-6)
