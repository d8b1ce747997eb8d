r"""How PyTorch lays out the weights of a recurrence, and how they become a Keras layer's.

PyTorch keeps of each layer and direction ``weight_ih (gates * units, features)``, ``weight_hh
(gates * units, units)`` and two biases, ``bias_ih`` and ``bias_hh (gates * units,)``; with
``proj_size`` also ``weight_hr (projection, units)``. Its matrices are multiplied from the left, so
each is transposed.

=========  ===============  ===============  =====================================================
module     PyTorch's gates  Keras's gates    biases
=========  ===============  ===============  =====================================================
``LSTM``   i f g o          i f c o          Keras has their sum
``GRU``    r z n            z r h            Keras has both, ``(2, 3 * units)``: the reset gate is
                                             applied after the product (``reset_after=True``)
``RNN``    (one)            (one)            Keras has their sum
=========  ===============  ===============  =====================================================

Where a layer has one bias and PyTorch two, the second one is made of zeros.

Source: the equations in the documentation of ``torch.nn.LSTM``, ``torch.nn.GRU`` and
``torch.nn.RNN`` (PyTorch 2.13), and `statewise.recurrence.layout`.
"""

import numpy as np

# For each gate of Keras, in its order, the place of that gate in PyTorch's order; the permutations
# are their own inverses.
GATES = {"LSTM": (0, 1, 2, 3), "GRU": (1, 0, 2), "RNN": (0,)}


def to_keras(kind: str, arrays: dict[str, np.ndarray]) -> list[np.ndarray]:
    """Return a Keras layer's weights from one layer and direction of a PyTorch module.

    Args:
        kind: "LSTM", "GRU" or "RNN".
        arrays: by PyTorch's names without layer and direction: ``weight_ih``, ``weight_hh`` and,
            where the module has them, ``bias_ih``, ``bias_hh`` and ``weight_hr``.

    Returns:
        Kernel, recurrent kernel and, where there are some, bias and projection.

    >>> arrays = {"weight_ih": np.arange(12.0).reshape(6, 2), "weight_hh": np.zeros((6, 2))}
    >>> kernel, _ = to_keras("GRU", arrays)  # two units: PyTorch's rows 2 and 3 are z
    >>> kernel[0].tolist()
    [4.0, 6.0, 0.0, 2.0, 8.0, 10.0]
    """
    order = GATES[kind]
    weights = [_gates(arrays[name], order).T for name in ("weight_ih", "weight_hh")]
    if "bias_ih" in arrays:
        biases = [_gates(arrays[name], order) for name in ("bias_ih", "bias_hh")]
        weights.append(np.stack(biases) if kind == "GRU" else biases[0] + biases[1])
    if "weight_hr" in arrays:
        weights.append(arrays["weight_hr"].T)
    return [np.ascontiguousarray(w) for w in weights]


def to_torch(kind: str, weights: list[np.ndarray], *, bias: bool) -> dict[str, np.ndarray]:
    """Return the arrays of one layer and direction of a PyTorch module, from a layer's weights.

    Args:
        kind: "LSTM", "GRU" or "RNN".
        weights: as `to_keras` returns them.
        bias: whether there is one among them.

    >>> weights = [np.ones((3, 8)), np.ones((2, 8)), np.arange(8.0)]
    >>> arrays = to_torch("LSTM", weights, bias=True)
    >>> arrays["weight_ih"].shape, arrays["bias_ih"].tolist()[:3], arrays["bias_hh"].max()
    ((8, 3), [0.0, 1.0, 2.0], np.float64(0.0))
    """
    order = GATES[kind]
    kernel, recurrent, *rest = weights
    arrays = {"weight_ih": _gates(kernel.T, order), "weight_hh": _gates(recurrent.T, order)}
    if bias:
        given = rest.pop(0)
        both = given if kind == "GRU" else np.stack([given, np.zeros_like(given)])
        arrays |= {"bias_ih": _gates(both[0], order), "bias_hh": _gates(both[1], order)}
    if rest:
        arrays["weight_hr"] = rest[0].T
    return {name: np.ascontiguousarray(a) for name, a in arrays.items()}


def _gates(array: np.ndarray, order: tuple[int, ...]) -> np.ndarray:
    """Put the blocks along the first axis, one for each gate, into another order."""
    blocks = np.split(array, len(order))
    return np.concatenate([blocks[place] for place in order])
