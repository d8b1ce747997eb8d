"""The unrolled diagram: what a picture says, before it is laid out and drawn.

Rows stand one above the other, inputs at the bottom; columns follow each other in time. A box is a
place in a row at a column; an arrow goes from a box to a box, or comes from, or goes to, another
batch. Nothing here knows of pixels, and two models that do the same have the same `structure`.
"""

from dataclasses import dataclass

INPUT, CELLS, LAYER, OUTPUT = "input", "cells", "layer", "output"

VALUE = "value"  # a vector goes in
STATE = "state"  # what is remembered goes from step to step
GIVEN = "given"  # a state that another layer ended with, or that was computed, is where this begins
CARRIED = "carried"  # a state crosses from batch to batch
CUT = "cut"  # a reset: nothing crosses here
FED_BACK = "fed back"  # an output is the next input

Place = tuple[int, int]  # row, column


@dataclass(frozen=True)
class Row:
    """One row of a diagram.

    Attributes:
        kind: "input", "cells" (of a recurrent layer), "layer" or "output".
        shape: in words, ``(batch 32, time steps 3, features 1)``.
        width: the numbers in one box: features, or units.
        backwards: whether the state goes from the last step to the first.
        name: of the layer.
        words: what the layer is, for people.
        groups: the models and wrappers that it is in, the outermost first.
    """

    kind: str
    shape: str
    width: int
    backwards: bool = False
    name: str = ""
    words: str = ""
    groups: tuple[str, ...] = ()


@dataclass(frozen=True)
class Box:
    """A thing at a place.

    Attributes:
        row: number of the row, 0 at the bottom.
        column: number of the column.
        steps: first and last time step (exclusive) that it stands for; None without time.
        looped: whether it belongs to the closed loop, beyond the known steps.
    """

    row: int
    column: int
    steps: tuple[int, int] | None
    looped: bool = False

    @property
    def place(self) -> Place:
        """Row and column."""
        return self.row, self.column

    @property
    def is_gap(self) -> bool:
        """Whether it stands for steps that are left out."""
        return self.steps is not None and self.steps[1] - self.steps[0] > 1


@dataclass(frozen=True)
class Arrow:
    """From ``start`` to ``end``, places of boxes; None is another batch."""

    start: Place | None
    end: Place | None
    kind: str = VALUE

    @property
    def places(self) -> tuple[Place, Place]:
        """From where to where an arrow goes that stays within the batch.

        Raises:
            ValueError: for one that crosses batches.
        """
        if self.start is None or self.end is None:
            raise ValueError("An arrow from or to another batch has one place only.")
        return self.start, self.end

    @property
    def crossed(self) -> Place | None:
        """Where an arrow from or to another batch touches this one; None for other arrows."""
        return self.end if self.start is None else self.start if self.end is None else None


@dataclass(frozen=True)
class Diagram:
    """An unrolled network.

    Attributes:
        picture: its name, "many-to-one" for example.
        rows: from the bottom to the top.
        boxes: by row, then by column.
        arrows: each once.
        title: of the model.
    """

    picture: str
    rows: tuple[Row, ...]
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    title: str = ""

    @property
    def structure(self) -> dict:
        """What the picture says without the names of layers: equal where two models do the same.

        Boxes are counted in their row from the left; ``steps`` are those of `Box`.
        """
        return {
            "picture": self.picture,
            "rows": [(row.kind, row.shape) for row in self.rows],
            "boxes": [(box.row, box.column, box.steps, box.looped) for box in self.boxes],
            "arrows": sorted((a.kind, a.start or (), a.end or ()) for a in self.arrows),
        }

    def boxes_of(self, row: int) -> list[Box]:
        """Return the boxes of a row, from the left."""
        return [box for box in self.boxes if box.row == row]

    def rows_of(self, kind: str) -> list[int]:
        """Return the numbers of the rows of a kind."""
        return [i for i, row in enumerate(self.rows) if row.kind == kind]

    def arrows_to(self, place: Place, kind: str = VALUE) -> list[Arrow]:
        """Return the arrows of a kind that end at a place."""
        return [a for a in self.arrows if a.end == place and a.kind == kind]


def number_of(diagram: Diagram, box: Box) -> int:
    """Return the number of a box's first step, from 1; the closed loop counts on."""
    if box.steps is None:
        raise ValueError("A box without time has no step's number.")
    known = [b.steps[1] for b in diagram.boxes if not b.looped and b.steps and b.row == box.row]
    return box.steps[0] + 1 + (max(known, default=1) if box.looped else 0)


def name_picture(diagram: Diagram) -> str:
    """Say which of the pictures a diagram is.

    Many is more than one time step. In an encoder-decoder some sequence that goes in reaches the
    sequence that comes out only through a bottleneck: a vector without time, or a state that is
    handed over.
    """
    entering = [_steps(diagram, row) for row in diagram.rows_of(INPUT)]
    leaving = [_steps(diagram, row) for row in diagram.rows_of(OUTPUT)]
    many_in, many_out = max(entering, default=1) > 1, max(leaving, default=1) > 1
    if many_in and many_out:
        for row in diagram.rows_of(INPUT):
            if _steps(diagram, row) > 1 and not _reaches_out(diagram, row):
                return "encoder-decoder"
    return f"{'many' if many_in else 'one'}-to-{'many' if many_out else 'one'}"


def _steps(diagram: Diagram, row: int) -> int:
    boxes = diagram.boxes_of(row)
    return sum(1 if box.steps is None else box.steps[1] - box.steps[0] for box in boxes)


def _reaches_out(diagram: Diagram, row: int) -> bool:
    """Whether anything of an input row gets to an output without passing a bottleneck."""
    timeless = {box.place for box in diagram.boxes if box.steps is None}
    spread = _spread(diagram)
    seen = [box.place for box in diagram.boxes_of(row)]
    for place in seen:
        if diagram.rows[place[0]].kind == OUTPUT:
            return True
        for arrow in diagram.arrows:
            if arrow.start != place or arrow.end is None or arrow.kind == GIVEN:
                continue
            bottleneck = (place, arrow.end[0]) in spread or arrow.end in timeless
            if not bottleneck and arrow.end not in seen:
                seen.append(arrow.end)
    return False


def _spread(diagram: Diagram) -> set[tuple[Place, int]]:
    """Return (place, row) where all steps of a row are given the same, one box of a row at most."""
    found: set[tuple[Place, int]] = set()
    for row in range(len(diagram.rows)):
        boxes = [box for box in diagram.boxes_of(row) if box.steps is not None]
        given = [{a.places[0] for a in diagram.arrows_to(box.place)} for box in boxes]
        same = len(boxes) > 1 and all(g == given[0] for g in given)
        if same and len({start[0] for start in given[0]}) == len(given[0]):
            found |= {(start, row) for start in given[0]}
    return found
