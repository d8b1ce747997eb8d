"""What `explain` warns of: what is probably not meant."""

import keras
import numpy as np

from statewise.models.structure import stateful_layers
from statewise.pictures.diagram.description import sights
from statewise.pictures.diagram.elements import INPUT, OUTPUT, Diagram
from statewise.pictures.explanation.reach import Reach
from statewise.pictures.explanation.sentences import spans
from statewise.pictures.trace.traced import Trace
from statewise.sequences.windowing import Windows


def of_reach(reaches: list[Reach], diagram: Diagram) -> list[str]:
    """Warn of inputs that reach no output, or not those that they should."""
    found = []
    several_inputs = max(r.input for r in reaches) > 0
    for i in range(max(r.input for r in reaches) + 1):
        mine = [r for r in reaches if r.input == i]
        unread = ~np.any([(r.strength > 0).any(axis=0) for r in mine], axis=0)
        name = f"input {i + 1}" if several_inputs else "the input"
        if unread.all():
            found.append(f"No output hangs on {name} at all: its gradient is 0.")
        elif unread.any():
            found.append(
                f"No output hangs on {spans(unread)} of {name}: nothing can be learned from them."
            )
    missed = _missed(reaches, diagram)
    if missed:
        found.append(missed)
    return found


def _missed(reaches: list[Reach], diagram: Diagram) -> str | None:
    """Say where arrows lead from an input to an output, and the gradient is 0 all the same."""
    seen = sights(diagram)
    outputs, inputs = diagram.rows_of(OUTPUT), sorted(diagram.rows_of(INPUT), key=_number(diagram))
    for reach in reaches:
        if not (reach.strength > 0).any():
            continue
        leaving = diagram.boxes_of(outputs[reach.output])
        entering = diagram.boxes_of(inputs[reach.input])
        for place, out in enumerate(leaving):
            lost = np.zeros(reach.strength.shape[1], bool)
            for box in entering:
                span = slice(*box.steps) if box.steps else slice(0, 1)
                none = (reach.strength[place, span] == 0).all()
                lost[span] = none and box.place in seen[out.place] and not out.is_gap
            if lost.any():
                name = "The output" if len(leaving) == 1 else f"The output of step {place + 1}"
                if out.steps:
                    name = f"The output of step {out.steps[0] + 1}"
                return (
                    f"{name} should see {spans(lost)}, but its gradient there is exactly 0: "
                    "weights of zero, units that are switched off (relu), masked steps, or so "
                    "many steps that the gradient has vanished."
                )
    return None


def _number(diagram: Diagram):
    return lambda row: int(diagram.rows[row].name or 0)


def of_shape(trace: Trace) -> list[str]:
    """Warn of one time step with many features, which may be meant the other way round."""
    recurrent = any(node.part.recurrent for node in trace.nodes)
    shape = trace.inputs[0].shape
    stateful = bool(trace.carried)
    if recurrent and len(shape) == 3 and shape[1] == 1 and shape[2] > 1 and not stateful:
        return [
            f"There is one time step of {shape[2]} features, so nothing is recurrent: the network "
            f"makes a single step. If these are {shape[2]} moments of one series, the shape is "
            f"(batch, {shape[2]}, 1)."
        ]
    return []


def of_cut(model: keras.Model, x) -> list[str]:
    """Warn of windows that overlap, given to a stateful model."""
    if not isinstance(x, Windows) or len(x) < 2 or not stateful_layers(model):
        return []
    stride = int(x.start[1] - x.start[0])
    if x.key[0] != x.key[1] or stride >= x.x.shape[1]:
        return []
    return [
        f"The windows overlap, and the model is stateful: strung together they are a series in "
        f"which steps come again ({x.x.shape[1]} steps, then back by {x.x.shape[1] - stride}). "
        "Give the series in parts that don't overlap (stride=lookback), or as lanes."
    ]
