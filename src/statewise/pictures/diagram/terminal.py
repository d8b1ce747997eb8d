"""A diagram with letters, for a terminal."""

from statewise.pictures.diagram.elements import (
    CARRIED,
    CELLS,
    CUT,
    FED_BACK,
    GIVEN,
    INPUT,
    LAYER,
    STATE,
    VALUE,
    Box,
    Diagram,
    number_of,
)

_PITCH = 6  # letters from column to column
_ROOM = 5  # before the first, for a state that comes in


def to_text(diagram: Diagram) -> str:
    """Return the picture: rows from the top, each with its name before it and its shape behind."""
    columns = 1 + max(box.column for box in diagram.boxes)
    names = [_name(diagram, row) for row in range(len(diagram.rows))]
    left = max(map(len, names)) + 2
    width = _ROOM + columns * _PITCH + 2
    lines = [f"{diagram.picture}: {diagram.title}", ""]
    for row in reversed(range(len(diagram.rows))):
        body = "".join(_row(diagram, row, width)).rstrip()
        lines.append(f"{names[row]:<{left}}{body:<{width}}{diagram.rows[row].shape}")
        lines += [" " * left + line for line in _between(diagram, row, width)]
    if any(a.kind == FED_BACK for a in diagram.arrows):
        lines += ["", "[>n] is given the output of the step before (closed loop)."]
    return "\n".join(_tight(lines))


def _tight(lines: list[str]) -> list[str]:
    return [line.rstrip() for line in lines]


def _name(diagram: Diagram, row: int) -> str:
    one = diagram.rows[row]
    return f"{one.kind} {one.name}".strip() if one.kind not in (CELLS, LAYER) else one.name


def _row(diagram: Diagram, row: int, width: int) -> list[str]:
    letters = [" "] * (width + 8)
    for arrow in diagram.arrows:
        if arrow.kind in (STATE, CUT) and arrow.start and arrow.end and arrow.start[0] == row:
            low, high = sorted((_at(arrow.start[1]), _at(arrow.end[1])))
            way = "//" if arrow.kind == CUT else "--"
            backwards = arrow.end[1] < arrow.start[1]
            text = way + "-" * (high - low - 5) if arrow.kind == STATE else way
            text = f"<{text[:-1]}" if backwards and arrow.kind == STATE else text
            text = text if backwards or arrow.kind == CUT else f"{text[:-1]}>"
            _write(letters, low + 2, text)
        elif arrow.kind in (CARRIED, CUT) and (arrow.start is None or arrow.end is None):
            _crossing(letters, diagram, arrow, row)
        elif arrow.kind == GIVEN and arrow.end[0] == row:
            _write(letters, _at(arrow.end[1]) - 4, "=>")
    for box in diagram.boxes_of(row):
        text = _box(diagram, box)
        _write(letters, _at(box.column) - (len(text) - 1) // 2, text)
    return letters


def _crossing(letters: list[str], diagram: Diagram, arrow, row: int) -> None:
    place = arrow.end or arrow.start
    if place[0] != row:
        return
    to_the_left = (arrow.start is None) != diagram.rows[row].backwards
    text = "//" if arrow.kind == CUT else ("~>" if not diagram.rows[row].backwards else "<~")
    _write(letters, _at(place[1]) + (-4 if to_the_left else 3), text)


def _box(diagram: Diagram, box: Box) -> str:
    kind = diagram.rows[box.row].kind
    if box.is_gap:
        return "..."
    if kind == CELLS:
        return "(o)"
    if kind == LAYER:
        return "[o]"
    letter = "x" if kind == INPUT else "y"
    if box.looped and kind == INPUT:
        letter = ">"
    return f"[{letter}{'' if box.steps is None else number_of(diagram, box)}]"


def _between(diagram: Diagram, row: int, width: int) -> list[str]:
    """Return the lines below a row: heads of arrows, and where they gather from other columns."""
    arrows = [a for a in diagram.arrows if a.kind == VALUE and a.end[0] == row]
    if not arrows:
        return []
    heads = [" "] * width
    for arrow in arrows:
        heads[_at(arrow.end[1])] = "^"
    aslant = [a for a in arrows if a.start[1] != a.end[1]]
    if not aslant:
        return ["".join(heads)]
    gather = [" "] * width
    for arrow in aslant:
        low, high = sorted((_at(arrow.start[1]), _at(arrow.end[1])))
        for at in range(low, high + 1):
            gather[at] = "-" if gather[at] == " " else gather[at]
    for arrow in arrows:
        for _, column in (arrow.start, arrow.end):
            gather[_at(column)] = "+" if gather[_at(column)] != " " else "|"
    return ["".join(heads), "".join(gather)]


def _at(column: int) -> int:
    return _ROOM + column * _PITCH


def _write(letters: list[str], at: int, text: str) -> None:
    for i, letter in enumerate(text):
        if 0 <= at + i < len(letters):
            letters[at + i] = letter
