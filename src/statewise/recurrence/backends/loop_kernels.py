"""What the programs of a kernel for GPUs compute, forward and back, step by step.

Each program of the grid has some rows of the batch and some units, with all their gates: the
columns of the recurrent kernel that belong to them it reads once, and they stay on the chip. In a
step every program needs what all programs of its rows found in the step before, which goes through
the memory that all share, so they wait for each other once a step (`_wait_for_all`). The idea of
weights that persist on the chip is that of Diamos et al., "Persistent RNNs" (ICML 2016).

What is computed in a step is written once, in `_combined`; its derivative is JAX's, traced within
the kernel.

Arrays have the time first: ``(time, gates, batch, units)`` and ``(time, batch, units)``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jax import Array
from jax.experimental import pallas as pl
from jax.experimental.pallas import triton as plgpu

from statewise.recurrence.cells import GRU, LSTM, SimpleRNN
from statewise.recurrence.layout import CellState

# Bits of a flag: the step counts, a sequence begins.
VALID, STARTS = 1, 2

# The weights stay on the chip up to so many bytes a program; above they are read in every step.
_CHIP = 128 << 10


@dataclass(frozen=True)
class Loop:
    """What is fixed about a kernel when it is traced.

    Attributes:
        cell: the arithmetic of a step.
        rows: of the batch that a program has.
        units: that a program has.
        depth: how many of the previous outputs are multiplied at a time.
        masked: whether flags may say that a step doesn't count.
        cut: whether flags may say that a sequence begins.
        interpreted: run by Pallas's interpreter, which takes one program of the grid after the
            other: a kernel for each step, since they can't wait for each other.
    """

    cell: SimpleRNN | LSTM | GRU
    rows: int
    units: int
    depth: int
    masked: bool = False
    cut: bool = False
    interpreted: bool = False

    def of_weights(self, kernel, units) -> Callable[[int, int], Array]:
        """Return what gives a gate's weights for a piece of the product, of a program's units."""
        pieces = [pl.ds(k, self.depth) for k in range(0, kernel.shape[1], self.depth)]
        if kernel.shape[1] * self.gates * self.units * kernel.dtype.itemsize > _CHIP:
            return lambda gate, piece: kernel[gate, pieces[piece], units]
        kept = [[kernel[gate, piece, units] for piece in pieces] for gate in range(self.gates)]
        return lambda gate, piece: kept[gate][piece]

    @property
    def gates(self) -> int:
        """How many gates the cell has."""
        return len(self.cell.gates)

    @property
    def has_cell_state(self) -> bool:
        """Whether the state has a c."""
        return isinstance(self.cell, LSTM)

    @property
    def same_gradients(self) -> bool:
        """Whether a gate's two parts, of the inputs and of the state, have one gradient."""
        return not isinstance(self.cell, GRU)


def _combined(
    cell: SimpleRNN | LSTM | GRU, projected: list[Array], recurrent: list[Array], state
) -> CellState:
    """Return the state after a step, from both parts of every gate: the equations of `cells`."""
    if isinstance(cell, LSTM):
        i, f, candidate, o = (a + b for a, b in zip(projected, recurrent, strict=True))
        i, f, o = map(cell.recurrent_activation, (i, f, o))
        c = f * state.c + i * cell.activation(candidate)
        return cell.state_type(h=o * cell.activation(c), c=c)
    if isinstance(cell, GRU):
        (xz, xr, xh), (hz, hr, hh) = projected, recurrent
        z, r = cell.recurrent_activation(xz + hz), cell.recurrent_activation(xr + hr)
        return cell.state_type(z * state.h + (1 - z) * cell.activation(xh + r * hh))
    return cell.state_type(cell.activation(projected[0] + recurrent[0]))


def _wait_for_all(counter, rows: Array, others: Array) -> None:
    """Wait until all programs of these rows have come as often as this one.

    What a program stored before, all its threads, is seen by those that go on: the barrier orders
    the threads, and the atomic additions acquire and release for the whole device. All programs
    run at the same time, since there are fewer than processors on the device.
    """
    plgpu.debug_barrier()
    plgpu.atomic_add(counter, (rows,), 1)
    jax.lax.while_loop(
        lambda come: come < others, lambda _: plgpu.atomic_add(counter, (rows,), 0), 0
    )
    plgpu.debug_barrier()


def _read(ref) -> Array:
    """Read what another program may have written: past this processor's own cache."""
    return plgpu.load(ref, volatile=True)


