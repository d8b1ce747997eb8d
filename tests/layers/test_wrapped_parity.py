"""Layers made of other layers and cells, against Keras's: `RNN` over cells, `Bidirectional`.

Where Keras 3.15.1 itself is at fault on JAX:

* ``RNN`` over a list of one cell fails: the state comes out of the step in another structure.
* `Bidirectional` with ``return_state``, stateful and with a mask fails on its second call.
* an unrolled loop with a mask: see ``test_parity``.
"""

import jax
import keras
import numpy as np
import pytest

from all_pairs import all_pairs
from layer_registry import FEATURES, LAYERS
from parity import assert_same, call, copy_weights, randomise
from statewise import layers

BATCH, TIME = 3, 5
OPTIONS = {
    "mask": [None, "random", "fully masked row"],
    "return_sequences": [True, False],
    "return_state": [False, True],
    "go_backwards": [False, True],
    "zero_output_for_mask": [False, True],
    "given_state": [False, True],
    "unroll": [False, True],
    "cell": [
        "stack",
        "stack of single states",
        "cell of the user's own",
        "stack with the user's own",
    ],
}
BOTH_WAYS = {
    "merge_mode": ["concat", "sum", "mul", "ave", None],
    "layer": ["LSTM", "GRU"],
    "mask": [None, "fully masked row"],
    "return_sequences": [True, False],
    "return_state": [False, True],
    "given_state": [False, True],
    "dropout": [0.0, 0.4],
}


def agree(ours, theirs, mask, given_state, rng, *, ways=1):
    """Fail unless two layers of the same weights compute the same."""
    for layer in (ours, theirs):
        layer.build((BATCH, TIME, FEATURES))
    randomise(theirs, rng)
    copy_weights(theirs, ours)
    x = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    valid = None if mask is None else rng.random((BATCH, TIME)) < 0.6
    if mask == "fully masked row":
        valid[-1] = False
    state = None
    if given_state:
        one_way = ours if ways == 1 else ours.forward_layer
        zeros = [*one_way.get_initial_state(BATCH)] * ways
        state = jax.tree.map(lambda a: rng.uniform(0.5, 1.5, a.shape).astype("float32"), zeros)
    kwargs = {"state": state, "mask": valid, "training": True}
    assert_same(call(ours, x, **kwargs), call(theirs, x, **kwargs))


@pytest.mark.parametrize("options", all_pairs(OPTIONS))
def test_any_cell(options, rng):
    options = dict(options)
    name, mask, given_state = (options.pop(key) for key in ("cell", "mask", "given_state"))
    ours = LAYERS[name].make(layers, **options)
    if mask is not None:
        options["unroll"] = False  # Keras's unrolled loop forgets the state of masked steps
    theirs = LAYERS[name].make(keras.layers, **options)
    agree(ours, theirs, mask, given_state, rng)


@pytest.mark.parametrize("options", all_pairs(BOTH_WAYS))
def test_both_ways(options, rng):
    options = dict(options)
    mask, given_state = options.pop("mask"), options.pop("given_state")
    layer, merge_mode = options.pop("layer"), options.pop("merge_mode")
    ours, theirs = (
        module.Bidirectional(getattr(module, layer)(2, seed=3, **options), merge_mode=merge_mode)
        for module in (layers, keras.layers)
    )
    agree(ours, theirs, mask, given_state, rng, ways=2)


def test_a_backward_layer_of_another_kind(rng):
    ours, theirs = (
        module.Bidirectional(
            module.LSTM(2, return_sequences=True),
            backward_layer=module.GRU(3, return_sequences=True, go_backwards=True),
        )
        for module in (layers, keras.layers)
    )
    agree(ours, theirs, "random", False, rng)


@pytest.mark.parametrize("name", ["SimpleRNN", "GRU"])
def test_dropout_within_a_stack_draws_the_same_numbers(name, rng):
    def stack(module):
        cell = getattr(module, f"{name}Cell")
        rates = {"dropout": 0.4, "recurrent_dropout": 0.3}
        return module.RNN([cell(3, seed=1, **rates), cell(2, seed=2, **rates)])

    agree(stack(layers), stack(keras.layers), "random", False, rng)


def test_a_list_of_one_cell_is_that_cell(rng):
    listed, alone = layers.RNN([layers.LSTMCell(3)]), layers.RNN(layers.LSTMCell(3))
    agree(listed, alone, "random", False, rng)


def test_both_ways_stateful_with_masks(rng):
    layer = layers.Bidirectional(
        layers.LSTM(2, return_sequences=True, return_state=True, stateful=True)
    )
    x = rng.normal(size=(BATCH, TIME, FEATURES)).astype("float32")
    x[:, -1] = 0
    masked = keras.layers.Masking()(x)
    for _ in range(2):
        output, *state = layer(masked)
        np.testing.assert_array_equal(output._keras_mask, masked._keras_mask)
        assert not any(hasattr(array, "_keras_mask") for array in state)
    for variable, array in zip(layer.states, state, strict=True):
        np.testing.assert_array_equal(variable.value, array)


@pytest.mark.parametrize("merge_mode", ["concat", None])
@pytest.mark.parametrize("return_state", [False, True])
@pytest.mark.parametrize("return_sequences", [False, True])
def test_the_masks_of_both_ways_are_kerass(merge_mode, return_state, return_sequences):
    mask = keras.KerasTensor((None, TIME), "bool")
    masks = []
    for module in (layers, keras.layers):
        inner = module.GRU(2, return_state=return_state, return_sequences=return_sequences)
        layer = module.Bidirectional(inner, merge_mode=merge_mode)
        found = [m for m in keras.tree.flatten(layer.compute_mask(None, mask)) if m is not None]
        masks.append(found)
    assert [*map(id, masks[0])] == [*map(id, masks[1])]
