"""`inspect_steps`: how the steps of a recurrent network are calculated, with its own numbers."""

import os
from dataclasses import dataclass

import keras
import numpy as np

from statewise._keras_compat import all_layers
from statewise._whole_files import written_whole
from statewise.layers import Carry
from statewise.layers.arithmetic import arithmetic_of, weights_of
from statewise.layers.recurrent import Recurrent
from statewise.models.state import State, check_same_layers, initial_state, layer_names
from statewise.models.structure import recurrent_layers
from statewise.pictures.inspection.gates import steps_of
from statewise.pictures.trace.model_call import call_model
from statewise.pictures.trace.parts import intercepted, parts_of

# The gate that says how much of the old state a step keeps, and the state it keeps it of.
_KEEPERS = {"f": "c", "z": "h"}


@dataclass(frozen=True, eq=False)
class LayerSteps:
    """What a recurrent layer computed at every step; arrays are (batch, time, ...).

    Attributes:
        name: of the layer.
        kind: its class.
        x: what went in, (batch, time, features).
        gates: by name, (batch, time, units): of an LSTM i (input), f (forget), c (candidate) and o
            (output), of a GRU z (update), r (reset) and h (candidate), of a SimpleRNN h, of a
            MinGRU z and h, of a MinLSTM i, f and h.
        states: by name, after each step, (batch, time, units): h, and c of an LSTM.
        mask: bool (batch, time), False where a step was passed over; None where none was.
        backwards: whether the last step was computed first.
        kept: which share of the state stays at each step, (batch, time, units), where that is no
            gate's value: of a MinGRU, 1 - z.
    """

    name: str
    kind: str
    x: np.ndarray
    gates: dict[str, np.ndarray]
    states: dict[str, np.ndarray]
    mask: np.ndarray | None = None
    backwards: bool = False
    kept: np.ndarray | None = None

    @property
    def half_life(self) -> np.ndarray | None:
        """After how many steps half of what a unit stored is left, (units,).

        ``ln 0.5 / ln f``, with f the geometric mean of the unit's forget gate (of a GRU, of its
        update gate z, of a MinGRU 1 - z) over all steps and samples: the share that a step keeps on
        average. Infinite
        for a gate that is always open; None for a SimpleRNN, which has none.
        """
        gate = self.kept
        if gate is None and self.keeper is not None:
            gate = self.gates[self.keeper]
        if gate is None:
            return None
        kept = gate.reshape(-1, gate.shape[-1]).astype("float64")
        if self.mask is not None:
            kept = kept[self.mask.reshape(-1)]
        with np.errstate(divide="ignore"):
            rate = np.log(np.clip(kept, 0, 1)).mean(axis=0)
            return np.where(rate < 0, np.log(0.5) / rate, np.inf)

    @property
    def keeper(self) -> str | None:
        """The name of the gate that keeps: "f" of an LSTM, "z" of a GRU, else None."""
        if self.kept is not None:
            return None
        return next((name for name in _KEEPERS if name in self.gates), None)


@dataclass(frozen=True, eq=False, repr=False)
class Inspection:
    """What `inspect_steps` found. It shows itself in a notebook; ``print`` tells the half-lives.

    Attributes:
        layers: by name, each recurrent layer's `LayerSteps`, in the model's order.
        outputs: of the model, as it computes them itself.
        without_gates: names of layers whose cell is of somebody else's making.

    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((5, 2)), layers.LSTM(4, name="lstm")])
    >>> steps = inspect_steps(model, np.ones((3, 5, 2))).layers["lstm"]
    >>> list(steps.gates), steps.gates["f"].shape, steps.half_life.shape
    (['i', 'f', 'c', 'o'], (3, 5, 4), (4,))
    """

    layers: dict[str, LayerSteps]
    outputs: object
    without_gates: tuple[str, ...] = ()

    def plot(self, layer: str | None = None, *, sample: int = 0):
        """Draw a layer's gates and states over time, with its input above them.

        Args:
            layer: its name; None for the first.
            sample: which row of the batch.

        Returns:
            A figure of Matplotlib.

        Raises:
            KeyError: for a layer that isn't there.
            IndexError: for a sample that isn't there.
        """
        from statewise.pictures.inspection.heat_maps import (
            plot_steps,  # Matplotlib takes a while to load
        )

        name = next(iter(self.layers)) if layer is None else layer
        if name not in self.layers:
            raise KeyError(f"There is no layer {name!r}; there are {', '.join(self.layers)}.")
        return plot_steps(self.layers[name], sample)

    def save(self, path: str | os.PathLike, layer: str | None = None, *, sample: int = 0) -> None:
        """Write what `plot` draws to a file, in the format that its ending says."""
        with written_whole(path) as beside:
            self.plot(layer, sample=sample).savefig(beside)

    def _repr_png_(self) -> bytes:
        import io

        file = io.BytesIO()
        self.plot().savefig(file, format="png")
        return file.getvalue()

    def __str__(self) -> str:
        lines = []
        for steps in self.layers.values():
            batch, time, units = next(iter(steps.gates.values())).shape
            way = ", backwards" if steps.backwards else ""
            lines.append(
                f"{steps.name} ({steps.kind}{way}): {batch} sample{'s' * (batch != 1)}, {time} "
                f"steps, {units} units"
            )
            if steps.half_life is not None:
                lives = np.sort(steps.half_life)
                shown = ", ".join(f"{life:.3g}" for life in lives[:8])
                more = f", ... {lives[-1]:.3g}" if len(lives) > 8 else ""
                lines.append(f"  half of what a unit stores is gone after {shown}{more} steps")
        lines += [f"{name}: a cell whose gates aren't known" for name in self.without_gates]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return f"<Inspection of {', '.join(self.layers)}>"


