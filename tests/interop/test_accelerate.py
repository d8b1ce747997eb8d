"""`accelerate`: outputs, weights, states, optimizers; and what can't be exchanged says why."""

import keras
import numpy as np
import pytest

import interop_ways
from interop_models import CASES, randomise
from statewise import accelerate, layers, models
from statewise.interop import accelerating


def data(rng, samples=6):
    x = rng.normal(size=(samples, 5, 2)).astype("float32")
    return x, rng.normal(size=(samples, 1)).astype("float32")


@keras.saving.register_keras_serializable("interop_tests")
class Subclassed(keras.Model):
    """Layers in attributes, a list and a dict; two inputs; one recurrent layer of another class."""

    def __init__(self, units=4, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.first = keras.layers.LSTM(units, return_sequences=True, dropout=0.25)
        self.listed = [keras.layers.Dense(3), keras.layers.Bidirectional(keras.layers.GRU(units))]
        self.named = {"last": keras.layers.Dense(1)}
        self.other = keras.layers.SimpleRNN(2)

    def call(self, x, more, training=False):
        found = self.first(x, training=training)
        for layer in self.listed:
            found = layer(found)
        return self.named["last"](keras.ops.concatenate([found, self.other(more)], axis=-1))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Held(keras.layers.Layer):
    """A layer of one's own, unknown to Keras's registry, with a recurrent layer within."""

    def __init__(self, units=3, **kwargs):
        super().__init__(**kwargs)
        self.units, self.inner = units, keras.layers.GRU(units)

    def call(self, x):
        return self.inner(x) * 2.0

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class MadeLate(Held):
    """Its recurrent layer is made where it's built."""

    def build(self, shape):
        self.inner = keras.layers.LSTM(self.units)
        self.inner.build(shape)


class WithoutConfig(Held):
    """It can't be made anew."""

    def get_config(self):
        raise NotImplementedError("no configuration")


def model_with(layer, rng) -> keras.Model:
    model = keras.Sequential([keras.layers.Input((5, 2)), layer, keras.layers.Dense(1)])
    randomise(model, "held")
    return model


@pytest.mark.slow
@pytest.mark.parametrize("optimizer", ["adam", "nadam", "adafactor"])
def test_a_training_goes_on_where_it_was(rng, optimizer):
    x, y = data(rng)
    model = keras.Sequential(
        [keras.layers.Input((5, 2)), keras.layers.LSTM(4), keras.layers.Dense(1)]
    )
    randomise(model, "training")
    schedule = keras.optimizers.schedules.ExponentialDecay(0.05, 2, 0.5)
    made = keras.optimizers.get(optimizer)
    made = type(made).from_config({**made.get_config(), "learning_rate": schedule})
    model.compile(made, keras.losses.Huber(), metrics=[keras.metrics.MeanAbsoluteError("mae")])
    model.fit(x, y, epochs=2, batch_size=2, shuffle=False, verbose=0)
    copy = accelerate(model)
    assert type(copy) is models.Sequential
    assert type(copy.optimizer) is type(made)
    assert copy.optimizer is not made
    assert int(copy.optimizer.iterations) == 6
    before = model.get_weights()
    theirs = model.fit(x, y, epochs=2, batch_size=2, shuffle=False, verbose=0)
    for one, other in zip(copy.get_weights(), before, strict=True):
        np.testing.assert_array_equal(one, other)
    mine = copy.fit(x, y, epochs=2, batch_size=2, shuffle=False, verbose=0)
    assert mine.history.keys() == theirs.history.keys()
    for name, values in mine.history.items():
        np.testing.assert_allclose(values, theirs.history[name], rtol=2e-4)
    for start, one, other in zip(before, copy.get_weights(), model.get_weights(), strict=True):
        assert np.abs(one - other).max() < 5e-3 * np.abs(other - start).max()


def test_an_optimizer_that_begins_anew_would_be_noticed(rng):
    x, y = data(rng)
    model = keras.Sequential(
        [keras.layers.Input((5, 2)), keras.layers.GRU(4), keras.layers.Dense(1)]
    )
    randomise(model, "noticed")
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    model.fit(x, y, epochs=3, batch_size=3, shuffle=False, verbose=0)
    copy, before = accelerate(model), model.get_weights()
    anew = keras.models.clone_model(model)
    anew.set_weights(before)
    anew.compile(keras.optimizers.SGD(0.1, momentum=0.9), "mse")
    for one in (model, copy, anew):
        one.train_on_batch(x, y)
    changes = [np.abs(one.get_weights()[0] - model.get_weights()[0]).max() for one in (copy, anew)]
    assert changes[0] < 1e-5 < 1e-3 < changes[1]


@pytest.mark.slow
def test_a_mixed_precision_model_keeps_its_scale(rng):
    x, y = data(rng)
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = model_with(keras.layers.LSTM(4), rng)
        model.compile("adam", "mse")
        model.fit(x, y, epochs=1, verbose=0)
        copy = accelerate(model)
    finally:
        keras.config.set_dtype_policy("float32")
    assert type(copy.optimizer) is type(model.optimizer) is keras.optimizers.LossScaleOptimizer
    assert type(copy.optimizer.inner_optimizer) is keras.optimizers.Adam
    assert copy.layers[0].compute_dtype == "float16"
    assert float(copy.optimizer.dynamic_scale) == float(model.optimizer.dynamic_scale)
    for one in (model, copy):
        for _ in range(3):
            one.train_on_batch(x, y)
    assert int(copy.optimizer.iterations) == int(model.optimizer.iterations)


def test_a_model_of_ones_own_class_stays_of_that_class(rng):
    model = Subclassed(3)
    x, more = (rng.normal(size=(2, 5, n)).astype("float32") for n in (2, 3))
    model(x, more)
    randomise(model, "subclassed")
    model.compile("adam", "mse")
    copy = accelerate(model)
    assert type(copy) is Subclassed
    assert interop_ways.no_stock_layers(copy)
    assert type(copy.listed[1]) is layers.Bidirectional
    assert type(copy.listed[1].forward_layer) is layers.GRU
    np.testing.assert_allclose(copy(x, more), model(x, more), atol=1e-6)
    assert [v.name for v in copy.variables] == [v.name for v in model.variables]
    # Dropout draws what the model's would have drawn.
    np.testing.assert_allclose(
        copy(x, more, training=True), model(x, more, training=True), atol=1e-5
    )


def test_a_layer_of_ones_own_stays_and_what_it_holds_is_exchanged(rng):
    model = model_with(Held(4), rng)
    copy = accelerate(model)
    assert type(copy.layers[0]) is Held
    assert type(copy.layers[0].inner) is layers.GRU
    x, _ = data(rng)
    np.testing.assert_allclose(copy(x), model(x), atol=1e-6)


def test_a_cell_of_ones_own_is_run_by_our_layer(rng):
    class Cell(keras.layers.GRUCell):
        def call(self, x, states, training=False):
            output, state = super().call(x, states, training)
            return output * 3.0, state

    model = model_with(keras.layers.RNN([Cell(3), keras.layers.LSTMCell(4)]), rng)
    copy = accelerate(model)
    assert type(copy.layers[0]) is layers.RNN
    assert [type(cell) for cell in copy.layers[0].cell.cells] == [Cell, layers.LSTMCell]
    x, _ = data(rng)
    np.testing.assert_allclose(copy(x), model(x), atol=1e-6)


@pytest.mark.slow
def test_states_come_along_and_the_comparison_leaves_them_alone(rng):
    model = CASES["stateful stack, every step"].make(keras)
    randomise(model, "states")
    first, second = interop_ways.arrays("stateful stack, every step")
    model(first[0])
    copy = accelerate(model)
    expected = np.asarray(model(second[0]))
    np.testing.assert_allclose(copy(second[0]), expected, atol=1e-6)
    fresh = CASES["stateful stack, every step"].make(keras)
    fresh.set_weights(model.get_weights())
    again = accelerate(fresh)  # nothing is carried yet: any number of samples may come
    assert again.predict(first[0][:1], verbose=0).shape[0] == 1


def test_inputs_and_outputs_keep_their_names(rng):
    one, other = keras.Input((5, 2), name="one"), keras.Input((5, 2), name="other")
    found = {"sum": keras.layers.Add()([keras.layers.GRU(3)(one), keras.layers.LSTM(3)(other)])}
    model = keras.Model({"one": one, "other": other}, found, name="named")
    copy = accelerate(model)
    x, _ = data(rng)
    given = {"one": x, "other": 2 * x}
    np.testing.assert_allclose(copy(given)["sum"], model(given)["sum"], atol=1e-6)
    assert copy.name == "named"
    assert [layer.name for layer in copy.layers] == [layer.name for layer in model.layers]


def test_what_is_frozen_stays_frozen(rng):
    model = model_with(keras.layers.LSTM(3), rng)
    model.layers[0].trainable = False
    copy = accelerate(model)
    assert [v.name for v in copy.trainable_variables] == [v.name for v in model.trainable_variables]


def test_a_model_without_stock_layers_is_itself():
    ours = models.Sequential([layers.Input((5, 2)), layers.LSTM(2)])
    assert accelerate(ours) is ours
    dense = keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(2)])
    assert accelerate(dense) is dense


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (MadeLate(3), r"'lstm\w*' \(LSTM\) is made in the build\(\) or the call\(\)"),
        (WithoutConfig(3), r"\(WithoutConfig\) can't be copied by its get_config: no config"),
    ],
    ids=["made late", "no config"],
)
def test_what_cant_be_exchanged_is_named(rng, layer, said):
    model = model_with(layer, rng)
    with pytest.raises(ValueError, match=said):
        accelerate(model)


def test_a_model_that_isnt_built_is_refused():
    with pytest.raises(ValueError, match="Call it on some data first"):
        accelerate(keras.Sequential([keras.layers.LSTM(3)]))
    with pytest.raises(TypeError, match="got LSTM"):
        accelerate(keras.layers.LSTM(3))


def test_a_copy_that_puts_out_something_else_is_refused(rng, monkeypatch):
    model = model_with(keras.layers.LSTM(3), rng)
    monkeypatch.setattr(accelerating, "copy_weights", lambda model, copy: None)
    with pytest.raises(ValueError, match="puts out something else: the outputs differ by"):
        accelerate(model)
