"""How the network of a text is trained: on lanes, by a rate that rises and falls once."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import keras

from statewise.models import Model
from statewise.sequences import Lanes
from statewise.tasks.forecasting.progress import Progress

_WARM_UP = 0.1  # of all batches the rate rises, and falls by a cosine in the others
_MOST_WARM_UP = 200  # batches
_LOWEST = 0.01  # of the highest rate, at the end
_DECAY_2 = 0.99  # how much of Adam's second moment stays: batches are few, and much alike


@dataclass(frozen=True)
class Schedule:
    """How long and how fast a network is trained.

    Attributes:
        epochs: passes over the text.
        learning_rate: the highest.
        weight_decay: AdamW's.
        clip: norm of all gradients together that is left as it is; None for any.
        patience: epochs without a lower loss on the validation part before training ends; None for
            all epochs.
    """

    epochs: int
    learning_rate: float
    weight_decay: float
    clip: float | None
    patience: int | None

    def optimizer(self, batches: int) -> keras.optimizers.Optimizer:
        """Return AdamW with a rate that rises and falls once, within so many batches."""
        warm_up = min(_MOST_WARM_UP, math.ceil(_WARM_UP * batches))
        rate = keras.optimizers.schedules.CosineDecay(
            self.learning_rate * _LOWEST,
            max(1, batches - warm_up),
            alpha=_LOWEST,
            warmup_target=self.learning_rate,
            warmup_steps=warm_up,
        )
        return keras.optimizers.AdamW(
            rate, self.weight_decay, beta_2=_DECAY_2, global_clipnorm=self.clip
        )


class _Told(keras.callbacks.Callback):
    """Tells how far the training is, and ends one that has gone astray."""

    def __init__(self, progress: Progress, epochs: int):
        super().__init__()
        self._progress, self._epochs = progress, epochs
        self.astray = 0

    def on_epoch_end(self, epoch, logs=None):
        loss = (logs or {})["loss"]
        if not math.isfinite(loss):
            self.astray, self.model.stop_training = epoch + 1, True
        shown = logs.get("val_loss", loss)
        self._progress("training", epoch + 1, self._epochs, shown)

    def get_state(self) -> dict[str, Any]:
        """Return nothing: a checkpoint needs none of it."""
        return {}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Take nothing."""


def train(
    model: Model,
    lanes: Lanes,
    validation: Lanes | None,
    schedule: Schedule,
    progress: Progress,
    **checkpoint: Any,
) -> dict[str, list[float]]:
    """Train a model; it has the weights of its best epoch then.

    Args:
        model: what `network` gives.
        lanes: to train on.
        validation: to tell the best epoch by; None takes the last one.
        schedule: how long and how fast.
        progress: called after each epoch.
        checkpoint: ``checkpoint``, ``every`` and ``keep`` of the model's ``fit``.

    Returns:
        The losses after each epoch in nats a token, "loss" and "val_loss".

    Raises:
        ValueError: where the loss became infinite or no number.
    """
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    batches = schedule.epochs * lanes.num_chunks
    model.compile(optimizer=schedule.optimizer(batches), loss=loss)
    told = _Told(progress, schedule.epochs)
    callbacks: list[keras.callbacks.Callback] = [told]
    if validation is not None:
        patience = schedule.epochs if schedule.patience is None else schedule.patience
        best = keras.callbacks.EarlyStopping(
            "val_loss", mode="min", patience=patience, restore_best_weights=True
        )
        callbacks.append(best)
    history = model.fit(
        lanes,
        epochs=schedule.epochs,
        verbose=0,
        callbacks=callbacks,
        validation_data=None if validation is None else (validation,),
        **checkpoint,
    )
    if told.astray:
        raise ValueError(
            f"the loss became {history.history['loss'][-1]} in epoch {told.astray}: the training "
            f"went astray. Take a lower learning_rate than {schedule.learning_rate:g}, or a lower "
            "clip"
        )
    return {name: list(map(float, values)) for name, values in history.history.items()}
