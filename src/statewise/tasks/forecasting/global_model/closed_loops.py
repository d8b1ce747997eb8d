"""The forecasts of a global network: many closed loops in one compiled program."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from statewise.recurrence import native_threads
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.features import Arrays
from statewise.tasks.forecasting.global_model.network import close_loop, warm_up
from statewise.tasks.forecasting.global_model.programs import COMPILED, THREADS, Program
from statewise.tasks.forecasting.global_model.windows import cut_windows, scale_of

_AT_ONCE = 1024  # lanes of a forecast that run side by side


def forecast(
    architecture: Architecture,
    weights: dict,
    data: Arrays,
    first: np.ndarray,
    series: np.ndarray,
    horizon: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Forecast the target in closed loop from many origins.

    Args:
        architecture: of the network.
        weights: of the network.
        data: the panel, with the inputs of the rows to forecast.
        first: the row of the first step to forecast, (windows,).
        series: the place of each window's series, (windows,).
        horizon: steps to forecast.

    Returns:
        (windows, horizon) float32 on the network's scale; and the windows' scales, (windows,).
    """
    points, scale = _in_chunks(
        partial(_points, architecture, horizon=horizon), weights, data, first, series, _AT_ONCE
    )
    return points, scale


def draw_paths(
    architecture: Architecture,
    weights: dict,
    data: Arrays,
    first: np.ndarray,
    series: np.ndarray,
    *,
    horizon: int,
    paths: int,
    seed: int,
) -> np.ndarray:
    """Draw paths through the closed loop, (windows, paths, horizon) on the network's scale."""
    at_once = max(1, 4 * _AT_ONCE // paths)
    drawn, _ = _in_chunks(
        partial(_paths, architecture, horizon=horizon, paths=paths, seed=seed),
        weights,
        data,
        first,
        series,
        at_once,
    )
    return drawn


def _in_chunks(
    function: partial,
    weights: dict[str, Any],
    data: Arrays,
    first: np.ndarray,
    series: np.ndarray,
    at_once: int,
) -> list[np.ndarray]:
    """Run over the windows, so many at once: one compiled program, however many there are."""
    count = len(first)
    at_once = min(at_once, 1 << (count - 1).bit_length())
    results = []
    for chunk in range(-(-count // at_once)):
        rows = np.arange(chunk * at_once, (chunk + 1) * at_once) % count
        results.append(
            _compiled(
                function.func,
                tuple(function.args),
                tuple(sorted(function.keywords.items())),
                weights,
                data,
                np.int32(chunk),
                first[rows].astype(np.int32),
                series[rows].astype(np.int32),
            )
        )
    return [np.concatenate(parts)[:count] for parts in zip(*results, strict=True)]


def _run(function, arguments, options, weights, data, chunk, first, series):
    return function(*arguments, weights, data, chunk, first, series, **dict(options))


_compiled = Program(_run, COMPILED, constants=3)


def _points(architecture, weights, data, chunk, first, series, *, horizon):
    windows = cut_windows(architecture, data, first, series, horizon)
    scale = scale_of(architecture, windows)
    with native_threads(THREADS):
        warm = warm_up(architecture, weights, windows, scale)
        ahead = close_loop(architecture, weights, warm, windows, scale, horizon)
    return ahead[..., 0], scale[:, 0, 0]


def _paths(architecture, weights, data, chunk, first, series, *, horizon, paths, seed):
    windows = cut_windows(architecture, data, first, series, horizon)
    scale = scale_of(architecture, windows)
    key = jax.random.fold_in(jax.random.key(seed), chunk)

    with native_threads(THREADS):
        warm = warm_up(architecture, weights, windows, scale)

    def repeated(tree: Any) -> Any:
        return jax.tree.map(lambda a: jnp.repeat(a, paths, axis=0), tree)

    # What was known is not looked at any more: only the inputs ahead are.
    single = {"start": windows.start, "sees": windows.sees}  # for all windows
    gone = dict.fromkeys(("values", "observed", "seasonal", *single))
    windows = repeated(windows._replace(**gone))._replace(**single)
    with native_threads(THREADS):
        ahead = close_loop(
            architecture, weights, repeated(warm), windows, repeated(scale), horizon, key
        )
    return ahead[..., 0].reshape(first.shape[0], paths, horizon), scale[:, 0, 0]
