"""Many series at once: a small picture for each, in rows and columns."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from statewise.pictures.forecast_axes import PLAIN, Dates, write_numbers
from statewise.pictures.forecast_plot import in_reach
from statewise.pictures.render.names import legible

MOST = 12
_WIDTH, _HEIGHT = 4.0, 2.2  # inches of one picture
_LINE, _DOT = "#333333", "#D55E00"


class SmallPicture(NamedTuple):
    """One series to draw.

    Attributes:
        name: what stands above it.
        time: a stamp, or a number, for each step.
        values: (time,); a missing one leaves a gap.
        marked: positions of steps to mark with a dot.
    """

    name: object
    time: pd.Index
    values: np.ndarray
    marked: Sequence[int] = ()


def draw_series_grid(pictures: Sequence[SmallPicture], title: str = "") -> Figure:
    """Draw up to twelve series, each with axes of its own.

    Args:
        pictures: one for each series; of more than twelve the first twelve are drawn.
        title: what stands above them all.

    Returns:
        A figure of up to 1200 pixels in width at 100 dots an inch.

    Raises:
        ValueError: where there is no series.

    >>> months = pd.date_range("2020-01-01", periods=24, freq="MS")
    >>> figure = draw_series_grid([SmallPicture("sales", months, np.arange(24.0), [7])])
    >>> len(figure.axes), figure.axes[0].get_title(loc="left")
    (1, 'sales')
    """
    if not len(pictures):
        raise ValueError("pictures is empty: give at least one series")
    shown = list(pictures[:MOST])
    columns = 1 if len(shown) == 1 else 2 if len(shown) <= 4 else 3
    rows = -(-len(shown) // columns)
    width = 3 * _WIDTH if columns > 1 else 2 * _WIDTH
    height = rows * _HEIGHT * (1 if columns > 1 else 1.5) + (0.4 if title else 0)
    figure = Figure(figsize=(width, height), dpi=100, layout="constrained")
    if title:
        figure.suptitle(legible(title, 100), fontsize=12, fontweight="bold", **PLAIN)
    for place, picture in enumerate(shown):
        _draw(figure, (rows, columns, place + 1), picture)
    return figure


def _draw(figure: Figure, where: tuple[int, int, int], picture: SmallPicture) -> None:
    axes = figure.add_subplot(*where)
    time = picture.time
    if isinstance(time, pd.DatetimeIndex) and len(time):
        reached = in_reach(time, time[0])
        time = in_reach(time, time[-1]) if reached is time else reached
    values = np.where(np.isfinite(picture.values), picture.values, np.nan)
    dots: dict[str, Any] = {"marker": ".", "markersize": 4} if len(values) < 3 else {}
    axes.plot(time, values, color=_LINE, linewidth=0.9, **dots)
    marked = [at for at in picture.marked if not np.isnan(values[at])]
    if marked:
        axes.plot(time[marked], values[marked], "o", color=_DOT, markersize=4)
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8)
    axes.margins(x=0.01)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4))
    if isinstance(time, pd.DatetimeIndex):
        axes.xaxis.set_major_locator(AutoDateLocator(minticks=2, maxticks=5, tz=time.tz))
        axes.xaxis.set_major_formatter(Dates(time.tz))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
        axes.ticklabel_format(axis="x", useOffset=False, style="plain")
    unit = write_numbers(axes)
    name = legible(picture.name, 44)
    axes.set_title(f"{name} ({unit})" if unit else name, loc="left", fontsize=9, **PLAIN)
