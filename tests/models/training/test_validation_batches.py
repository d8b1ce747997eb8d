"""Every validation sees the same batches."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers
from statewise.models.training import validation

X, Y = np.repeat(np.arange(5.0), 2)[:, None], np.zeros((10, 1))
LOSSES = (np.arange(5.0) ** 2).tolist()


class Five(keras.utils.PyDataset):
    def __len__(self):
        return 5

    def __getitem__(self, index):
        return X[2 * index : 2 * index + 2], Y[2 * index : 2 * index + 2]


def generator(forever=False):
    while True:
        for i in range(5):
            yield Five()[i]
        if not forever:
            return


def tf_data():
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, Y)).batch(2)


WAYS = {
    "arrays": lambda: (X, Y),
    "dataset": Five,
    "generator": generator,
    "endless generator": lambda: generator(forever=True),
    "tf.data": tf_data,
}


def val_losses(data, epochs=4, callbacks=None, **options):
    model = sw.Sequential(
        [layers.Input((1,)), layers.Dense(1, use_bias=False, kernel_initializer="ones")]
    )
    model.compile(keras.optimizers.SGD(0.0), "mse")
    options |= {"batch_size": 2, "epochs": epochs, "verbose": 0, "callbacks": callbacks}
    return model.fit(X, Y, validation_data=data, **options).history["val_loss"]


@pytest.mark.parametrize("steps", [1, 2, 3, 5])
@pytest.mark.parametrize("way", WAYS)
def test_the_first_batches_after_every_epoch(way, steps):
    assert val_losses(WAYS[way](), validation_steps=steps) == pytest.approx(
        [np.mean(LOSSES[:steps])] * 4
    )


@pytest.mark.parametrize("way", ["arrays", "dataset", "generator"])
def test_all_batches_after_every_epoch(way, recwarn):
    assert val_losses(WAYS[way]()) == pytest.approx([np.mean(LOSSES)] * 4)


def test_a_validation_that_was_stopped_is_gone_on_with():
    class Stop(keras.callbacks.Callback):
        def on_test_batch_end(self, batch, logs=None):
            self.model.stop_evaluating = batch == 0 and self.epoch == 0

        def on_epoch_begin(self, epoch, logs=None):
            self.epoch = epoch

    losses = val_losses(generator(), validation_steps=4, epochs=3, callbacks=[Stop()])
    assert losses == pytest.approx([LOSSES[0]] + [np.mean(LOSSES[:4])] * 2)


def test_batches_too_large_to_keep_are_told_of(monkeypatch):
    monkeypatch.setattr(validation, "WHOLE_LIMIT", 20)
    with pytest.warns(UserWarning, match="too large to be kept"):
        val_losses(generator(forever=True), validation_steps=4, epochs=2)


def test_validation_data_without_samples():
    with pytest.raises(ValueError, match="validation_data holds no samples"):
        val_losses((X[:0], Y[:0]))


def test_the_sequences_of_a_stateful_model_are_validated_side_by_side():
    # 64 sequences: cut into batches of 32, those of the second batch would go on from the
    # states of those of the first.
    x = np.random.default_rng(0).normal(size=(64, 3, 1)).astype("float32")
    y = x.sum(axis=1)
    model = sw.Sequential([layers.Input((3, 1)), layers.LSTM(2, stateful=True), layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.0), "mse")
    model.fit(x, y, epochs=1, verbose=0)
    expected = model.evaluate(x, y, verbose=0)
    model.reset_states()
    history = model.fit(x, y, epochs=1, validation_data=(x, y), verbose=0).history
    assert history["val_loss"] == pytest.approx([expected], rel=1e-5)
