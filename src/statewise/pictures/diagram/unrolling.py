"""From what was traced to the diagram: rows of boxes, and the arrows between them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from statewise.layers.arithmetic import arithmetic_of
from statewise.pictures.diagram.elements import (
    CARRIED,
    CELLS,
    GIVEN,
    INPUT,
    LAYER,
    OUTPUT,
    STATE,
    VALUE,
    Arrow,
    Box,
    Diagram,
    Row,
    name_picture,
)
from statewise.pictures.render.names import legible
from statewise.pictures.trace.time_axis import Slots
from statewise.pictures.trace.traced import Node, Trace, Value

_LAST_BATCH = (-1, 0)  # stands among the places for the state that the last batch left


@dataclass(eq=False)
class _Axis:
    """Rows that share their columns; where it begins is settled when all rows are known."""

    begin: int = 0


@dataclass(eq=False)
class _Line:
    """A row in the making: its boxes are at ``axis.begin + at[place]``."""

    row: Row
    slots: Slots
    axis: _Axis
    at: list[int]

    def columns(self) -> list[int]:
        return [self.axis.begin + offset for offset in self.at]


@dataclass(eq=False)
class _Making:
    trace: Trace
    words: Callable[[Value, str], str]
    lines: list[_Line] = field(default_factory=list)
    arrows: dict[tuple, None] = field(default_factory=dict)  # a set that keeps its order
    # For each source, for each of its places: the boxes it is from.
    origin: dict[tuple, list[frozenset]] = field(default_factory=dict)
    through: dict[tuple, tuple[str, ...]] = field(default_factory=dict)

    def given(self, goal: int, place: int) -> frozenset:
        """Return the boxes whose values go into a place of a goal."""
        boxes = set()
        for source, reach in zip(self.trace.sources, self.trace.reach[goal], strict=True):
            for there in np.flatnonzero(reach[place]):
                if source[:3] not in self.origin:
                    self.add_input(source[2], source[3])
                boxes |= self.origin[source[:3]][there]
        return frozenset(boxes)

    def add_input(self, i: int, value: Value) -> None:
        """Add the row of an input: right below the first row that reads it."""
        name = _numbered(i, self.trace.inputs)
        row = Row(INPUT, self.words(value, "features"), _width(value), name=name)
        number = self.add(row, value.slots, [frozenset()] * len(value.slots))
        self.origin["input", 0, i] = _places(number, value.slots)

    def passed(self, goal: int) -> tuple[str, ...]:
        """Return the names of the layers that only move values, on the way to a goal."""
        names = [
            self.through.get(source[:3], ())
            for source, reach in zip(self.trace.sources, self.trace.reach[goal], strict=True)
            if reach.any()
        ]
        return tuple(dict.fromkeys(name for some in names for name in some))

    def add(self, row: Row, slots: Slots, boxes: list[frozenset]) -> int:
        """Add a row whose places are given the values of ``boxes``; return its number."""
        axis, at = self._columns(slots, boxes)
        self.lines.append(_Line(row, slots, axis, at))
        number = len(self.lines) - 1
        for place, starts in enumerate(boxes):
            for start in sorted(starts - {_LAST_BATCH}):
                self.arrow(start, (number, place), VALUE)
        return number

    def arrow(self, start, end, kind: str) -> None:
        self.arrows[start, end, kind] = None

    def _columns(self, slots: Slots, boxes: list[frozenset]) -> tuple[_Axis, list[int]]:
        """Choose where a row stands: above what it is given, or after it in a time of its own."""
        known = [sorted(b for b in starts if b != _LAST_BATCH) for starts in boxes]
        steps = list(range(len(slots)))
        if not any(known):
            return _Axis(), steps
        last = max((box for starts in known for box in starts), key=self._column)
        below = self.lines[last[0]]
        if slots.steps is None:
            return below.axis, [below.at[last[1]]]
        spread = {tuple(starts) for starts in known}
        if len(steps) > 1 and len(spread) == 1 and _one_of_each_row(known[0]):
            column = self._column(last)
            if column == 0:
                return below.axis if below.slots.steps is None else _Axis(), steps
            return _Axis(column + 1), steps
        for line in {box[0]: self.lines[box[0]] for starts in known for box in starts}.values():
            if line.slots.spans == slots.spans and line.slots.steps is not None:
                return line.axis, list(line.at)
        above = [max((self._offset(b) for b in starts), default=-1) for starts in known]
        if all(a < b for a, b in pairwise(above)) and above[0] >= 0:
            return below.axis, above
        return (below.axis if below.slots.steps is not None else _Axis()), steps

    def _column(self, box) -> int:
        return self.lines[box[0]].columns()[box[1]]

    def _offset(self, box) -> int:
        return self.lines[box[0]].at[box[1]]


def unroll(trace: Trace, words: Callable[[Value, str], str], title: str = "") -> Diagram:
    """Return the diagram of what was traced.

    Args:
        trace: what the model does.
        words: says the shape of a value; takes the value and what its last axis is called.
        title: of the diagram.
    """
    making = _Making(trace, words)
    for n, values in trace.carried.items():
        for i in range(len(values)):
            making.origin["carried", n, i] = [frozenset([_LAST_BATCH])]
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
        boxes = [making.given(goal, place) for place in range(len(value.slots))]
        row = Row(
            OUTPUT,
            words(value, "features"),
            _width(value),
            name=_numbered(i, trace.outputs),
            words=_through(making.passed(goal)),
        )
        making.add(row, value.slots, boxes)
    return _settled(making, title)


def _add_cells(making: _Making, n: int, node: Node, goals: list[int]) -> None:
    """Add the row of a recurrent layer."""
    sequence, outputs = node.inputs[0], node.outputs[0]
    used = _all_used(making.trace, n)
    shown = (
        outputs if used else Value((1, outputs.shape[-1]), outputs.dtype, Slots(None, ((0, 1),)))
    )
    row = Row(
        CELLS,
        making.words(shown, "units"),
        _width(outputs),
        backwards=node.backwards,
        name=legible(node.part.layer.name),
        words=_layer_words(node, making.passed(goals[0])),
        groups=node.part.groups,
    )
    boxes = [making.given(goals[0], place) for place in range(len(sequence.slots))]
    number = making.add(row, sequence.slots, boxes)
    order = list(range(len(sequence.slots)))
    if node.backwards:
        order.reverse()
    for before, after in pairwise(order):
        making.arrow((number, before), (number, after), STATE)
    first, last = (number, order[0]), (number, order[-1])
    begin = frozenset().union(*(making.given(goal, 0) for goal in goals[1:]))
    for box in sorted(begin - {_LAST_BATCH}):
        making.arrow(box, first, GIVEN)
        axis = making.lines[number].axis
        if making.lines[box[0]].axis is not axis:  # what is handed over was there before
            axis.begin = max(axis.begin, making._column(box) + 1)
    if _LAST_BATCH in begin:
        making.arrow(None, first, CARRIED)
        making.arrow(last, None, CARRIED)
    making.origin["output", n, 0] = [frozenset([(number, place)]) for place in order]
    for i in range(1, len(node.outputs)):
        making.origin["output", n, i] = [frozenset([last])]


def _add_layer(making: _Making, n: int, node: Node, goals: list[int]) -> None:
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
                for place in range(len(output.slots))
            ]
        )
    passed = tuple(dict.fromkeys(name for goal in goals for name in making.passed(goal)))
    words = _layer_words(node, passed)
    if node.moves:
        for i, boxes in enumerate(given):
            making.origin["output", n, i] = boxes
            making.through["output", n, i] = (*passed, _name_of(node.part.layer))
        return
    below = _row_changed(making, n, node, given)
    if below is not None:
        line = making.lines[below]
        line.row = _with_words(line.row, f"{line.row.words}, {_name_of(node.part.layer)}")
        making.origin["output", n, 0] = given[0]
        return
    for i, (output, boxes) in enumerate(zip(node.outputs, given, strict=True)):
        row = Row(
            LAYER,
            making.words(output, "features"),
            _width(output),
            name=legible(node.part.layer.name),
            words=words,
            groups=node.part.groups,
        )
        number = making.add(row, output.slots, boxes)
        making.origin["output", n, i] = _places(number, output.slots)


def _row_changed(making: _Making, n: int, node: Node, given) -> int | None:
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
    whole = len(line.slots) == len(places) and line.row.kind == LAYER
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


def _settled(making: _Making, title: str) -> Diagram:
    """Return the diagram, now that it is known where every row begins."""
    columns = [line.columns() for line in making.lines]
    boxes = tuple(
        Box(row, column, None if line.slots.steps is None else span)
        for row, line in enumerate(making.lines)
        for column, span in zip(columns[row], line.slots.spans, strict=True)
    )

    def place(box):
        return None if box is None else (box[0], columns[box[0]][box[1]])

    arrows = tuple(Arrow(place(start), place(end), kind) for start, end, kind in making.arrows)
    rows = tuple(line.row for line in making.lines)
    diagram = Diagram("", rows, boxes, arrows, title)
    return Diagram(name_picture(diagram), rows, boxes, arrows, title)


def _one_of_each_row(boxes) -> bool:
    return len({row for row, _ in boxes}) == len(boxes)


def _places(row: int, slots: Slots) -> list[frozenset]:
    return [frozenset([(row, place)]) for place in range(len(slots))]


def _width(value: Value) -> int:
    """Return how many numbers one box holds."""
    first = 1 if value.slots.steps is None else 2
    return int(np.prod(value.shape[first:], dtype=int))


def _numbered(i: int, values: list) -> str:
    return f"{i + 1}" if len(values) > 1 else ""


def _name_of(layer) -> str:
    """Return how somebody would write a layer: its class, and what tells it from another."""
    kind = type(layer).__name__
    if kind == "TimeDistributed":
        return f"TimeDistributed({_name_of(layer.layer)})"
    if kind == "Activation":
        return getattr(layer.activation, "__name__", kind)
    number = getattr(layer, "n", None)
    return f"{kind}({number})" if kind == "RepeatVector" else kind


def _layer_words(node: Node, passed: tuple[str, ...]) -> str:
    layer = node.part.layer
    words = [_name_of(layer)]
    activation = getattr(layer, "activation", None)
    plain = node.part.recurrent or getattr(activation, "__name__", "linear") == "linear"
    if not plain:
        words.append(activation.__name__)
    if node.part.recurrent:
        if arithmetic_of(layer.cell) is None:
            words[0] += f" of {type(layer.cell).__name__}"
        if node.backwards:
            words.append("backwards")
        if layer.stateful:
            words.append("stateful")
    return ", ".join([*words, *([_through(passed)] if passed else [])])


def _through(passed: tuple[str, ...]) -> str:
    return f"after {', '.join(passed)}" if passed else ""


def _with_words(row: Row, words: str) -> Row:
    return Row(row.kind, row.shape, row.width, row.backwards, row.name, words, row.groups)
