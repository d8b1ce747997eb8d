"""The networks of a detector, trained, and the live model that is made of each."""

from collections.abc import Sequence
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from statewise import layers
from statewise.models import Model
from statewise.tasks.anomaly.cells import (
    FREEDOM,
    LOG_SCALES,
    WIDEST,
    ExpectCell,
    SurpriseCell,
    TailCell,
)
from statewise.tasks.anomaly.running import run
from statewise.tasks.anomaly.window_cells import FeedbackCell, WindowCell

METHODS = ("forecast", "autoencoder", "feedback")
_BATCH = 16
_WINDOWS = 4096  # that are trained on at most
_RATE = 3e-3
_PATIENCE = 4  # epochs
HELD = 0.2  # of the training's windows, the last ones, tell when to stop


class Design(NamedTuple):
    """What a detector's network is made of.

    Attributes:
        method: one of `METHODS`.
        features: how many.
        units: of a recurrent layer.
        window: steps that are trained on at a time, and that an autoencoder sees.
        season: steps in it, 1 for none.
    """

    method: str
    features: int
    units: int
    window: int
    season: int


class Tail(NamedTuple):
    """How odd steps are at the beginning of a stream: see `TailCell`."""

    levels: np.ndarray
    excesses: np.ndarray
    averages: np.ndarray
    steps: float


