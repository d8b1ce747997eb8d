"""Drawing what the native kernels are tried on: sizes around those in which they cut the work."""

import dataclasses

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from numpy_activations import FUNCTIONS, GATES, UNBOUNDED
from statewise.recurrence import GRU, LSTM, SimpleRNN
from statewise.recurrence.activations import ACTIVATIONS

CELLS = {
    "SimpleRNN": SimpleRNN(),
    "LSTM": LSTM(),
    "GRU": GRU(),
    "GRU, reset before": GRU(reset_after=False),
}
# Vectors, panels, tiles, rows of a chunk, rows at once; sizes are drawn one off them too.
_PIECES = [1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 48, 64, 96, 128, 256, 512]


def drawn(examples):
    """Return how a test draws: no time limit, and what fails is shown as it was drawn."""
    return settings(
        max_examples=examples,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.reuse, Phase.generate),
        print_blob=True,
    )


def functions(*, smooth=False):
    """Return a strategy for the names of a cell's functions, half of them tanh and sigmoid.

    Args:
        smooth: of float32 those alone whose slope has no jump: NumPy's float64 may stand on the
            other side of it.
    """

    def drawn_of(names):
        return st.sampled_from([n for n in names if FUNCTIONS[n].smooth or not smooth])

    plain = st.just(("tanh", "sigmoid"))
    return st.one_of(plain, st.tuples(drawn_of(FUNCTIONS), drawn_of(GATES)))


def cell_with(name, activation, recurrent_activation):
    """Return a cell with these functions."""
    named = {"activation": ACTIVATIONS[activation]}
    if name != "SimpleRNN":
        named["recurrent_activation"] = ACTIVATIONS[recurrent_activation]
    return dataclasses.replace(CELLS[name], **named)


def scale_with(activation, recurrent_activation):
    """Return what to multiply weights by, so that the states of a cell don't grow without end."""
    return 0.3 if {activation, recurrent_activation} & UNBOUNDED else 1.0


def sizes(most):
    """Return a strategy for sizes from 1 to ``most``, half of them around a piece."""
    near = st.builds(lambda piece, off: piece + off, st.sampled_from(_PIECES), st.integers(-1, 1))
    return st.one_of(near, st.integers(1, most)).map(lambda n: min(max(n, 1), most))
