"""Several epochs in one call, where nobody wants to be told between: the same as one by one."""

import keras
import numpy as np
import pytest

from statewise import Sequential, layers
from statewise.models.training import batches, fit, progress
from statewise.models.training.progress import Pace

SAMPLES, BATCH = 12, 4


class Asks(keras.callbacks.Callback):
    """Wants to be told of each epoch, and so keeps them apart."""

    def on_epoch_end(self, epoch, logs=None):
        """Do nothing."""


def trained(monkeypatch, epochs, *, apart, samples=SAMPLES, stateful=False, **options):
    """Return history, weights and state after a fit, and for how many epochs each call was."""
    keras.utils.set_random_seed(5)
    model = Sequential(
        [
            layers.Input(batch_shape=(BATCH if stateful else None, 3, 2)),
            layers.LSTM(3, stateful=stateful, dropout=0.2, seed=1, name="lstm"),
            layers.Dense(1),
        ]
    )
    model.compile(loss="mse", optimizer="adam", metrics=["mae"])
    calls, run = [], fit.train_piece

    def counted(model, programs, piece, span):
        calls.append(span.epochs)
        return run(model, programs, piece, span)

    monkeypatch.setattr(fit, "train_piece", counted)
    monkeypatch.setattr(progress, "SILENT", 1e6)  # however busy the machine is
    x = np.random.default_rng(0).normal(size=(samples, 3, 2)).astype("float32")
    callbacks = [Asks()] if apart else None
    history = model.fit(
        *(x, x[:, 0, :1]),
        **{"batch_size": BATCH, "epochs": epochs, "callbacks": callbacks, "verbose": 0} | options,
    )
    monkeypatch.undo()
    state = model.get_state() if stateful else {}
    return history, [*model.get_weights(), *(state["lstm"].values() if state else ())], calls


@pytest.mark.parametrize(
    ("options", "joined"),
    [
        ({"shuffle": False}, True),
        ({"shuffle": True}, True),
        ({"shuffle": "batch"}, True),
        ({"shuffle": False, "stateful": True}, True),
        ({"initial_epoch": 2}, True),
        ({"samples": SAMPLES + 1}, False),  # a rest of another size: two pieces an epoch
        ({"validation_split": 1 / 3}, False),
        ({"verbose": 2}, False),
    ],
    ids=str,
)
def test_the_same_history_and_weights_as_one_by_one(options, joined, monkeypatch, capsys):
    histories, weights, calls = [], [], []
    for apart in (False, True):
        history, arrays, spans = trained(monkeypatch, 7, apart=apart, **options)
        histories.append(history)
        weights.append(arrays)
        calls.append(spans)
    together, apart = histories
    assert together.epoch == apart.epoch
    assert together.history == apart.history
    for ours, theirs in zip(*weights, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert (max(calls[0]) > 1) == joined
    assert set(calls[1]) == {1}


def test_more_epochs_than_one_call_has_room_for(monkeypatch):
    epochs = batches.EPOCHS + 10
    history, _, calls = trained(monkeypatch, epochs, apart=False)
    assert history.epoch == list(range(epochs))
    assert sum(calls) == epochs
    assert max(calls) <= batches.EPOCHS
    other, _, _ = trained(monkeypatch, epochs, apart=True)
    assert history.history == other.history


def test_the_orders_of_many_samples_need_calls_of_fewer_epochs(monkeypatch):
    monkeypatch.setattr(batches, "ORDERS_LIMIT", 4 * 3 * SAMPLES)
    x = np.zeros((SAMPLES, 1), "float32")
    assert batches.Batches(x, batch_size=BATCH, shuffle=True).epochs_at_once == 3
    assert batches.Batches(x, batch_size=BATCH).epochs_at_once == batches.EPOCHS
    (piece,) = batches.Batches(x, batch_size=BATCH, shuffle=True).epoch(2)
    first, second, unused = np.asarray(piece.orders)
    assert sorted(first) == sorted(second) == list(range(SAMPLES))
    assert not unused.any()


def test_an_epoch_that_takes_long_is_not_joined_with_others():
    pace = Pace({BATCH: 0.3}, every_batch=False, shown=False)
    assert pace.epochs(BATCH, 2, 10) == 1
    assert Pace({BATCH: 0.1}, every_batch=False, shown=False).epochs(BATCH, 2, 10) == 5
    assert Pace({}, every_batch=False, shown=False).epochs(BATCH, 2, 10) == 1
