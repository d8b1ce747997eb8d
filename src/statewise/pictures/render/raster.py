"""A scene as PNG, drawn by Matplotlib from the same lines, boxes and words as its SVG."""

import os
from collections.abc import Callable
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Polygon, Rectangle
from matplotlib.textpath import TextPath  # noqa: F401  (loads the fonts before the first picture)

from statewise.pictures.render import scene as scenes

_DOTS = 72.0  # pixels of a scene in an inch: a point is a pixel then
_ANCHORS = {"start": "left", "middle": "center", "end": "right"}


def to_figure(scene: scenes.Scene) -> Figure:
    """Return a figure of the scene's size, at 72 dots an inch."""
    figure = Figure(figsize=(scene.width / _DOTS, scene.height / _DOTS), dpi=_DOTS)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, scene.width)
    axes.set_ylim(scene.height, 0)
    axes.set_axis_off()
    for order, mark in enumerate(scene.marks):
        _DRAWERS[type(mark)](axes, mark, order)
    return figure


def save_png(scene: scenes.Scene, path: str | os.PathLike, scale: float = 2.0) -> None:
    """Write a scene as PNG, ``scale`` dots for a pixel."""
    to_figure(scene).savefig(path, format="png", dpi=scale * _DOTS, facecolor="white")


def _rectangle(axes, mark: scenes.Rectangle, order: int) -> None:
    style = _style(mark.ink, order)
    if not mark.round:
        axes.add_patch(Rectangle((mark.x, mark.y), mark.width, mark.height, **style))
        return
    shape = f"round,pad=0,rounding_size={mark.round}"
    corner = (mark.x, mark.y)
    axes.add_patch(FancyBboxPatch(corner, mark.width, mark.height, boxstyle=shape, **style))


def _line(axes, mark: scenes.Line, order: int) -> None:
    xs, ys = zip(*scenes.shaft_of(mark), strict=True)
    ink = mark.ink
    # Matplotlib counts dashes in widths of the line.
    dashes = (0, tuple(d / ink.width for d in ink.dash)) if ink.dash else "solid"
    axes.plot(
        xs, ys, color=ink.stroke, linewidth=ink.width, linestyle=dashes, zorder=order,
        solid_joinstyle="round", solid_capstyle="butt", dash_capstyle="butt",
    )  # fmt: skip
    if mark.head:
        axes.add_patch(Polygon(scenes.head_of(mark), color=ink.stroke, linewidth=0, zorder=order))


def _disc(axes, mark: scenes.Disc, order: int) -> None:
    axes.add_patch(Circle((mark.x, mark.y), mark.radius, **_style(mark.ink, order)))


def _words(axes, mark: scenes.Words, order: int) -> None:
    axes.text(
        mark.x, mark.y, mark.text, size=mark.size, color=mark.color, zorder=order,
        weight="bold" if mark.bold else "normal", ha=_ANCHORS[mark.anchor], va="baseline",
        family="DejaVu Sans", parse_math=False,
    )  # fmt: skip


def _style(ink: scenes.Ink, order: int) -> dict:
    dashes = (0, tuple(d / ink.width for d in ink.dash)) if ink.dash else "solid"
    return {
        "facecolor": ink.fill or "none",
        "edgecolor": ink.stroke or "none",
        "linewidth": ink.width if ink.stroke else 0,
        "linestyle": dashes,
        "zorder": order,
    }


_DRAWERS: dict[type, Callable[[Any, Any, int], None]] = {
    scenes.Rectangle: _rectangle,
    scenes.Line: _line,
    scenes.Disc: _disc,
    scenes.Words: _words,
}
