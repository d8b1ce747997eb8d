"""A recurrence and all its gradients in NumPy: slow, obvious, and nobody else's code.

Forward and backward are written out from the equations, a step at a time, all rows of the batch at
once. What every native kernel and the reference must compute, at any shape.
"""

from typing import NamedTuple

import numpy as np


def sigmoid(a):
    return 1.0 / (1.0 + np.exp(-a))


class Weights(NamedTuple):
    """Of a layer; ``b`` is None without a bias, ``(2, 3 * units)`` for the GRU."""

    W: np.ndarray
    U: np.ndarray
    b: np.ndarray | None


class SimpleRNN:
    arrays = 1

    @staticmethod
    def forward(x, state, w):
        (h,) = state
        new = np.tanh(x @ w.W + h @ w.U + (0 if w.b is None else w.b))
        return (new,), new

    @staticmethod
    def backward(x, state, w, new, d_state, add):
        (h,), (d_h,) = state, d_state
        d_gate = d_h * (1 - new**2)
        add(x.T @ d_gate, h.T @ d_gate, d_gate.sum(0))
        return d_gate @ w.W.T, (d_gate @ w.U.T,)


class LSTM:
    arrays = 2

    @staticmethod
    def forward(x, state, w):
        h, c = state
        i, f, g, o = np.split(x @ w.W + h @ w.U + (0 if w.b is None else w.b), 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        new_c = f * c + i * g
        return (o * np.tanh(new_c), new_c), (i, f, g, o, new_c)

    @staticmethod
    def backward(x, state, w, kept, d_state, add):
        (h, c), (i, f, g, o, new_c), (d_h, d_c) = state, kept, d_state
        t = np.tanh(new_c)
        d_c = d_c + d_h * o * (1 - t**2)
        d_gates = [d_c * g * i * (1 - i), d_c * c * f * (1 - f), d_c * i * (1 - g**2)]
        d_gates = np.concatenate([*d_gates, d_h * t * o * (1 - o)], axis=1)
        add(x.T @ d_gates, h.T @ d_gates, d_gates.sum(0))
        return d_gates @ w.W.T, (d_gates @ w.U.T, d_c * f)


class GRU:
    """With the reset gate after the recurrent product."""

    arrays = 1

    @staticmethod
    def forward(x, state, w):
        (h,) = state
        b_x, b_h = (0, 0) if w.b is None else w.b
        from_x, from_h = np.split(x @ w.W + b_x, 3, axis=1), np.split(h @ w.U + b_h, 3, axis=1)
        z, r = sigmoid(from_x[0] + from_h[0]), sigmoid(from_x[1] + from_h[1])
        g = np.tanh(from_x[2] + r * from_h[2])
        return (z * h + (1 - z) * g,), (z, r, g, from_h[2])

    @staticmethod
    def backward(x, state, w, kept, d_state, add):
        (h,), (z, r, g, recurrent), (d_h,) = state, kept, d_state
        d_g = d_h * (1 - z) * (1 - g**2)
        d_z = d_h * (h - g) * z * (1 - z)
        d_r = d_g * recurrent * r * (1 - r)
        of_x = np.concatenate([d_z, d_r, d_g], axis=1)
        of_h = np.concatenate([d_z, d_r, d_g * r], axis=1)
        add(x.T @ of_x, h.T @ of_h, np.stack([of_x.sum(0), of_h.sum(0)]))
        return of_x @ w.W.T, (d_h * z + of_h @ w.U.T,)


class GRUResetBefore:
    arrays = 1

    @staticmethod
    def forward(x, state, w):
        (h,) = state
        units = h.shape[1]
        from_x = np.split(x @ w.W + (0 if w.b is None else w.b), 3, axis=1)
        z = sigmoid(from_x[0] + h @ w.U[:, :units])
        r = sigmoid(from_x[1] + h @ w.U[:, units : 2 * units])
        g = np.tanh(from_x[2] + (r * h) @ w.U[:, 2 * units :])
        return (z * h + (1 - z) * g,), (z, r, g)

    @staticmethod
    def backward(x, state, w, kept, d_state, add):
        (h,), (z, r, g), (d_h,) = state, kept, d_state
        units = h.shape[1]
        d_g = d_h * (1 - z) * (1 - g**2)
        d_z = d_h * (h - g) * z * (1 - z)
        d_gated = d_g @ w.U[:, 2 * units :].T
        d_r = d_gated * h * r * (1 - r)
        d_zr = np.concatenate([d_z, d_r], axis=1)
        of_x = np.concatenate([d_zr, d_g], axis=1)
        add(x.T @ of_x, np.concatenate([h.T @ d_zr, (r * h).T @ d_g], axis=1), of_x.sum(0))
        return of_x @ w.W.T, (d_h * z + d_gated * r + d_zr @ w.U[:, : 2 * units].T,)


CELLS = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU, "GRU, reset before": GRUResetBefore}


