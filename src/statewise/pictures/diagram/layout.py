"""From the diagram to a scene: where everything stands.

Nothing is told by colour alone. Inputs are square, cells round, layers flat, outputs square with a
thick edge; the state's arrows are thick, what crosses batches or is fed back is dashed, and
whatever isn't plain has a word beside it.
"""

import textwrap
from dataclasses import dataclass

from statewise.pictures.diagram.elements import (
    CARRIED,
    CELLS,
    CUT,
    FED_BACK,
    GIVEN,
    INPUT,
    LAYER,
    OUTPUT,
    STATE,
    Box,
    Diagram,
    number_of,
)
from statewise.pictures.diagram.routing import Frame, value_lines
from statewise.pictures.render.scene import Disc, Ink, Line, Rectangle, Scene, Words, width_of

# Tints of Okabe and Ito's colours, of different lightness.
INKS = {
    INPUT: Ink("#9C2F6B", "#FBE3EF", 1.4),
    CELLS: Ink("#00664B", "#D3EEE2", 2.0),
    LAYER: Ink("#555555", "#F1F1F1", 1.2),
    OUTPUT: Ink("#004C7D", "#DCEBF7", 3.0),
}
STATE_INK = Ink("#00664B", None, 2.6)
GIVEN_INK = Ink("#00664B", None, 2.6)
CARRIED_INK = Ink("#00664B", None, 2.6, (7, 4))
FED_BACK_INK = Ink("#B34700", None, 1.8, (5, 3))
GAP_DASH = (2.0, 3.0)
MUTED, DARK = "#5A5A5A", "#1A1A1A"

PITCH, WIDE = 100.0, 62.0  # from column to column; width of a box
HEIGHTS = {INPUT: 44.0, CELLS: 40.0, LAYER: 28.0, OUTPUT: 44.0}
BETWEEN = 40.0  # rows
_MARGIN, _BESIDE = 22.0, 26.0
_TOP = 84.0
_OUTSIDE = 96.0  # room for arrows from and to other batches
_GROUP = 20.0
_WRAP = 30  # letters in a line beside a row
_DOTS_SHOWN = 6
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


@dataclass
class _Margins:
    left: float
    right: float
    labels: list[list[str]]


def lay_out(diagram: Diagram, description: str) -> Scene:
    """Return the drawing of a diagram; ``description`` says it in sentences."""
    frame, margins, height = _frame(diagram)
    scene = Scene(0, height, f"{diagram.picture}: {diagram.title}", description)
    columns = 1 + max(box.column for box in diagram.boxes)
    right = frame.left + columns * PITCH + (_OUTSIDE if _crosses(diagram, right=True) else 0)
    scene.width = right + _BESIDE + margins.right + _MARGIN
    _draw_groups(scene, diagram, frame)
    _draw_heading(scene, diagram, description)
    for line, words in value_lines(diagram, frame):
        scene.add(line, *words)
    for box in diagram.boxes:
        _draw_box(scene, diagram, frame, box)
    _draw_states(scene, diagram, frame)
    for row, lines in enumerate(margins.labels):
        _draw_label(scene, frame, row, lines)
        y = frame.middle(row) + 4.5
        scene.add(Words(right + _BESIDE, y, diagram.rows[row].shape, 13.0))
    _draw_legend(scene, diagram, height - 20)
    return scene


def _frame(diagram: Diagram) -> tuple[Frame, _Margins, float]:
    labels = [_label(row) for row in diagram.rows]
    widths = [
        width_of(text, 13.0 if i == 0 else 11.0, bold=i == 0)
        for lines in labels
        for i, text in enumerate(lines)
    ]
    left = _MARGIN + max(widths) + _BESIDE
    left += _OUTSIDE if _crosses(diagram, right=False) else 0
    margins = _Margins(left, max(width_of(row.shape, 13.0) for row in diagram.rows), labels)
    y, tops = _TOP, {}
    for row in reversed(range(len(diagram.rows))):
        y += _GROUP * len(_begun(diagram, row))
        tops[row] = y
        y += HEIGHTS[diagram.rows[row].kind] + BETWEEN
    heights = {row: HEIGHTS[diagram.rows[row].kind] for row in tops}
    return Frame(left, PITCH, WIDE, tops, heights, BETWEEN), margins, y + 26


def _label(row) -> list[str]:
    if row.kind in (INPUT, OUTPUT):
        name = f"{row.kind} {row.name}".strip()
        return [name, *textwrap.wrap(row.words, _WRAP)]
    return [row.name, *textwrap.wrap(row.words, _WRAP)]


