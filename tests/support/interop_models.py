"""The models that every way in and out is tried on, each described once, by Keras's face alone.

``make(K)`` builds a model with what ``K`` has: stock Keras 3, Keras 2 (``tf_keras``) or this
package (`OURS` of `interop_ways`); so this module imports none of them.
"""

import zlib
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

STEPS, BATCH, WORDS = 6, 3, 11
KINDS = ("SimpleRNN", "GRU", "LSTM")


class Case(NamedTuple):
    """A model and what it is shown.

    Attributes:
        make: takes the library, returns the model.
        inputs: the shape of each input, without the samples: two numbers for values, one for words.
        stateful: whether the state is carried, so that it's shown two batches in a row.
    """

    make: Callable[[Any], Any]
    inputs: tuple[tuple[int, ...], ...] = ((STEPS, 4),)
    stateful: bool = False


def stack(*layers: Callable[[Any], Any], inputs=(STEPS, 4), stateful: bool = False) -> Case:
    """Describe a model of layers one upon the other, each a function of the library's layers."""

    def make(K):
        size = BATCH if stateful else None
        dtype = {"dtype": "int32"} if len(inputs) == 1 else {}
        first = K.layers.Input(shape=inputs, batch_size=size, **dtype)
        return K.Sequential([first, *(layer(K.layers) for layer in layers)])

    return Case(make, (inputs,), stateful)


def graph(connect: Callable, *inputs: tuple[int, ...]) -> Case:
    """Describe a functional model; ``connect`` takes the layers and the inputs, returns outputs."""

    def make(K):
        kinds = [{"dtype": "int32"} if len(shape) == 1 else {} for shape in inputs]
        tensors = [K.layers.Input(shape=s, **k) for s, k in zip(inputs, kinds, strict=True)]
        outputs = connect(K.layers, *tensors)
        return K.Model(tensors[0] if len(tensors) == 1 else tensors, outputs)

    return Case(make, inputs)


def _one(kind: str, units: int = 5, **options) -> Callable[[Any], Any]:
    return lambda L: getattr(L, kind)(units, **options)


def _dense(units: int = 2, **options) -> Callable[[Any], Any]:
    return lambda L: L.Dense(units, **options)


def _both(kind: str, merge="concat", **options) -> Callable[[Any], Any]:
    return lambda L: L.Bidirectional(getattr(L, kind)(5, **options), merge_mode=merge)


def _words(L):
    return L.Embedding(WORDS, 4, mask_zero=True)


def _every_step(L):
    return L.TimeDistributed(L.Dense(3, activation="softmax"))


def _encoder_decoder(kind: str):
    def connect(L, known, wanted):
        _, *state = getattr(L, kind)(5, return_state=True)(known)
        return L.Dense(2)(getattr(L, kind)(5, return_sequences=True)(wanted, initial_state=state))

    return graph(connect, (STEPS, 4), (4, 2))


def _encoder_both_ways(L, known, wanted):
    _, *states = L.Bidirectional(L.LSTM(3, return_state=True))(known)
    state = [L.Concatenate()(states[0::2]), L.Concatenate()(states[1::2])]
    return L.LSTM(6, return_sequences=True)(wanted, initial_state=state)


def _shared(L, one, other):
    layer = L.LSTM(5)
    return L.Dense(1)(L.Concatenate()([layer(one), layer(other)]))


def _nested(K):
    inner_input = K.layers.Input(shape=(STEPS, 4))
    inner = K.Model(inner_input, K.layers.GRU(5, return_sequences=True)(inner_input), name="inner")
    outer = K.layers.Input(shape=(STEPS, 4))
    return K.Model(outer, K.layers.LSTM(3)(inner(outer)))


def _nested_twice(K):
    L = K.layers
    inner = K.Sequential([L.Input(shape=(STEPS, 4)), L.LSTM(5), L.Dense(3)], name="inner")
    one, other = L.Input(shape=(STEPS, 4)), L.Input(shape=(STEPS, 4))
    return K.Model([one, other], L.Concatenate()([inner(one), inner(other)]))


def _attention(L, x):
    found = L.LSTM(4, return_sequences=True)(x)
    return L.Dense(2)(L.GlobalAveragePooling1D()(L.Attention()([found, found])))


def _residual(L, x):
    return L.Add()([x, L.GRU(4, return_sequences=True)(x)])