class Network:
    """A network of one design: trained, given weights, or made part of a live model.

    Args:
        design: what it's made of.
        seed: of its first weights and of the order of batches.
    """

    def __init__(self, design: Design, seed: int):
        keras.utils.set_random_seed(seed)
        self.design = design
        self._spread = np.zeros(design.features, "float32")
        features, units, window = design.features, design.units, design.window
        if design.method == "forecast":
            shown = (3 if design.season > 1 else 2) * features
            x = layers.Input((None, shown))
            self._network = layers.GRU(units, return_sequences=True, name="network")
            self._dense = layers.Dense(2 * features, name="forecast")
            self.model = Model(x, self._forecast(x), name="training")
            return
        x = layers.Input((window, features))
        if design.method == "autoencoder":
            code = layers.LSTM(units, name="encoder")(x)
            again = layers.RepeatVector(window)(code)
            h = layers.LSTM(units, return_sequences=True, name="decoder")(again)
            y = layers.Dense(features, name="reconstruction")(h)
        else:
            h, *state = layers.LSTM(units, return_state=True, name="encoder")(x)
            nothing = ops.multiply(x[:, 0], 0.0)
            decoder = layers.RNN(
                FeedbackCell(units, features), return_sequences=True, name="decoder"
            )
            y = decoder(layers.RepeatVector(window)(nothing), initial_state=[*state, nothing])
        self.model = Model(x, y, name="training")

    def fit(self, series: Sequence[np.ndarray], epochs: int) -> list[float]:
        """Train on series, and return the validation loss after each epoch.

        Args:
            series: (time, 2 features) each, scaled values and whether they are known.
            epochs: passes over the windows at most.
        """
        forecasts = self.design.method == "forecast"
        x, y, held = self._windows(self._shown(series)) if forecasts else self._plain(series)
        validates = bool(held.any() and not held.all())
        learned = ~held if validates else np.ones(len(x), bool)
        self.model.compile(
            loss=_negative_log_likelihood if forecasts else "mse",
            optimizer=keras.optimizers.Adam(_RATE, clipnorm=1.0),
        )
        stop = keras.callbacks.EarlyStopping(
            monitor="val_loss" if validates else "loss",
            patience=_PATIENCE,
            restore_best_weights=True,
        )
        done = self.model.fit(
            x[learned],
            y[learned],
            validation_data=(x[held], y[held]) if validates else None,
            batch_size=_BATCH,
            epochs=epochs,
            verbose=0,
            callbacks=[stop],
        )
        if not forecasts:
            x, y = (x[held], y[held]) if validates else (x, y)
            errors = np.abs(self.model.predict(x, verbose=0)[:, -1] - y[:, -1])
            self._spread = np.log(np.maximum(errors.mean(0), 1e-3)).astype("float32")
        return [float(loss) for loss in done.history["val_loss" if validates else "loss"]]

    def arrays(self) -> list[np.ndarray]:
        """Return all weights."""
        return [*map(np.asarray, self.model.get_weights()), self._spread]

    def take(self, arrays: Sequence[np.ndarray]) -> None:
        """Take weights that `arrays` returned.

        Raises:
            ValueError: where they are others.
        """
        self.model.set_weights(list(arrays[:-1]))
        if arrays[-1].shape != self._spread.shape:
            raise ValueError(f"{arrays[-1].shape} usual errors, expected {self._spread.shape}")
        self._spread = arrays[-1]

    def live(self, tail: Tail | None) -> Model:
        """Return the model that scores a stream; without a tail, one that says how odd steps are.

        It takes ``(batch, time, 2 features)``, scaled values and whether they are known.
        """
        design = self.design
        features, ahead = design.features, design.method == "forecast"
        x = layers.Input((None, 2 * features))
        if ahead:
            seen = _layer(ExpectCell(features, design.season))(x)
            made = self._forecast(seen)
        else:
            feedback = design.method == "feedback"
            cell = WindowCell(
                features, design.window, self.arrays(), feedback=feedback, widest=WIDEST
            )
            made = _layer(cell)(x)
        y = _layer(SurpriseCell(features, ahead=ahead))(layers.Concatenate()([x, made]))
        if tail is not None:
            y = _layer(TailCell(features, *tail))(y)
        return Model(x, y, name="anomalies")

    def _forecast(self, seen):
        return self._dense(layers.Concatenate()([self._network(seen), seen]))

    def _shown(self, series: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Return what the network is shown of series."""
        x = layers.Input((None, 2 * self.design.features))
        expect = Model(x, _layer(ExpectCell(self.design.features, self.design.season))(x))
        return [
            np.concatenate([shown, one], 1)
            for shown, one in zip(run(expect, series)[0], series, strict=True)
        ]

    def _windows(self, series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return windows, what comes after each of their steps, and which windows are held out.

        The first steps of a window, with which the network warms up, don't count.
        """
        features, length = self.design.features, self.design.window
        cut, held = _cut(series, length + 1)
        x, y = cut[:, :-1, : -2 * features], cut[:, 1:, -2 * features :].copy()
        y[..., :features] = np.clip(y[..., :features], -WIDEST, WIDEST)
        y[:, : length // 8, features:] = 0.0
        return x, y, held

    def _plain(self, series: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return windows twice, missing values filled in, and which windows are held out."""
        features = self.design.features
        filled = []
        for one in series:
            known = one[:, features:] > 0
            at = np.maximum.accumulate(np.where(known, np.arange(len(one))[:, None], 0), 0)
            filled.append(np.clip(np.take_along_axis(one[:, :features], at, 0), -WIDEST, WIDEST))
        x, held = _cut(filled, self.design.window)
        return x, x, held


def _layer(cell: keras.layers.Layer) -> keras.layers.RNN:
    return layers.RNN(cell, return_sequences=True, dtype="float32", name=f"{cell.name}_steps")


def _cut(series: Sequence[np.ndarray], length: int) -> tuple[np.ndarray, np.ndarray]:
    """Return windows of all series, and which are held out: those that reach into the last fifth.

    Of these the first half may have been learned from; no other window has a step of that fifth.
    """
    parts, held = [], []
    every = sum(max(len(one) - length + 1, 0) for one in series)
    stride = max(1, every // _WINDOWS)
    for one in series:
        starts = np.arange(0, len(one) - length + 1, stride)
        bound = int((1 - HELD) * len(one))
        late = starts >= bound - length // 2
        taken = late | (starts + length <= bound)
        parts.append(one[starts[taken, None] + np.arange(length)])
        held.append(late[taken])
    return np.concatenate(parts).astype("float32"), np.concatenate(held)


def _negative_log_likelihood(y, forecast):
    """Return minus the logarithm of Student's density of what came, less a constant."""
    features = y.shape[-1] // 2
    x, known = y[..., :features], y[..., features:]
    spread = ops.clip(forecast[..., features:], *LOG_SCALES)
    residual = (x - forecast[..., :features]) * ops.exp(-spread)
    odd = (FREEDOM + 1) / 2 * ops.log1p(ops.square(residual) / FREEDOM)
    return ops.mean(known * (spread + odd), axis=-1)
