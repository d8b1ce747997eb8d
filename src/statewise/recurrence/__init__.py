"""Floor 1: the arithmetic of recurrent cells, as pure functions on arrays.

`layout` states how weights and states are laid out, `cells` has the equations of one step, each of
`backends` runs a cell over sequences (the reference in JAX's operations, the CPU's natively), and
`call` chooses one. Whatever computes passes through here, so here JAX is told to keep what it
compiles, how to lay out convolutions, and what to write into exported programs.
"""

from statewise._runtime.compilation_cache import keep_compiled_programs
from statewise._runtime.convolutions import transpose_convolutions
from statewise.recurrence.backends.backend import Result
from statewise.recurrence.backends.cpu import native_serves, native_threads
from statewise.recurrence.backends.reference import scan
from statewise.recurrence.call import run
from statewise.recurrence.cells import CELLS, GRU, LSTM, Cell, SimpleRNN
from statewise.recurrence.config import show_config
from statewise.recurrence.layout import (
    DropoutMasks,
    GRUState,
    LSTMState,
    SimpleRNNState,
    Weights,
)
from statewise.recurrence.native.exporting import make_exportable

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Cell",
    "DropoutMasks",
    "GRUState",
    "LSTMState",
    "Result",
    "SimpleRNN",
    "SimpleRNNState",
    "Weights",
    "keep_compiled_programs",
    "native_serves",
    "native_threads",
    "run",
    "scan",
    "show_config",
]

keep_compiled_programs()
transpose_convolutions()
make_exportable()
