"""Weights as PyTorch lays them out, against its documented equations written out in float64."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from statewise import Sequential, layers
from statewise.interop.pytorch import load_torch_weights
from statewise.interop.pytorch.weights import to_keras, to_torch

FEATURES, UNITS, STEPS = 3, 5, 6


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def arrays_of(kind, rng, *, bias=True, projection=0, features=FEATURES, end="_l0"):
    """Return random weights of one layer and direction, by PyTorch's names."""
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind] * UNITS
    shapes = {"weight_ih": (gates, features), "weight_hh": (gates, projection or UNITS)}
    if bias:
        shapes |= {"bias_ih": (gates,), "bias_hh": (gates,)}
    if projection:
        shapes["weight_hr"] = (projection, UNITS)
    return {f"{n}{end}": (rng.normal(size=s) / 2).astype("float32") for n, s in shapes.items()}


def as_documented(kind, arrays, x, activation=np.tanh):
    """Run the equations of PyTorch's documentation over (time, features); return all outputs."""
    w = {name.removesuffix("_l0"): a.astype("float64") for name, a in arrays.items()}
    b_ih, b_hh = w.get("bias_ih", 0.0), w.get("bias_hh", 0.0)
    h = np.zeros(w["weight_hr"].shape[0] if "weight_hr" in w else UNITS)
    c, outputs = np.zeros(UNITS), []
    for step in x.astype("float64"):
        given, kept = w["weight_ih"] @ step + b_ih, w["weight_hh"] @ h + b_hh
        if kind == "LSTM":
            i, f, g, o = np.split(given + kept, 4)
            c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
            h = sigmoid(o) * np.tanh(c)
            h = w["weight_hr"] @ h if "weight_hr" in w else h
        elif kind == "GRU":
            (r, z, n), (hr, hz, hn) = np.split(given, 3), np.split(kept, 3)
            r, z = sigmoid(r + hr), sigmoid(z + hz)
            n = np.tanh(n + r * hn)
            h = (1 - z) * n + z * h
        else:
            h = activation(given + kept)
        outputs.append(h)
    return np.array(outputs)


def layer_of(kind, *, bias=True, projection=0, **options):
    options |= {"return_sequences": True, "use_bias": bias, "name": "rnn"}
    if projection:
        return layers.ProjectedLSTM(UNITS, projection, **options)
    return {"LSTM": layers.LSTM, "GRU": layers.GRU, "RNN": layers.SimpleRNN}[kind](UNITS, **options)


CASES = [
    (kind, bias, projection)
    for kind, projection in [("LSTM", 0), ("LSTM", 2), ("GRU", 0), ("RNN", 0)]
    for bias in (True, False)
]


@pytest.mark.parametrize(("kind", "bias", "projection"), CASES)
def test_a_layer_computes_the_documented_equations(kind, bias, projection, rng):
    arrays = arrays_of(kind, rng, bias=bias, projection=projection)
    layer = layer_of(kind, bias=bias, projection=projection)
    model = Sequential([layers.Input((None, FEATURES)), layer])
    load_torch_weights(model, {f"rnn.{name}": a for name, a in arrays.items()})
    x = rng.normal(size=(1, STEPS, FEATURES)).astype("float32")
    expected = as_documented(kind, arrays, x[0])
    np.testing.assert_allclose(model.predict(x, verbose=0)[0], expected, atol=2e-6)


@pytest.mark.parametrize(("kind", "bias", "projection"), CASES)
def test_there_and_back(kind, bias, projection, rng):
    arrays = arrays_of(kind, rng, bias=bias, projection=projection, end="")
    weights = to_keras(kind, arrays)
    back = to_torch(kind, weights, bias=bias)
    assert set(back) == set(arrays)
    for name, array in arrays.items():
        if kind != "GRU" and name.startswith("bias"):  # two become one, and stay one
            continue
        np.testing.assert_array_equal(back[name], array)
    for one, other in zip(weights, to_keras(kind, back), strict=True):
        np.testing.assert_array_equal(one, other)


def test_both_directions_of_two_layers_from_a_file(rng, tmp_path):
    arrays = {}
    for number, features in enumerate((FEATURES, 2 * UNITS)):
        for end in ("", "_reverse"):
            arrays |= arrays_of("GRU", rng, features=features, end=f"_l{number}{end}")
    arrays = {f"rnn.{name}": a for name, a in arrays.items()}
    arrays["head.weight"] = rng.normal(size=(2, 2 * UNITS)).astype("float32")
    path = tmp_path / "weights.safetensors"
    save_file(arrays, path)
    both = [layers.Bidirectional(layers.GRU(UNITS, return_sequences=True)) for _ in range(2)]
    model = Sequential(
        [layers.Input((None, FEATURES)), *both, layers.Dense(2, use_bias=False, name="head")]
    )
    load_torch_weights(model, path)
    x = rng.normal(size=(STEPS, FEATURES)).astype("float32")
    flow = x
    for number in range(2):
        ways = []
        for end in ("", "_reverse"):
            name = f"_l{number}{end}"
            of_way = {
                key.removeprefix("rnn.").removesuffix(name): a
                for key, a in arrays.items()
                if key.endswith(name)
            }
            run = as_documented("GRU", of_way, flow[::-1] if end else flow)
            ways.append(run[::-1] if end else run)
        flow = np.concatenate(ways, axis=-1)
    expected = flow @ arrays["head.weight"].T
    np.testing.assert_allclose(model.predict(x[None], verbose=0)[0], expected, atol=5e-6)


