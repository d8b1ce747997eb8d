"""A recurrence and all its gradients in NumPy: slow, obvious, and nobody else's code.

Forward and backward are written out from the equations, a step at a time, all rows of the batch at
once. What every native kernel and the reference must compute, at any shape.
"""

from typing import NamedTuple

import numpy as np

from numpy_activations import FUNCTIONS, Function


class Weights(NamedTuple):
    """Of a layer; ``b`` is None without a bias, ``(2, 3 * units)`` for the GRU."""

    W: np.ndarray
    U: np.ndarray
    b: np.ndarray | None


class Masks(NamedTuple):
    """Dropout masks ``(gates, batch, n)`` for the inputs and for the previous output, or None."""

    inputs: np.ndarray | None = None
    recurrent: np.ndarray | None = None


NO_DROPOUT = Masks()


class Functions(NamedTuple):
    """Those of a cell."""

    activation: Function
    gate: Function

    def gates_of(self, entered, kinds):
        """Return the values of what enters the gates (g) and the candidate (a)."""
        both = {"a": self.activation, "g": self.gate}
        return [both[kind].value(x) for kind, x in zip(kinds, entered, strict=True)]

    def slopes_of(self, entered, kinds):
        """Return the slopes there."""
        both = {"a": self.activation, "g": self.gate}
        return [both[kind].slope(x) for kind, x in zip(kinds, entered, strict=True)]


def product(x, kernel, masks):
    """Return the product of x and the kernel of some gates, each with its own mask on x."""
    if masks is None:
        return x @ kernel
    blocks = np.split(kernel, len(masks), axis=1)
    return np.concatenate([(x * m) @ k for m, k in zip(masks, blocks, strict=True)], axis=1)


def product_gradients(x, kernel, masks, d_product):
    """Return the gradients of such a product by x and by the kernel."""
    if masks is None:
        return d_product @ kernel.T, x.T @ d_product
    blocks = np.split(kernel, len(masks), axis=1)
    gates = list(zip(masks, blocks, np.split(d_product, len(masks), axis=1), strict=True))
    d_kernel = np.concatenate([(x * m).T @ d for m, _, d in gates], axis=1)
    return sum((d @ k.T) * m for m, k, d in gates), d_kernel


class SimpleRNN:
    arrays, gates = 1, 1

    @staticmethod
    def forward(x, state, w, f, m):
        (h,) = state
        entered = product(x, w.W, m.inputs) + product(h, w.U, m.recurrent)
        entered = entered + (0 if w.b is None else w.b)
        return (f.activation.value(entered),), entered

    @staticmethod
    def backward(x, state, w, f, m, entered, d_state, add):
        (h,), (d_h,) = state, d_state
        d_gate = d_h * f.activation.slope(entered)
        d_x, d_W = product_gradients(x, w.W, m.inputs, d_gate)
        d_h, d_U = product_gradients(h, w.U, m.recurrent, d_gate)
        add(d_W, d_U, d_gate.sum(0))
        return d_x, (d_h,)


class LSTM:
    arrays, gates = 2, 4

    @staticmethod
    def forward(x, state, w, f, m):
        h, c = state
        sums = product(x, w.W, m.inputs) + product(h, w.U, m.recurrent)
        entered = np.split(sums + (0 if w.b is None else w.b), 4, axis=1)
        i, forget, g, o = f.gates_of(entered, "ggag")
        new_c = forget * c + i * g
        return (o * f.activation.value(new_c), new_c), (entered, new_c)

    @staticmethod
    def backward(x, state, w, f, m, kept, d_state, add):
        (h, c), (entered, new_c), (d_h, d_c) = state, kept, d_state
        i, forget, g, o = f.gates_of(entered, "ggag")
        d_c = d_c + d_h * o * f.activation.slope(new_c)
        d_gates = [d_c * g, d_c * c, d_c * i, d_h * f.activation.value(new_c)]
        slopes = f.slopes_of(entered, "ggag")
        d_gates = np.concatenate([d * s for d, s in zip(d_gates, slopes, strict=True)], axis=1)
        d_x, d_W = product_gradients(x, w.W, m.inputs, d_gates)
        d_h, d_U = product_gradients(h, w.U, m.recurrent, d_gates)
        add(d_W, d_U, d_gates.sum(0))
        return d_x, (d_h, d_c * forget)


