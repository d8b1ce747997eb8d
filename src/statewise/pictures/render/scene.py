"""A drawing as lines, boxes and words at their places, and its form as SVG."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from statewise.pictures.render.names import plain

FONT = "DejaVu Sans, Verdana, Helvetica, Arial, sans-serif"
# Of the size of the font, for these fonts' widest: words never run into each other.
_WIDTH, _BOLD_WIDTH = 0.61, 0.69


@dataclass(frozen=True)
class Ink:
    """How something is drawn.

    Attributes:
        stroke: colour of the line, None for none.
        fill: colour inside, None for none.
        width: of the line.
        dash: lengths of dashes and gaps; empty for a whole line.
    """

    stroke: str | None = None
    fill: str | None = None
    width: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True)
class Rectangle:
    """A box; ``round`` is the radius of its corners."""

    x: float
    y: float
    width: float
    height: float
    ink: Ink
    round: float = 0.0


@dataclass(frozen=True)
class Line:
    """A line through points; ``head`` gives it an arrow's head."""

    points: tuple[tuple[float, float], ...]
    ink: Ink
    head: bool = False


@dataclass(frozen=True)
class Disc:
    """A filled circle."""

    x: float
    y: float
    radius: float
    ink: Ink


@dataclass(frozen=True)
class Words:
    """A line of text; ``anchor`` is "start", "middle" or "end", and ``y`` its base line."""

    x: float
    y: float
    text: str
    size: float = 13.0
    bold: bool = False
    anchor: str = "start"
    color: str = "#1A1A1A"


@dataclass
class Scene:
    """A drawing.

    Attributes:
        width: in pixels.
        height: in pixels.
        title: said by screen readers, and shown under a pointer.
        description: the picture in sentences, for those who can't see it.
        marks: what is drawn, the lowest first.
    """

    width: float = 0.0
    height: float = 0.0
    title: str = ""
    description: str = ""
    marks: list = field(default_factory=list)

    def add(self, *marks) -> None:
        """Draw something on top."""
        self.marks.extend(marks)


def width_of(text: str, size: float = 13.0, bold: bool = False) -> float:
    """Return how much room a text needs at most."""
    return len(text) * size * (_BOLD_WIDTH if bold else _WIDTH)


def head_of(line: Line) -> list[tuple[float, float]]:
    """Return the corners of the arrow's head at the end of a line."""
    (x0, y0), (x, y) = line.points[-2:]
    length = max(((x - x0) ** 2 + (y - y0) ** 2) ** 0.5, 1e-9)
    dx, dy = (x - x0) / length, (y - y0) / length
    long, half = 6.0 + 1.6 * line.ink.width, 2.6 + 0.9 * line.ink.width
    back = (x - long * dx, y - long * dy)
    return [
        (x, y),
        (back[0] - half * dy, back[1] + half * dx),
        (back[0] + half * dy, back[1] - half * dx),
    ]


def shaft_of(line: Line) -> list[tuple[float, float]]:
    """Return the points of a line, ended within its arrow's head."""
    if not line.head:
        return list(line.points)
    _, *corners = head_of(line)
    middle = (sum(c[0] for c in corners) / 2, sum(c[1] for c in corners) / 2)
    return [*line.points[:-1], middle]


def to_svg(scene: Scene) -> str:
    """Return a scene as SVG: its words are text, and it needs nothing from elsewhere."""
    w, h = _n(scene.width), _n(scene.height)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{w}" height="{h}" '
        f'viewBox="0 0 {w} {h}" role="img" font-family={quoteattr(FONT)}>',
        f"<title>{_escaped(scene.title)}</title>",
        f"<desc>{_escaped(scene.description)}</desc>",
        f'<rect width="{w}" height="{h}" fill="#FFFFFF"/>',
        *(_WRITERS[type(mark)](mark) for mark in scene.marks),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _rectangle(mark: Rectangle) -> str:
    corner = f' rx="{_n(mark.round)}"' if mark.round else ""
    return (
        f'<rect x="{_n(mark.x)}" y="{_n(mark.y)}" width="{_n(mark.width)}" '
        f'height="{_n(mark.height)}"{corner}{_ink(mark.ink)}/>'
    )


def _line(mark: Line) -> str:
    path = "M" + " L".join(f"{_n(x)} {_n(y)}" for x, y in shaft_of(mark))
    text = f'<path d="{path}"{_ink(mark.ink)} stroke-linejoin="round"/>'
    if mark.head:
        corners = " ".join(f"{_n(x)},{_n(y)}" for x, y in head_of(mark))
        text += f'<polygon points="{corners}" fill="{mark.ink.stroke}"/>'
    return text


def _disc(mark: Disc) -> str:
    return f'<circle cx="{_n(mark.x)}" cy="{_n(mark.y)}" r="{_n(mark.radius)}"{_ink(mark.ink)}/>'


def _words(mark: Words) -> str:
    weight = ' font-weight="bold"' if mark.bold else ""
    anchor = "" if mark.anchor == "start" else f' text-anchor="{mark.anchor}"'
    return (
        f'<text x="{_n(mark.x)}" y="{_n(mark.y)}" font-size="{_n(mark.size)}" '
        f'fill="{mark.color}"{weight}{anchor}>{_escaped(mark.text)}</text>'
    )


def _ink(ink: Ink) -> str:
    text = f' fill="{ink.fill or "none"}"'
    if ink.stroke:
        text += f' stroke="{ink.stroke}" stroke-width="{_n(ink.width)}"'
    if ink.dash:
        text += f' stroke-dasharray="{" ".join(map(_n, ink.dash))}"'
    return text


def _escaped(text: str) -> str:
    return escape(plain(text))


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")


_WRITERS: dict[type, Callable[[Any], str]] = {
    Rectangle: _rectangle,
    Line: _line,
    Disc: _disc,
    Words: _words,
}