def two_dense(names=("a", "b")):
    return Sequential([layers.Input((4,)), *[layers.Dense(4, name=name) for name in names]])


def two_linear(rng, names=("first", "second")):
    return {
        f"{name}.{part}": rng.normal(size=shape).astype("float32")
        for name in names
        for part, shape in (("weight", (4, 4)), ("bias", (4,)))
    }


def test_equal_shapes_need_names(rng):
    model, weights = two_dense(), two_linear(rng)
    before = model.get_weights()
    with pytest.raises(ValueError, match=r"layer 'a' could take any of 'first', 'second'"):
        load_torch_weights(model, weights)
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
    load_torch_weights(model, weights, names={"b": "first"})  # the other one follows
    np.testing.assert_array_equal(model.layers[0].get_weights()[0], weights["second.weight"].T)
    same = two_dense(("second", "first"))
    load_torch_weights(same, weights)
    np.testing.assert_array_equal(same.layers[1].get_weights()[1], weights["first.bias"])


@pytest.mark.parametrize(
    ("change", "names", "message"),
    [
        (
            {"third.weight": np.ones((3, 4), "float32")},
            {"a": "first"},
            "no layer of the model takes: 'third'",
        ),
        ({}, {"c": "first"}, "there is no layer 'c' with weights; 'a', 'b'"),
        ({}, {"a": "zeroth"}, "has no weights 'zeroth'; 'first', 'second'"),
        ({"first.weight": np.ones((5, 4), "float32")}, {"a": "first"}, "'first' doesn't fit"),
        ({"first.running_mean": np.ones(4)}, {"a": "first"}, "aren't those of a known module"),
    ],
)
def test_what_does_not_fit_is_refused(change, names, message, rng):
    with pytest.raises(ValueError, match=message):
        load_torch_weights(two_dense(), two_linear(rng) | change, names=names)


def test_a_gru_with_its_reset_before_is_another(rng):
    arrays = {f"rnn.{n}": a for n, a in arrays_of("GRU", rng, bias=False).items()}
    layer = layers.GRU(UNITS, use_bias=False, reset_after=False)
    model = Sequential([layers.Input((None, FEATURES)), layer])
    with pytest.raises(ValueError, match="reset_after=True"):
        load_torch_weights(model, arrays)


def test_files_that_cannot_be_read(tmp_path, rng):
    model = two_dense()
    with pytest.raises(FileNotFoundError, match="There is no file"):
        load_torch_weights(model, tmp_path / "none.safetensors")
    (tmp_path / "weights.onnx").write_bytes(b"")
    with pytest.raises(ValueError, match=r"ends in \.safetensors or in one of"):
        load_torch_weights(model, tmp_path / "weights.onnx")
    path = tmp_path / "whole.safetensors"
    save_file(two_linear(rng), path)
    whole = path.read_bytes()
    for cut in (0, 5, 40, len(whole) // 2, len(whole) - 1):
        (tmp_path / "cut.safetensors").write_bytes(whole[:cut])
        with pytest.raises(ValueError, match=r"cut\.safetensors can't be read"):
            load_torch_weights(model, tmp_path / "cut.safetensors", names={"a": "first"})
    huge = (1 << 62).to_bytes(8, "little") + whole[8:]
    (tmp_path / "huge.safetensors").write_bytes(huge)
    with pytest.raises(ValueError, match=r"huge\.safetensors can't be read"):
        load_torch_weights(model, tmp_path / "huge.safetensors")
    with pytest.raises(TypeError, match="what came is int"):
        load_torch_weights(model, 3)


def test_the_arrays_stay_the_callers(rng):
    shapes = {"e.weight": (8, 16), "n.weight": (16,), "n.bias": (16,), "d.weight": (32, 16)}
    arrays = {name: rng.normal(size=shape).astype("float32") for name, shape in shapes.items()}
    chain = [
        layers.Embedding(8, 16, name="e"),
        layers.LayerNormalization(name="n"),
        layers.Dense(32, use_bias=False, name="d"),
    ]
    model = Sequential([layers.Input((4,)), *chain])
    load_torch_weights(model, arrays)
    before = [np.array(w) for w in model.get_weights()]
    for array in arrays.values():
        array += 1
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)
