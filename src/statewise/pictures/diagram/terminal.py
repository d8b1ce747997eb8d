"""A diagram with letters, for a terminal."""

from statewise.pictures.diagram.elements import (
    CELLS,
    CUT,
    FED_BACK,
    GIVEN,
    INPUT,
    LAYER,
    STATE,
    VALUE,
    Arrow,
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
        if arrow.crossed:
            _crossing(letters, diagram, arrow, row)
            continue
        start, end = arrow.places
        if arrow.kind in (STATE, CUT) and start[0] == row:
            low, high = sorted((_at(start[1]), _at(end[1])))
            way = "//" if arrow.kind == CUT else "--"
            backwards = end[1] < start[1]
            text = way + "-" * (high - low - 5) if arrow.kind == STATE else way
            text = f"<{text[:-1]}" if backwards and arrow.kind == STATE else text
            text = text if backwards or arrow.kind == CUT else f"{text[:-1]}>"
            _write(letters, low + 2, text)
        elif arrow.kind == GIVEN and end[0] == row:
            _write(letters, _at(end[1]) - 4, "=>")
    for box in diagram.boxes_of(row):
        text = _box(diagram, box)
        _write(letters, _at(box.column) - (len(text) - 1) // 2, text)
    return letters


def _crossing(letters: list[str], diagram: Diagram, arrow: Arrow, row: int) -> None:
    place = arrow.crossed
    if place is None or place[0] != row:
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
    values = [arrow.places for arrow in diagram.arrows if arrow.kind == VALUE]
    arrows = [(start, end) for start, end in values if end[0] == row]
    if not arrows:
        return []
    heads = [" "] * width
    for _, end in arrows:
        heads[_at(end[1])] = "^"
    aslant = [(start[1], end[1]) for start, end in arrows if start[1] != end[1]]
    if not aslant:
        return ["".join(heads)]
    gather = [" "] * width
    for one, other in aslant:
        low, high = sorted((_at(one), _at(other)))
        for at in range(low, high + 1):
            gather[at] = "-" if gather[at] == " " else gather[at]
    for places in arrows:
        for _, column in places:
            gather[_at(column)] = "+" if gather[_at(column)] != " " else "|"
    return ["".join(heads), "".join(gather)]


def _at(column: int) -> int:
    return _ROOM + column * _PITCH


def _write(letters: list[str], at: int, text: str) -> None:
    for i, letter in enumerate(text):
        if 0 <= at + i < len(letters):
            letters[at + i] = letter
