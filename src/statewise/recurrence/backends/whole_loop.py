"""The whole loop over time as one kernel for GPUs, and its gradients.

What doesn't depend on the step before is left to XLA, for all steps at once: the inputs' product
before, and for the gradients the recurrent product (every output is known by then) and the sums
over time. What the kernels do is in `loop_kernels`.
"""

from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.custom_batching import sequential_vmap
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu

from statewise.recurrence.backends.loop_kernels import STARTS, Loop, backward_kernel, forward_kernel
from statewise.recurrence.layout import CellState
from statewise.recurrence.refusing import refusing

_FIRST_IN_REVERSE = (
    "The kernels for GPUs have first derivatives in reverse mode (jax.grad, jax.vjp) only. For "
    "forward mode or second derivatives call statewise.recurrence.scan, which computes the same; "
    "for a whole model set the environment variable STATEWISE_GPU=reference before the process "
    "starts."
)


def _launched(loop: Loop, kernel, time: int, given, changed, backwards: bool):
    """Run a kernel over all time steps; return what it changes."""
    batch, units = given[0].shape[-2:]
    grid = (batch // loop.rows, units // loop.units)
    changed = (*changed, jnp.zeros(grid[:1], jnp.int32))  # how many programs have come
    before = 1 + len(given)

    def launched(first, steps, given, changed):
        results = pl.pallas_call(
            partial(kernel, loop, steps),
            out_shape=[jax.ShapeDtypeStruct(array.shape, array.dtype) for array in changed],
            grid=grid,
            input_output_aliases={before + i: i for i in range(len(changed))},
            interpret=loop.interpreted,
            # One stage: Triton would read the next step's h before it's written.
            compiler_params=plgpu.CompilerParams(num_warps=8, num_stages=1),
        )(jnp.asarray([first], jnp.int32), *given, *changed)
        return tuple(results)

    def over_time(given, changed):
        if not loop.interpreted:
            return launched(time - 1 if backwards else 0, time, given, changed)
        return jax.lax.fori_loop(
            0,
            time,
            lambda i, now: launched(time - 1 - i if backwards else i, 1, given, now),
            changed,
        )

    # Under `jax.vmap` one after the other: a larger grid's programs would wait for ever.
    run = refusing(sequential_vmap(over_time), _FIRST_IN_REVERSE)
    return [*run(tuple(given), changed)[:-1]]


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def whole_loop(loop: Loop, projected, state, kernel, bias, flags) -> tuple[Array, CellState]:
    """Run a cell over all time steps.

    Args:
        loop: what is fixed; its rows divide the batch, its units and depth the units.
        projected: the inputs' part of every gate, ``(time, gates, batch, units)``.
        state: before the first step, of arrays ``(batch, units)``.
        kernel: the recurrent kernel ``(gates, units, units)``, from the previous output to a gate.
        bias: of the recurrent product, ``(gates, units)``.
        flags: int32 ``(time + 1, batch)`` of `VALID` and `STARTS`; the last row is 0.

    Returns:
        The states' h after each step, ``(time, batch, units)``, and the state after the last.
    """
    return _run(loop, projected, state, kernel, bias, flags)[0]


def _run(loop: Loop, projected, state, kernel, bias, flags):
    time = projected.shape[0]
    # h in the arrays' own type, as the next step's product takes it; c in float32.
    dtypes = (projected.dtype, jnp.float32)
    kept = [
        jnp.zeros((time + 1, *s.shape), dtype).at[0].set(s.astype(dtype))
        for s, dtype in zip(state, dtypes, strict=False)
    ]
    given = (projected, kernel, bias, flags)
    kept = _launched(loop, forward_kernel, time, given, kept, backwards=False)
    after = loop.cell.state_type(
        *(k[time].astype(s.dtype) for k, s in zip(kept, state, strict=True))
    )
    return (kept[0][1:], after), (projected, state, kernel, bias, flags, kept)


def _run_back(loop: Loop, kept, cotangents):
    projected, state, kernel, bias, flags, states = kept
    d_outputs, d_after = cotangents
    time, dtype = projected.shape[0], projected.dtype
    starts = (flags[:time, :, None] & STARTS) != 0
    before = states[0][:-1]
    if loop.cut:
        before = jnp.where(starts, jnp.zeros((), dtype), before)
    recurrent = jnp.einsum("tbk,gkn->tgbn", before, kernel, preferred_element_type=jnp.float32)
    recurrent = recurrent + bias.astype(jnp.float32)[:, None]
    changed = [d.astype(jnp.float32) for d in d_after]
    changed += [jnp.zeros((time + 1, *projected.shape[1:]), dtype)]
    changed += [] if loop.same_gradients else [jnp.zeros(projected.shape, dtype)]
    given = (projected, recurrent, jnp.swapaxes(kernel, 1, 2), flags, d_outputs, *states)
    changed = _launched(loop, backward_kernel, time, given, changed, backwards=True)
    d_state, d_gates = changed[: len(state)], changed[len(state) :]
    d_recurrent = d_gates[0][:time]
    d_h = jnp.einsum("gbn,gkn->bk", d_recurrent[0], kernel, preferred_element_type=jnp.float32)
    d_state[0] += jnp.where(starts[0], 0.0, d_h) if loop.cut else d_h
    sums = partial(jnp.einsum, preferred_element_type=jnp.float32)
    return (
        d_recurrent if loop.same_gradients else d_gates[1],
        loop.cell.state_type(*(d.astype(s.dtype) for d, s in zip(d_state, state, strict=True))),
        sums("tbk,tgbn->gkn", before, d_recurrent).astype(kernel.dtype),
        jnp.sum(d_recurrent, (0, 2), dtype=jnp.float32).astype(bias.dtype),
        None,
    )


whole_loop.defvjp(_run, _run_back)