def _begun(diagram: Diagram, row: int) -> list[str]:
    """Return the groups whose highest row this is."""
    mine = diagram.rows[row].groups
    above = diagram.rows[row + 1].groups if row + 1 < len(diagram.rows) else ()
    same = 0
    while same < min(len(mine), len(above)) and mine[same] == above[same]:
        same += 1
    return list(mine[same:])


def _draw_groups(scene: Scene, diagram: Diagram, frame: Frame) -> None:
    for top in reversed(range(len(diagram.rows))):
        new = _begun(diagram, top)
        for depth, name in enumerate(new):
            level = len(diagram.rows[top].groups) - len(new) + depth
            path, bottom = diagram.rows[top].groups[: level + 1], top
            while bottom and diagram.rows[bottom - 1].groups[: level + 1] == path:
                bottom -= 1
            y = frame.tops[top] - 12 - _GROUP * (len(new) - depth)
            inset = 6 + 5 * level
            height = frame.bottom(bottom) + 12 - y
            ink = Ink("#BBBBBB", "#F8F8F8" if level % 2 == 0 else "#FFFFFF", 1.0, (1.5, 2.5))
            scene.add(
                Rectangle(inset, y, scene.width - 2 * inset, height, ink, 8),
                Words(inset + 12, y + 16, name, 11.5, color=MUTED),
            )


def _draw_heading(scene: Scene, diagram: Diagram, description: str) -> None:
    scene.add(Words(_MARGIN, 34, diagram.picture, 20.0, bold=True))
    after = _MARGIN + width_of(diagram.picture, 20.0, bold=True) + 10
    scene.add(Words(after, 34, diagram.title, 13.0, color=MUTED))
    first = description.split(". ")[0].rstrip(".") + "."
    scene.add(Words(_MARGIN, 56, first, 12.5, color=DARK))
    scene.width = max(
        scene.width,
        after + width_of(diagram.title, 13.0) + _MARGIN,
        _MARGIN * 2 + width_of(first, 12.5),
    )


def _draw_box(scene: Scene, diagram: Diagram, frame: Frame, box: Box) -> None:
    row = diagram.rows[box.row]
    ink, x, y = INKS[row.kind], frame.x(box.column), frame.tops[box.row]
    height = frame.heights[box.row]
    fed = box.looped and row.kind == INPUT
    if box.is_gap or fed:
        ink = Ink(ink.stroke, "#FFFFFF", ink.width, GAP_DASH if box.is_gap else (5, 3))
    corner = {CELLS: height / 2.6, LAYER: 3.0}.get(row.kind, 0.0)
    scene.add(Rectangle(x - WIDE / 2, y, WIDE, height, ink, corner))
    middle = y + height / 2
    if box.is_gap:
        first = number_of(diagram, box)
        last = first + box.steps[1] - box.steps[0] - 1
        low = row.kind == LAYER
        scene.add(_centered(x, middle + (4 if low else 0), "…", 15.0))
        if not low:
            scene.add(_centered(x, middle + 13, f"{first}–{last}", 9.5, color=MUTED))
        return
    if row.kind in (CELLS, LAYER):
        scene.add(_fitted(x, middle + 4, _short(row.words)))
        return
    letter = "x" if row.kind == INPUT else "y"
    if box.steps is not None:
        number = str(number_of(diagram, box)).translate(_SUBSCRIPTS)
        letter += number
    scene.add(_centered(x, middle - 3, letter, 14.0))
    if row.width <= _DOTS_SHOWN:
        start = x - 4.5 * (row.width - 1)
        for i in range(row.width):
            scene.add(Disc(start + 9 * i, middle + 11, 2.8, Ink(None, ink.stroke)))
    else:
        scene.add(_centered(x, middle + 14, f"× {row.width:,}", 10.0, color=MUTED))


def _short(words: str) -> str:
    name = words.split(",")[0].split(" of ")[0]
    inner = name.removeprefix("TimeDistributed(").removesuffix(")")
    return inner if name.startswith("TimeDistributed(") else name


def _draw_states(scene: Scene, diagram: Diagram, frame: Frame) -> None:
    for arrow in diagram.arrows:
        if arrow.kind in (STATE, CUT) and arrow.start and arrow.end:
            line = frame.sideways(arrow.start, arrow.end)
            _draw_state(scene, line, arrow.kind)
        elif arrow.kind in (CARRIED, CUT):
            _draw_crossing(scene, diagram, frame, arrow)
        elif arrow.kind == GIVEN:
            points = frame.elbow(arrow.start, arrow.end)
            scene.add(Line(points, GIVEN_INK, head=True))
            (x, y), (_, y1) = points[1], points[2]
            at = (y + y1) / 2 + 4
            scene.add(Words(x - 6, at, "state", 11.0, anchor="end", color=STATE_INK.stroke))
        elif arrow.kind == FED_BACK:
            scene.add(Line(frame.elbow(arrow.start, arrow.end), FED_BACK_INK, head=True))


