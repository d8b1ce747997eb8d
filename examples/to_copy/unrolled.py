"""A backend to copy: few time steps laid out one after the other, without a loop."""

import dataclasses

from statewise.recurrence.backends import reference
from statewise.recurrence.backends.backend import Backend
from statewise.recurrence.call import Call, Result

_MOST = 4  # time steps


def why_not(call: Call) -> str | None:
    """Say why a call isn't served, as part of a sentence; None where it is."""
    if call.time > _MOST:
        return f"there are more than {_MOST} time steps"
    return None


def run(call: Call) -> Result:
    """Run a cell over ``(batch, time, features)``."""
    return reference.run(dataclasses.replace(call, unroll=True))


BACKEND = Backend("unrolled", why_not, run)
