"""`units` is any whole number, NumPy's too, and nothing else."""

import inspect

import keras
import numpy as np
import pytest

from statewise import Sequential, layers

KINDS = ["SimpleRNN", "GRU", "LSTM", "SimpleRNNCell", "GRUCell", "LSTMCell"]


def whole(kind, units, **options):
    layer = getattr(layers, kind)(units, **options)
    return layers.RNN(layer) if kind.endswith("Cell") else layer


@pytest.mark.parametrize("units", [np.int8(100), np.array(3)], ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_whole_numbers_of_numpy(kind, units):
    layer = whole(kind, units)
    assert layer(np.ones((2, 4, 3), "float32")).shape == (2, units)
    model = Sequential([layers.Input((4, 3)), layers.Bidirectional(whole(kind, units))])
    assert keras.models.model_from_json(model.to_json()).output_shape == (None, 2 * int(units))


@pytest.mark.parametrize("units", [3.0, "3", None, True, np.True_, [3]], ids=repr)
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_whole_number_is_refused(kind, units):
    with pytest.raises(TypeError, match=r"units=.*: expected a whole number of units"):
        whole(kind, units)


@pytest.mark.parametrize("kind", KINDS)
def test_too_few(kind):
    with pytest.raises(ValueError, match="positive integer"):
        whole(kind, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_the_arguments_are_kerass(kind):
    ours, theirs = getattr(layers, kind), getattr(keras.layers, kind)
    assert inspect.signature(ours) == inspect.signature(theirs)
    layer = ours(units=3, name="by_name")
    assert (layer.units, layer.name) == (3, "by_name")
