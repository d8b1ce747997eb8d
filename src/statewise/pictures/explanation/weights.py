"""How many weights a model has, matrix by matrix, each with the formula that gives its number."""

import keras
import pandas as pd

from statewise.layers.arithmetic import arithmetic_of
from statewise.pictures.render.names import legible
from statewise.pictures.trace.traced import Trace

COLUMNS = ["layer", "matrix", "shape", "formula", "weights"]


def weights_table(model: keras.Model, trace: Trace) -> pd.DataFrame:
    """Return a row for each matrix: layer, matrix, shape, formula, weights.

    The sum of the column ``weights`` is ``model.count_params()``.
    """
    rows, seen = [], set()

    def add(layer, variables):
        for variable in variables:
            if id(variable) not in seen:
                seen.add(id(variable))
                shape = tuple(variable.shape)
                formula = _formula(layer, variable, shape)
                name, count = legible(layer.name), variable.value.size
                rows.append((name, variable.name, shape, formula, count))

    for node in trace.nodes:
        add(node.part.layer, node.part.layer.weights)
    add(model, model.weights)  # what the model has of its own, and layers that nothing called
    return pd.DataFrame(rows, columns=COLUMNS)


def _formula(layer, variable, shape: tuple[int, ...]) -> str:
    gates = _gates(layer)
    if gates is None:
        return _plain(layer, variable.name, shape)
    cell, units = layer.cell, shape[-1] // gates
    carried = "values" if hasattr(cell, "projection") else "units"
    if shape == (cell.units,) and gates > 1:
        return f"{cell.units} units"
    of_gates = f"{gates} gates x " if gates > 1 else ""
    match variable.name:
        case "kernel":
            return f"{of_gates}{shape[0]} features x {units} units"
        case "recurrent_kernel":
            return f"{of_gates}{shape[0]} {carried} x {units} units"
        case "projection_kernel":
            return f"{shape[0]} units x {shape[1]} values"
        case "bias" if len(shape) == 2:
            return f"{shape[0]} biases x {of_gates}{units} units"
        case _:
            return f"{of_gates}{units} units"


def _plain(layer, name: str, shape: tuple[int, ...]) -> str:
    inner = getattr(layer, "layer", layer)
    if isinstance(inner, keras.layers.Dense):
        return (
            f"{shape[0]} features x {shape[1]} units" if name == "kernel" else f"{shape[0]} units"
        )
    if isinstance(inner, keras.layers.Embedding):
        return f"{shape[0]} tokens x {shape[1]} features"
    return " x ".join(map(str, shape)) or "1"


def _gates(layer) -> int | None:
    cell = getattr(layer, "cell", None)
    arithmetic = None if cell is None else arithmetic_of(cell)
    return None if arithmetic is None else len(arithmetic.gates)