def forward_kernel(loop: Loop, steps: int, first, projected, kernel, bias, flags, *refs) -> None:
    """Run some steps from the first; ``hs[t]`` and ``cs[t]`` are the state before step t."""
    *states, counter = refs[len(refs) // 2 :]  # results; they are the last operands, changed
    hs = states[0]
    rows = pl.ds(pl.program_id(0) * loop.rows, loop.rows)
    units = pl.ds(pl.program_id(1) * loop.units, loop.units)
    begin = first[0]
    parts = [pl.ds(k, loop.depth) for k in range(0, hs.shape[2], loop.depth)]
    weights = loop.of_weights(kernel, units)
    biases = [bias[g, units].astype(jnp.float32)[None] for g in range(loop.gates)]

    def step(number, before):
        t = begin + number
        flag = flags[t, rows][:, None]
        sums = [jnp.broadcast_to(b, (loop.rows, loop.units)) for b in biases]
        for k, part in enumerate(parts):
            h = _read(hs.at[t, rows, part])
            if loop.cut:
                h = jnp.where(flag & STARTS != 0, jnp.zeros((), h.dtype), h)
            sums = [s + _product(h, weights(g, k)) for g, s in enumerate(sums)]
        now = [projected[t, g, rows, units].astype(jnp.float32) for g in range(loop.gates)]
        if loop.cut:
            before = _where(flag & STARTS != 0, jax.tree.map(jnp.zeros_like, before), before)
        after = _combined(loop.cell, now, sums, before)
        if loop.masked:
            after = _where(flag & VALID != 0, after, before)
        for kept, value in zip(states, after, strict=True):
            kept[t + 1, rows, units] = value.astype(kept.dtype)
        if not loop.interpreted:
            _wait_for_all(counter, pl.program_id(0), (number + 1) * pl.num_programs(1))
        return after

    before = loop.cell.state_type(*(s[begin, rows, units].astype(jnp.float32) for s in states))
    jax.lax.fori_loop(0, steps, step, before)


def backward_kernel(loop: Loop, steps: int, first, *refs) -> None:
    """Go some steps back from the first; ``d_recurrent[t + 1]`` is what a step's h goes into."""
    projected, recurrent, kernel, flags, d_outputs, *more = refs
    count = 1 + loop.has_cell_state
    states, more = more[:count], more[count:]
    *results, counter = more[len(more) // 2 :]
    d_states, (d_recurrent, *d_projected) = results[:count], results[count:]
    rows = pl.ds(pl.program_id(0) * loop.rows, loop.rows)
    units = pl.ds(pl.program_id(1) * loop.units, loop.units)
    begin = first[0]
    parts = [pl.ds(k, loop.depth) for k in range(0, kernel.shape[2], loop.depth)]
    weights = loop.of_weights(kernel, units)

    def step(number, d_after):
        t = begin - number
        flag = flags[t, rows][:, None]
        d_h = jnp.zeros((loop.rows, loop.units), jnp.float32)
        for g in range(loop.gates):
            for k, part in enumerate(parts):
                d_sums = _read(d_recurrent.at[t + 1, jnp.int32(g), rows, part])
                d_h = d_h + _product(d_sums, weights(g, k))
        if loop.cut:
            d_h = jnp.where(flags[t + 1, rows][:, None] & STARTS != 0, 0.0, d_h)
        d_h = d_h + d_outputs[t, rows, units].astype(jnp.float32)
        d_after = d_after._replace(h=d_after.h + d_h)
        before = loop.cell.state_type(*(s[t, rows, units].astype(jnp.float32) for s in states))
        if loop.cut:
            before = _where(flag & STARTS != 0, jax.tree.map(jnp.zeros_like, before), before)
        gates = [
            [part[t, g, rows, units].astype(jnp.float32) for g in range(loop.gates)]
            for part in (projected, recurrent)
        ]
        _, pull = jax.vjp(partial(_combined, loop.cell), *gates, before)
        d_now, d_sums, d_before = pull(d_after)
        if loop.masked:
            nothing = jax.tree.map(jnp.zeros_like, (d_now, d_sums))
            d_now, d_sums, d_before = _where(
                flag & VALID != 0, (d_now, d_sums, d_before), (*nothing, d_after)
            )
        if loop.cut:
            d_before = _where(flag & STARTS != 0, jax.tree.map(jnp.zeros_like, d_before), d_before)
        for g in range(loop.gates):
            d_recurrent[t, g, rows, units] = d_sums[g].astype(d_recurrent.dtype)
            for kept in d_projected:
                kept[t, g, rows, units] = d_now[g].astype(kept.dtype)
        if not loop.interpreted:
            _wait_for_all(counter, pl.program_id(0), (number + 1) * pl.num_programs(1))
        return d_before

    d_state = loop.cell.state_type(*(d[rows, units] for d in d_states))
    for kept, value in zip(d_states, jax.lax.fori_loop(0, steps, step, d_state), strict=True):
        kept[rows, units] = value


def _where(flag, yes, no):
    return jax.tree.map(lambda a, b: jnp.where(flag, a, b), yes, no)


def _product(a: Array, b: Array) -> Array:
    return jnp.dot(a, b, preferred_element_type=jnp.float32)
