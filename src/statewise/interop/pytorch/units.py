"""The weights of a ``state_dict`` by what has them: a recurrent layer, a ``Linear``, ..."""

import re
from dataclasses import dataclass

import keras
import numpy as np

from statewise.interop.pytorch.weights import LAYOUT, to_keras
from statewise.layers import ProjectedLSTM

_OF_A_LAYER = re.compile(r"(weight_ih|weight_hh|bias_ih|bias_hh|weight_hr)_l(\d+)(_reverse)?")
_KINDS = {"SimpleRNN": "RNN", "GRU": "GRU", "LSTM": "LSTM", "ProjectedLSTM": "LSTM"}


@dataclass(frozen=True)
class Unit:
    """The arrays that one layer has.

    Attributes:
        name: what stands before the last dot; with ``_l1`` for a layer of several.
        ways: the arrays by name, for each direction of a recurrent module, else for one.
        recurrent: whether it's of a recurrent module.
    """

    name: str
    ways: tuple[dict[str, np.ndarray], ...]
    recurrent: bool

    def misfit(self, layer: keras.Layer) -> str:
        """Return why these aren't the weights of a layer; "" where they may be."""
        try:
            made = self.weights_for(layer)
        except (_MisfitError, ValueError) as error:  # another number of gates or of biases
            return str(error)
        shapes = [tuple(w.shape) for w in layer.weights]
        if [a.shape for a in made] != shapes:
            return f"it takes arrays {shapes}, these would be {[a.shape for a in made]}"
        return ""

    def weights_for(self, layer: keras.Layer) -> list[np.ndarray]:
        """Return the arrays as a layer takes them, in the order of its weights."""
        if isinstance(layer, keras.layers.TimeDistributed):
            layer = layer.layer
        if isinstance(layer, keras.layers.Bidirectional):
            return self._recurrent(layer.forward_layer, 2)
        if isinstance(layer, keras.layers.RNN):
            return self._recurrent(layer, 1)
        (arrays,) = self.ways[:1]
        if self.recurrent:
            raise _MisfitError("these are the weights of a recurrent module")
        weight, bias = arrays.get("weight"), arrays.get("bias")
        if set(arrays) - {"weight", "bias"} or weight is None:
            raise _MisfitError(f"the arrays {sorted(arrays)} aren't those of a known module")
        rest = [] if bias is None else [bias]
        if isinstance(layer, keras.layers.Dense) and weight.ndim == 2:
            return [np.ascontiguousarray(weight.T), *rest]
        if isinstance(layer, keras.layers.Embedding) and weight.ndim == 2 and not rest:
            return [weight]
        if isinstance(layer, keras.layers.LayerNormalization) and weight.ndim == 1:
            return [weight, *rest]
        raise _MisfitError(f"an array {weight.shape} isn't a {type(layer).__name__}'s")

    def _recurrent(self, layer, ways: int) -> list[np.ndarray]:
        kind = _KINDS.get(type(layer).__name__)
        if not self.recurrent or kind is None or len(self.ways) != ways:
            raise _MisfitError(
                f"{'a recurrent module' if self.recurrent else 'no recurrent module'} of "
                f"{len(self.ways)} directions"
            )
        if kind == "GRU" and not layer.cell.reset_after:
            raise _MisfitError("PyTorch's GRU is that of reset_after=True")
        gates = len(LAYOUT[kind].gates)
        weights = []
        for arrays in self.ways:
            hidden = arrays["weight_hh"]
            projected = "weight_hr" in arrays
            units = arrays["weight_hr"].shape[1] if projected else hidden.shape[1]
            if hidden.shape[0] != gates * units or projected != isinstance(layer, ProjectedLSTM):
                raise _MisfitError(f"weight_hh {hidden.shape} isn't a {type(layer).__name__}'s")
            weights += to_keras(kind, arrays)
        return weights


class _MisfitError(ValueError):
    """Says why weights aren't those of a layer."""


def units_of(arrays: dict[str, np.ndarray], what: str) -> dict[str, Unit]:
    """Return the weights by what has them, in the order in which they come.

    Raises:
        ValueError: where a recurrent module's arrays aren't all there.

    >>> arrays = {"rnn.weight_ih_l0": np.ones((3, 2)), "rnn.weight_hh_l0": np.ones((3, 3))}
    >>> list(units_of(arrays | {"fc.weight": np.ones((1, 3))}, "weights"))
    ['rnn', 'fc']
    """
    found: dict[tuple[str, int | None], dict[str, dict]] = {}
    for name, array in arrays.items():
        prefix, _, last = name.rpartition(".")
        if match := _OF_A_LAYER.fullmatch(last):
            kind, number, reverse = match.groups()
            ways = found.setdefault((prefix, int(number)), {})
            ways.setdefault(reverse or "", {})[kind] = array
        else:
            found.setdefault((prefix, None), {}).setdefault("", {})[last] = array
    units = {}
    for (prefix, number), ways in found.items():
        several = sum(p == prefix and n is not None for p, n in found) > 1
        name = f"{prefix}_l{number}" if several else prefix
        for arrays_of_way in ways.values() if number is not None else ():
            if missing := {"weight_ih", "weight_hh"} - set(arrays_of_way):
                raise ValueError(f"{what}: {name!r} has no {' and no '.join(sorted(missing))}.")
        ordered = tuple(ways[way] for way in ("", "_reverse") if way in ways)
        units[name] = Unit(name, ordered, number is not None)
    return units