CASES: dict[str, Case] = {}
for _kind in KINDS:
    CASES |= {
        f"{_kind}": stack(_one(_kind), _dense()),
        f"{_kind}, every step": stack(_one(_kind, return_sequences=True)),
        f"{_kind}, backwards": stack(_one(_kind, go_backwards=True)),
        f"{_kind}, backwards, every step": stack(
            _one(_kind, go_backwards=True, return_sequences=True)
        ),
        f"{_kind}, no bias": stack(_one(_kind, use_bias=False)),
        f"{_kind}, with its state": graph(
            lambda L, x, kind=_kind: getattr(L, kind)(5, return_state=True)(x), (STEPS, 4)
        ),
        f"{_kind}, stateful": stack(_one(_kind, stateful=True), stateful=True),
        f"{_kind}, unrolled": stack(_one(_kind, unroll=True)),
        f"{_kind} on {_kind}": stack(_one(_kind, return_sequences=True), _one(_kind, 3)),
        f"{_kind}, both ways": stack(_both(_kind)),
        f"{_kind}, both ways, every step": stack(_both(_kind, return_sequences=True), _dense()),
        f"{_kind} of words, masked": stack(_words, _one(_kind), _dense(), inputs=(STEPS,)),
        f"{_kind} of a cell": stack(lambda L, kind=_kind: L.RNN(getattr(L, f"{kind}Cell")(5))),
        f"{_kind}, relu": stack(_one(_kind, activation="relu")),
    }
CASES |= {
    "GRU, encoder and decoder": _encoder_decoder("GRU"),
    "LSTM, encoder and decoder": _encoder_decoder("LSTM"),
    "LSTM, encoder both ways": graph(_encoder_both_ways, (STEPS, 4), (4, 2)),
    "GRU, reset before": stack(_one("GRU", reset_after=False)),
    "GRU, reset before, every step": stack(_one("GRU", reset_after=False, return_sequences=True)),
    "GRU, reset before, no bias": stack(_one("GRU", reset_after=False, use_bias=False)),
    "GRU, reset before, both ways": stack(_both("GRU", reset_after=False)),
    "LSTM, hard_sigmoid": stack(_one("LSTM", recurrent_activation="hard_sigmoid")),
    "GRU, hard_sigmoid": stack(_one("GRU", recurrent_activation="hard_sigmoid")),
    "GRU, reset before, hard_sigmoid": stack(
        _one("GRU", reset_after=False, recurrent_activation="hard_sigmoid")
    ),
    "LSTM, softsign": stack(_one("LSTM", activation="softsign")),
    "GRU, elu": stack(_one("GRU", activation="elu")),
    "SimpleRNN, linear": stack(_one("SimpleRNN", activation="linear")),
    "LSTM, GRU, SimpleRNN": stack(
        _one("LSTM", return_sequences=True),
        _one("GRU", 4, return_sequences=True),
        _one("SimpleRNN"),
    ),
    "three LSTMs": stack(
        _one("LSTM", return_sequences=True), _one("LSTM", 4, return_sequences=True), _one("LSTM", 3)
    ),
    "stateful stack, every step": stack(
        _one("LSTM", stateful=True, return_sequences=True),
        _one("GRU", 3, stateful=True, return_sequences=True),
        _dense(),
        stateful=True,
    ),
    "both ways, summed": stack(_both("LSTM", "sum")),
    "both ways, multiplied": stack(_both("GRU", "mul")),
    "both ways, averaged": stack(_both("LSTM", "ave", return_sequences=True)),
    "both ways, apart": graph(
        lambda L, x: L.Bidirectional(L.GRU(5), merge_mode=None)(x), (STEPS, 4)
    ),
    "both ways, with states": graph(
        lambda L, x: L.Bidirectional(L.LSTM(5, return_state=True))(x), (STEPS, 4)
    ),
    "both ways, another layer back": stack(
        lambda L: L.Bidirectional(L.LSTM(5), backward_layer=L.LSTM(3, go_backwards=True))
    ),
    "both ways on both ways": stack(_both("LSTM", return_sequences=True), _both("GRU")),
    "both ways, masked": stack(_words, _both("LSTM"), _dense(), inputs=(STEPS,)),
    "words, backwards, masked": stack(_words, _one("LSTM", go_backwards=True), inputs=(STEPS,)),
    "words to a word each": stack(
        _words, _one("GRU", return_sequences=True), _every_step, inputs=(STEPS,)
    ),
    "Masking": stack(lambda L: L.Masking(0.0), _one("LSTM", return_sequences=True)),
    "zero outputs where masked": stack(
        _words,
        lambda L: L.RNN(L.GRUCell(5), return_sequences=True, zero_output_for_mask=True),
        inputs=(STEPS,),
    ),
    "TimeDistributed": stack(_one("LSTM", return_sequences=True), _every_step),
    "TimeDistributed over an LSTM": stack(
        lambda L: L.TimeDistributed(L.LSTM(4)), _one("GRU"), inputs=(3, STEPS, 2)
    ),
    "RepeatVector": stack(
        _one("LSTM"), lambda L: L.RepeatVector(4), _one("LSTM", 3, return_sequences=True)
    ),
    "two inputs": graph(
        lambda L, a, b: L.Dense(2)(L.Concatenate()([L.LSTM(5)(a), L.GRU(3)(b)])),
        (STEPS, 4),
        (4, 2),
    ),
    "two outputs": graph(
        lambda L, x: [L.Dense(2)(L.LSTM(5)(x)), L.Dense(3)(L.GRU(4)(x))], (STEPS, 4)
    ),
    "a shared layer": graph(_shared, (STEPS, 4), (STEPS, 4)),
    "a model within": Case(_nested),
    "a model within, twice": Case(_nested_twice, ((STEPS, 4), (STEPS, 4))),
    "a stack of cells": stack(lambda L: L.RNN([L.GRUCell(5), L.LSTMCell(3), L.SimpleRNNCell(4)])),
    "a state given": graph(
        lambda L, x, h: L.GRU(5)(x, initial_state=L.Dense(5)(L.Flatten()(h))), (STEPS, 4), (1, 3)
    ),
    "dropout": stack(
        _one("LSTM", dropout=0.2, recurrent_dropout=0.3, return_sequences=True),
        lambda L: L.Dropout(0.4),
        _one("GRU"),
    ),
    "regularizers and constraints": stack(
        _one("LSTM", kernel_regularizer="l2", recurrent_constraint="max_norm"), _dense()
    ),
    "LayerNormalization between": stack(
        _one("LSTM", return_sequences=True), lambda L: L.LayerNormalization(), _one("GRU")
    ),
    "BatchNormalization between": stack(
        _one("LSTM", return_sequences=True), lambda L: L.BatchNormalization(), _one("GRU")
    ),
    "Conv1D below": stack(
        lambda L: L.Conv1D(6, 3, padding="same", activation="relu"),
        lambda L: L.MaxPooling1D(2),
        _one("LSTM"),
    ),
    "attention above": graph(_attention, (STEPS, 4)),
    "residual": graph(_residual, (STEPS, 4)),
    "one unit, one feature": stack(_one("LSTM", 1), _dense(1), inputs=(STEPS, 1)),
    "one step": stack(_one("LSTM"), inputs=(1, 4)),
    "any number of steps": stack(_one("GRU", return_sequences=True), inputs=(None, 4)),
}


