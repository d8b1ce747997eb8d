"""An optimizer's variables, made quickly, are those that Keras makes."""

import keras
import numpy as np
import pytest

from statewise.models.training.optimizer_variables import quick_variables

OPTIMIZERS = {
    "adam": lambda: keras.optimizers.Adam(),
    "amsgrad": lambda: keras.optimizers.Adam(amsgrad=True),
    "averaging": lambda: keras.optimizers.SGD(momentum=0.9, use_ema=True),
    "accumulating": lambda: keras.optimizers.RMSprop(gradient_accumulation_steps=2),
    "ftrl": lambda: keras.optimizers.Ftrl(),
    "adafactor": lambda: keras.optimizers.Adafactor(),
    "scaling": lambda: keras.optimizers.LossScaleOptimizer(keras.optimizers.Adam()),
}


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_variables_are_those_of_keras(name):
    built = []
    for context in (quick_variables, None):
        keras.utils.clear_session()  # names are counted anew
        weights = [
            keras.Variable(np.ones((2, 3)), name="kernel"),
            keras.Variable(np.ones(3), dtype="bfloat16", name="bias"),
        ]
        optimizer = OPTIMIZERS[name]()
        if context is None:
            optimizer.build(weights)
        else:
            with context(optimizer):
                optimizer.build(weights)
        built.append(optimizer)
    quick, usual = built
    assert "add_variable" not in vars(quick)
    for ours, theirs in zip(quick.variables, usual.variables, strict=True):
        assert (ours.path, ours.dtype) == (theirs.path, theirs.dtype)
        np.testing.assert_array_equal(ours, theirs)


def test_an_error_leaves_the_optimizer_as_it_was():
    optimizer = keras.optimizers.Adam()
    with pytest.raises(RuntimeError), quick_variables(optimizer):
        raise RuntimeError
    assert "add_variable" not in vars(optimizer)
    with quick_variables(None):
        pass
