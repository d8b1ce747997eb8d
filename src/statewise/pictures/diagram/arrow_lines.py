"""The ways of the arrows between rows: straight, round the boxes between, or as a comb or a bar."""

from dataclasses import dataclass

from statewise.pictures.diagram.elements import VALUE, Diagram, Place
from statewise.pictures.render.scene import Ink, Line, Rectangle, Words

VALUE_INK = Ink("#333333", None, 1.4)
_BAR_INK = Ink("#333333", "#E9E9E9", 1.2)
_ASIDE = 41.0  # from the middle of a column, where an arrow passes a box
_FEW = 3  # arrows into each box that can still be told apart


@dataclass(frozen=True)
class Frame:
    """Where rows and columns are.

    Attributes:
        left: of the first column.
        pitch: from column to column.
        wide: width of a box.
        tops: upper edge of each row.
        heights: of each row's boxes.
        between: room between two rows.
    """

    left: float
    pitch: float
    wide: float
    tops: dict[int, float]
    heights: dict[int, float]
    between: float

    def x(self, column: int) -> float:
        """Return the middle of a column."""
        return self.left + (column + 0.5) * self.pitch

    def bottom(self, row: int) -> float:
        """Return the lower edge of a row."""
        return self.tops[row] + self.heights[row]

    def middle(self, row: int) -> float:
        """Return the middle of a row."""
        return self.tops[row] + self.heights[row] / 2

    def below(self, row: int) -> float:
        """Return the height at which arrows to a row gather."""
        return self.bottom(row) + self.between * 0.5

    def sideways(self, start: Place, end: Place):
        """Return the way from a box to another one in its row."""
        sign = 1 if end[1] > start[1] else -1
        y = self.middle(start[0])
        return (
            (self.x(start[1]) + sign * (self.wide / 2 + 2), y),
            (self.x(end[1]) - sign * (self.wide / 2 + 2), y),
        )

    def elbow(self, start: Place, end: Place):
        """Return a way from the side of a box to the left of another one."""
        y0, y1 = self.middle(start[0]), self.middle(end[0])
        entry = self.x(end[1]) - self.wide / 2 - 2
        if end[1] > start[1]:
            turn, leave = self.x(end[1]) - self.pitch / 2, self.x(start[1]) + self.wide / 2
        else:
            turn = min(self.x(start[1]), self.x(end[1])) - self.pitch / 2 + 4
            leave = self.x(start[1]) - self.wide / 2
        return ((leave, y0), (turn, y0), (turn, y1), (entry, y1))


def value_lines(diagram: Diagram, frame: Frame) -> list[tuple]:
    """Return the lines of the values' arrows, each with the words beside it."""
    found: list[tuple] = []
    pairs: dict[tuple[int, int], list[tuple[Place, Place]]] = {}
    for arrow in diagram.arrows:
        if arrow.kind == VALUE:
            start, end = arrow.places
            pairs.setdefault((start[0], end[0]), []).append((start, end))
    for (low, high), arrows in pairs.items():
        starts = {start for start, _ in arrows}
        ends = {end for _, end in arrows}
        if len(arrows) > _FEW * max(len(ends), len(starts)) or (
            len(starts) > 2 and len(ends) > 2 and len(arrows) == len(starts) * len(ends)
        ):
            found += _bar(frame, low, high, arrows, starts, ends)
            continue
        comb = len(starts) == 1 or len(ends) == 1
        found += [(_way(diagram, frame, start, end, comb), ()) for start, end in arrows]
    return found


def _way(diagram: Diagram, frame: Frame, start: Place, end: Place, comb: bool) -> Line:
    x0, x1 = frame.x(start[1]), frame.x(end[1])
    y0, y1, gather = frame.tops[start[0]], frame.bottom(end[0]) + 2, frame.below(end[0])
    points = [(x0, y0)]
    if any(box.column == start[1] and start[0] < box.row < end[0] for box in diagram.boxes):
        aside = x0 + (_ASIDE if start[0] % 2 == 0 else -_ASIDE)
        leave = y0 - frame.between * 0.3
        points = [(x0, y0), (x0, leave), (aside, leave), (aside, gather)]
        if x1 == x0:
            points += [(x1, gather)]
    if x1 != points[-1][0]:
        points += [(points[-1][0], gather), (x1, gather)] if comb else [(points[-1][0], y0 - 3)]
    return Line((*points, (x1, y1)), VALUE_INK, head=True)


def _bar(frame: Frame, low: int, high: int, arrows, starts, ends) -> list[tuple]:
    """Return a bar that gathers what every step of a row is made of, and what it says."""
    columns = [place[1] for place in starts | ends]
    left, right = frame.x(min(columns)) - 20, frame.x(max(columns)) + 20
    y = frame.below(high)
    bar = Rectangle(left, y - 7, right - left, 14, _BAR_INK, 7)
    words = Words(
        (left + right) / 2, y + 3.8, _describe(arrows, starts, ends), 9.5, anchor="middle"
    )
    into = [((frame.x(c), frame.tops[low]), (frame.x(c), y + 8)) for _, c in sorted(starts)]
    out = [((frame.x(c), y - 7), (frame.x(c), frame.bottom(high) + 2)) for _, c in sorted(ends)]
    lines = [(Line(points, VALUE_INK, head=True), ()) for points in [*into, *out]]
    return [*lines, (bar, (words,))]


def _describe(arrows, starts, ends) -> str:
    if len(arrows) == len(starts) * len(ends):
        return "every step sees every step"
    if all(start[1] <= end[1] for start, end in arrows):
        return "each step sees the steps up to its own"
    return "each step sees several steps"
