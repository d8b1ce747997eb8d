"""Layers by their old names and arguments: today's layers are made, each spelling named once."""

import re
import warnings

import keras
import numpy as np
import pytest

import statewise
from statewise.interop import keras1
from statewise.interop.keras1 import OldSpellingWarning
from statewise.interop.keras1.layers import LSTM, Dense, Embedding, Input, TimeDistributed

old = pytest.warns(OldSpellingWarning)


def test_every_layer_is_there_and_makes_todays():
    made = keras1.layers.GRU(4, reset_after=False)
    assert type(made) is statewise.layers.GRU
    assert isinstance(made, keras1.layers.GRU)
    assert not isinstance(made, keras1.layers.LSTM)
    assert issubclass(keras1.layers.GRU, keras.layers.RNN)
    assert keras1.layers.Layer is keras.layers.Layer
    assert keras1.layers.Input is keras.layers.Input
    with pytest.raises(AttributeError, match="has no attribute 'LTSM'"):
        keras1.layers.LTSM(4)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (lambda: LSTM(4, batch_input_shape=(2, 3, 1)), (2, 3, 1)),
        (lambda: LSTM(4, batch_input_shape=[None, 3, 1]), (None, 3, 1)),
        (lambda: LSTM(4, input_shape=(None, 5)), (None, None, 5)),
        (lambda: LSTM(4, input_dim=5), (None, None, 5)),
        (lambda: LSTM(4, input_dim=5, input_length=3), (None, 3, 5)),
        (lambda: Dense(4, input_dim=5), (None, 5)),
        (lambda: Dense(4, input_shape=(5,)), (None, 5)),
        (lambda: Embedding(9, 4, input_length=7), (None, 7)),
        (lambda: Embedding(input_dim=9, output_dim=4, input_length=7), (None, 7)),
        (lambda: TimeDistributed(Dense(4), input_shape=(3, 5)), (None, 3, 5)),
        (lambda: keras1.layers.Bidirectional(LSTM(4), input_shape=(3, 5)), (None, 3, 5)),
        (lambda: keras1.layers.InputLayer(batch_input_shape=(2, 3, 1)), (2, 3, 1)),
    ],
)
def test_the_first_layer_says_the_shape_of_the_input(layer, shape):
    with old:
        first = layer()
    model = keras1.models.Sequential()
    model.add(first)
    model.add(Dense(1))
    assert model.input_shape == shape
    assert keras1.models.Sequential([first, Dense(1)]).input_shape == shape


def test_todays_sequential_understands_it_too():
    with old:
        model = statewise.Sequential([LSTM(4, batch_input_shape=(2, 3, 1)), Dense(1)])
    assert model.input_shape == (None, 3, 1)


def test_an_embedding_is_given_tokens():
    with old:
        model = keras1.models.Sequential([Embedding(9, 4, input_length=7)])
    assert model.inputs[0].dtype == "int32"


def test_a_shape_given_to_a_layer_that_is_called_is_not_looked_at():
    inputs = Input((5, 2))
    with old:
        outputs = LSTM(3, input_shape=(4, 7), return_sequences=True)(inputs)
    assert outputs.shape == (None, 5, 3)


@pytest.mark.parametrize(
    ("name", "arguments", "todays"),
    [
        (
            "LSTM",
            {
                "output_dim": 4,
                "init": "zeros",
                "inner_init": "ones",
                "inner_activation": "hard_sigmoid",
                "dropout_W": 0.1,
                "dropout_U": 0.2,
            },
            {
                "units": 4,
                "kernel_initializer": "zeros",
                "recurrent_initializer": "ones",
                "recurrent_activation": "hard_sigmoid",
                "dropout": 0.1,
                "recurrent_dropout": 0.2,
            },
        ),
        (
            "Dense",
            {"output_dim": 4, "bias": False, "W_regularizer": "l2"},
            {"units": 4, "use_bias": False, "kernel_regularizer": "l2"},
        ),
        (
            "Embedding",
            {"input_dim": 9, "output_dim": 4, "init": "zeros"},
            {"input_dim": 9, "output_dim": 4, "embeddings_initializer": "zeros"},
        ),
        ("Dropout", {"p": 0.25}, {"rate": 0.25}),
    ],
)
def test_the_names_of_keras_1_are_renamed(name, arguments, todays):
    with old:
        ours = getattr(keras1.layers, name)(**arguments, name="same")
    theirs = getattr(statewise.layers, name)(**todays, name="same")
    assert ours.get_config() == theirs.get_config()


