"""The arrays of a PyTorch recurrence by name, and a Keras layer's weights.

PyTorch keeps of each layer and direction ``weight_ih (gates * units, features)``, ``weight_hh
(gates * units, units)`` and two biases, ``bias_ih`` and ``bias_hh (gates * units,)``; with
``proj_size`` also ``weight_hr (projection, units)``. In which order the gates stand says
`statewise.interop.weights.LAYOUTS`.
"""

import numpy as np

from statewise.interop.weights import LAYOUTS, ours, theirs

# PyTorch's name of a kind of layer, and this package's.
KINDS = {"LSTM": "LSTM", "GRU": "GRU", "RNN": "SimpleRNN"}
LAYOUT = {name: LAYOUTS["PyTorch"][kind] for name, kind in KINDS.items()}
_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


def give(layer, arrays) -> None:
    """Give a layer copies of arrays as its weights.

    Keras's ``set_weights`` may take the memory itself, and whoever has the arrays trains on them.
    """
    layer.set_weights([np.array(array) for array in arrays])


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
    given = [arrays[name] for name in _NAMES if name in arrays]
    weights = ours(KINDS[kind], LAYOUT[kind], given)
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
    count = 3 if bias else 2
    made = theirs(KINDS[kind], LAYOUT[kind], weights[:count])
    arrays = dict(zip(_NAMES, made, strict=False))
    if weights[count:]:
        arrays["weight_hr"] = weights[count].T
    return {name: np.ascontiguousarray(a) for name, a in arrays.items()}