def _draw_state(scene: Scene, line, kind: str, label_above: float = 12) -> None:
    if kind == STATE:
        scene.add(Line(line, STATE_INK, head=True))
        return
    (x0, y), (x1, _) = line
    middle = (x0 + x1) / 2
    scene.add(Line(line, Ink("#AAAAAA", None, 2.0, (2, 3))))
    for shift in (-4, 4):
        slash = ((middle + shift - 4, y + 9), (middle + shift + 4, y - 9))
        scene.add(Line(slash, Ink("#B34700", None, 2.4)))
    scene.add(_centered(middle, y - label_above, "reset", 10.5, color="#B34700"))


def _draw_crossing(scene: Scene, diagram: Diagram, frame: Frame, arrow) -> None:
    """Draw a state that comes from, or goes to, another batch."""
    place = arrow.end or arrow.start
    backwards = diagram.rows[place[0]].backwards
    to_the_left = (arrow.start is None) != backwards
    y = frame.middle(place[0])
    edge = frame.x(place[1]) + (-1 if to_the_left else 1) * (WIDE / 2)
    far = edge + (-1 if to_the_left else 1) * (_OUTSIDE + 4)
    words = "from the last batch" if arrow.start is None else "to the next batch"
    ends = ((far, y), (edge - 2, y)) if arrow.start is None else ((edge + 2, y), (far, y))
    if arrow.kind == CUT:
        _draw_state(scene, ends, CUT, label_above=13)
        return
    scene.add(Line(ends, CARRIED_INK, head=True))
    for i, part in enumerate((words[: words.rfind(" ")], words[words.rfind(" ") + 1 :])):
        scene.add(_centered((edge + far) / 2, y + (-9 if i == 0 else 19), part, 10.5,
                            color=STATE_INK.stroke))  # fmt: skip


def _draw_label(scene: Scene, frame: Frame, row: int, lines: list[str]) -> None:
    y = frame.middle(row) + 4.5 - 7.0 * (len(lines) - 1)
    for i, text in enumerate(lines):
        if i == 0:
            scene.add(Words(_MARGIN, y, text, 13.0, bold=True))
        else:
            scene.add(Words(_MARGIN, y + 15 * i, text, 11.0, color=MUTED))


def _draw_legend(scene: Scene, diagram: Diagram, y: float) -> None:
    """Say what the forms mean, for those that occur; time runs to the right."""
    texts = {
        INPUT: "input",
        CELLS: "cell: the same weights at every step",
        LAYER: "layer without a state",
        OUTPUT: "output",
    }
    kinds = {row.kind for row in diagram.rows}
    x = _MARGIN
    for kind in (INPUT, CELLS, LAYER, OUTPUT):
        if kind in kinds:
            ink = INKS[kind]
            corner = {CELLS: 6.0, LAYER: 2.0}.get(kind, 0.0)
            height = 8.0 if kind == LAYER else 12.0
            scene.add(
                Rectangle(
                    x,
                    y - 4 - height / 2,
                    18,
                    height,
                    Ink(ink.stroke, ink.fill, ink.width * 0.7),
                    corner,
                ),
                Words(x + 25, y, texts[kind], 11.0, color=MUTED),
            )
            x += 25 + width_of(texts[kind], 11.0) + 14
    drawn = {arrow.kind for arrow in diagram.arrows}
    for kind, ink, text in (
        (STATE, STATE_INK, "state"),
        (FED_BACK, FED_BACK_INK, "the output is the next input"),
    ):
        if kind in drawn:
            scene.add(
                Line(((x, y - 4), (x + 28, y - 4)), ink, head=True),
                Words(x + 35, y, text, 11.0, color=MUTED),
            )
            x += 35 + width_of(text, 11.0) + 14
    scene.width = max(scene.width, x)


def _crosses(diagram: Diagram, *, right: bool) -> bool:
    """Whether a state comes in, or goes out, on one side."""
    for arrow in diagram.arrows:
        if arrow.kind in (CARRIED, CUT) and (arrow.start is None or arrow.end is None):
            place = arrow.end or arrow.start
            backwards = diagram.rows[place[0]].backwards
            if ((arrow.start is None) != backwards) != right:
                return True
    return False


def _centered(x: float, y: float, text: str, size: float, color: str = DARK) -> Words:
    return Words(x, y, text, size, anchor="middle", color=color)


def _fitted(x: float, y: float, text: str) -> Words:
    """Return words in the middle of a box, as small as they must be."""
    room = WIDE - 6
    size = min(12.0, room / max(len(text) * 0.61, 1e-9))
    if size < 8:
        most = int(room / (8 * 0.61)) - 1
        text, size = text[:most] + "…", 8.0
    return _centered(x, y, text, size)
