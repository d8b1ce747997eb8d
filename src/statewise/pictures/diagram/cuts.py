"""How series were cut: windows that overlap, or lanes in which series follow each other."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from statewise.pictures.diagram.elements import INPUT, OUTPUT
from statewise.pictures.diagram.style import DARK, INKS, MUTED
from statewise.pictures.render.names import legible
from statewise.pictures.render.scene import Ink, Line, Rectangle, Scene, Words, width_of
from statewise.sequences.lanes import Lanes
from statewise.sequences.windowing import Windows

_ROWS = 6  # windows, or lanes, that are drawn
_CHUNKS = 4
_LENGTH = 660.0  # pixels for the steps
_NUMBERED = 17.0  # pixels that a step needs for its number
_ROW = 40.0
_EDGE = Ink("#B34700", None, 2.4)
_CHUNK = Ink("#1A1A1A", None, 1.4, (6, 4))
_SERIES = "series"
_SHADES = ("#FFFFFF", "#E4E4E4", "#C9C9C9")


@dataclass(frozen=True)
class Bar:
    """Steps that belong together.

    Attributes:
        row: number of the row, 0 at the top.
        start: first step of the row.
        stop: one after the last.
        kind: "input" or "output" for a window's two parts; "series" in a lane.
        first: which step of the series the bar begins with.
        name: the key of the series in a lane.
    """

    row: int
    start: int
    stop: int
    kind: str
    first: int = 0
    name: str = ""


@dataclass(frozen=True)
class Cut:
    """How series were cut, before it is drawn.

    Attributes:
        picture: "windows" or "lanes".
        labels: of the rows.
        bars: in every row, from the left.
        resets: (row, step) where a new sequence begins.
        edges: the steps at which a chunk ends.
        description: the picture in sentences.
    """

    picture: str
    labels: tuple[str, ...]
    bars: tuple[Bar, ...]
    resets: tuple[tuple[int, int], ...]
    edges: tuple[int, ...]
    description: str

    @property
    def structure(self) -> dict:
        """What the picture says, as plain values."""
        bars = [(bar.row, bar.start, bar.stop, bar.name or bar.kind) for bar in self.bars]
        return {"picture": self.picture, "bars": bars, "resets": self.resets, "edges": self.edges}


def draw_cut(data: Windows | Lanes) -> tuple[Cut, Scene, str]:
    """Return how data were cut, its drawing, and its text for a terminal."""
    cut = cut_of(data)
    return cut, _lay_out(cut), _to_text(cut)


def cut_of(data: Windows | Lanes) -> Cut:
    """Return how data were cut.

    Raises:
        ValueError: for windows of which there are none.
    """
    return _of_windows(data) if isinstance(data, Windows) else _of_lanes(data)


def _of_windows(data: Windows) -> Cut:
    if not len(data):
        raise ValueError("There are no windows to draw: the series were too short for one.")
    samples, lookback, features = data.x.shape
    horizon = data.y.shape[1]
    key = data.key[0]
    starts = data.start[data.key == key]
    bars, labels = [], []
    for row, start in enumerate(starts[:_ROWS].tolist()):
        bars.append(Bar(row, start, start + lookback, INPUT, start))
        if horizon:
            end = start + lookback
            bars.append(Bar(row, end, end + horizon, OUTPUT, end))
        labels.append(f"sample {row + 1}")
    stride = int(starts[1] - starts[0]) if len(starts) > 1 else lookback
    several = len(set(data.key.tolist()))
    overlap = max(lookback - stride, 0)
    overlaps = (
        f"it shares {overlap} of its {lookback} steps with the one before"
        if overlap
        else "no two share a step"
    )
    following = "step" if horizon == 1 else f"{horizon} steps"
    after = f", each with the {following} after it to be told" if horizon else ""
    description = (
        f"{samples} windows of {lookback} steps{after}: {overlaps}. As x they are "
        f"(samples {samples}, time steps {lookback}, features {features}). "
        "To the network every row is a sequence of its own: it begins with the initial state, and "
        "what happened before its first step is unknown to it."
    )
    if several > 1:
        description += f" They are of {several} series; shown are those of {legible(key)!r}."
    return Cut("windows", tuple(labels), tuple(bars), (), (), description)


def _of_lanes(data: Lanes) -> Cut:
    chunks = []
    for number, chunk in enumerate(data.epoch()):
        if number == _CHUNKS:
            break
        chunks.append((chunk.where, chunk.resets))
    where = np.concatenate([w for w, _ in chunks], axis=1)[:_ROWS]  # (lanes, time, 2)
    begins = np.concatenate([r for _, r in chunks], axis=1)[:_ROWS]
    bars, resets = [], []
    for row, line in enumerate(where):
        at = 0
        for series, steps in groupby(line[:, 0].tolist()):
            count = len(list(steps))
            if series >= 0:
                first = int(line[at, 1])
                name = str(data.keys[series])
                bars.append(Bar(row, at, at + count, _SERIES, first, name))
            at += count
        resets += [(row, int(step)) for step in np.flatnonzero(begins[row])]
    edges = tuple(data.steps * (i + 1) for i in range(len(chunks)))
    description = (
        f"{len(data.keys)} series in {data.batch} lanes, cut into {data.num_chunks} chunks of "
        f"(batch {data.batch}, time steps {data.steps}, features {data.features}). "
        "A lane is one row of every batch. The state goes on from chunk to chunk, and is reset "
        f"where a new series begins; {data.useful:.0%} of the computed steps are of a series."
    )
    labels = tuple(f"lane {row + 1}" for row in range(len(where)))
    return Cut("lanes", labels, tuple(bars), tuple(resets), edges, description)


def _lay_out(cut: Cut) -> Scene:
    steps = max(max(bar.stop for bar in cut.bars), *cut.edges, 1)
    step = min(max(_LENGTH / steps, 3.0), 40.0)
    left = 40 + width_of(max(cut.labels, key=len), 12.5, bold=True)
    first, *_ = cut.description.split(". ")
    top = 84.0 + (26 if cut.edges else 24)
    scene = Scene(0, top + _ROW * len(cut.labels) + 60, cut.picture, cut.description)
    scene.width = max(left + steps * step + 40, 44 + width_of(first, 12.5))
    scene.add(
        Words(22, 34, cut.picture, 20.0, bold=True), Words(22, 56, first + ".", 12.5, color=DARK)
    )
    _draw_scale(scene, cut, left, top, step, steps)
    series = list(dict.fromkeys(bar.name for bar in cut.bars))
    for bar in cut.bars:
        _draw_bar(scene, bar, left, top, step, series)
    for row, label in enumerate(cut.labels):
        scene.add(Words(22, top + _ROW * row + 19, label, 12.5, bold=True))
    for row, at in cut.resets:
        x, y = left + at * step, top + _ROW * row
        scene.add(Line(((x + 1, y - 4), (x + 1, y + 32)), _EDGE))
    bottom = top + _ROW * len(cut.labels)
    for at in cut.edges:
        x = left + at * step
        scene.add(Line(((x, top - 16), (x, bottom)), _CHUNK))
    _draw_legend(scene, cut, bottom + 30)
    return scene


def _draw_scale(scene: Scene, cut: Cut, left, top, step, steps) -> None:
    if cut.edges:
        for i, (low, high) in enumerate(zip((0, *cut.edges), cut.edges, strict=False)):
            x = left + (low + high) / 2 * step
            scene.add(Words(x, top - 10, f"chunk {i + 1}", 11.5, anchor="middle", color=MUTED))
        return
    every = 1 if step >= _NUMBERED else 10
    for at in range(steps):
        if every == 1 or (at + 1) % every == 0 or at == 0:
            x = left + (at + 0.5) * step
            scene.add(Words(x, top - 8, str(at + 1), 10.0, anchor="middle", color=MUTED))
    scene.add(Words(22, top - 8, "step", 10.0, color=MUTED))


def _draw_bar(scene: Scene, bar: Bar, left, top, step, series) -> None:
    y, count = top + _ROW * bar.row, bar.stop - bar.start
    name = legible(bar.name)
    if bar.kind == _SERIES:
        ink = Ink("#333333", _SHADES[series.index(bar.name) % len(_SHADES)], 1.4)
    else:
        ink = INKS[bar.kind]
    if step >= _NUMBERED:
        for i in range(count):
            x = left + (bar.start + i) * step
            text = f"{name}{bar.first + i + 1}" if name else str(bar.first + i + 1)
            size = min(11.0, (step - 3) / (0.61 * len(text)))
            scene.add(Rectangle(x + 1, y, step - 2, 28, ink))
            scene.add(Words(x + step / 2, y + 18.5, text, size, anchor="middle"))
        return
    x, width = left + bar.start * step, count * step
    scene.add(Rectangle(x, y, width, 28, ink))
    text = f"{name} {bar.first + 1}–{bar.first + count}".strip()
    if width_of(text, 10.5) < width - 4:
        scene.add(Words(x + width / 2, y + 18, text, 10.5, anchor="middle"))


def _draw_legend(scene: Scene, cut: Cut, y: float) -> None:
    x = 22.0
    if not cut.edges:
        for kind, text in ((INPUT, "x: what goes in"), (OUTPUT, "y: what is to come out")):
            if any(bar.kind == kind for bar in cut.bars):
                ink = INKS[kind]
                scene.add(Rectangle(x, y - 10, 18, 12, Ink(ink.stroke, ink.fill, ink.width * 0.7)))
                scene.add(Words(x + 26, y, text, 11.0, color=MUTED))
                x += 26 + width_of(text, 11.0) + 16
    else:
        for ink, text in ((_EDGE, "reset: a new sequence begins"), (_CHUNK, "end of a chunk")):
            scene.add(Line(((x + 4, y - 12), (x + 4, y + 4)), ink))
            scene.add(Words(x + 14, y, text, 11.0, color=MUTED))
            x += 14 + width_of(text, 11.0) + 16
    scene.width = max(scene.width, x)


def _to_text(cut: Cut) -> str:
    left = max(map(len, cut.labels)) + 2
    lines = [cut.description.split(". ")[0] + ".", ""]
    widest = max(len(f"{legible(b.name)}{b.first + b.stop - b.start}") for b in cut.bars)
    named = any(bar.kind == _SERIES for bar in cut.bars)
    wide = (widest if named else len(str(max(b.stop for b in cut.bars)))) + 1
    most = 100 // wide
    for row, label in enumerate(cut.labels):
        cells = {}
        for bar in cut.bars:
            if bar.row == row:
                for i in range(bar.stop - bar.start):
                    cells[bar.start + i] = f"{legible(bar.name)}{bar.first + i + 1}"
                if bar.kind == OUTPUT:
                    cells[bar.start] = f">{cells[bar.start]}"
        shown = [cells.get(i, "") for i in range(min(max(cells) + 1, most))]
        ends = {edge for edge in cut.edges}
        text = "".join(f"{'|' if i in ends else ' '}{cell:>{wide}}" for i, cell in enumerate(shown))
        more = " ..." if max(cells) + 1 > most else ""
        lines.append(f"{label:<{left}}{text}{more}".rstrip())
    return "\n".join(lines)
