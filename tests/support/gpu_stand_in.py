"""A GPU for tests where there is none: JAX says it has one, and cuDNN's call is written out."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import rnn

import numpy_cells
from quick import quick_jit
from statewise.recurrence import GRU, LSTM, SimpleRNN, Weights
from statewise.recurrence.backends import cudnn, cudnn_elsewhere, gpu
from statewise.recurrence.layout import LSTMState

CELLS = {"SimpleRNN": SimpleRNN(), "LSTM": LSTM(), "GRU": GRU()}
GARBAGE = 1e6  # behind the end of a sequence, where nobody may look


def pretend_a_gpu(monkeypatch, choice: str = "") -> None:
    """Let JAX say that there's a GPU with cuDNN; what is computed runs on the CPU."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setenv(gpu.SWITCH, choice)
    kept = SimpleNamespace(compute_rnn_workspace_reserve_space_sizes=lambda *sizes: (0, 3))
    monkeypatch.setattr(rnn, "gpu_rnn", kept)
    monkeypatch.setattr(gpu, "has_cudnn", lambda: True)
    assert cudnn_elsewhere.write_elsewhere()
    call = cudnn.lstm

    def lstm(x, state, weights, lengths):
        assert x.dtype == state.h.dtype == state.c.dtype == jnp.float32
        assert lengths.dtype == jnp.int32
        y, (h, c) = call(x, state, weights, lengths)
        within = jnp.arange(x.shape[1]) < lengths[:, None]
        # What cuDNN says of a sequence without a step isn't known: it must never be asked.
        within, asked = within[..., None], (lengths > 0)[:, None]
        return jnp.where(within, y, GARBAGE), LSTMState(
            *(jnp.where(asked, a, jnp.nan) for a in (h, c))
        )

    monkeypatch.setattr(cudnn, "lstm", lstm)


def random_case(name, rng, *, batch=3, time=5, units=4, features=2, dtype="float32", bias=True):
    """Return a cell, inputs, a state and weights, all of them random."""

    def draw(*shape):
        return jnp.asarray(rng.normal(size=shape), dtype)

    cell = CELLS[name]
    state = cell.state_type(*(draw(batch, units) for _ in cell.state_type._fields))
    weights = numpy_cells.random_weights(name, features, units, rng, use_bias=bias)
    weights = Weights(*(None if w is None else jnp.asarray(w, dtype) for w in weights))
    weights = weights._replace(recurrent_kernel=weights.recurrent_kernel * units**-0.5)
    return cell, draw(batch, time, features), state, weights


def random_mask(kind, rng, batch, time):
    """Return a mask ``(batch, time)``: padded on one side, or any; one row hides all steps."""
    if kind is None:
        return None
    lengths = rng.integers(0, time + 1, size=(batch, 1))
    lengths[0] = 0 if batch > 1 else time
    steps = np.arange(time)
    masks = {
        "right": steps < lengths,
        "left": steps >= time - lengths,
        "any": (rng.random((batch, time)) < 0.6) & (lengths > 0),
    }
    return jnp.asarray(masks[kind])


def both_of(run, options, seed=0):
    """Return a compiled function: the result of ``run``, and gradients by x, state and weights."""

    def weighted(cell, x, state, weights):
        result = run(cell, x, state, weights, **options)
        rng, total = np.random.default_rng(seed), 0.0
        for array in jax.tree.leaves(result):
            total += jnp.sum(array * jnp.asarray(rng.normal(size=array.shape), array.dtype))
        return total, result

    def both(cell, x, state, weights):
        return jax.grad(weighted, argnums=(1, 2, 3), has_aux=True)(cell, x, state, weights)

    return quick_jit(both, static_argnums=0)


def assert_close(found, expected, tolerance):
    """Compare all arrays, each as a part of its greatest value."""
    found, expected = jax.tree.leaves(found), jax.tree.leaves(expected)
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        one, other = (np.asarray(array, "float32") for array in (one, other))
        scale = 1e-2 + np.abs(other).max()
        np.testing.assert_allclose(one / scale, other / scale, rtol=0, atol=tolerance)
