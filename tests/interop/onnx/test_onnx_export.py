"""Models as ONNX files: what ONNX Runtime computes from them is what the model computes."""

import itertools

import keras
import numpy as np
import pytest

from some_slow import some_slow
from statewise import Model, Sequential, layers

onnx = pytest.importorskip("onnx", reason="needs onnx")
runtime = pytest.importorskip("onnxruntime", reason="needs onnxruntime")

KINDS = {"LSTM": "LSTM", "GRU": "GRU", "SimpleRNN": "RNN"}
OPERATORS = {"LSTM", "GRU", "RNN", "Scan", "Loop", "If"}


def randomised(model, seed=0):
    rng = np.random.default_rng(seed)
    weights = []
    for variable in model.weights:
        drawn = rng.normal(size=variable.shape).astype("float32") / 2
        weights.append(abs(drawn) if "variance" in variable.path else drawn)
    model.set_weights(weights)
    return model


def session(path):
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


def operators(path):
    return [node.op_type for node in onnx.load(path).graph.node if node.op_type in OPERATORS]


def assert_same(model, arrays, tmp_path, *, tolerance=2e-6):
    """Export a model and compare its outputs; return the operators that recur."""
    path = tmp_path / "model.onnx"
    randomised(model).export(path)
    found = session(path)
    got = found.run(None, dict(zip([i.name for i in found.get_inputs()], arrays, strict=True)))
    expected = model.predict(arrays if len(arrays) > 1 else arrays[0], verbose=0)
    expected = keras.tree.flatten(expected)
    for ours, theirs in zip(got, expected, strict=True):
        limit = tolerance * max(1.0, np.abs(theirs).max())
        np.testing.assert_allclose(ours, theirs, atol=limit, rtol=0)
    return operators(path)


def sequences(batch=4, time=7, features=3, seed=1):
    return np.random.default_rng(seed).normal(size=(batch, time, features)).astype("float32")


def with_gaps():
    """Return sequences whose steps of zeros lie behind, in front, within, and everywhere."""
    x = sequences()
    x[0, 5:], x[1, :3], x[2, [1, 4]], x[3] = 0, 0, 0, 0
    return x


CASES = list(itertools.product(KINDS, *[(False, True)] * 4))
ALWAYS = [("LSTM", True, True, True, True), ("GRU", False, False, False, True)]


@pytest.mark.parametrize(
    ("kind", "all_steps", "backwards", "bias", "masked"),
    [case if case in ALWAYS else pytest.param(*case, marks=pytest.mark.slow) for case in CASES],
)
def test_one_layer(kind, all_steps, backwards, bias, masked, tmp_path):
    options = {"return_sequences": all_steps, "use_bias": bias}
    layer = getattr(layers, kind)(4, go_backwards=backwards, **options)
    before = [layers.Masking()] if masked else []
    x = with_gaps() if masked else sequences()
    one = Sequential([layers.Input((None, 3)), *before, layer])
    assert assert_same(one, [x], tmp_path) == [KINDS[kind]]
    if not backwards:
        both = layers.Bidirectional(getattr(layers, kind)(4, **options))
        two = Sequential([layers.Input((None, 3)), *before, both])
        assert assert_same(two, [x], tmp_path) == [KINDS[kind]]


