r"""Recurrences that are linear in their state, :math:`h_t = a_t \odot h_{t-1} + b_t`.

Two steps in a row are again such a step, with :math:`a_2 \odot a_1` and
:math:`a_2 \odot b_1 + b_2`, so that all steps can be joined in pairs, pairs of pairs, and so on: a
parallel scan (Blelloch, "Prefix sums and their applications", 1990), whose length grows with the
logarithm of the time.
"""

import jax
import jax.numpy as jnp
from jax import Array

from statewise.recurrence.layout import starts_backwards


def linear_scan(
    a: Array,
    b: Array,
    h: Array,
    *,
    mask: Array | None = None,
    resets: Array | None = None,
    go_backwards: bool = False,
) -> Array:
    r"""Return the state after every step of :math:`h_t = a_t \odot h_{t-1} + b_t`.

    Args:
        a: ``(batch, time, units)``.
        b: ``(batch, time, units)``.
        h: the state before the first processed step, ``(batch, units)``.
        mask: bool ``(batch, time)``; where False the state stays as it is, whatever a and b are.
        resets: bool ``(batch, time)``; where True a new sequence begins at that step, from zeros.
        go_backwards: process the last time step first.

    Returns:
        ``(batch, time, units)``, in the order in which the steps were processed.

    >>> a, b = jnp.full((1, 3, 1), 0.5), jnp.ones((1, 3, 1))
    >>> linear_scan(a, b, jnp.full((1, 1), 4.0))[0, :, 0].tolist()
    [3.0, 2.5, 2.25]
    """
    if resets is not None and go_backwards:
        resets = starts_backwards(resets)
    if mask is not None:
        valid = mask[..., None]
        a, b = jnp.where(valid, a, jnp.ones((), a.dtype)), jnp.where(valid, b, 0)
    starts = None if resets is None else resets[..., None]
    if go_backwards:
        a, b, starts = jax.tree.map(lambda array: jnp.flip(array, axis=1), (a, b, starts))
    begun = a[:, 0] * h
    if starts is not None:
        begun = jnp.where(starts[:, 0], 0, begun)
    b = b.at[:, 0].add(begun)
    *_, states = jax.lax.associative_scan(_joined, (starts, a, b), axis=1)
    return states


def _joined(earlier, later):
    """Return the step that two in a row amount to; a reset leaves nothing of the earlier."""
    (starts_1, a_1, b_1), (starts_2, a_2, b_2) = earlier, later
    a, carried = a_1 * a_2, a_2 * b_1
    if starts_2 is None:
        return None, a, carried + b_2
    # Chosen, not multiplied by zero: a state that isn't finite must not get across.
    a, carried = jnp.where(starts_2, 0, a), jnp.where(starts_2, 0, carried)
    return starts_1 | starts_2, a, carried + b_2
