"""How each format lays out the weights of recurrent layers, and how they become this package's.

The one place for it. `LAYOUTS` says for each format and kind of layer in which order the gates
stand, how the matrices lie, what form the biases have and where that is written; `ours` turns
arrays so laid out into those of `statewise.recurrence.layout` (Keras 3's), and `theirs` turns them
back. Both only move numbers, but where two biases that are always added become one.

Gates by their letters: LSTM ``i`` input, ``f`` forget, ``c`` candidate, ``o`` output; GRU ``z``
update (how much of the old state stays), ``r`` reset, ``h`` candidate; SimpleRNN ``h``.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

__all__ = ["LAYOUTS", "Layout", "ours", "theirs"]

# The gates in this package's order, by the kind of layer.
GATES = {"SimpleRNN": "h", "LSTM": "ifco", "GRU": "zrh"}


class Layout(NamedTuple):
    """How a format lays out the weights of one kind of layer.

    Attributes:
        gates: the gates' letters in the order of the format.
        matrices: "columns", where ``x @ kernel`` has the gates side by side; "rows", where the
            matrices are the transposed of that, the gates one below the other; "apart", where each
            gate has matrices and a bias of its own, gate after gate; "turned", where each gate's
            block stands in the place that it has in "columns", its numbers in the order of the
            transposed block.
        biases: "one", a bias of every gate; "two", an input bias and a recurrent bias one below
            the other; "flat", these two one after the other in one vector; "pair", as two arrays.
        reset_after: of a GRU, whether its reset gate is applied after the matrix product; None
            where both forms occur: "one" bias says before, two say after.
        source: where that is written.
    """

    gates: str
    matrices: str
    biases: str
    reset_after: bool | None
    source: str


_KERAS1 = "github.com/keras-team/keras/blob/1.2.2/keras/layers/recurrent.py"
_KERAS2 = "github.com/keras-team/tf-keras/blob/v2.16.0/tf_keras/layers/rnn"
_CUDNN = "github.com/keras-team/tf-keras/blob/v2.16.0/tf_keras/saving/legacy/hdf5_format.py"
_PYTORCH = "github.com/pytorch/pytorch/blob/v2.9.0/torch/nn/modules/rnn.py"
_ONNX = "github.com/onnx/onnx/blob/v1.16.0/docs/Operators.md"
_KERAS3 = "github.com/keras-team/keras/blob/v3.12.0/keras/src/layers/rnn"

# By format, then by the kind of layer.
LAYOUTS: dict[str, dict[str, Layout]] = {
    "Keras 3": {
        "SimpleRNN": Layout("h", "columns", "one", None, f"{_KERAS3}/simple_rnn.py"),
        "LSTM": Layout("ifco", "columns", "one", None, f"{_KERAS3}/lstm.py"),
        "GRU": Layout("zrh", "columns", "two", None, f"{_KERAS3}/gru.py"),
    },
    "Keras 2": {
        "SimpleRNN": Layout("h", "columns", "one", None, f"{_KERAS2}/simple_rnn.py"),
        "LSTM": Layout("ifco", "columns", "one", None, f"{_KERAS2}/lstm.py"),
        "GRU": Layout("zrh", "columns", "two", None, f"{_KERAS2}/gru.py"),
    },
    "Keras 2, CuDNNLSTM and CuDNNGRU": {
        "LSTM": Layout("ifco", "turned", "flat", None, f"{_CUDNN} (_convert_rnn_weights)"),
        "GRU": Layout("zrh", "turned", "flat", True, f"{_CUDNN} (_convert_rnn_weights)"),
    },
    'Keras 1, consume_less="gpu"': {
        "LSTM": Layout("ifco", "columns", "one", None, _KERAS1),
        "GRU": Layout("zrh", "columns", "one", False, _KERAS1),
    },
    "Keras 1": {
        "SimpleRNN": Layout("h", "columns", "one", None, _KERAS1),
        "LSTM": Layout("icfo", "apart", "one", None, _KERAS1),
        "GRU": Layout("zrh", "apart", "one", False, _KERAS1),
    },
    "PyTorch": {
        "SimpleRNN": Layout("h", "rows", "pair", None, f"{_PYTORCH} (RNN)"),
        "LSTM": Layout("ifco", "rows", "pair", None, f"{_PYTORCH} (LSTM)"),
        "GRU": Layout("rzh", "rows", "pair", True, f"{_PYTORCH} (GRU)"),
    },
    "ONNX": {
        "SimpleRNN": Layout("h", "rows", "flat", None, f"{_ONNX} (RNN)"),
        "LSTM": Layout("iofc", "rows", "flat", None, f"{_ONNX} (LSTM)"),
        "GRU": Layout("zrh", "rows", "flat", None, f"{_ONNX} (GRU)"),
    },
}


def ours(kind: str, layout: Layout, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return the arrays of a layer as this package has them.

    Args:
        kind: "SimpleRNN", "GRU" or "LSTM".
        layout: how the arrays are laid out.
        arrays: input kernel, recurrent kernel and biases (which may be missing); of the layout
            "apart" these three of the first gate, of the second, and so on.

    Returns:
        ``[kernel, recurrent kernel, bias]``, without the bias where there is none; of a GRU with
        two biases the bias is ``(2, 3 * units)``, of other layers the sum of two.

    Raises:
        ValueError: where their number or their shapes can't be such a layer's.

    >>> kernel, recurrent = np.arange(8.0).reshape(1, 8), np.arange(16.0).reshape(2, 8)
    >>> pytorch_like = Layout("ifco", "rows", "pair", None, "")
    >>> found = ours("LSTM", pytorch_like, [kernel.T, recurrent.T, np.ones(8), np.ones(8)])
    >>> (found[0] == kernel).all(), (found[1] == recurrent).all(), found[2]
    (np.True_, np.True_, array([2., 2., 2., 2., 2., 2., 2., 2.]))
    """
    arrays = [np.asarray(array) for array in arrays]
    count = len(layout.gates)
    if layout.matrices == "apart":
        arrays = _joined(arrays, count)
    if len(arrays) < 2 or any(array.ndim != 2 for array in arrays[:2]):
        shapes = [array.shape for array in arrays]
        raise ValueError(f"{kind} has two matrices to begin with, but the arrays are {shapes}")
    matrices = [array.T if layout.matrices == "rows" else array for array in arrays[:2]]
    if any(matrix.shape[1] % count for matrix in matrices):
        raise ValueError(
            f"the matrices of {kind} have {count} gates side by side, which the shapes "
            f"{[array.shape for array in arrays[:2]]} haven't"
        )
    if layout.matrices == "turned":
        matrices = [_turned(matrix, count, back=False) for matrix in matrices]
    matrices = [_in_order(matrix, layout.gates, GATES[kind]) for matrix in matrices]
    biases = _two_biases(kind, layout, arrays[2:], matrices[1].shape[1])
    if biases is None:
        return matrices
    biases = _in_order(biases, layout.gates, GATES[kind])
    if kind == "GRU" and len(biases) == 2:
        return [*matrices, biases]
    return [*matrices, biases.sum(0)]


