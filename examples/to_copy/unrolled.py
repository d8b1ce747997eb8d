"""A backend to copy: few time steps laid out one after the other, without a loop."""

from typing import Any

from statewise.recurrence.backends.backend import NO_DROPOUT, Backend, Result
from statewise.recurrence.backends.reference import scan
from statewise.recurrence.layout import DropoutMasks

_MOST = 4  # time steps


def why_not(cell, x, state, weights, *, dropout: DropoutMasks = NO_DROPOUT) -> str | None:
    """Say why a call isn't served, as part of a sentence; None where it is."""
    if x.shape[1] > _MOST:
        return f"there are more than {_MOST} time steps"
    return None


def run(cell, x, state, weights, **options: Any) -> Result:
    """Run a cell over ``(batch, time, features)``; arguments and result are those of `scan`."""
    return scan(cell, x, state, weights, **{**options, "unroll": True})


BACKEND = Backend("unrolled", why_not, run)