def inspect_steps(model: keras.Model, x, *, state: State | None = None) -> Inspection:
    """Run a model, and show every gate and state of every step of its recurrent layers.

    The gates are computed by the cells' own arithmetic (`statewise.recurrence`), from what each
    layer was given in this very run. What stateful layers keep is neither used nor changed.

    Args:
        model: built.
        x: inputs (batch, time, features), or a list of them.
        state: where to begin; None for the initial state.

    Returns:
        An `Inspection`.

    Raises:
        ValueError: where the model isn't built, has no recurrent layer whose gates are known, or
            takes another number of inputs; where the state is of another model.

    >>> from statewise import Sequential, layers
    >>> gru = layers.GRU(2, name="gru", bias_initializer="zeros", kernel_initializer="zeros")
    >>> model = Sequential([layers.Input((5, 1)), gru])
    >>> print(inspect_steps(model, np.zeros((1, 5, 1))))  # gates of 0.5: half is kept at every step
    gru (GRU): 1 sample, 5 steps, 2 units
      half of what a unit stores is gone after 1, 1 steps
    """
    if not all(layer.built for layer in all_layers(model)):
        raise ValueError(f"Model {model.name!r} isn't built yet: call it on some data first.")
    xs = [x] if hasattr(x, "shape") else list(x)
    xs = [_as_input(array) for array in xs]
    layers = recurrent_layers(model)
    loops = [p for p in parts_of(model) if p.recurrent and isinstance(p.layer, Recurrent)]
    names = dict(zip(map(id, layers), layer_names(model), strict=True))
    arrays: list = [None] * len(layers)
    if state is not None:
        check_same_layers(initial_state(model, 1), state)
        arrays = [list(state[name].values()) for name in layer_names(model)]
    found: dict[str, LayerSteps] = {}
    unknown: list[str] = []

    def handle(part, original, sequences, begin, mask=None, training=False):
        name, cell = names[id(part.layer)], arithmetic_of(part.layer.cell)
        if cell is None:
            unknown.append(name)
        else:
            found[_free(name, found)] = _steps(part.layer, cell, name, sequences, begin, mask)
        return original(sequences, begin, mask, training=training)

    with intercepted(loops, handle), Carry(dict(zip(layers, arrays, strict=True))):
        outputs = call_model(model, xs, [v.value for v in model.variables])
    if not found:
        raise ValueError(
            f"Model {model.name!r} has no recurrent layer whose gates are known: they are of "
            "statewise.layers, as SimpleRNN, GRU and LSTM."
        )
    outputs = keras.tree.map_structure(np.asarray, outputs)
    return Inspection(found, outputs, tuple(unknown))


def _steps(layer, cell, name: str, sequences, begin, mask) -> LayerSteps:
    dtype = layer.cell.compute_dtype
    x = keras.ops.cast(sequences, dtype)
    if mask is not None:
        mask = np.asarray(mask, bool)
        mask = mask.any(axis=-1) if mask.ndim == 3 else mask
    begin = cell.state_type(*keras.tree.flatten(begin))
    steps = steps_of(cell, x, begin, weights_of(layer.cell), mask, backwards=layer.go_backwards)
    gates = {key: np.asarray(value) for key, value in steps.gates.items()}
    states = {key: np.asarray(value) for key, value in steps.states.items()}
    kind, backwards = type(layer).__name__, bool(layer.go_backwards)
    kept = np.asarray(cell.kept(steps.gates)) if hasattr(cell, "kept") else None
    return LayerSteps(name, kind, np.asarray(x), gates, states, mask, backwards, kept)


def _free(name: str, taken) -> str:
    """Return a name of its own for a layer that is called again."""
    count = sum(other == name or other.startswith(f"{name} (") for other in taken)
    return name if not count else f"{name} ({count + 1})"


def _as_input(array):
    array = np.asarray(array)
    if array.dtype.kind == "f":
        array = array.astype(keras.config.floatx(), copy=False)
    return keras.ops.convert_to_tensor(array)