def arrays(name: str) -> list[list[np.ndarray]]:
    """Return what a model is shown: for each call an array for each input; the same every time."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    return [
        [_values(rng, shape) for shape in CASES[name].inputs]
        for _ in range(2 if CASES[name].stateful else 1)
    ]


def _values(rng, shape) -> np.ndarray:
    size = (BATCH, *(STEPS if n is None else n for n in shape))
    if len(shape) > 1:
        values = rng.normal(size=size).astype("float32")
        values[0, -1] = 0.0  # a step that Masking passes over
        return values
    words = rng.integers(1, WORDS, size)
    words[1, -2:] = words[2, 1:] = 0  # padding, on the right
    return words.astype("int32")


def randomise(model, name: str) -> None:
    """Give a model of any library random weights without any symmetry; the same every time."""
    rng = np.random.default_rng(zlib.crc32(name.encode()) + 1)
    weights = []
    for variable, value in zip(model.weights, model.get_weights(), strict=True):
        new = rng.normal(scale=0.5, size=value.shape)
        new = np.abs(new) + 0.2 if "variance" in variable.name else new
        weights.append(new.astype(value.dtype))
    model.set_weights(weights)


def outputs(model, name: str) -> list[np.ndarray]:
    """Return all that a model of Keras's face puts out for `arrays`, one array after another."""
    found = []
    for batch in arrays(name):
        returned = model(batch[0] if len(batch) == 1 else batch)
        returned = returned if isinstance(returned, (list, tuple)) else [returned]
        found += [np.asarray(one) for one in returned]
    return found


def difference(got: list[np.ndarray], expected: list[np.ndarray]) -> float:
    """Return the largest difference, as a part of the largest number expected."""
    assert [a.shape for a in got] == [b.shape for b in expected]
    scale = max(np.abs(b).max() for b in expected)
    return max(
        float(np.abs(a.astype("float64") - b).max()) for a, b in zip(got, expected, strict=True)
    ) / float(scale)
