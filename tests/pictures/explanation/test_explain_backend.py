"""What runs each layer, told for every kind of layer there is."""

import keras
import pytest

from statewise import Sequential, explain_backend, layers
from statewise.recurrence import native

needs_extension = pytest.mark.skipif(
    not native.available(), reason=f"no native kernels: {native.unavailable_reason()}"
)


def model_of(*stack):
    return Sequential([layers.Input((12, 2)), *stack])


@needs_extension
def test_what_is_native_needs_no_reason():
    table = explain_backend(
        model_of(
            layers.LSTM(4, return_sequences=True, name="a"),
            layers.RNN([layers.GRUCell(3), layers.LSTMCell(4)], return_sequences=True, name="b"),
            layers.Bidirectional(layers.GRU(5, name="c")),
        )
    )
    assert table["serves"].tolist() == ["native kernels"] * 5
    assert table["why not natively"].tolist() == [""] * 5
    assert table["cell"].tolist() == ["LSTMCell", "GRUCell", "LSTMCell", "GRUCell", "GRUCell"]


def test_the_users_own_function_goes_to_the_reference():
    table = explain_backend(model_of(layers.GRU(4, activation=lambda x: x / (1 + abs(x)) ** 2)))
    assert table["serves"].item() == "the reference"
    assert "activation" in table["why not natively"].item()


def test_the_users_own_cell_goes_to_the_loop():
    class Mine(keras.layers.GRUCell):
        pass

    table = explain_backend(model_of(layers.RNN(Mine(4))))
    assert table["serves"].item() == "a loop over time"
    assert table["why not natively"].item() == "Mine is a cell of somebody else's making"


def test_stock_layers_are_said_to_be_keras_own():
    model = keras.Sequential([layers.Input((12, 2)), keras.layers.LSTM(4)])
    table = explain_backend(model)
    assert table["serves"].item() == "Keras"
    assert "layer of Keras itself" in table["why not natively"].item()


def test_the_shape_decides():
    model = Sequential([layers.Input((None, 2)), layers.LSTM(4)])
    reason = explain_backend(model, (1, 2, 2))["why not natively"].item()
    assert "one sample of 4 time steps or fewer" in reason


def test_bad_input_is_refused():
    with pytest.raises(TypeError, match="must be a model of Keras or statewise"):
        explain_backend(layers.LSTM(4))


def test_minimal_cells_are_native_and_projected_ones_say_why_not():
    parts = [layers.MinGRU(3, return_sequences=True), layers.ProjectedLSTM(4, 3), layers.Dense(1)]
    table = explain_backend(Sequential([layers.Input((9, 2)), *parts]))
    minimal, projected = table.to_dict("records")
    assert projected["serves"] == "the reference"
    assert projected["why not natively"] == "the cell has no native kernels"
    if native.available():
        assert minimal["serves"] == "native kernels"
        assert minimal["why not natively"] == ""
