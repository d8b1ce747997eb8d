"""Floor 1: the arithmetic of recurrent cells, as pure functions on arrays.

`layout` states how weights and states are laid out, `cells` has the equations of one step, `call`
is what there is to compute, each of `backends` runs a cell over sequences (the reference in JAX's
operations, the CPU's natively), and `choice` asks them in their order. Whatever computes passes
through here, so here JAX is told to keep what it compiles, how to lay out convolutions, and what to
write into exported programs.
"""

from statewise._runtime.compilation_cache import keep_compiled_programs
from statewise._runtime.convolutions import transpose_convolutions
from statewise.recurrence.backends.cpu import native_serves
from statewise.recurrence.backends.cudnn_elsewhere import write_elsewhere
from statewise.recurrence.backends.reference import scan
from statewise.recurrence.call import Call, Result
from statewise.recurrence.cells import CELLS, GRU, LSTM, Cell, SimpleRNN
from statewise.recurrence.choice import run, run_call, served_by
from statewise.recurrence.config import show_config
from statewise.recurrence.layout import (
    DropoutMasks,
    GRUState,
    LSTMState,
    SimpleRNNState,
    Weights,
)
from statewise.recurrence.linear import linear_scan
from statewise.recurrence.minimal import MinGRU, MinimalState, MinLSTM
from statewise.recurrence.native.exporting import make_exportable
from statewise.recurrence.native.threads import native_threads
from statewise.recurrence.normalised import LayerNormLSTM
from statewise.recurrence.projected import ProjectedLSTM

__all__ = [
    "CELLS",
    "GRU",
    "LSTM",
    "Call",
    "Cell",
    "DropoutMasks",
    "GRUState",
    "LSTMState",
    "LayerNormLSTM",
    "MinGRU",
    "MinLSTM",
    "MinimalState",
    "ProjectedLSTM",
    "Result",
    "SimpleRNN",
    "SimpleRNNState",
    "Weights",
    "keep_compiled_programs",
    "linear_scan",
    "native_serves",
    "native_threads",
    "run",
    "run_call",
    "scan",
    "served_by",
    "show_config",
]

keep_compiled_programs()
transpose_convolutions()
make_exportable()
write_elsewhere()
