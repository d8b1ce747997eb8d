"""A diagram in sentences: for those who can't see it, and for those who asked what it means."""

from statewise.pictures.diagram.elements import (
    CARRIED,
    CELLS,
    CUT,
    FED_BACK,
    GIVEN,
    INPUT,
    OUTPUT,
    Box,
    Diagram,
    Place,
)


def describe(diagram: Diagram) -> str:
    """Return the picture in sentences.

    The first says what goes in and what comes out, the others which input gets to which output,
    and what becomes of the state.
    """
    return " ".join([_in_and_out(diagram), *_sights(diagram), *_states(diagram)])


def sights(diagram: Diagram) -> dict[Place, set[Place]]:
    """Return for each output box the input boxes from which arrows lead to it."""
    before: dict[Place, set[Place]] = {}
    for arrow in diagram.arrows:
        if arrow.start and arrow.end and arrow.kind != CUT:
            before.setdefault(arrow.end, set()).add(arrow.start)
    found = {}
    inputs = set(diagram.rows_of(INPUT))
    for row in diagram.rows_of(OUTPUT):
        for box in diagram.boxes_of(row):
            seen, waiting = set(), [box.place]
            while waiting:
                for place in before.get(waiting.pop(), ()):
                    if place not in seen:
                        seen.add(place)
                        waiting.append(place)
            found[box.place] = {place for place in seen if place[0] in inputs}
    return found


def count_steps(boxes: list[Box]) -> int | None:
    """Return how many time steps boxes stand for; None where there is no time."""
    spans = [box.steps for box in boxes if box.steps is not None]
    if len(spans) < len(boxes):
        return None if len(boxes) == 1 else len(boxes)
    return sum(stop - start for start, stop in spans)


def _in_and_out(diagram: Diagram) -> str:
    looped = sum(b.steps[1] - b.steps[0] if b.steps else 1 for b in _looped(diagram))
    parts = []
    for kind, verb in ((INPUT, "in"), (OUTPUT, "out")):
        things = []
        for row in diagram.rows_of(kind):
            boxes = diagram.boxes_of(row)
            if kind == INPUT:
                boxes = [box for box in boxes if not box.looped]
            things.append(_thing(count_steps(boxes), diagram.rows[row], kind))
        one = len(things) == 1 and things[0].startswith(("1 ", "one "))
        parts.append(f"{' and '.join(things)} {'goes' if one else 'go'} {verb}")
    first = f"{parts[0]}, {parts[1].replace('goes out', 'comes out').replace('go out', 'come out')}"
    if looped:
        first += f", the last {looped} in closed loop"
    return first[0].upper() + first[1:] + "."


def _thing(steps: int | None, row, kind: str) -> str:
    unit = "feature" if kind == INPUT else "number"
    width = f"{row.width} {unit}{'s' * (row.width != 1)}"
    if steps is None:
        return f"one {'vector' if kind == INPUT else 'output'} of {width}"
    if kind == INPUT:
        return f"{steps} time step{'s' * (steps != 1)} of {width}"
    return f"{steps} output{'s' * (steps != 1)} of {width}"


def _looped(diagram: Diagram) -> list[Box]:
    rows = diagram.rows_of(INPUT)
    return [box for box in diagram.boxes if box.looped and rows and box.row == rows[0]]


def _sights(diagram: Diagram) -> list[str]:
    """Say which inputs get to which outputs, if the diagram has steps."""
    entering = [b.place for row in diagram.rows_of(INPUT) for b in diagram.boxes_of(row)]
    seen = sights(diagram)
    if len(entering) < 2 or not seen:
        return []
    if all(places == set(entering) for places in seen.values()):
        return [
            "Every input gets to the output."
            if len(seen) == 1
            else "Every output sees every input."
        ]
    if all(places == {p for p in entering if p[1] <= out[1]} for out, places in seen.items()):
        return ["Each output sees the inputs up to its own step, and none after it."]
    if all(places == {p for p in entering if p[1] == out[1]} for out, places in seen.items()):
        return ["Each output sees the input of its own step and no other: nothing is remembered."]
    return []


def _states(diagram: Diagram) -> list[str]:
    said = []
    for number in diagram.rows_of(CELLS):
        row, boxes = diagram.rows[number], diagram.boxes_of(number)
        steps = count_steps(boxes)
        kind = row.words.split(",")[0]
        way = " from the last step to the first" if row.backwards else ""
        said.append(
            f"The {kind} {row.name!r} is one cell of {row.width} units, used {steps} "
            f"time{'s' * (steps != 1)}{way}."
        )
        arrows = [a for a in diagram.arrows if number in {p[0] for p in (a.start, a.end) if p}]
        kinds = {a.kind for a in arrows}
        if any(a.kind == GIVEN and a.places[1][0] == number for a in arrows):
            said.append("It begins with a state that it is given.")
        elif CARRIED in kinds and any(a.start is None and a.kind == CARRIED for a in arrows):
            said.append("It begins with the state that the last batch left, row by row.")
        if any(a.kind == CARRIED and a.end is None for a in arrows):
            said.append("What it ends with is kept for the next batch.")
        if CUT in kinds:
            said.append("A reset cuts its state.")
    if any(a.kind == FED_BACK for a in diagram.arrows):
        said.append("In the closed loop the output of a step is the input of the next.")
    return said
