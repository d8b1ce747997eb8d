"""Streams of networks with the layers that Keras hasn't: a step at a time is the whole sequence."""

import numpy as np
import pytest

from statewise import Sequential, layers
from statewise.pictures.sketch import model_from_sketch
from statewise.streams import Streams


@pytest.mark.parametrize(
    "line", ["MinGRU(3)", "MinLSTM(3)", "ProjectedLSTM(4, 3)", "LayerNormLSTM(3)"]
)
def test_steps_are_the_whole_sequence(line, rng):
    sketched = model_from_sketch(f"{line} | Dense(1)", (2, 6, 2))
    model = Sequential([layers.Input((None, 2)), *sketched.layers])
    x = rng.normal(size=(2, 6, 2)).astype("float32")
    streams, keys = Streams(model), ("a", "b")
    for t in range(6):
        found = streams.push(dict(zip(keys, x[:, t], strict=True)))
    expected = model.predict(x, verbose=0)
    for key, row in zip(keys, expected, strict=True):
        np.testing.assert_allclose(found[key], row, rtol=1e-5, atol=1e-6)