class Gradients(NamedTuple):
    x: np.ndarray
    state: tuple
    W: np.ndarray
    U: np.ndarray
    b: np.ndarray | None


class Recurrence:
    """A cell run over a batch of sequences.

    Attributes:
        outputs: ``(batch, time, units)`` in the order of processing.
        last: ``(batch, units)``, the output of the step processed last.
        state: after that step, arrays ``(batch, units)``.
    """

    def __init__(
        self,
        name,
        x,
        state,
        weights,
        *,
        mask=None,
        resets=None,
        go_backwards=False,
        zero_output_for_mask=False,
    ):
        self.cell, self.x, self.weights = CELLS[name], x, weights
        self.zeros = zero_output_for_mask
        batch, time = x.shape[:2]
        self.order = range(time - 1, -1, -1) if go_backwards else range(time)
        self.valid = np.ones((batch, time), bool) if mask is None else np.asarray(mask)
        self.starts = np.zeros((batch, time), bool) if resets is None else np.asarray(resets)
        if go_backwards:  # what begins at t is entered, from behind, at its end
            ends = np.zeros_like(self.starts)
            ends[:, :-1] = self.starts[:, 1:]
            self.starts = ends
        self.steps, outputs, state = [], [], tuple(state)
        for t in self.order:
            before = tuple(np.where(self.starts[:, t, None], 0.0, a) for a in state)
            valid = self.valid[:, t, None]
            # What stands at a masked step must not matter, whatever it is.
            now = np.where(valid, x[:, t], 0.0)
            new, kept = self.cell.forward(now, before, weights)
            state = tuple(np.where(valid, a, b) for a, b in zip(new, before, strict=True))
            self.steps.append((t, now, before, kept))
            outputs.append(np.where(valid, state[0], 0.0) if self.zeros else state[0])
        self.outputs, self.last, self.state = np.stack(outputs, 1), outputs[-1], state

    def gradients(self, d_outputs, d_last, d_state) -> Gradients:
        """Return the gradients of the sum of all results times what is given for each."""
        w, zero = self.weights, np.zeros
        d_x, d_W, d_U = zero(self.x.shape), zero(w.W.shape), zero(w.U.shape)
        d_b = None if w.b is None else zero(w.b.shape)

        def add(of_W, of_U, of_b):
            nonlocal d_W, d_U, d_b
            d_W, d_U = d_W + of_W, d_U + of_U
            d_b = None if d_b is None else d_b + of_b

        d_state = tuple(d_state)
        for i in range(len(self.steps) - 1, -1, -1):
            t, now, before, kept = self.steps[i]
            valid = self.valid[:, t, None]
            d_output = d_outputs[:, i] + (d_last if i == len(self.steps) - 1 else 0.0)
            if self.zeros:
                d_output = np.where(valid, d_output, 0.0)
            d_state = (d_state[0] + d_output, *d_state[1:])
            through = tuple(np.where(valid, a, 0.0) for a in d_state)
            d_now, d_before = self.cell.backward(now, before, w, kept, through, add)
            d_x[:, t] = d_now
            around = (np.where(valid, 0.0, a) for a in d_state)
            d_state = tuple(
                np.where(self.starts[:, t, None], 0.0, a + b)
                for a, b in zip(d_before, around, strict=True)
            )
        return Gradients(d_x, d_state, d_W, d_U, d_b)
