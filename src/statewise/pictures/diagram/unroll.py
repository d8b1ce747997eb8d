"""From what was traced to the diagram: rows of boxes, and the arrows between them."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import numpy as np

from statewise.pictures.diagram.elements import (
    CARRIED,
    CELLS,
    GIVEN,
    LAYER,
    OUTPUT,
    STATE,
    Diagram,
    Row,
)
from statewise.pictures.diagram.row_words import (
    after_layers,
    name_of_layer,
    numbered,
    words_of_layer,
)
from statewise.pictures.diagram.unfinished import LAST_BATCH, Unfinished, places_of, width_of_box
from statewise.pictures.render.names import legible
from statewise.pictures.trace.time_axis import TimeAxis
from statewise.pictures.trace.traced import Node, Trace, Value


def unroll(trace: Trace, words: Callable[[Value, str], str], title: str = "") -> Diagram:
    """Return the diagram of what was traced.

    Args:
        trace: what the model does.
        words: says the shape of a value; takes the value and what its last axis is called.
        title: of the diagram.
    """
    making = Unfinished(trace, words)
    for n, values in trace.carried.items():
        for i in range(len(values)):
            making.origin["carried", n, i] = [frozenset([LAST_BATCH])]
    goals = {goal[:3]: i for i, goal in enumerate(trace.goals)}
    if trace.inputs:
        making.add_input(0, trace.inputs[0])
    for n, node in enumerate(trace.nodes):
        numbers = [goals["input", n, i] for i in range(len(node.inputs))]
        (_add_cells if node.part.recurrent else _add_layer)(making, n, node, numbers)
    for i, value in enumerate(trace.inputs):
        if ("input", 0, i) not in making.origin:  # nothing reads it
            making.add_input(i, value)
    for i, value in enumerate(trace.outputs):
        goal = goals["result", 0, i]
        boxes = [making.given(goal, place) for place in range(len(value.time))]
        row = Row(
            OUTPUT,
            words(value, "features"),
            width_of_box(value),
            name=numbered(i, trace.outputs),
            words=after_layers(making.passed(goal)),
        )
        making.add(row, value.time, boxes)
    return making.settled(title)


def _add_cells(making: Unfinished, n: int, node: Node, goals: list[int]) -> None:
    """Add the row of a recurrent layer."""
    sequence, outputs = node.inputs[0], node.outputs[0]
    used = _all_used(making.trace, n)
    shown = (
        outputs if used else Value((1, outputs.shape[-1]), outputs.dtype, TimeAxis(None, ((0, 1),)))
    )
    row = Row(
        CELLS,
        making.words(shown, "units"),
        width_of_box(outputs),
        backwards=node.backwards,
        name=legible(node.part.layer.name),
        words=words_of_layer(node, making.passed(goals[0])),
        groups=node.part.groups,
    )
    boxes = [making.given(goals[0], place) for place in range(len(sequence.time))]
    number = making.add(row, sequence.time, boxes)
    order = list(range(len(sequence.time)))
    if node.backwards:
        order.reverse()
    for before, after in pairwise(order):
        making.arrow((number, before), (number, after), STATE)
    first, last = (number, order[0]), (number, order[-1])
    begin = frozenset().union(*(making.given(goal, 0) for goal in goals[1:]))
    for box in sorted(begin - {LAST_BATCH}):
        making.arrow(box, first, GIVEN)
        axis = making.lines[number].axis
        if making.lines[box[0]].axis is not axis:  # what is handed over was there before
            axis.begin = max(axis.begin, making.column(box) + 1)
    if LAST_BATCH in begin:
        making.arrow(None, first, CARRIED)
        making.arrow(last, None, CARRIED)
    making.origin["output", n, 0] = [frozenset([(number, place)]) for place in order]
    for i in range(1, len(node.outputs)):
        making.origin["output", n, i] = [frozenset([last])]


def _add_layer(making: Unfinished, n: int, node: Node, goals: list[int]) -> None:
    """Add the row of a layer; or none, where it only moves values or changes the row below."""
    given = []
    for output, reach in zip(node.outputs, node.reach, strict=True):
        given.append(
            [
                frozenset().union(
                    *(
                        making.given(goal, there)
                        for goal, r in zip(goals, reach, strict=True)
                        for there in np.flatnonzero(r[place])
                    )
                )
                for place in range(len(output.time))
            ]
        )
    passed = tuple(dict.fromkeys(name for goal in goals for name in making.passed(goal)))
    words = words_of_layer(node, passed)
    if node.moves:
        for i, boxes in enumerate(given):
            making.origin["output", n, i] = boxes
            making.through["output", n, i] = (*passed, name_of_layer(node.part.layer))
        return
    below = _row_changed(making, n, node, given)
    if below is not None:
        line = making.lines[below]
        line.row = replace(line.row, words=f"{line.row.words}, {name_of_layer(node.part.layer)}")
        making.origin["output", n, 0] = given[0]
        return
    for i, (output, boxes) in enumerate(zip(node.outputs, given, strict=True)):
        row = Row(
            LAYER,
            making.words(output, "features"),
            width_of_box(output),
            name=legible(node.part.layer.name),
            words=words,
            groups=node.part.groups,
        )
        number = making.add(row, output.time, boxes)
        making.origin["output", n, i] = places_of(number, output.time)


def _row_changed(making: Unfinished, n: int, node: Node, given) -> int | None:
    """Return the row that a layer without weights changes in place, if it does no more."""
    if node.part.layer.variables or len(given) != 1 or len(node.inputs) != 1:
        return None
    if any(len(boxes) != 1 for boxes in given[0]):
        return None
    rows = {next(iter(boxes))[0] for boxes in given[0]}
    places = [next(iter(boxes))[1] for boxes in given[0]]
    if len(rows) != 1 or places != list(range(len(places))):
        return None
    (row,) = rows
    line = making.lines[row]
    whole = len(line.time) == len(places) and line.row.kind == LAYER
    return row if whole and _readers(making.trace, node, n) == 1 else None


def _readers(trace: Trace, node: Node, n: int) -> int:
    """Return how many goals read what this node reads."""
    (mine,) = [i for i, goal in enumerate(trace.goals) if goal[:3] == ("input", n, 0)]
    read = [i for i, reach in enumerate(trace.reach[mine]) if reach.any()]
    return sum(any(reach[i].any() for i in read) for reach in trace.reach)


def _all_used(trace: Trace, n: int) -> bool:
    """Whether more than the last step of a recurrent layer's outputs is handed on."""
    source = next(i for i, s in enumerate(trace.sources) if s[:3] == ("output", n, 0))
    used = np.any([reach[source].any(axis=0) for reach in trace.reach], axis=0)
    moved = _used_through(trace, n, used)
    return bool(moved[:-1].any()) or len(used) == 1


def _used_through(trace: Trace, n: int, used: np.ndarray) -> np.ndarray:
    """Narrow what is used to what a layer that only moves values lets through."""
    source = next(i for i, s in enumerate(trace.sources) if s[:3] == ("output", n, 0))
    wanted = np.zeros_like(used)
    for (kind, m, i, _), reach in zip(trace.goals, trace.reach, strict=True):
        if not reach[source].any():
            continue
        node = trace.nodes[m] if kind == "input" else None
        if node is None or not node.moves:
            wanted |= reach[source].any(axis=0)
            continue
        through = np.any([r[i] for r in node.reach], axis=0).any(axis=0)
        wanted |= reach[source][through].any(axis=0)
    return wanted
