"""A diagram in the making: rows that know below what they stand, and what leads to their boxes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from statewise.pictures.diagram.elements import (
    INPUT,
    VALUE,
    Arrow,
    Box,
    Diagram,
    Row,
    name_picture,
)
from statewise.pictures.diagram.row_words import numbered
from statewise.pictures.trace.time_axis import TimeAxis
from statewise.pictures.trace.traced import Trace, Value

LAST_BATCH = (-1, 0)  # stands among the places for the state that the last batch left


@dataclass(eq=False)
class Columns:
    """Rows that share their columns; where it begins is settled when all rows are known."""

    begin: int = 0


@dataclass(eq=False)
class Line:
    """A row: its boxes are at ``axis.begin + at[place]``."""

    row: Row
    time: TimeAxis
    axis: Columns
    at: list[int]

    def columns(self) -> list[int]:
        """Return the column of each place."""
        return [self.axis.begin + offset for offset in self.at]


@dataclass(eq=False)
class Unfinished:
    """A diagram to which rows are added, from the bottom to the top.

    Attributes:
        trace: what the model does.
        words: says the shape of a value; takes the value and what its last axis is called.
        lines: the rows so far.
        arrows: between places of rows, and their kind; a set that keeps its order.
        origin: for each source, for each of its places: the boxes it is from.
        through: for each source, the names of the layers that only moved it.
    """

    trace: Trace
    words: Callable[[Value, str], str]
    lines: list[Line] = field(default_factory=list)
    arrows: dict[tuple, None] = field(default_factory=dict)
    origin: dict[tuple, list[frozenset]] = field(default_factory=dict)
    through: dict[tuple, tuple[str, ...]] = field(default_factory=dict)

    def given(self, goal: int, place: int | np.integer) -> frozenset:
        """Return the boxes whose values go into a place of a goal."""
        boxes: set = set()
        for source, reach in zip(self.trace.sources, self.trace.reach[goal], strict=True):
            for there in np.flatnonzero(reach[place]):
                if source[:3] not in self.origin:
                    self.add_input(source[2], source[3])
                boxes |= self.origin[source[:3]][there]
        return frozenset(boxes)

    def add_input(self, i: int, value: Value) -> None:
        """Add the row of an input: right below the first row that reads it."""
        name = numbered(i, self.trace.inputs)
        row = Row(INPUT, self.words(value, "features"), width_of_box(value), name=name)
        number = self.add(row, value.time, [frozenset()] * len(value.time))
        self.origin["input", 0, i] = places_of(number, value.time)

    def passed(self, goal: int) -> tuple[str, ...]:
        """Return the names of the layers that only move values, on the way to a goal."""
        names = [
            self.through.get(source[:3], ())
            for source, reach in zip(self.trace.sources, self.trace.reach[goal], strict=True)
            if reach.any()
        ]
        return tuple(dict.fromkeys(name for some in names for name in some))

    def add(self, row: Row, time: TimeAxis, boxes: list[frozenset]) -> int:
        """Add a row whose places are given the values of ``boxes``; return its number."""
        axis, at = self._columns(time, boxes)
        self.lines.append(Line(row, time, axis, at))
        number = len(self.lines) - 1
        for place, starts in enumerate(boxes):
            for start in sorted(starts - {LAST_BATCH}):
                self.arrow(start, (number, place), VALUE)
        return number

    def arrow(self, start, end, kind: str) -> None:
        """Add an arrow from a place to a place; None is another batch."""
        self.arrows[start, end, kind] = None

    def column(self, box) -> int:
        """Return the column of a box."""
        return self.lines[box[0]].columns()[box[1]]

    def settled(self, title: str) -> Diagram:
        """Return the diagram, now that it is known where every row begins."""
        columns = [line.columns() for line in self.lines]
        boxes = tuple(
            Box(row, column, None if line.time.steps is None else span)
            for row, line in enumerate(self.lines)
            for column, span in zip(columns[row], line.time.spans, strict=True)
        )

        def place(box):
            return None if box is None else (box[0], columns[box[0]][box[1]])

        arrows = tuple(Arrow(place(start), place(end), kind) for start, end, kind in self.arrows)
        rows = tuple(line.row for line in self.lines)
        diagram = Diagram("", rows, boxes, arrows, title)
        return Diagram(name_picture(diagram), rows, boxes, arrows, title)

    def _columns(self, time: TimeAxis, boxes: list[frozenset]) -> tuple[Columns, list[int]]:
        """Choose where a row stands: above what it is given, or after it in a time of its own."""
        known = [sorted(b for b in starts if b != LAST_BATCH) for starts in boxes]
        steps = list(range(len(time)))
        if not any(known):
            return Columns(), steps
        last = max((box for starts in known for box in starts), key=self.column)
        below = self.lines[last[0]]
        if time.steps is None:
            return below.axis, [below.at[last[1]]]
        spread = {tuple(starts) for starts in known}
        if len(steps) > 1 and len(spread) == 1 and _one_of_each_row(known[0]):
            column = self.column(last)
            if column == 0:
                return below.axis if below.time.steps is None else Columns(), steps
            return Columns(column + 1), steps
        for line in {box[0]: self.lines[box[0]] for starts in known for box in starts}.values():
            if line.time.spans == time.spans and line.time.steps is not None:
                return line.axis, list(line.at)
        above = [max((self._offset(b) for b in starts), default=-1) for starts in known]
        if all(a < b for a, b in pairwise(above)) and above[0] >= 0:
            return below.axis, above
        return (below.axis if below.time.steps is not None else Columns()), steps

    def _offset(self, box) -> int:
        return self.lines[box[0]].at[box[1]]


def _one_of_each_row(boxes) -> bool:
    return len({row for row, _ in boxes}) == len(boxes)


def places_of(row: int, time: TimeAxis) -> list[frozenset]:
    """Return the boxes of a row, each by itself."""
    return [frozenset([(row, place)]) for place in range(len(time))]


def width_of_box(value: Value) -> int:
    """Return how many numbers one box holds."""
    first = 1 if value.time.steps is None else 2
    return int(np.prod(value.shape[first:], dtype=int))
