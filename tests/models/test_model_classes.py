"""Subclasses of `Model`: of inputs and outputs, with a `call` of their own, and both beside."""

import keras
import numpy as np
import pytest

import statewise as sw
from statewise import layers

X = np.ones((4, 5, 2), "float32")


class Subclassed(sw.Model):
    def __init__(self):
        super().__init__()
        self.recurrent = layers.LSTM(3)

    def call(self, inputs):
        return self.recurrent(inputs)


def graph(units=2):
    inputs = layers.Input((5, 2))
    return inputs, layers.LSTM(units)(inputs)


def assert_works(model):
    model.compile(loss="mse", optimizer="sgd")
    outputs = model.predict(X, verbose=0)
    model.fit(X, np.zeros_like(outputs), verbose=0)
    assert not np.array_equal(model.predict(X, verbose=0), outputs)


def test_a_functional_subclass_leaves_every_other_class_alone():
    class A(sw.Model):
        pass

    bases = sw.Model.__bases__
    model = A(*graph())
    assert isinstance(model, sw.models.Functional)
    assert type(model) is A
    assert sw.Model.__bases__ == bases
    assert_works(model)
    assert_works(Subclassed())
    assert_works(sw.Model(*graph()))
    assert_works(A(*graph(3)))


class Common(sw.Model):
    """What models of both kinds derive from."""

    def hello(self):
        return "hello"


@keras.saving.register_keras_serializable("tests")
class FunctionalOne(Common):
    def __init__(self, units, scale):
        inputs, outputs = graph(units)
        super().__init__(inputs=inputs, outputs=layers.Rescaling(scale)(outputs))
        self.config = {"units": units, "scale": scale}

    def get_config(self):
        return self.config

    @classmethod
    def from_config(cls, config):
        return cls(**config)


class SubclassedOne(Common):
    def __init__(self):
        super().__init__()
        self.recurrent = layers.GRU(2)

    def call(self, inputs):
        return self.recurrent(inputs)


def test_a_common_ancestor_serves_both_kinds(tmp_path):
    model = FunctionalOne(2, 0.5)
    assert model.hello() == "hello"
    assert_works(model)
    assert_works(SubclassedOne())
    assert not issubclass(Common, sw.models.Functional)
    assert_works(FunctionalOne(3, 2.0))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert type(loaded) is FunctionalOne
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


class Mixin:
    def hello(self):
        return "from the mixin"


@pytest.mark.parametrize(
    "bases",
    [(sw.Model,), (Mixin, sw.Model), (sw.Model, Mixin), (sw.Model, keras.Model), (Common, Mixin)],
    ids=lambda bases: "-".join(base.__module__.split(".")[0] + base.__name__ for base in bases),
)
def test_any_bases(bases):
    cls = type("Made", bases, {})
    before = [base for base in cls.__mro__ if base is not cls]
    model = cls(*graph())
    after = [base for base in type(model).__mro__ if base in before]
    assert after == before
    assert_works(model)
    assert_works(cls(*graph(3)))


def test_keras_classes_stay_what_they_are():
    class Stock(keras.Model):
        pass

    assert Stock(*graph()).count_params() == sw.Model(*graph()).count_params()
    assert_works(Subclassed())
