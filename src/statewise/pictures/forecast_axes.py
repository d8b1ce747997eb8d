"""What stands around the lines of a forecast's picture: titles that fit, numbers, dates."""

import math
from typing import Any, cast

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.dates import AutoDateLocator, num2date
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.text import Text
from matplotlib.ticker import Formatter, FuncFormatter, MaxNLocator

from statewise.pictures.render.names import legible

_TITLE = 300  # letters
_TITLE_LINES = 2
_UNITS = ((1e12, "trillions"), (1e9, "billions"), (1e6, "millions"))
_MOST_DECIMALS = 3  # of a number in millions; with more of them it stands as it is
_LARGEST, _SMALLEST = 1e16, 1e-4  # beyond them a number has an exponent
_MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()

# A name may hold dollar signs, which would begin a formula.
PLAIN: dict[str, Any] = {"parse_math": False}


def dress(axes: Axes, time: pd.Index, name: object, title: str) -> None:
    """Set the title, the names of the axes, and how their numbers and dates are written.

    What has no room is shortened, as it measures: a title of two lines at most.

    Args:
        axes: with all its lines, for their range decides how numbers are written.
        time: of a line; its name stands at the time axis.
        name: of the values.
        title: of the picture.
    """
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    unit = write_numbers(axes)
    value = legible("value" if name is None or name == "" else name)
    axes.set_ylabel(f"{value} ({unit})" if unit else value, fontsize=11, **PLAIN)
    axes.set_xlabel(legible(time.name or "time"), fontsize=11, **PLAIN)
    if isinstance(time, pd.DatetimeIndex):
        locator = AutoDateLocator(minticks=4, maxticks=12, tz=time.tz)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(Dates(time.tz))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(_step))
    figure = cast(Figure, axes.get_figure())
    text = axes.set_title("", loc="left", fontsize=14, fontweight="bold", pad=12, **PLAIN)
    figure.draw_without_rendering()  # lays the axes out
    box = axes.get_window_extent()
    for label, room in ((axes.xaxis.label, box.width), (axes.yaxis.label, box.height)):
        label.set_text(_shortened(label.get_text(), label, room))
    room = figure.bbox.width - box.x0 - 12
    text.set_text("\n".join(_lines(legible(title, _TITLE), text, room)))


def width_of(text: str, like: Text) -> float:
    """Return how many pixels wide a text is, in the font of another one."""
    figure = cast(Figure, like.get_figure())
    canvas = figure.canvas
    if not isinstance(canvas, FigureCanvasAgg):
        canvas = FigureCanvasAgg(figure)
    font: FontProperties = like.get_fontproperties()
    return canvas.get_renderer().get_text_width_height_descent(text, font, False)[0]


def _lines(text: str, like: Text, room: float) -> list[str]:
    """Break a text into lines that fit, at blanks where there are some; the last is shortened."""
    if width_of(text, like) <= room:
        return [text]
    halves = [f"{half};" for half in text.split("; ")]
    halves[-1] = halves[-1][:-1]
    if len(halves) == _TITLE_LINES and all(width_of(half, like) <= room for half in halves):
        return halves
    words = text.split(" ")
    lines: list[str] = []
    while words and len(lines) < _TITLE_LINES - 1:
        count = len(words)
        while count > 1 and width_of(" ".join(words[:count]), like) > room:
            count -= 1
        lines.append(_shortened(" ".join(words[:count]), like, room))
        words = words[count:]
    return [*lines, _shortened(" ".join(words), like, room)] if words else lines


def _shortened(text: str, like: Text, room: float) -> str:
    """Shorten a text in the middle until it fits."""
    most = len(text)
    while most > 1 and width_of(legible(text, most), like) > room:
        most -= max(1, most // 20)
    return legible(text, most)


def write_numbers(axes: Axes) -> str:
    """Write values in full, or in millions and the like; return the unit's name."""
    low, high = axes.get_ylim()
    ticks = np.asarray(axes.get_yticks(), float)
    ticks = ticks[(low <= ticks) & (ticks <= high)]
    size = float(np.abs(ticks).max()) if len(ticks) else 0.0
    step = float(np.diff(ticks).min()) if len(ticks) > 1 else size
    if not _SMALLEST <= step < _LARGEST or not size < _LARGEST:
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:.6g}"))
        return ""
    unit, name = 1.0, ""
    for one, word in _UNITS:
        if size >= one and decimals_of(step / one) <= _MOST_DECIMALS:
            unit, name = one, word
            break
    digits = decimals_of(step / unit)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value / unit:,.{digits}f}"))
    return name


def decimals_of(step: float) -> int:
    """Return how many decimals tell numbers apart that are so far from each other.

    >>> decimals_of(20), decimals_of(2.5), decimals_of(0.025)
    (0, 1, 3)
    """
    for digits in range(12):
        if math.isclose(round(step, digits), step, rel_tol=1e-6):
            return digits
    return 12


def _step(value: float, _: int) -> str:
    """Write a numbered step, or a year."""
    return f"{value:,.0f}" if abs(value) >= 10_000 else f"{value:.10g}"


class Dates(Formatter):
    """Writes dates as short as they can be told apart, and below the first of each year the year.

    >>> from matplotlib.dates import date2num
    >>> Dates().format_ticks(date2num(pd.to_datetime(["2023-11-01", "2024-01-01", "2024-03-01"])))
    ['Nov\\n2023', 'Jan\\n2024', 'Mar']
    >>> Dates().format_ticks(date2num(pd.to_datetime(["2024-02-01 18:00", "2024-02-02 00:00"])))
    ['18:00\\n1 Feb 2024', '00:00\\n2 Feb 2024']

    Args:
        zone: in which the dates are written; None for those without one.
    """

    def __init__(self, zone: Any = None):
        self.zone = zone

    def __call__(self, value, pos=None):
        """Write one date, as where a pointer is."""
        return f"{num2date(value, self.zone):%Y-%m-%d %H:%M}"

    def format_ticks(self, values):
        """Write all dates of an axis."""
        dates = [num2date(value, self.zone) for value in values]
        short, long = _way(dates)
        said, before = [], ""
        for date in dates:
            below = long(date)
            said.append(f"{short(date)}\n{below}" if below != before and below else short(date))
            before = below
        return said


def _way(dates: list) -> tuple[Any, Any]:
    """Return how to write a date, and what to write below it where that changes."""

    def year(date):
        return f"{date.year}"

    def day(date):
        return f"{date.day} {_MONTHS[date.month - 1]} {date.year}"

    if any(date.microsecond for date in dates):
        return (lambda date: f"{date:%H:%M:%S.%f}".rstrip("0")), day
    if any(date.second for date in dates):
        return (lambda date: f"{date:%H:%M:%S}"), day
    if any(date.hour or date.minute for date in dates):
        return (lambda date: f"{date:%H:%M}"), day
    if any(date.day != 1 for date in dates):
        return (lambda date: f"{date.day} {_MONTHS[date.month - 1]}"), year
    if any(date.month != 1 for date in dates):
        return (lambda date: _MONTHS[date.month - 1]), year
    return year, lambda date: ""
