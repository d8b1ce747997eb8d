"""The cells in NumPy, float64, one row and one step at a time: what every path must compute.

Written from the equations, with every gate cut out of the weights by hand; it shares nothing with
the package.
"""

import numpy as np

import numpy_activations

ACTIVATIONS = {name: f.value for name, f in numpy_activations.FUNCTIONS.items()}
ACTIVATIONS[None] = ACTIVATIONS["linear"]


def simple_rnn_step(x, state, W, U, b, act, _gate):
    (h,) = state
    return [act(x @ W + h @ U + b)]


def lstm_step(x, state, W, U, b, act, gate):
    h, c = state
    n = c.size
    i = gate(x @ W[:, :n] + h @ U[:, :n] + b[:n])
    f = gate(x @ W[:, n : 2 * n] + h @ U[:, n : 2 * n] + b[n : 2 * n])
    candidate = act(x @ W[:, 2 * n : 3 * n] + h @ U[:, 2 * n : 3 * n] + b[2 * n : 3 * n])
    o = gate(x @ W[:, 3 * n :] + h @ U[:, 3 * n :] + b[3 * n :])
    c = f * c + i * candidate
    return [o * act(c), c]


def gru_reset_after_step(x, state, W, U, b, act, gate):
    (h,) = state
    n = h.size
    bx, bh = b
    z = gate(x @ W[:, :n] + bx[:n] + h @ U[:, :n] + bh[:n])
    r = gate(x @ W[:, n : 2 * n] + bx[n : 2 * n] + h @ U[:, n : 2 * n] + bh[n : 2 * n])
    candidate = act(x @ W[:, 2 * n :] + bx[2 * n :] + r * (h @ U[:, 2 * n :] + bh[2 * n :]))
    return [z * h + (1 - z) * candidate]


def gru_step(x, state, W, U, b, act, gate):
    (h,) = state
    n = h.size
    z = gate(x @ W[:, :n] + h @ U[:, :n] + b[:n])
    r = gate(x @ W[:, n : 2 * n] + h @ U[:, n : 2 * n] + b[n : 2 * n])
    candidate = act(x @ W[:, 2 * n :] + (r * h) @ U[:, 2 * n :] + b[2 * n :])
    return [z * h + (1 - z) * candidate]


EPSILON = 1e-3  # of a normalisation


def layer_norm_lstm_step(x, state, W, U, b, act, gate, *norms):
    h, c = state
    n = c.size

    def norm(a, scale, shift):
        deviation = np.sqrt(((a - a.mean()) ** 2).mean() + EPSILON)
        return scale * (a - a.mean()) / deviation + shift

    a = norm(x @ W, *norms[:2]) + norm(h @ U, *norms[2:4]) + b
    i, f, o = gate(a[:n]), gate(a[n : 2 * n]), gate(a[3 * n :])
    c = norm(f * c + i * act(a[2 * n : 3 * n]), *norms[4:])
    return [o * act(c), c]


def projected_lstm_step(x, state, W, U, b, act, gate, P):
    h, c = lstm_step(x, state, W, U, b, act, gate)
    return [h @ P, c]


def min_gru_step(x, state, W, _, b, act, _gate):
    (h,) = state
    n = h.size
    z = ACTIVATIONS["sigmoid"](x @ W[:, :n] + b[:n])
    candidate = act(x @ W[:, n:] + b[n:])
    return [(1 - z) * h + z * candidate]


def min_lstm_step(x, state, W, _, b, act, _gate):
    (h,) = state
    n = h.size
    sigmoid = ACTIVATIONS["sigmoid"]
    i, f = sigmoid(x @ W[:, :n] + b[:n]), sigmoid(x @ W[:, n : 2 * n] + b[n : 2 * n])
    candidate = act(x @ W[:, 2 * n :] + b[2 * n :])
    return [f / (f + i) * h + i / (f + i) * candidate]