def test_each_spelling_is_named_once_at_the_users_line():
    with pytest.warns(OldSpellingWarning) as caught:
        LSTM(4, batch_input_shape=(2, 3, 1))
    LSTM(4, batch_input_shape=(2, 3, 1))  # not said again
    Dense(4, batch_input_shape=(2, 3))
    (warning,) = caught
    assert warning.filename == __file__
    assert str(warning.message) == (
        "batch_input_shape= is an old spelling. Today: "
        "Sequential([Input(batch_shape=(2, 3, 1)), LSTM(...), ...]), or nothing at all where the "
        "layer is called on a tensor."
    )


def test_a_warning_that_was_raised_as_an_error_comes_again():
    for _ in range(2):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(OldSpellingWarning, match="input_shape= is an old spelling"):
                LSTM(4, input_shape=(3, 1))


def test_new_spellings_are_taken_without_a_word():
    LSTM(4, return_sequences=True, recurrent_activation="sigmoid")
    Embedding(input_dim=9, output_dim=4)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"unit": 4}, TypeError, "unit"),
        ({"units": 4, "input_shapes": (3, 1)}, ValueError, "Unrecognized keyword arguments"),
        ({"units": 4, "consume_less": "gpu"}, ValueError, "Unrecognized keyword arguments"),
        ({"units": 4, "output_dim": 4}, TypeError, "LSTM got both units and its old spelling"),
        (
            {"units": 4, "input_shape": (3, 1), "input_dim": 1},
            TypeError,
            "LSTM got input_shape and input_dim: the shape of the input is to be given once",
        ),
        ({"units": 4, "input_shape": 3}, TypeError, re.escape("a tuple such as (3, 1), but is 3")),
    ],
)
def test_what_is_wrong_is_refused(arguments, error, message):
    with pytest.raises(error, match=message):
        LSTM(**arguments)


def test_a_class_derived_from_an_old_name_takes_old_arguments():
    class Forgetful(LSTM):
        def reset_state(self, rows=None):
            super().reset_state()

    with old:
        layer = Forgetful(output_dim=4, input_shape=(3, 1))
    assert type(layer) is Forgetful
    assert isinstance(layer, LSTM)
    assert not isinstance(statewise.layers.LSTM(4), Forgetful)
    assert keras1.models.Sequential([layer]).output_shape == (None, 4)


@pytest.mark.parametrize(
    ("module", "name"),
    [
        ("embeddings", "Embedding"),
        ("recurrent", "LSTM"),
        ("wrappers", "TimeDistributed"),
        ("core", "Dense"),
    ],
)
def test_the_modules_that_old_code_imports_from(module, name):
    with pytest.warns(OldSpellingWarning, match=f"keras.layers.{module} is an old spelling"):
        layer = getattr(getattr(keras1.layers, module), name)
    assert layer is getattr(keras1.layers, name)
    with pytest.raises(AttributeError, match=f"keras1.layers.{module}' has no 'Danse'"):
        getattr(keras1.layers, module).Danse  # noqa: B018


def test_every_name_of_the_old_modules_exists():
    for module in ("core", "embeddings", "recurrent", "wrappers"):
        for name in getattr(keras1.layers, module).__all__:
            assert hasattr(keras1.layers, name), (module, name)


def test_a_folded_time_distributed_is_folded_still():
    layer = TimeDistributed(Dense(4))
    assert statewise.layers.time_distributed.folds(layer.layer)


def test_other_names_are_keras_own():
    assert keras1.callbacks.EarlyStopping is keras.callbacks.EarlyStopping
    with pytest.raises(AttributeError, match="no attribute 'lairs', nor has Keras"):
        keras1.lairs  # noqa: B018


def test_old_and_new_layers_compute_the_same(rng):
    with old:
        model = keras1.models.Sequential([LSTM(4, input_shape=(3, 2), stateful=True), Dense(1)])
    today = statewise.Sequential([statewise.layers.Input((3, 2)), statewise.layers.LSTM(4)])
    today.add(statewise.layers.Dense(1))
    today.set_weights(model.get_weights())
    x = rng.normal(size=(6, 3, 2)).astype("float32")
    np.testing.assert_array_equal(model.predict(x, verbose=0), today.predict(x, verbose=0))
