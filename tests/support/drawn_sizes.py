"""Drawing what the native kernels are tried on: sizes around those in which they cut the work."""

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from statewise.recurrence import GRU, LSTM, SimpleRNN

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


def sizes(most):
    """Return a strategy for sizes from 1 to ``most``, half of them around a piece."""
    near = st.builds(lambda piece, off: piece + off, st.sampled_from(_PIECES), st.integers(-1, 1))
    return st.one_of(near, st.integers(1, most)).map(lambda n: min(max(n, 1), most))
