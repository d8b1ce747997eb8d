"""Models for the tests of what is written as C++, and their steps as Python computes them."""

import keras
import numpy as np

from statewise import Model, Sequential, layers

ACTIVATIONS = (
    "linear tanh sigmoid relu hard_tanh hard_sigmoid softsign softplus elu selu silu gelu "
    "leaky_relu relu6 exponential mish hard_silu log_sigmoid softmax log_softmax"
).split()
CELLS = (layers.SimpleRNNCell, layers.GRUCell, layers.LSTMCell, layers.MinGRUCell)


def with_drawn_weights(model, rng):
    """Give a model asymmetric weights of a usual size, and return it."""
    values = []
    for weight in model.weights:
        shape, path = tuple(weight.shape), weight.path
        if "variance" in path or "gamma" in path:
            values.append(rng.uniform(0.5, 1.5, shape))
        elif len(shape) > 1:
            size = 0.6 if "recurrent" in path else 1.0  # so that a linear one doesn't grow
            values.append(rng.normal(0.1 * size, size, shape) / np.sqrt(shape[0]))
        else:
            values.append(rng.normal(0.1, 0.3, shape))
    model.set_weights([np.asarray(value, "float32") for value in values])
    return model


def drawn_steps(model, rng, count=50):
    """Return for each step a list of what each input takes: float32, or int32 for a token."""
    rows = {}
    for layer in model.layers:
        if isinstance(layer, keras.layers.Embedding):
            rows[layer.input.name] = layer.input_dim
    steps = []
    for _ in range(count):
        step = []
        for tensor in model.inputs:
            if len(tensor.shape) == 2 and tensor.name in rows:
                step.append(np.int32(rng.integers(0, rows[tensor.name])))
            else:
                step.append(rng.normal(0.0, 1.0, tensor.shape[-1]).astype("float32"))
        steps.append(step)
    return steps


def python_steps(model, steps):
    """Return each output at all steps, (steps, values), then each array of the state after them."""
    state = model.initial_state(1)
    outputs = []
    for step in steps:
        arrays = [a.reshape(_one_step(t, a)) for a, t in zip(step, model.inputs, strict=True)]
        y, state = model.step(arrays[0] if len(arrays) == 1 else arrays, state)
        outputs.append([np.ravel(np.asarray(one)) for one in keras.tree.flatten(y)])
    ends = [np.ravel(a) for name in state for a in state[name].values()]
    return [np.stack(of_one) for of_one in zip(*outputs, strict=True)] + ends


def _one_step(tensor, array):
    return (1, 1, array.size) if len(tensor.shape) == 3 else (1, array.size)  # a token: (1, 1)


