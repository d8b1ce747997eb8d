"""The recurrent layers against Keras's own: the same arguments, weights and inputs.

Where Keras 3.15.1 itself is at fault on JAX, a comment says so, and the test holds ours to what
Keras does elsewhere:

* ``unroll=True`` with a mask: ``zero_output_for_mask`` is not looked at, and the output of masked
  steps at the start is zero instead of the given initial state. Its loop without unrolling is
  right.
* ``implementation=1`` with dropout: the layer's attempt to reach cuDNN takes the list of masks
  for one mask and fails, on a CPU too; ``use_cudnn=False`` spares it the attempt.
* pure ``bfloat16``: the default initializer of the recurrent kernel (a QR decomposition) does not
  work, so the tests take another.
"""

import keras
import numpy as np
import pytest

from all_pairs import all_pairs
from parity import assert_same, call, copy_weights, randomise
from statewise import layers

FEATURES = 2
OPTIONS = {
    "units": [3, 1],
    "time": [5, 1],
    "batch": [4, 1],
    "activation": ["tanh", "relu", None],
    "use_bias": [True, False],
    "dtype": ["float32", "bfloat16", "mixed_bfloat16"],
    "return_sequences": [False, True],
    "return_state": [False, True],
    "go_backwards": [False, True],
    "unroll": [False, True],
    "mask": [None, "random", "right-padded", "fully masked row"],
    "zero_output_for_mask": [False, True],
    "given_state": [False, True],
    "dropout": [0.0, 0.4],
    "recurrent_dropout": [0.0, 0.3],
    "training": [True, False],
}
GATED = {
    "recurrent_activation": ["sigmoid", "hard_sigmoid"],
    "implementation": [2, 1],
}
CASES = [
    pytest.param(name, row, id=f"{name}-{n}")
    for name, options in {
        "SimpleRNN": OPTIONS,
        "GRU": OPTIONS | GATED | {"reset_after": [True, False]},
        "LSTM": OPTIONS | GATED,
    }.items()
    for n, row in enumerate(all_pairs(options))
]


def mask_of(kind, batch, time, rng):
    mask = rng.random((batch, time)) < 0.6
    match kind:
        case None:
            return None
        case "right-padded":
            mask = np.arange(time) < rng.integers(1, time + 1, size=(batch, 1))
        case "fully masked row":
            mask[-1] = False
    return mask


@pytest.mark.parametrize(("name", "options"), CASES)
def test_a_layer_computes_what_keras_does(name, options, rng):
    options = options | {"kernel_initializer": "zeros", "recurrent_initializer": "zeros"}
    batch, time = options.pop("batch"), options.pop("time")
    mask = mask_of(options.pop("mask"), batch, time, rng)
    given_state, training = options.pop("given_state"), options.pop("training")

    ours = getattr(layers, name)(**options, seed=5)
    if mask is not None:
        options["unroll"] = False  # see the module's docstring
    theirs = getattr(keras.layers, name)(**options, seed=5)
    theirs.use_cudnn = False
    for layer in (ours, theirs):
        layer.build((batch, time, FEATURES))
    randomise(theirs, rng)
    copy_weights(theirs, ours)

    x = rng.normal(size=(batch, time, FEATURES)).astype("float32")
    state = None
    if given_state:
        size = (batch, options["units"])
        state = [rng.normal(size=size).astype("float32") for _ in range(1 + (name == "LSTM"))]
    kwargs = {"state": state, "mask": mask, "training": training}
    assert_same(call(ours, x, **kwargs), call(theirs, x, **kwargs))
