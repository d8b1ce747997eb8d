"""A GPU for tests where there is none: JAX says it has one, and cuDNN's call is written out."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
from jax.experimental import rnn

from statewise.recurrence import DropoutMasks, scan
from statewise.recurrence.backends import cudnn, cudnn_elsewhere, gpu
from statewise.recurrence.layout import LSTMState

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


def in_float32(dtype):
    """Return a function: `scan` with arrays of ``dtype``, computed with in float32."""

    def run(cell, *arrays, **options):
        wide = jax.tree.map(lambda a: a.astype("float32"), arrays)
        if "dropout" in options:
            kept = options["dropout"].inputs.astype("float32")
            options["dropout"] = DropoutMasks(inputs=kept)
        result = scan(cell, *wide, **options)
        result = jax.tree.map(lambda a: a.astype(dtype), result)
        return result if options["all_outputs"] else result._replace(outputs=None)

    return run
