"""The picture of a forecast: what was known, what came, and what was forecast."""

from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from statewise.pictures.render.names import legible

# Okabe and Ito's colours, which people with any colour vision tell apart; widths and dashes differ
# too, for print in black and white.
_HISTORY: dict[str, Any] = {"color": "#333333", "linewidth": 1.4}
_TRUTH: dict[str, Any] = {"color": "#000000", "linewidth": 2.4}
_MODEL: dict[str, Any] = {"color": "#D55E00", "linewidth": 2.4, "dashes": (5, 1.6)}
_OTHERS: tuple[dict[str, Any], ...] = (
    {"color": "#0072B2", "linewidth": 1.2, "dashes": (1.5, 1.5)},
    {"color": "#009E73", "linewidth": 1.2, "dashes": (6, 2, 1.5, 2)},
    {"color": "#CC79A7", "linewidth": 1.2, "dashes": (9, 3)},
)
_SIZE = (12.0, 6.0)  # inches: 1200 x 600 pixels at 100 dots an inch
_LABEL_HEIGHT = 0.052  # of the axes' height
_LEAST_HISTORY = 60
_YEARS = (110, 9900)  # of Matplotlib's dates, with room at either end
_TITLE = 160  # letters
_HISTORY_LENGTHS = 4  # of the forecast


def plot_forecast(
    history: pd.Series,
    forecasts: pd.DataFrame,
    *,
    truth: pd.Series | None = None,
    title: str = "",
) -> Figure:
    """Draw a series, its forecasts, and the truth where it was held out.

    Each line is named at its end. Of a long history the last part is shown, four times as long as
    the forecast (at least 60 steps).

    Args:
        history: the known values, by time; its name stands at the value axis, its index's name at
            the time axis.
        forecasts: by time, one column for each forecast, the model's first; the others are drawn
            as thin lines.
        truth: the held-out values by time, None where nothing was held out. Missing values leave a
            gap.
        title: what the picture says, in words.

    Returns:
        A figure of 1200 x 600 pixels; ``figure.savefig("forecast.png", dpi=100)`` writes it.

    Raises:
        ValueError: where the history or the forecast is empty.

    >>> months = pd.date_range("2020-01-01", periods=5, freq="MS")
    >>> history = pd.Series([1.0, 2.0, 3.0], months[:3], name="sales")
    >>> forecasts = pd.DataFrame({"model": [4.0, 5.0], "naive": [3.0, 3.0]}, months[3:])
    >>> figure = plot_forecast(history, forecasts, title="Sales go on rising")
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['known  ', '  beyond the end', 'model', 'naive']
    """
    if not len(history) or forecasts.empty:
        raise ValueError(
            f"history has {len(history)} values and forecasts {forecasts.shape[0]} rows of "
            f"{forecasts.shape[1]} columns: there must be at least one of each."
        )
    last = forecasts.index[-1]
    history = history.set_axis(in_reach(history.index, last))
    forecasts = forecasts.set_axis(in_reach(forecasts.index, last))
    if truth is not None:
        truth = truth.set_axis(in_reach(truth.index, last))
    figure = Figure(figsize=_SIZE, dpi=100, layout="constrained")
    axes = figure.add_subplot()
    shown = history.iloc[-max(_HISTORY_LENGTHS * len(forecasts), _LEAST_HISTORY) :]
    dots: dict[str, Any] = {"marker": "o", "markersize": 5} if len(forecasts) == 1 else {}
    axes.plot(shown.index, shown.to_numpy(), **_HISTORY)
    lines = {}
    for (name, forecast), style in zip(
        reversed(list(forecasts.items())), _styles(forecasts.shape[1]), strict=True
    ):
        axes.plot(forecast.index, forecast.to_numpy(), **style, **dots)
        lines[name] = (forecast.iloc[-1], style["color"])
    if truth is not None:
        joined = pd.concat([shown.iloc[-1:], truth])
        axes.plot(joined.index, joined.to_numpy(), **_TRUTH, zorder=2.5)
        known = truth.dropna()
        if len(known):
            lines["truth"] = (known.iloc[-1], _TRUTH["color"])
    _dress(axes, shown, forecasts, title, held_out=truth is not None)
    _name_lines(axes, dict(reversed(lines.items())), forecasts.index[-1])
    return figure


def in_reach(time: pd.Index, last: object) -> pd.Index:
    """Return the time of a plot as Matplotlib knows it: dates far away become numbers of years.

    Args:
        time: of a line.
        last: of all that is plotted, which decides for all.

    >>> days = pd.DatetimeIndex(["9950-01-01"])
    >>> in_reach(days, days[-1]).tolist()
    [9950.0]
    """
    if not isinstance(last, pd.Timestamp) or _YEARS[0] <= last.year <= _YEARS[1]:
        return time
    return pd.Index(time.year + (time.day_of_year - 1) / 366, name=time.name)


def _styles(count: int):
    """Yield the styles from the last forecast to the first, which lies on top."""
    yield from reversed([_OTHERS[i % len(_OTHERS)] for i in range(count - 1)])
    yield _MODEL | {"zorder": 3}


def _dress(axes: Axes, shown: pd.Series, forecasts: pd.DataFrame, title: str, held_out: bool):
    """Set what stands around the lines."""
    # A name may hold dollar signs, which would begin a formula.
    plain: dict[str, Any] = {"parse_math": False}
    axes.set_title(
        legible(title, _TITLE), loc="left", fontsize=14, fontweight="bold", pad=12, **plain
    )
    axes.set_ylabel(legible(shown.name or "value"), fontsize=11, **plain)
    axes.set_xlabel(legible(shown.index.name or "time"), fontsize=11, **plain)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#DDDDDD", linewidth=0.7)
    axes.set_axisbelow(True)
    axes.margins(x=0.01)
    if isinstance(shown.index, pd.DatetimeIndex):
        locator = AutoDateLocator(minticks=5, maxticks=12)
        axes.xaxis.set_major_locator(locator)
        axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True))
    begin, end = shown.index[-1], forecasts.index[-1]
    axes.axvspan(begin, end, color="#F2F2F2", linewidth=0, zorder=0)
    note: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "va": "top",
        "fontsize": 10,
        "color": "#666666",
    }
    axes.text(begin, 0.985, "known  ", ha="right", **note)
    axes.text(begin, 0.985, "  held out" if held_out else "  beyond the end", ha="left", **note)


def _name_lines(axes: Axes, lines: dict[str, tuple[float, str]], at) -> None:
    """Write each line's name at its end, apart from each other."""
    low, high = axes.get_ylim()
    heights = [(value - low) / (high - low) for value, _ in lines.values()]
    for (name, (_, color)), height in zip(lines.items(), _spread(heights), strict=True):
        axes.annotate(
            name,
            xy=(axes.convert_xunits(at), height),
            xycoords=axes.get_xaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=11,
            fontweight="bold" if name in ("model", "truth") else "normal",
            annotation_clip=False,
            parse_math=False,
        )


def _spread(heights: list[float]) -> list[float]:
    """Move labels apart that would overlap, as little as that takes, keeping their order."""
    order = np.argsort(heights, kind="stable")
    placed = np.asarray(heights, float)[order]
    for _ in range(100):
        moved = False
        for i, j in pairwise(range(len(placed))):
            overlap = _LABEL_HEIGHT - (placed[j] - placed[i])
            if overlap > 1e-9:
                placed[i] -= overlap / 2
                placed[j] += overlap / 2
                moved = True
        if not moved:
            break
    result = np.empty(len(placed))
    result[order] = placed
    return result.tolist()