@pytest.mark.slow
@pytest.mark.parametrize(
    "activation",
    ["relu", "linear", "hard_sigmoid", "elu", "softsign", "softplus", "leaky_relu"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_activations_of_the_operators(kind, activation, tmp_path):
    layer = getattr(layers, kind)(4, activation=activation)
    model = Sequential([layers.Input((None, 3)), layer])
    assert assert_same(model, [sequences()], tmp_path) == [KINDS[kind]]


@pytest.mark.slow
@pytest.mark.parametrize("gates", ["hard_sigmoid", "tanh", "old"])
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_activations_of_the_gates(kind, gates, tmp_path):
    from statewise.recurrence.activations import old_hard_sigmoid

    gates = old_hard_sigmoid if gates == "old" else gates
    layer = getattr(layers, kind)(4, activation="softsign", recurrent_activation=gates)
    assert_same(Sequential([layers.Input((None, 3)), layer]), [sequences()], tmp_path)


def encoder_decoder():
    x, y = layers.Input((None, 3), name="known"), layers.Input((None, 2), name="given")
    _, *state = layers.LSTM(4, return_state=True)(x)
    decoded = layers.LSTM(4, return_sequences=True)(y, initial_state=state)
    return Model([x, y], [layers.Dense(2)(decoded), *state])


def shared():
    x, y = layers.Input((None, 3)), layers.Input((None, 3))
    gru = layers.GRU(4)
    return Model([x, y], layers.Subtract()([gru(x), gru(y)]))


def nested():
    inner = Sequential([layers.Input((None, 3)), layers.GRU(4, return_sequences=True)])
    x = layers.Input((None, 3))
    return Model(x, layers.Concatenate()([inner(x), x]))


def tokens():
    return np.array([[3, 1, 0, 0], [1, 2, 3, 4], [0, 0, 1, 2], [0, 0, 0, 0]], "int32")


def stack(*of, shape=(None, 3), **options):
    return Sequential([layers.Input(shape, **options), *of])


L = layers
MODELS = {
    "encoder and decoder": (encoder_decoder, [sequences(), sequences(time=5, features=2)], 2),
    "a shared layer": (shared, [sequences(), sequences(time=3, seed=5)], 2),
    "a nested model": (nested, [sequences()], 1),
    "reset before": (lambda: stack(L.GRU(4, reset_after=False)), [sequences()], 1),
    "cells": (lambda: stack(L.RNN([L.LSTMCell(3), L.GRUCell(2)])), [sequences()], 2),
    "words": (
        lambda: stack(
            L.Embedding(5, 3, mask_zero=True),
            L.LSTM(4, return_sequences=True),
            L.TimeDistributed(L.Dense(3, activation="softmax")),
            shape=(None,),
        ),
        [tokens()],
        1,
    ),
    "words both ways": (
        lambda: stack(
            L.Embedding(5, 3, mask_zero=True),
            L.Bidirectional(L.LSTM(4, return_sequences=True), merge_mode="ave"),
            L.GRU(3),
            shape=(None,),
            dtype="int32",
        ),
        [tokens()],
        2,
    ),
    "convolutions": (
        lambda: stack(
            L.Conv1D(4, 3, padding="causal", activation="relu", dilation_rate=2),
            L.BatchNormalization(),
            L.Conv1D(4, 4, padding="same"),
            L.MaxPooling1D(2),
            L.LSTM(4, return_sequences=True),
            L.LayerNormalization(),
            L.Flatten(),
            L.Dense(2, activation="gelu"),
            shape=(7, 3),
        ),
        [sequences()],
        1,
    ),
    "repeated": (
        lambda: stack(
            L.LSTM(4),
            L.RepeatVector(5),
            L.GRU(3, return_sequences=True, dropout=0.2),
            L.Dropout(0.3),
            L.TimeDistributed(L.Dense(2, activation="silu")),
        ),
        [sequences()],
        2,
    ),
    "a masked mean": (
        lambda: stack(
            L.Embedding(5, 3, mask_zero=True),
            L.GRU(4, return_sequences=True),
            L.GlobalAveragePooling1D(),
            shape=(None,),
        ),
        [tokens()[:3]],
        1,
    ),
}


@pytest.mark.parametrize("name", some_slow(MODELS, 7))
def test_networks(name, tmp_path):
    make, arrays, count = MODELS[name]
    found = assert_same(make(), arrays, tmp_path)
    assert len(found) == count
    assert not {"Scan", "Loop", "If"} & set(found)


SCANNED = {
    "MinGRU": ("MinGRU", {}),
    "MinLSTM": ("MinLSTM", {"activation": "tanh", "use_bias": False}),
    "ProjectedLSTM": ("ProjectedLSTM", {"projection": 3, "activation": "gelu"}),
    "LayerNormLSTM": ("LayerNormLSTM", {"recurrent_activation": "hard_sigmoid"}),
}
SCANS = list(itertools.product(SCANNED, *[(False, True)] * 3))
SCANS_NOW = [("MinGRU", True, False, False)]


@pytest.mark.parametrize(
    ("name", "all_steps", "backwards", "masked"),
    [case if case in SCANS_NOW else pytest.param(*case, marks=pytest.mark.slow) for case in SCANS],
)
def test_cells_that_no_operator_has_become_a_scan(name, all_steps, backwards, masked, tmp_path):
    kind, options = SCANNED[name]
    options = {"return_sequences": all_steps, "units": 4, **options}
    before = [L.Masking()] if masked else []
    x = with_gaps() if masked else sequences()
    model = stack(*before, getattr(L, kind)(go_backwards=backwards, **options))
    assert assert_same(model, [x], tmp_path) == ["Scan"]
    if not backwards:
        both = L.Bidirectional(getattr(L, kind)(return_state=True, **options))
        made = L.Input((None, 3))
        outputs = both(L.Masking()(made) if masked else made)
        assert assert_same(Model(made, outputs), [x], tmp_path) == ["Scan", "Scan"]


@pytest.mark.slow
def test_scans_in_a_stack_of_cells_and_with_zeros_where_masked(tmp_path):
    cells = [L.MinGRUCell(4), L.GRUCell(3), L.ProjectedLSTMCell(5, 2)]
    x, y = L.Input((None, 3)), L.Input((None, 3))
    first, *state = L.RNN(cells, return_state=True)(x)
    options = {"return_sequences": True, "zero_output_for_mask": True}
    masking, begin = L.Masking(), keras.tree.flatten(state)[-2:]
    mask = masking.compute_mask(y)
    again = L.RNN(cells[2], **options)(masking(y), initial_state=begin, mask=mask)
    model = Model([x, y], [first, again])
    assert assert_same(model, [sequences(), with_gaps()], tmp_path) == [
        "Scan",
        "GRU",
        "Scan",
        "Scan",
    ]


@pytest.mark.parametrize(("batch", "time"), [(1, 1), (7, 50)])
def test_batch_and_time_are_open(batch, time, tmp_path):
    assert_same(stack(L.LSTM(4), L.Dense(1)), [sequences(batch, time)], tmp_path)


STREAMS = {
    "a stack": lambda: stack(
        L.LSTM(4, return_sequences=True), L.GRU(3, return_sequences=True), L.Dense(1)
    ),
    "cells": lambda: stack(L.RNN([L.LSTMCell(3), L.LSTMCell(4)], return_sequences=True)),
    "masked": lambda: stack(L.Masking(), L.LSTM(4, return_sequences=True, stateful=True)),
    "scans": lambda: stack(
        L.MinLSTM(4, return_sequences=True),
        L.ProjectedLSTM(5, 2, return_sequences=True),
        L.LayerNormLSTM(3, return_sequences=True),
    ),
}


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] if n == "scans" else []) for n in STREAMS]
)
def test_step_by_step_with_the_state_outside(name, tmp_path):
    model, path = randomised(STREAMS[name]()), tmp_path / "model.onnx"
    model.export(path, state=True)
    found = session(path)
    first, *states = found.get_inputs()
    assert [o.name for o in found.get_outputs()][1:] == [f"{s.name}/end" for s in states]
    for batch in (1, 7):
        x = sequences(batch, 50)
        x[0, ::3] = 0  # masked, in the network that has a mask
        expected, end = model.step(x, model.initial_state(batch))
        kept = {s.name: np.zeros((batch, s.shape[1]), "float32") for s in states}
        outputs = []
        for step in range(50):
            output, *ends = found.run(None, {first.name: x[:, step : step + 1], **kept})
            kept = dict(zip(kept, ends, strict=True))
            outputs.append(output)
        np.testing.assert_allclose(np.concatenate(outputs, 1), expected, atol=2e-6)
        arrays = [a for layer in end.values() for a in layer.values()]
        for ours, theirs in zip(kept.values(), arrays, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=2e-6)