class GRU:
    """With the reset gate after the recurrent product."""

    arrays, gates = 1, 3

    @staticmethod
    def forward(x, state, w, f, m):
        (h,) = state
        b_x, b_h = (0, 0) if w.b is None else w.b
        from_x = np.split(product(x, w.W, m.inputs) + b_x, 3, axis=1)
        from_h = np.split(product(h, w.U, m.recurrent) + b_h, 3, axis=1)
        entered = [from_x[0] + from_h[0], from_x[1] + from_h[1]]
        r = f.gate.value(entered[1])
        entered.append(from_x[2] + r * from_h[2])
        z, r, g = f.gates_of(entered, "gga")
        return (z * h + (1 - z) * g,), (entered, from_h[2])

    @staticmethod
    def backward(x, state, w, f, m, kept, d_state, add):
        (h,), (entered, recurrent), (d_h,) = state, kept, d_state
        z, r, g = f.gates_of(entered, "gga")
        slope_z, slope_r, slope_g = f.slopes_of(entered, "gga")
        d_g = d_h * (1 - z) * slope_g
        d_z = d_h * (h - g) * slope_z
        d_r = d_g * recurrent * slope_r
        of_x = np.concatenate([d_z, d_r, d_g], axis=1)
        of_h = np.concatenate([d_z, d_r, d_g * r], axis=1)
        d_x, d_W = product_gradients(x, w.W, m.inputs, of_x)
        through, d_U = product_gradients(h, w.U, m.recurrent, of_h)
        add(d_W, d_U, np.stack([of_x.sum(0), of_h.sum(0)]))
        return d_x, (d_h * z + through,)


class GRUResetBefore:
    arrays, gates = 1, 3

    @staticmethod
    def parts(w, m):
        """Return the recurrent kernel and masks of the gates, then those of the candidate."""
        outer, inner = np.split(w.U, [2 * w.U.shape[0]], axis=1)
        masks = (None, None) if m.recurrent is None else (m.recurrent[:2], m.recurrent[2:])
        return outer, inner, *masks

    @classmethod
    def forward(cls, x, state, w, f, m):
        (h,) = state
        outer, inner, outer_masks, inner_masks = cls.parts(w, m)
        from_x = product(x, w.W, m.inputs) + (0 if w.b is None else w.b)
        from_x, from_h = np.split(from_x, 3, axis=1), product(h, outer, outer_masks)
        entered = list(map(np.add, from_x[:2], np.split(from_h, 2, axis=1)))
        r = f.gate.value(entered[1])
        entered.append(from_x[2] + product(r * h, inner, inner_masks))
        z, r, g = f.gates_of(entered, "gga")
        return (z * h + (1 - z) * g,), entered

    @classmethod
    def backward(cls, x, state, w, f, m, kept, d_state, add):
        (h,), entered, (d_h,) = state, kept, d_state
        z, r, g = f.gates_of(entered, "gga")
        slope_z, slope_r, slope_g = f.slopes_of(entered, "gga")
        outer, inner, outer_masks, inner_masks = cls.parts(w, m)
        d_g = d_h * (1 - z) * slope_g
        d_z = d_h * (h - g) * slope_z
        d_gated, d_inner = product_gradients(r * h, inner, inner_masks, d_g)
        d_zr = np.concatenate([d_z, d_gated * h * slope_r], axis=1)
        through, d_outer = product_gradients(h, outer, outer_masks, d_zr)
        of_x = np.concatenate([d_zr, d_g], axis=1)
        d_x, d_W = product_gradients(x, w.W, m.inputs, of_x)
        add(d_W, np.concatenate([d_outer, d_inner], axis=1), of_x.sum(0))
        return d_x, (d_h * z + d_gated * r + through,)


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
        dropout=NO_DROPOUT,
        activation="tanh",
        recurrent_activation="sigmoid",
    ):
        self.cell, self.x, self.weights = CELLS[name], x, weights
        self.functions = Functions(FUNCTIONS[activation], FUNCTIONS[recurrent_activation])
        self.dropout = Masks(
            *(
                None if m is None else np.broadcast_to(m, (self.cell.gates, *m.shape[-2:]))
                for m in dropout
            )
        )
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
            new, kept = self.cell.forward(now, before, weights, self.functions, self.dropout)
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
            given = now, before, w, self.functions, self.dropout, kept, through, add
            d_now, d_before = self.cell.backward(*given)
            d_x[:, t] = d_now
            around = (np.where(valid, 0.0, a) for a in d_state)
            d_state = tuple(
                np.where(self.starts[:, t, None], 0.0, a + b)
                for a, b in zip(d_before, around, strict=True)
            )
        return Gradients(d_x, d_state, d_W, d_U, d_b)
