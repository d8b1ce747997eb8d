"""From the diagram to a scene: where everything stands."""

import textwrap
from dataclasses import dataclass

from statewise.pictures.diagram.arrow_lines import Frame, value_lines
from statewise.pictures.diagram.elements import CARRIED, CUT, INPUT, OUTPUT, Diagram
from statewise.pictures.diagram.marks import draw_box, draw_legend, draw_states
from statewise.pictures.diagram.style import BETWEEN, DARK, HEIGHTS, MUTED, OUTSIDE, PITCH, WIDE
from statewise.pictures.render.scene import Ink, Rectangle, Scene, Words, width_of

_MARGIN, _BESIDE = 22.0, 26.0
_TOP = 84.0
_GROUP = 20.0
_WRAP = 30  # letters in a line beside a row


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
    right = frame.left + columns * PITCH + (OUTSIDE if _crosses(diagram, right=True) else 0)
    scene.width = right + _BESIDE + margins.right + _MARGIN
    _draw_groups(scene, diagram, frame)
    _draw_heading(scene, diagram, description)
    for line, words in value_lines(diagram, frame):
        scene.add(line, *words)
    for box in diagram.boxes:
        draw_box(scene, diagram, frame, box)
    draw_states(scene, diagram, frame)
    for row, lines in enumerate(margins.labels):
        _draw_label(scene, frame, row, lines)
        y = frame.middle(row) + 4.5
        scene.add(Words(right + _BESIDE, y, diagram.rows[row].shape, 13.0))
    draw_legend(scene, diagram, _MARGIN, height - 20)
    return scene


def _frame(diagram: Diagram) -> tuple[Frame, _Margins, float]:
    labels = [_label(row) for row in diagram.rows]
    widths = [
        width_of(text, 13.0 if i == 0 else 11.0, bold=i == 0)
        for lines in labels
        for i, text in enumerate(lines)
    ]
    left = _MARGIN + max(widths) + _BESIDE
    left += OUTSIDE if _crosses(diagram, right=False) else 0
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


def _draw_label(scene: Scene, frame: Frame, row: int, lines: list[str]) -> None:
    y = frame.middle(row) + 4.5 - 7.0 * (len(lines) - 1)
    for i, text in enumerate(lines):
        if i == 0:
            scene.add(Words(_MARGIN, y, text, 13.0, bold=True))
        else:
            scene.add(Words(_MARGIN, y + 15 * i, text, 11.0, color=MUTED))


def _crosses(diagram: Diagram, *, right: bool) -> bool:
    """Whether a state comes in, or goes out, on one side."""
    for arrow in diagram.arrows:
        place = arrow.crossed
        if arrow.kind in (CARRIED, CUT) and place is not None:
            backwards = diagram.rows[place[0]].backwards
            if ((arrow.start is None) != backwards) != right:
                return True
    return False