def decoder(*, by_name):
    tokens, h = L.Input((None,), dtype="int32"), L.Input((4,))
    embedding = L.Embedding(5, 3, mask_zero=True)
    mask = {"mask": embedding.compute_mask(tokens)} if by_name else {}
    return Model([tokens, h], L.GRU(4)(embedding(tokens), initial_state=[h], **mask))


def test_a_mask_beside_a_given_state_is_handed_over_by_name(tmp_path):
    begin = np.random.default_rng(0).normal(size=(4, 4)).astype("float32")
    assert assert_same(decoder(by_name=True), [tokens(), begin], tmp_path) == ["GRU"]


def masked_within():
    inner = Sequential([L.Input((None, 3)), L.Dense(2), L.GRU(4, name="inner")])
    inner.supports_masking = True
    x = L.Input((None, 3))
    return Model(x, inner(L.Masking()(x)))


class Own(L.GRUCell):
    def call(self, inputs, states, training=False):
        return super().call(-inputs, states, training)


@pytest.mark.parametrize(
    ("make", "state", "message"),
    [
        (lambda: stack(L.LSTM(4, activation="gelu")), False, "no activation 'gelu'"),
        (lambda: stack(L.RNN(Own(4))), False, "no operator for Own"),
        (lambda: decoder(by_name=False), False, "Hand it the mask by name"),
        (masked_within, False, "given a mask, which its layer 'inner' heeds"),
        (lambda: stack(L.LSTM(2, return_sequences=True), L.Flatten()), False, "steps is open"),
        (lambda: stack(L.LSTM(4, dtype="mixed_bfloat16")), False, "computes in bfloat16"),
        (lambda: Sequential([L.LSTM(3)]), False, "has no graph of layers"),
        (lambda: stack(L.Bidirectional(L.GRU(2))), True, "needs several time steps at once"),
        (encoder_decoder, True, "is given its initial state within the model"),
        (shared, True, "is called several times"),
    ],
)
def test_what_cannot_be_written(make, state, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        make().export(tmp_path / "model.onnx", state=state)
    assert list(tmp_path.iterdir()) == []


def test_what_a_stateful_model_keeps_stays(tmp_path):
    model = randomised(stack(L.GRU(3, stateful=True)))
    model.predict(sequences(), verbose=0)
    before = [np.asarray(v) for v in model.layers[0].states]
    model.export(tmp_path / "model.onnx")
    for now, then in zip(model.layers[0].states, before, strict=True):
        np.testing.assert_array_equal(now, then)


def test_what_is_written(tmp_path):
    path = tmp_path / "model.onnx"
    model = stack(L.LSTM(4, name="tank"), L.Dense(1, name="level"))
    model.export(path, state=True)
    made = onnx.load(path)
    assert (made.ir_version, made.opset_import[0].version) == (8, 17)
    assert [i.name for i in made.graph.input] == ["x", "tank/h", "tank/c"]
    assert [o.name for o in made.graph.output] == ["level", "tank/h/end", "tank/c/end"]
    model.export(path)  # replaced when the new one is complete
    assert [i.name for i in onnx.load(path).graph.input] == ["x"]