STEPS = {
    "SimpleRNN": simple_rnn_step,
    "LSTM": lstm_step,
    "GRU": gru_reset_after_step,
    "GRU, reset before": gru_step,
    "LayerNormLSTM": layer_norm_lstm_step,
    "ProjectedLSTM": projected_lstm_step,
    "MinGRU": min_gru_step,
    "MinLSTM": min_lstm_step,
}
GATES = {
    "SimpleRNN": 1,
    "LSTM": 4,
    "GRU": 3,
    "GRU, reset before": 3,
    "LayerNormLSTM": 4,
    "ProjectedLSTM": 4,
    "MinGRU": 2,
    "MinLSTM": 3,
}
STATES = {"LSTM": 2, "LayerNormLSTM": 2, "ProjectedLSTM": 2}  # arrays of a state; else one


def random_weights(name, features, units, rng, *, use_bias=True, projection=2):
    """Return ``(kernel, recurrent kernel or None, bias or None)``, asymmetric and float64.

    A cell that has more is given its further arrays in a tuple after them.
    """
    wide = GATES[name] * units
    bias_shape = (2, wide) if name == "GRU" else (wide,)
    bias = rng.normal(scale=0.5, size=bias_shape) if use_bias else None
    kernel = rng.normal(size=(features, wide))
    if name in ("MinGRU", "MinLSTM"):
        return kernel, None, bias
    carried = projection if name == "ProjectedLSTM" else units
    weights = kernel, rng.normal(scale=0.6, size=(carried, wide)), bias
    if name == "ProjectedLSTM":
        return *weights, (rng.normal(size=(units, projection)),)
    if name == "LayerNormLSTM":
        sizes = [wide] * 4 + [units] * 2
        centres = 1, 0, 1, 0, 1, 0  # a scale, a shift
        norms = (rng.normal(m, 0.4, size=n) for m, n in zip(centres, sizes, strict=True))
        return *weights, tuple(norms)
    return weights


def random_state(name, batch, units, rng, *, projection=2):
    """Return the arrays of a state ``(batch, ...)``, float64."""
    sizes = [units] * STATES.get(name, 1)
    if name == "ProjectedLSTM":
        sizes[0] = projection
    return [rng.normal(size=(batch, size)) for size in sizes]


def run(
    name,
    x,
    state,
    weights,
    *,
    mask=None,
    resets=None,
    go_backwards=False,
    zero_output_for_mask=False,
    activation="tanh",
    recurrent_activation="sigmoid",
):
    """Run a cell over ``x (batch, time, features)``.

    Returns:
        The outputs in the order in which the steps were processed, and the arrays of the state.
    """
    kernel, recurrent_kernel, bias = (
        None if w is None else np.asarray(w, "float64") for w in weights[:3]
    )
    further = [np.asarray(w, "float64") for group in weights[3:] for w in group]
    if bias is None:
        bias = np.zeros((2, kernel.shape[1]) if name == "GRU" else kernel.shape[1])
    functions = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    batch, time, _ = x.shape
    outputs = np.zeros((batch, time, np.shape(state[0])[1]))
    ends = [np.array(array, "float64") for array in state]
    for row in range(batch):
        now = [array[row] for array in ends]
        order = range(time)[::-1] if go_backwards else range(time)
        for place, t in enumerate(order):
            # A sequence that begins at step t ends, seen backwards, at t: the next one to be
            # entered is that of step t - 1.
            fresh = t + 1 if go_backwards else t
            if resets is not None and fresh < time and resets[row, fresh]:
                now = [np.zeros_like(array) for array in now]
            if mask is None or mask[row, t]:
                step_input = np.asarray(x[row, t], "float64")
                given = kernel, recurrent_kernel, bias, *functions, *further
                now = STEPS[name](step_input, now, *given)
                outputs[row, place] = now[0]
            elif not zero_output_for_mask:
                outputs[row, place] = now[0]
        for array, value in zip(ends, now, strict=True):
            array[row] = value
    return outputs, ends