def theirs(kind: str, layout: Layout, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Return this package's arrays of a layer in another layout; what `ours` turns back.

    Args:
        kind: "SimpleRNN", "GRU" or "LSTM".
        layout: how they are to be laid out.
        arrays: ``[kernel, recurrent kernel, bias]``, or without the bias.

    Raises:
        ValueError: where the layout hasn't this form of the layer: one bias of a GRU whose reset
            gate comes before the product, for a format of the other form.

    >>> kernel, recurrent, bias = np.ones((3, 6)), np.ones((2, 6)), np.arange(6.0)
    >>> keras1 = LAYOUTS["Keras 1"]["GRU"]
    >>> len(theirs("GRU", keras1, [kernel, recurrent, bias]))
    9
    """
    arrays = [np.asarray(array) for array in arrays]
    matrices = [_in_order(matrix, GATES[kind], layout.gates) for matrix in arrays[:2]]
    count = len(layout.gates)
    biases = None
    if len(arrays) > 2:
        biases = _in_order(np.atleast_2d(arrays[2]), GATES[kind], layout.gates)
        after = len(biases) == 2 if kind == "GRU" else layout.reset_after
        if layout.reset_after is not None and after is not layout.reset_after:
            raise ValueError(
                f"the format has GRUs with reset_after={layout.reset_after} alone, and this one "
                f"has reset_after={after}: its candidate is another function of the weights"
            )
        if layout.biases != "one" and len(biases) == 1 and kind != "GRU":
            biases = np.concatenate([biases, np.zeros_like(biases)])  # their sum is what counts
    if layout.matrices == "turned":
        matrices = [_turned(matrix, count, back=True) for matrix in matrices]
    if layout.matrices == "rows":
        matrices = [matrix.T for matrix in matrices]
    if layout.matrices == "apart":
        parts = [np.split(matrix, count, axis=1) for matrix in matrices]
        parts += [] if biases is None else [np.split(biases[0], count)]
        return [part[gate] for gate in range(count) for part in parts]
    if biases is None:
        return matrices
    if layout.biases == "flat":
        return [*matrices, biases.reshape(-1)]
    if layout.biases == "pair":
        return [*matrices, *biases]
    return [*matrices, biases if len(biases) == 2 else biases[0]]


def _joined(arrays: list[np.ndarray], gates: int) -> list[np.ndarray]:
    """Return arrays of single gates, gate after gate, as one matrix or vector of each sort."""
    each, rest = divmod(len(arrays), gates)
    if rest or each not in (2, 3):
        raise ValueError(f"{gates} gates have two or three arrays each, but {len(arrays)} came")
    return [np.concatenate(arrays[sort::each], axis=-1) for sort in range(each)]


def _in_order(array: np.ndarray, gates: str, wanted: str) -> np.ndarray:
    """Return an array whose last axis has blocks of gates with these in another order."""
    if gates == wanted:
        return array
    blocks = dict(zip(gates, np.split(array, len(gates), axis=-1), strict=True))
    return np.concatenate([blocks[gate] for gate in wanted], axis=-1)


def _turned(matrix: np.ndarray, gates: int, *, back: bool) -> np.ndarray:
    """Read each gate's block ``(n, units)`` as the transposed one's numbers, or write it so."""
    blocks = np.split(matrix, gates, axis=1)
    if back:
        return np.concatenate([block.T.reshape(block.shape) for block in blocks], axis=1)
    return np.concatenate([block.reshape(block.shape[::-1]).T for block in blocks], axis=1)


def _two_biases(kind: str, layout: Layout, biases: list, width: int) -> np.ndarray | None:
    """Return the biases as rows, ``(1 or 2, gates * units)``; None where there are none."""
    if not biases:
        return None
    rows = np.concatenate([np.ravel(bias) for bias in biases])
    forms = [1] if layout.biases == "one" else [2]
    if layout.biases == "two" and layout.reset_after is None:
        forms = [1, 2]  # of a GRU of Keras, of either form
    if rows.size not in [form * width for form in forms] or len(biases) > 2:
        raise ValueError(
            f"the bias of {kind} has {' or '.join(str(form * width) for form in forms)} numbers "
            f"beside matrices of {width} columns, but came as {[bias.shape for bias in biases]}"
        )
    return rows.reshape(-1, width)
