"""Networks that continue a series from several origins at once, and how they are trained for it.

Feature k of what the networks see is the series as transform k shows it. All features end at the
same step; where transforms lose different numbers of steps, all begin where the shortest does.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import keras
import numpy as np

from statewise.models import Sequential
from statewise.sequences import Pipeline, windows

_OVERLAP = 4  # so many samples see each step
_MOST_SAMPLES = 512
_BATCH_SIZE = 32  # at most


def transformed(pipelines: Sequence[Pipeline], series: np.ndarray) -> np.ndarray:
    """Return the series as each pipeline shows it, (time - the most steps lost, pipelines)."""
    lost = max(one.steps_lost for one in pipelines)
    columns = {id(one): one.transform(series) for one in pipelines}  # networks share them
    return np.column_stack([columns[id(one)][lost - one.steps_lost :] for one in pipelines])


class Samples(NamedTuple):
    """What networks learn next-step prediction from.

    Attributes:
        x: inputs, (samples, time steps, features) float32.
        y: targets, each the step after its input.
        batch_size: a divisor of the number of samples.
    """

    x: np.ndarray
    y: np.ndarray
    batch_size: int

    @property
    def batches(self) -> int:
        """Updates of the weights in an epoch."""
        return len(self.x) // self.batch_size


def cut_samples(z: np.ndarray, *, lookback: int, seed: int) -> Samples:
    """Cut ``z`` (time, features) into samples of ``lookback`` steps, or of all there are.

    The samples overlap by three quarters, and more of the past is passed over where it would take
    too many of them. They end at the last step, and their order is drawn.

    >>> samples = cut_samples(np.zeros((120, 1)), lookback=20, seed=0)
    >>> samples.x.shape, samples.batch_size
    ((20, 20, 1), 20)
    """
    lookback = min(lookback, len(z) - 1)
    count = len(z) - lookback
    stride = max(1, lookback // _OVERLAP, -(-count // _MOST_SAMPLES))
    cut = windows(z[(count - 1) % stride :], lookback + 1, horizon=0, stride=stride).x
    batches = -(-len(cut) // _BATCH_SIZE)
    size = len(cut) // batches  # batches of one size need one compiled program
    cut = cut[-size * batches :].astype(np.float32)
    cut = cut[np.random.default_rng(seed).permutation(len(cut))]
    return Samples(cut[:, :-1], cut[:, 1:], size)


def train(
    model: Sequential,
    samples: Samples,
    *,
    epochs: int,
    after_epoch: Callable[[int, float], bool | None],
) -> None:
    """Train: each step is to be forecast from those before it.

    ``after_epoch(epochs done, loss)`` is called after each epoch, and stops the training where it
    returns True.
    """

    def end(epoch, logs):
        if after_epoch(epoch + 1, logs["loss"]):
            model.stop_training = True

    model.fit(
        samples.x,
        samples.y,
        batch_size=samples.batch_size,
        epochs=epochs,
        shuffle=False,  # their order is drawn already, and not by NumPy's global generator
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=end)],
    )


def continue_from(
    model: Sequential,
    pipelines: Sequence[Pipeline],
    series: np.ndarray,
    origins: np.ndarray,
    *,
    horizon: int,
    lookback: int,
) -> np.ndarray:
    """Forecast ``horizon`` steps in closed loop from each origin.

    At an origin the values of the steps before it are known and no others: the networks warm up
    over the last ``lookback`` of them, transformed.

    Args:
        model: takes and gives as many features as there are pipelines.
        pipelines: the fitted transforms, one for each network.
        series: (time,), at least as long as the last origin.
        origins: the first step to forecast of each run, (origins,).
        horizon: how many steps to forecast.
        lookback: how many transformed steps to warm up over.

    Returns:
        (networks, origins, horizon) float64, on the scale of the series. It may hold infinities,
        where a network went astray.
    """
    z = transformed(pipelines, series[: origins.max()])
    lost = max(pipeline.steps_lost for pipeline in pipelines)
    shown = origins[:, None] - lost + np.arange(-lookback, 0)  # (origins, lookback)
    output = model.forecast(z[shown], horizon)  # (origins, horizon, networks)
    known = origins[:, None] + np.arange(-max(lost, 1), 0)
    history = series[known][..., None]  # (origins, lost, 1)
    return np.stack(
        [_undone(one, history, output[..., k, None]) for k, one in enumerate(pipelines)]
    )


def _undone(pipeline: Pipeline, history: np.ndarray, output: np.ndarray) -> np.ndarray:
    """Turn a network's outputs (origins, horizon, 1) into values (origins, horizon)."""
    # Far outside of what it was trained on a network's closed loop may run away; the bound keeps
    # the transforms within what float64 can tell, and no serious forecast comes near it.
    output = np.clip(np.nan_to_num(output.astype(np.float64), nan=1e3), -1e3, 1e3)
    with np.errstate(over="ignore"):
        try:
            return pipeline.continue_from(history, output)[..., 0]
        except ValueError:  # an infinity on the way: see the transforms
            return np.full(output.shape[:2], np.inf)
