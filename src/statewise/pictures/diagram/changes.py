"""What is done around a model, drawn into its diagram: resets, and the closed loop."""

import re
from collections.abc import Sequence
from dataclasses import replace

from statewise.pictures.diagram.elements import (
    CARRIED,
    CELLS,
    CUT,
    FED_BACK,
    INPUT,
    OUTPUT,
    STATE,
    Arrow,
    Box,
    Diagram,
    name_picture,
)
from statewise.pictures.trace.time_axis import time_axis


def with_resets(diagram: Diagram, resets: Sequence[int]) -> Diagram:
    """Cut the state's arrows before the given time steps, counted from 0.

    A reset before step 0 cuts the arrow that comes in from the last batch.

    Raises:
        ValueError: for a step that isn't there, or isn't drawn.
    """
    arrows = list(diagram.arrows)
    for reset in resets:
        cut = [i for i, arrow in enumerate(arrows) if _is_crossed(diagram, arrow, reset)]
        if not cut:
            raise ValueError(_no_such_reset(diagram, reset))
        for i in cut:
            arrows[i] = replace(arrows[i], kind=CUT)
    return replace(diagram, arrows=tuple(arrows))


def with_closed_loop(known: Diagram, one: Diagram, steps: int) -> Diagram:
    """Continue the diagram of the known steps by steps that are fed with the step before.

    Args:
        known: of the model over the known steps.
        one: of the same model over one step.
        steps: of the closed loop.

    Raises:
        ValueError: where the model does something else with one step than with several.
    """
    if [r.kind for r in one.rows] != [r.kind for r in known.rows] or len(one.rows_of(INPUT)) != 1:
        raise ValueError(
            "closed_loop: this model does something else with one step than with several, or has "
            "several inputs, so its output can't be drawn as its next input."
        )
    loop, begin = time_axis(steps), 1 + max(box.column for box in known.boxes)
    boxes = list(known.boxes)
    arrows = [a for a in known.arrows if a.kind != CARRIED]
    last = {i: known.boxes_of(i)[-1].place for i in range(len(known.rows))}
    before = [box.place for box in known.boxes if box.row in known.rows_of(OUTPUT)][-1]
    for column, span in enumerate(loop.spans, start=begin):
        here = {box.place: (box.row, column) for box in one.boxes}
        boxes += [Box(row, column, span, looped=True) for row, _ in here.values()]
        inner = [(a.places, a.kind) for a in one.arrows if a.kind != CARRIED]
        arrows += [Arrow(here[start], here[end], kind) for (start, end), kind in inner]
        for row in known.rows_of(CELLS):
            arrows.append(Arrow(last[row], (row, column), STATE))
            last[row] = (row, column)
        (entry,), (leaving, *_) = one.rows_of(INPUT), one.rows_of(OUTPUT)
        arrows.append(Arrow(before, (entry, column), FED_BACK))
        before = (leaving, column)
    boxes.sort(key=lambda box: box.place)
    rows = tuple(replace(row, shape=_lengthened(row.shape, steps)) for row in known.rows)
    looped = replace(known, rows=rows, boxes=tuple(boxes), arrows=tuple(arrows))
    return replace(looped, picture=_name_looped(known, looped))


def _lengthened(shape: str, steps: int) -> str:
    """Say of a shape that more steps follow, one by one."""
    if "time steps" in shape:
        return re.sub(r"time steps (\d+)", rf"time steps \1 + {steps}", shape)
    return f"{shape}, {1 + steps} times"


def _name_looped(known: Diagram, looped: Diagram) -> str:
    """Name the picture by the known steps and all that comes out."""
    entering = name_picture(known).split("-")[0] if "encoder" not in known.picture else "many"
    return f"{entering}-to-many"


def _is_crossed(diagram: Diagram, arrow: Arrow, reset: int) -> bool:
    if arrow.start is None or arrow.end is None:
        return reset == 0 and arrow.start is None
    if arrow.kind not in (STATE, CUT):
        return False
    steps = {box.place: box.steps for box in diagram.boxes if box.steps is not None}
    return max(steps[arrow.start], steps[arrow.end]) == (reset, reset + 1)


def _no_such_reset(diagram: Diagram, reset: int) -> str:
    boxes = [box for row in diagram.rows_of(CELLS) for box in diagram.boxes_of(row)]
    if not boxes:
        return f"resets={reset}: this model has no recurrent layer, so there is nothing to reset."
    most = max(box.steps[1] for box in boxes if box.steps is not None)
    hidden = next((box.steps for box in boxes if box.is_gap), None)
    if reset == 0:
        return "resets=0: no layer is stateful, so nothing comes in from the last batch."
    if hidden and hidden[0] <= reset <= hidden[1]:
        return (
            f"resets={reset}: steps {hidden[0]} to {hidden[1] - 1} are left out of a picture of "
            f"{most} steps. Draw 8 steps or fewer to see a reset in the middle."
        )
    return f"resets={reset}: the picture has the steps 0 to {most - 1}."
