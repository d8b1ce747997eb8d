"""Optimizers by their old arguments, the falling learning rate by numbers."""

import keras
import numpy as np
import pytest

import statewise
from statewise.interop import keras1
from statewise.interop.keras1 import OldSpellingWarning
from statewise.interop.keras1.optimizers import SGD, Adam

old = pytest.warns(OldSpellingWarning)


@pytest.mark.parametrize(
    "name", ["Adam", "SGD", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam"]
)
def test_the_optimizers_are_there_and_make_todays(name):
    with old:
        made = getattr(keras1.optimizers, name)(lr=0.25, clipnorm=1.0)
    today = getattr(keras.optimizers, name)
    assert type(made) is today
    assert isinstance(made, getattr(keras1.optimizers, name))
    theirs = today(learning_rate=0.25, clipnorm=1.0, name=made.name)
    assert made.get_config() == theirs.get_config()


def test_each_spelling_is_named_once_at_the_users_line():
    with pytest.warns(OldSpellingWarning) as caught:
        Adam(lr=0.009, beta_1=0.9, beta_2=0.999, epsilon=None, decay=0.01, amsgrad=False)
    Adam(lr=0.009, epsilon=None, decay=0.01)  # not said again
    assert [warning.filename for warning in caught] == [__file__] * 3
    assert [str(warning.message) for warning in caught] == [
        "lr= is an old spelling. Today: learning_rate=.",
        "epsilon=None is an old spelling. Today: leave epsilon out, or write "
        "epsilon=keras.config.epsilon().",
        "decay= is an old spelling. Today: "
        "learning_rate=keras.optimizers.schedules.InverseTimeDecay(0.009, decay_steps=1, "
        "decay_rate=0.01), or leave it out where it is 0.",
    ]


def test_no_epsilon_means_keras_own():
    with old:
        assert Adam(epsilon=None).epsilon == keras.config.epsilon()
    assert Adam(epsilon=1e-3).epsilon == 1e-3


def test_the_learning_rate_falls_as_in_keras_1():
    # One weight and a gradient of 1: each update takes lr / (1 + decay * iterations) off it.
    lr, decay, updates = 0.5, 0.3, 7
    model = statewise.Sequential(
        [statewise.layers.Input((1,)), statewise.layers.Dense(1, use_bias=False)]
    )
    model.set_weights([np.zeros((1, 1))])
    with old:
        model.compile(loss=lambda y, y_pred: y_pred, optimizer=SGD(lr=lr, decay=decay))
    seen = []
    for _ in range(updates):
        before = model.get_weights()[0].item()
        model.fit(np.ones((1, 1)), np.ones((1, 1)), verbose=0)
        seen.append(before - model.get_weights()[0].item())
    np.testing.assert_allclose(seen, [lr / (1 + decay * i) for i in range(updates)], rtol=1e-5)


def test_the_learning_rate_falls_from_the_default_one():
    with old:
        optimizer = SGD(decay=1.0)
    optimizer.iterations.assign(3)
    assert float(optimizer.learning_rate) == pytest.approx(0.01 / 4)


def test_a_decay_of_zero_leaves_a_number():
    with old:
        optimizer = SGD(0.25, momentum=0.9, decay=0.0)
    assert optimizer.get_config()["learning_rate"] == 0.25
    assert optimizer.momentum == 0.9


def test_new_spellings_are_taken_without_a_word():
    schedule = keras1.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    assert isinstance(Adam(schedule, beta_1=0.8), keras.optimizers.Adam)
    assert keras1.optimizers.get is keras.optimizers.get


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: Adam(rate=0.1), ValueError, "not recognized"),
        (lambda: Adam(lr=0.1, learning_rate=0.1), TypeError, "Adam got both learning_rate"),
        (lambda: SGD(0.1, 0.9, 1e-6, True), TypeError, "SGD got 4 arguments without a name"),
        (
            lambda: SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 9, 0.9), decay=0.1),
            TypeError,
            "decay needs a number to begin with",
        ),
    ],
)
def test_what_is_wrong_is_refused(make, error, message):
    with pytest.raises(error, match=message):
        make()


def test_a_missing_optimizer_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'Adamm'"):
        keras1.optimizers.Adamm()
