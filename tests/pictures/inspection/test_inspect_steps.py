import numpy as np
import pytest

import statewise
from layer_registry import Accumulator
from statewise import Model, Sequential, layers
from statewise.pictures import inspect_steps

L = layers


def shaken(model, rng):
    model.set_weights([rng.normal(scale=0.6, size=w.shape) for w in model.get_weights()])
    return model


def stack(*parts, shape=(6, 2)):
    return Sequential([L.Input(shape), *parts])


def one(layer, rng, **options):
    return shaken(stack(layer(3, return_sequences=True, name="cell", **options)), rng)


@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize(
    ("layer", "options"),
    [
        (L.LSTM, {}),
        (L.LSTM, {"activation": "relu", "recurrent_activation": "hard_sigmoid"}),
        (L.GRU, {}),
        (L.GRU, {"reset_after": False}),
        (L.SimpleRNN, {"use_bias": False}),
        (L.LayerNormLSTM, {}),
        (L.ProjectedLSTM, {"projection": 2}),
        (L.MinGRU, {}),
        (L.MinLSTM, {"activation": "tanh"}),
    ],
)
def test_the_steps_are_those_of_the_model(rng, layer, options, backwards):
    model = one(layer, rng, go_backwards=backwards, **options)
    x = rng.normal(size=(4, 6, 2)).astype("float32")
    found = inspect_steps(model, x)
    steps = found.layers["cell"]
    outputs = np.asarray(model(x))
    np.testing.assert_array_equal(found.outputs, outputs)
    in_time = outputs[:, ::-1] if backwards else outputs
    np.testing.assert_allclose(steps.states["h"], in_time, rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal(steps.x, x)
    assert steps.backwards == backwards


def before(array, backwards=False):
    """Return what each step begins with: zeros, then what the step before ended with."""
    return np.concatenate([np.zeros_like(array[:, :1]), array[:, :-1]], axis=1)


@pytest.mark.parametrize("layer", [L.MinGRU, L.MinLSTM])
def test_the_gates_of_a_minimal_cell_make_its_states(rng, layer):
    found = inspect_steps(one(layer, rng), rng.normal(size=(4, 6, 2)))
    steps = found.layers["cell"]
    gates, h = steps.gates, steps.states["h"]
    kept, added = (
        (1 - gates["z"], gates["z"]) if layer is L.MinGRU else (gates["f"], 1 - gates["f"])
    )
    np.testing.assert_allclose(h, kept * before(h) + added * gates["h"], atol=1e-5)
    rate = np.log(kept).reshape(-1, 3).mean(axis=0)
    np.testing.assert_allclose(steps.half_life, np.log(0.5) / rate, rtol=1e-3)
    assert "3 units" in str(found)
    assert len(found.plot().axes) > 3


def test_a_projected_output_has_a_map_of_its_own_height(rng):
    found = inspect_steps(one(L.ProjectedLSTM, rng, projection=2), rng.normal(size=(4, 6, 2)))
    steps = found.layers["cell"]
    assert steps.gates["f"].shape[-1] == steps.states["c"].shape[-1] == 3
    assert steps.states["h"].shape[-1] == 2
    heights = {ax.get_title(loc="left"): ax.get_ylim()[0] for ax in found.plot().axes}
    assert heights["hidden state h"] == 2.5
    assert heights["cell state c"] == 3.5


def test_the_gates_of_an_lstm_make_its_states(rng):
    steps = inspect_steps(one(L.LSTM, rng), rng.normal(size=(4, 6, 2))).layers["cell"]
    gates, c, h = steps.gates, steps.states["c"], steps.states["h"]
    assert list(gates) == ["i", "f", "c", "o"]
    np.testing.assert_allclose(c, gates["f"] * before(c) + gates["i"] * gates["c"], atol=1e-5)
    np.testing.assert_allclose(h, gates["o"] * np.tanh(c), atol=1e-5)
    for name in "ifo":
        assert ((gates[name] > 0) & (gates[name] < 1)).all()
    assert gates["c"].min() < 0


def test_the_gates_of_a_gru_make_its_state(rng):
    steps = inspect_steps(one(L.GRU, rng), rng.normal(size=(4, 6, 2))).layers["cell"]
    z, h = steps.gates["z"], steps.states["h"]
    np.testing.assert_allclose(h, z * before(h) + (1 - z) * steps.gates["h"], atol=1e-5)


def test_each_gate_is_its_own(rng):
    """A bias on one gate alone opens that gate alone."""
    for layer, names in ((L.LSTM, "ifco"), (L.GRU, "zrh")):
        model = stack(layer(2, name="cell"), shape=(1, 2))
        for position, name in enumerate(names):
            weights = [np.zeros(w.shape) for w in model.get_weights()]
            weights[2].reshape(-1, len(names), 2)[0, position] = 5
            model.set_weights(weights)
            gates = inspect_steps(model, np.ones((1, 1, 2))).layers["cell"].gates
            opened = [n for n, values in gates.items() if (values > 0.9).all()]
            assert opened == [name]


def test_half_lives(rng):
    model = stack(L.LSTM(2, name="cell", recurrent_initializer="zeros"))
    kernel, recurrent, bias = model.get_weights()
    kernel[:] = 0
    bias[2:4] = np.log([0.5 / 0.5, 0.9 / 0.1])  # forget gates of 0.5 and 0.9, at every step
    model.set_weights([kernel, recurrent, bias])
    steps = inspect_steps(model, rng.normal(size=(3, 6, 2))).layers["cell"]
    np.testing.assert_allclose(steps.half_life, [1, np.log(0.5) / np.log(0.9)], rtol=1e-4)
    bias[2:4] = 200  # never shut
    model.set_weights([kernel, recurrent, bias])
    assert np.isinf(inspect_steps(model, np.ones((1, 6, 2))).layers["cell"].half_life).all()
    assert inspect_steps(one(L.SimpleRNN, rng), np.ones((1, 6, 2))).layers["cell"].half_life is None


def test_masked_steps_keep_the_state(rng):
    model = stack(L.Masking(), L.LSTM(3, return_sequences=True, name="cell"))
    x = rng.normal(size=(2, 6, 2))
    x[0, 2:4] = 0
    steps = inspect_steps(model, x).layers["cell"]
    np.testing.assert_allclose(steps.states["h"], np.asarray(model(x)), atol=1e-6)
    assert (steps.states["c"][0, 1] == steps.states["c"][0, 3]).all()
    assert steps.mask.sum() == 10


def test_a_given_state_and_a_kept_one(rng):
    model = shaken(stack(L.LSTM(3, stateful=True, return_sequences=True, name="cell")), rng)
    x = rng.normal(size=(2, 6, 2)).astype("float32")
    whole = inspect_steps(model, x).layers["cell"]
    model(x)  # keeps its state, which is not used here
    again = inspect_steps(model, x).layers["cell"]
    np.testing.assert_array_equal(whole.states["c"], again.states["c"])
    kept = model.get_state()
    after = inspect_steps(model, x, state=kept)
    np.testing.assert_allclose(after.outputs, np.asarray(model(x)), atol=1e-6)
    np.testing.assert_allclose(kept["cell"]["c"], whole.states["c"][:, -1], atol=1e-6)


def test_stacks_wrappers_and_nested_models(rng):
    inner = stack(L.GRU(3, return_sequences=True, name="gru"))
    inputs = L.Input((6, 2))
    both = L.Bidirectional(L.LSTM(2, return_sequences=True, name="lstm"))
    model = Model(inputs, L.SimpleRNN(2, name="rnn")(both(inner(inputs))))
    model = shaken(model, rng)
    x = rng.normal(size=(2, 6, 2)).astype("float32")
    found = inspect_steps(model, x)
    assert [name.split("/")[-1] for name in found.layers] == [
        "gru", "forward_lstm", "backward_lstm", "rnn",
    ]  # fmt: skip
    np.testing.assert_allclose(
        found.layers["rnn"].states["h"][:, -1], np.asarray(model(x)), atol=1e-5
    )
    np.testing.assert_allclose(
        found.layers["rnn"].x[..., :2],
        next(s for n, s in found.layers.items() if n.endswith("forward_lstm")).states["h"],
        atol=1e-6,
    )


def test_cells_of_somebody_elses_making(rng):
    x = np.ones((1, 6, 2))
    model = stack(L.RNN(Accumulator(3), return_sequences=True, name="own"), L.GRU(2, name="gru"))
    found = inspect_steps(model, x)
    assert (list(found.layers), found.without_gates) == (["gru"], ("own",))
    assert "own: a cell whose gates aren't known" in str(found)
    with pytest.raises(ValueError, match="no recurrent layer whose gates are known"):
        inspect_steps(stack(L.Dense(2)), x)
    with pytest.raises(ValueError, match="isn't built yet"):
        inspect_steps(Sequential([L.GRU(2)]), x)


def test_the_figure(rng, tmp_path):
    found = inspect_steps(one(L.LSTM, rng), rng.normal(size=(2, 6, 2)))
    figure = found.plot(sample=1)
    titles = [ax.get_title(loc="left") for ax in figure.axes]
    assert [t for t in titles if t] == [
        "input gate i", "forget gate f", "candidate", "output gate o", "cell state c",
        "hidden state h",
    ]  # fmt: skip
    shown = next(ax for ax in figure.axes if ax.get_title(loc="left") == "cell state c")
    values = found.layers["cell"].states["c"][1]
    np.testing.assert_array_equal(shown.images[0].get_array(), values.T)
    assert f"{values[2, 1]:.2f}" in [text.get_text() for text in shown.texts]
    found.save(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:4] == found._repr_png_()[:4] == b"\x89PNG"
    with pytest.raises(IndexError, match="sample=2: the batch has 2 samples"):
        found.plot(sample=2)
    with pytest.raises(KeyError, match="no layer 'x'; there are cell"):
        found.plot("x")


@pytest.mark.slow
@pytest.mark.parametrize("features", [1, 6])
def test_figures_of_any_size(rng, tmp_path, features):
    model = Sequential([L.Input((None, features)), L.GRU(40)])
    inspect_steps(model, rng.normal(size=(1, 100, features))).save(tmp_path / "a.png")
    inspect_steps(model, np.zeros((1, 1, features))).save(tmp_path / "b.png")


@pytest.mark.parametrize("module", [statewise, statewise.pictures])
def test_the_old_name_goes_on_for_a_release(module):
    name = module.__name__
    with pytest.warns(FutureWarning, match=f"{name}.inspect is now called {name}.inspect_steps"):
        assert module.inspect is inspect_steps
    assert "inspect" not in dir(module)