def named_models():
    """Return models that have each layer and option that is written, by what they show."""
    models = {}

    def beside(name, *parts, features=3):
        x = layers.Input((None, features))
        models[name] = Model(x, [part(x) for part in parts])

    def chain(name, *parts, features=3):
        models[name] = Sequential([layers.Input((None, features)), *parts])

    beside(
        "lstm",
        layers.LSTM(8),
        layers.LSTM(5, return_sequences=True),
        layers.LSTM(17, use_bias=False),
        layers.LSTM(6, activation="softsign", recurrent_activation="hard_sigmoid"),
    )
    beside(
        "gru",
        layers.GRU(8),
        layers.GRU(7, reset_after=False),
        layers.GRU(33, reset_after=False, return_sequences=True),
        layers.GRU(9, use_bias=False),
        layers.GRU(4, activation="relu", recurrent_activation="hard_sigmoid"),
        features=9,
    )
    chain("lstm_64", layers.LSTM(64), layers.Dense(1), features=64)
    beside("rnn", *[layers.SimpleRNN(5, activation=name) for name in ACTIVATIONS[:12]])
    dense = [layers.Dense(6, activation=name) for name in ACTIVATIONS]
    beside("dense", *dense, layers.GRU(2))
    chain("cells", layers.RNN([cell(3 + 4 * i) for i, cell in enumerate(CELLS)]))
    beside(
        "further",
        layers.MinGRU(9),
        layers.MinLSTM(6, activation="tanh", return_sequences=True),
        layers.ProjectedLSTM(12, 5),
        layers.ProjectedLSTM(6, 11, return_sequences=True),
        layers.LayerNormLSTM(10),
    )
    chain(
        "normalised",
        layers.LayerNormalization(),
        layers.GRU(4, return_sequences=True),
        layers.BatchNormalization(),
        layers.Dropout(0.4),
        layers.TimeDistributed(layers.Dense(9, activation="tanh")),
        layers.LayerNormalization(center=False, scale=False),
        layers.BatchNormalization(center=False, scale=False),
    )
    chain(
        "activations",
        layers.Dense(11),
        layers.ReLU(max_value=1.0, negative_slope=0.1, threshold=0.2),
        layers.LSTM(4, return_sequences=True),
        layers.LeakyReLU(negative_slope=0.3),
        layers.Activation("gelu"),
        layers.TimeDistributed(Sequential([layers.Dense(4), layers.Softmax()])),
    )
    chain("masking", layers.Masking(0.5), layers.LSTM(4))
    models["tokens"] = Sequential(
        [layers.Input((None,), dtype="int32"), layers.Embedding(11, 5), layers.GRU(9)]
    )
    models["masked_tokens"] = Sequential(
        [
            layers.Input((None,), dtype="int32"),
            layers.Embedding(3, 4, mask_zero=True),
            layers.LSTM(5, return_sequences=True),
            layers.RNN([layers.GRUCell(3), layers.LSTMCell(4)], zero_output_for_mask=True),
        ]
    )
    models["several"] = _several()
    models["states"] = _states()
    return models


def _several():
    """Return a model of a sequence, tokens and values of one step, with two outputs."""
    x, word = layers.Input((None, 3), name="x"), layers.Input((None,), dtype="int32", name="for")
    still = layers.Input((4,), name="still")
    words = layers.Embedding(7, 3)(word)
    both = layers.Concatenate()([x, words])
    shared = layers.Dense(6, activation="tanh")
    a, b = shared(both), layers.Subtract()([shared(both), layers.Dense(6)(both)])
    hidden = layers.LSTM(5, name="a b,ü\\")(layers.Add()([a, b]))
    other = layers.GRU(5, name="a b,u")(layers.Maximum()([a, b]))
    gated = layers.Multiply()([hidden, layers.Dense(5)(still)])
    y = layers.Average()([gated, other, layers.Minimum()([hidden, other])])
    return Model([x, word, still], [layers.Dense(2, name="y-1")(y), a])


def _states():
    x = layers.Input((None, 2))
    y, h, c = layers.LSTM(4, return_state=True, return_sequences=True)(x)
    return Model(x, [y, layers.Dense(3)(h), c])


def drawn_model(rng):
    """Return a model of one to three recurrent layers of any kind and size."""
    parts = [layers.Input((None, int(rng.integers(1, 20))))]
    number = int(rng.integers(1, 4))
    for i in range(number):
        kind = rng.choice(["LSTM", "GRU", "SimpleRNN", "MinGRU", "MinLSTM", "LayerNormLSTM"])
        options = {"return_sequences": i + 1 < number or bool(rng.random() < 0.5)}
        options["use_bias"] = bool(rng.random() < 0.7)
        if kind == "GRU":
            options["reset_after"] = bool(rng.random() < 0.5)
        parts.append(getattr(layers, str(kind))(int(rng.integers(1, 40)), **options))
        if rng.random() < 0.3:
            parts.append(layers.LayerNormalization())
    parts.append(layers.Dense(int(rng.integers(1, 20)), activation=str(rng.choice(ACTIVATIONS))))
    return Sequential(parts)
