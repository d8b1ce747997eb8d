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
    "no season": replace(ARCHITECTURE, season=1, season_seen=False, shortcut=False),
}


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


def test_what_comes_later_is_not_looked_at(rng):
    data, weights = panel(rng), weights_of(ARCHITECTURE, rng)
    first, series = np.array([40]), np.array([0])
    before, _ = forecast(ARCHITECTURE, weights, data, first, series, 5)
    later = data._replace(values=data.values.at[40:].set(99.0))
    after, _ = forecast(ARCHITECTURE, weights, later, first, series, 5)
    np.testing.assert_array_equal(before, after)
    other = data._replace(values=data.values.at[:60].add(1000.0))
    np.testing.assert_allclose(
        forecast(ARCHITECTURE, weights, other, first, series, 5)[0] - 1000, before, atol=2e-2
    )


def test_before_its_beginning_a_series_says_nothing(rng):
    data, weights = panel(rng), weights_of(ARCHITECTURE, rng)
    first, series = np.array([65]), np.array([1])  # five steps are known
    before, _ = forecast(ARCHITECTURE, weights, data, first, series, 5)
    other = data._replace(values=data.values.at[:60].set(50.0))
    after, _ = forecast(ARCHITECTURE, weights, other, first, series, 5)
    np.testing.assert_array_equal(before, after)


@pytest.mark.parametrize("start", ["naive", "seasonal"])
def test_untrained_networks_are_naive(start, rng):
    data = panel(rng)._replace(start=jnp.float32(start == "seasonal"))
    ahead, _ = forecast(
        ARCHITECTURE, initial_weights(ARCHITECTURE, 1), data, np.array([40]), np.array([0]), 9
    )
    values = np.asarray(data.values[:40])
    expected = np.resize(values[-6:], (9, 2)) if start == "seasonal" else values[[-1] * 9]
    np.testing.assert_allclose(ahead[0], expected, atol=1e-5)


def test_a_window_in_which_nothing_happened_has_a_scale(rng):
    data = panel(rng)
    still = data._replace(values=data.values.at[10:60].set(2.0))
    windows = cut_windows(ARCHITECTURE, still, jnp.array([45]), jnp.array([0]), 3)
    np.testing.assert_allclose(scale_of(ARCHITECTURE, windows), 0.1, rtol=1e-6)
