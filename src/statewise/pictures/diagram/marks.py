"""What stands at the places of a diagram: boxes, the state's arrows, and what the forms mean."""

from statewise.pictures.diagram.arrow_lines import Frame
from statewise.pictures.diagram.elements import (
    CELLS,
    CUT,
    FED_BACK,
    GIVEN,
    INPUT,
    LAYER,
    OUTPUT,
    STATE,
    Arrow,
    Box,
    Diagram,
    Place,
    number_of,
)
from statewise.pictures.diagram.style import (
    CARRIED_INK,
    FED_BACK_INK,
    GAP_DASH,
    GIVEN_INK,
    INKS,
    MUTED,
    OUTSIDE,
    STATE_COLOR,
    STATE_INK,
    WIDE,
    centered,
)
from statewise.pictures.render.scene import Disc, Ink, Line, Rectangle, Scene, Words, width_of

_DOTS_SHOWN = 6
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def draw_box(scene: Scene, diagram: Diagram, frame: Frame, box: Box) -> None:
    """Draw a box: its step, and a dot for each feature or what the layer is."""
    row = diagram.rows[box.row]
    ink, x, y = INKS[row.kind], frame.x(box.column), frame.tops[box.row]
    height = frame.heights[box.row]
    fed = box.looped and row.kind == INPUT
    if box.is_gap or fed:
        ink = Ink(ink.stroke, "#FFFFFF", ink.width, GAP_DASH if box.is_gap else (5, 3))
    corner = {CELLS: height / 2.6, LAYER: 3.0}.get(row.kind, 0.0)
    scene.add(Rectangle(x - WIDE / 2, y, WIDE, height, ink, corner))
    middle = y + height / 2
    if box.is_gap and box.steps is not None:
        first = number_of(diagram, box)
        last = first + box.steps[1] - box.steps[0] - 1
        low = row.kind == LAYER
        scene.add(centered(x, middle + (4 if low else 0), "…", 15.0))
        if not low:
            scene.add(centered(x, middle + 13, f"{first}–{last}", 9.5, color=MUTED))
        return
    if row.kind in (CELLS, LAYER):
        scene.add(_fitted(x, middle + 4, _short(row.words)))
        return
    letter = "x" if row.kind == INPUT else "y"
    if box.steps is not None:
        number = str(number_of(diagram, box)).translate(_SUBSCRIPTS)
        letter += number
    scene.add(centered(x, middle - 3, letter, 14.0))
    if row.width <= _DOTS_SHOWN:
        start = x - 4.5 * (row.width - 1)
        for i in range(row.width):
            scene.add(Disc(start + 9 * i, middle + 11, 2.8, Ink(None, ink.stroke)))
    else:
        scene.add(centered(x, middle + 14, f"× {row.width:,}", 10.0, color=MUTED))


def draw_states(scene: Scene, diagram: Diagram, frame: Frame) -> None:
    """Draw the arrows of the states: from step to step, across batches, from other layers."""
    for arrow in diagram.arrows:
        if arrow.crossed:
            _draw_crossing(scene, diagram, frame, arrow, arrow.crossed)
        elif arrow.kind in (STATE, CUT):
            _draw_state(scene, frame.sideways(*arrow.places), arrow.kind)
        elif arrow.kind == GIVEN:
            points = frame.elbow(*arrow.places)
            scene.add(Line(points, GIVEN_INK, head=True))
            (x, y), (_, y1) = points[1], points[2]
            at = (y + y1) / 2 + 4
            scene.add(Words(x - 6, at, "state", 11.0, anchor="end", color=STATE_COLOR))
        elif arrow.kind == FED_BACK:
            scene.add(Line(frame.elbow(*arrow.places), FED_BACK_INK, head=True))


def draw_legend(scene: Scene, diagram: Diagram, x: float, y: float) -> None:
    """Say what the forms mean, for those that occur; time runs to the right."""
    texts = {
        INPUT: "input",
        CELLS: "cell: the same weights at every step",
        LAYER: "layer without a state",
        OUTPUT: "output",
    }
    kinds = {row.kind for row in diagram.rows}
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


def _short(words: str) -> str:
    name = words.split(",")[0].split(" of ")[0]
    inner = name.removeprefix("TimeDistributed(").removesuffix(")")
    return inner if name.startswith("TimeDistributed(") else name


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
    scene.add(centered(middle, y - label_above, "reset", 10.5, color="#B34700"))


def _draw_crossing(
    scene: Scene, diagram: Diagram, frame: Frame, arrow: Arrow, place: Place
) -> None:
    """Draw a state that comes from, or goes to, another batch, at its place in this one."""
    backwards = diagram.rows[place[0]].backwards
    to_the_left = (arrow.start is None) != backwards
    y = frame.middle(place[0])
    edge = frame.x(place[1]) + (-1 if to_the_left else 1) * (WIDE / 2)
    far = edge + (-1 if to_the_left else 1) * (OUTSIDE + 4)
    words = "from the last batch" if arrow.start is None else "to the next batch"
    ends = ((far, y), (edge - 2, y)) if arrow.start is None else ((edge + 2, y), (far, y))
    if arrow.kind == CUT:
        _draw_state(scene, ends, CUT, label_above=13)
        return
    scene.add(Line(ends, CARRIED_INK, head=True))
    for i, part in enumerate((words[: words.rfind(" ")], words[words.rfind(" ") + 1 :])):
        scene.add(centered((edge + far) / 2, y + (-9 if i == 0 else 19), part, 10.5,
                            color=STATE_COLOR))  # fmt: skip


def _fitted(x: float, y: float, text: str) -> Words:
    """Return words in the middle of a box, as small as they must be."""
    width = WIDE - 6
    size = min(12.0, width / max(len(text) * 0.61, 1e-9))
    if size < 8:
        most = int(width / (8 * 0.61)) - 1
        text, size = text[:most] + "…", 8.0
    return centered(x, y, text, size)
