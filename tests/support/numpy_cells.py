"""The cells in NumPy, float64, one row and one step at a time: what every path must compute.

Written from the equations, with every gate cut out of the weights by hand; it shares nothing with
the package.
"""

import numpy as np

ACTIVATIONS = {
    "tanh": np.tanh,
    "relu": lambda a: np.maximum(a, 0.0),
    "sigmoid": lambda a: 1.0 / (1.0 + np.exp(-a)),
    "hard_sigmoid": lambda a: np.clip(a / 6.0 + 0.5, 0.0, 1.0),
    None: lambda a: a,
}


def simple_rnn_step(x, state, W, U, b, act, _gate):
    (h,) = state
    return [act(x @ W + h @ U + b)]


def lstm_step(x, state, W, U, b, act, gate):
    h, c = state
    n = h.size
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


STEPS = {
    "SimpleRNN": simple_rnn_step,
    "LSTM": lstm_step,
    "GRU": gru_reset_after_step,
    "GRU, reset before": gru_step,
}
GATES = {"SimpleRNN": 1, "LSTM": 4, "GRU": 3, "GRU, reset before": 3}


def random_weights(name, features, units, rng, *, use_bias=True):
    """Return ``(kernel, recurrent kernel, bias or None)``, asymmetric and float64."""
    wide = GATES[name] * units
    bias_shape = (2, wide) if name == "GRU" else (wide,)
    bias = rng.normal(scale=0.5, size=bias_shape) if use_bias else None
    return rng.normal(size=(features, wide)), rng.normal(scale=0.6, size=(units, wide)), bias


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
        None if w is None else np.asarray(w, "float64") for w in weights
    )
    units = recurrent_kernel.shape[0]
    if bias is None:
        bias = np.zeros((2, 3 * units) if name == "GRU" else recurrent_kernel.shape[1])
    functions = ACTIVATIONS[activation], ACTIVATIONS[recurrent_activation]
    batch, time, _ = x.shape
    outputs = np.zeros((batch, time, units))
    ends = [np.array(array, "float64") for array in state]
    for row in range(batch):
        now = [array[row] for array in ends]
        order = range(time)[::-1] if go_backwards else range(time)
        for place, t in enumerate(order):
            # A sequence that begins at step t ends, seen backwards, at t: the next one to be
            # entered is that of step t - 1.
            fresh = t + 1 if go_backwards else t
            if resets is not None and fresh < time and resets[row, fresh]:
                now = [np.zeros(units) for _ in now]
            if mask is None or mask[row, t]:
                step_input = np.asarray(x[row, t], "float64")
                now = STEPS[name](step_input, now, kernel, recurrent_kernel, bias, *functions)
                outputs[row, place] = now[0]
            elif not zero_output_for_mask:
                outputs[row, place] = now[0]
        for array, value in zip(ends, now, strict=True):
            array[row] = value
    return outputs, ends
