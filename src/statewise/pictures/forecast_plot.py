"""The picture of a forecast: what was known, what came, and what was forecast."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from statewise.pictures.forecast_axes import PLAIN, dress, width_of
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
    {"color": "#E69F00", "linewidth": 1.2, "dashes": (3, 1, 1, 1)},
    {"color": "#56B4E9", "linewidth": 1.2, "dashes": (12, 2)},
)
_SHADE = 0.18  # of a band; where bands lie on each other it's darker
_REGIONS = ("#F2F2F2", "#E6EDF5")  # held out, beyond the end
_SIZE = (12.0, 6.0)  # inches: 1200 x 600 pixels at 100 dots an inch
_LABEL_HEIGHT = 0.052  # of the axes' height
_LEAST_HISTORY = 60
_YEARS = (110, 9900)  # of Matplotlib's dates, with room at either end
_HISTORY_LENGTHS = 4  # of the forecast
_IN_A_ROW, _MOST_IN_A_ROW = 7, 10  # names in a legend; above the first number they are smaller
_LINE = 0.05  # from one line of the regions' names to the next, of the axes' height


def plot_forecast(
    history: pd.Series,
    forecasts: pd.DataFrame,
    *,
    truth: pd.Series | None = None,
    title: str = "",
    bands: Mapping[float, Sequence[Any]] | None = None,
) -> Figure:
    """Draw a series, its forecasts with their intervals, and the truth where it was held out.

    Each line is named at its end; where the forecasts go on beyond the held-out steps, in a legend
    instead, in which the intervals are named too. Of a long history the last part is shown, four
    times as long as the forecast (at least 60 steps). Names and a title that have no room are
    shortened.

    Args:
        history: the known values, by time; its name stands at the value axis, its index's name at
            the time axis.
        forecasts: by time, one column for each forecast, the model's first; the others are drawn
            as thin lines. A missing value leaves a gap.
        truth: the held-out values by time, of the first of these steps or of all; None where
            nothing was held out. Missing values leave a gap.
        title: what the picture says, in words.
        bands: intervals of the model's, by level in percent the lower and the upper ends, a value
            for each row of ``forecasts``.

    Returns:
        A figure of 1200 x 600 pixels; ``figure.savefig("forecast.png", dpi=100)`` writes it.

    Raises:
        ValueError: where the history or the forecast is empty, or a band has another length.

    >>> months = pd.date_range("2020-01-01", periods=5, freq="MS")
    >>> history = pd.Series([1.0, 2.0, 3.0], months[:3], name="sales")
    >>> forecasts = pd.DataFrame({"model": [4.0, 5.0], "naive": [3.0, 3.0]}, months[3:])
    >>> figure = plot_forecast(history, forecasts, bands={80: ([3.5, 4], [4.5, 6])})
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['known  ', '  beyond the end', 'model', 'naive']
    >>> [text.get_text() for text in figure.legends[0].get_texts()]
    ['80 % interval']
    """
    if not len(history) or forecasts.empty:
        raise ValueError(
            f"history has {len(history)} values and forecasts {forecasts.shape[0]} rows of "
            f"{forecasts.shape[1]} columns: there must be at least one of each."
        )
    ends = _bands(bands or {}, len(forecasts))
    last = forecasts.index[-1]
    history = history.set_axis(in_reach(history.index, last))
    forecasts = forecasts.set_axis(in_reach(forecasts.index, last))
    held = 0
    if truth is not None:
        truth = truth.set_axis(in_reach(truth.index, last))
        held = min(len(truth), len(forecasts))
    parts = [
        part for part in (slice(0, held), slice(held, len(forecasts))) if part.start < part.stop
    ]
    longest = max(part.stop - part.start for part in parts)
    shown = history.iloc[-max(_HISTORY_LENGTHS * longest, _LEAST_HISTORY) :]
    figure = Figure(figsize=_SIZE, dpi=100, layout="constrained")
    axes = figure.add_subplot()
    _shade(axes, forecasts.index, ends, parts)
    axes.plot(shown.index, shown.to_numpy(), **_HISTORY)
    lines, names = _draw_forecasts(axes, forecasts, parts)
    named: dict[str, Any] = {"known": Line2D([], [], **_HISTORY)}
    if truth is not None:
        joined = pd.concat([shown.iloc[-1:], truth])
        axes.plot(joined.index, joined.to_numpy(), **_TRUTH, zorder=2.5)
        known = truth.dropna()
        if len(known):
            lines["truth"] = (known.iloc[-1], _TRUTH["color"])
            named["truth"] = Line2D([], [], **_TRUTH)
    several = len(parts) > 1
    named = named | names if several else {}
    for count, level in enumerate(sorted(ends, reverse=True), 1):
        alpha = 1 - (1 - _SHADE) ** count
        named[f"{level:g} % interval"] = Patch(facecolor=_MODEL["color"], alpha=alpha)
    if named:
        _add_legend(figure, named)
    dress(axes, shown.index, shown.name, title)
    stops = [shown.index[-1], *(forecasts.index[part.stop - 1] for part in parts)]
    words = {1: ["held out"] if held else ["beyond the end"], 2: ["held out", "beyond the end"]}
    _name_regions(axes, stops, words[len(parts)])
    if not several:
        _name_lines(axes, dict(reversed(lines.items())), forecasts.index[-1])
    return figure


def in_reach(time: pd.Index, last: object) -> pd.Index:
    """Return the time of a plot as Matplotlib knows it: dates far away become numbers of years.

    Periods stand at their begin, spans at their seconds.

    Args:
        time: of a line.
        last: of all that is plotted, which decides for all.

    >>> days = pd.DatetimeIndex(["9950-01-01"])
    >>> in_reach(days, days[-1]).tolist()
    [9950.0]
    """
    if isinstance(time, pd.PeriodIndex) and isinstance(last, pd.Period):
        time, last = time.to_timestamp(), last.to_timestamp()
    if isinstance(time, pd.TimedeltaIndex):
        return pd.Index(time.total_seconds(), name=time.name)
    if not isinstance(last, pd.Timestamp) or _YEARS[0] <= last.year <= _YEARS[1]:
        return time
    return pd.Index(time.year + (time.day_of_year - 1) / 366, name=time.name)


def _bands(bands: Mapping[float, Sequence[Any]], steps: int) -> dict[float, list[np.ndarray]]:
    """Return bands as numbers, the widest first."""
    found = {}
    for level in sorted(bands, reverse=True):
        ends = [np.asarray(end, np.float64) for end in bands[level]]
        if len(ends) != 2 or any(end.shape != (steps,) for end in ends):
            shapes = " and ".join(str(end.shape) for end in ends)
            raise ValueError(
                f"bands[{level:g}] has the shapes {shapes}: give the lower and the upper ends, "
                f"each of the {steps} rows of forecasts"
            )
        found[level] = ends
    return found


def _shade(
    axes: Axes, time: pd.Index, bands: dict[float, list[np.ndarray]], parts: list[slice]
) -> None:
    """Draw intervals, the widest lightest; those of a single step as a bar."""
    style: dict[str, Any] = {"color": _MODEL["color"], "alpha": _SHADE}
    for low, high in bands.values():
        for part in parts:
            if part.stop - part.start == 1:
                axes.vlines(time[part], low[part], high[part], linewidth=9, **style)
            else:
                axes.fill_between(time[part], low[part], high[part], linewidth=0, **style)


def _draw_forecasts(
    axes: Axes, forecasts: pd.DataFrame, parts: list[slice]
) -> tuple[dict[Any, tuple[float, str]], dict[str, Any]]:
    """Draw each forecast, part by part; return where each ends, and its look by name."""
    lines, looks = {}, {}
    for (name, forecast), style in zip(
        reversed(list(forecasts.items())), _styles(forecasts.shape[1]), strict=True
    ):
        for part in parts:
            piece = forecast.iloc[part]
            if piece.isna().all():
                continue
            dots: dict[str, Any] = {"marker": "o", "markersize": 5} if len(piece) == 1 else {}
            axes.plot(piece.index, piece.to_numpy(), **style, **dots)
        known = forecast.dropna()
        if len(known):
            lines[name] = (float(known.iloc[-1]), style["color"])
            looks[str(name)] = Line2D([], [], **{k: v for k, v in style.items() if k != "zorder"})
    return lines, dict(reversed(looks.items()))


def _styles(count: int):
    """Yield the styles from the last forecast to the first, which lies on top."""
    yield from reversed([_OTHERS[i % len(_OTHERS)] for i in range(count - 1)])
    yield _MODEL | {"zorder": 3}


def _add_legend(figure: Figure, named: dict[str, Any]) -> None:
    """Name lines and intervals below the picture; in one row, where there is room."""
    many = len(named) > _IN_A_ROW
    legend = figure.legend(
        list(named.values()),
        [legible(name, 30) for name in named],
        loc="outside lower center",
        ncols=min(len(named), _MOST_IN_A_ROW),
        frameon=False,
        fontsize=9 if many else 10,
        columnspacing=1.0 if many else 2.0,
        handlelength=1.8 if many else 2.4,
    )
    for text in legend.get_texts():
        text.set_parse_math(False)


def _name_regions(axes: Axes, stops: list, words: list[str]) -> None:
    """Colour what was forecast, and say above it what it is."""
    note: dict[str, Any] = {
        "transform": axes.get_xaxis_transform(),
        "va": "top",
        "fontsize": 10,
        "color": "#555555",
    }
    axes.text(stops[0], 0.985, "known  ", ha="right", **note)
    height = 0.985
    for (begin, end), word in zip(pairwise(stops), words, strict=True):
        color = _REGIONS[0 if word == "held out" else len(words) - 1]
        axes.axvspan(begin, end, color=color, linewidth=0, zorder=0)
        text = axes.text(begin, height, f"  {word}", ha="left", **note)
        ends = [
            axes.transData.transform((axes.convert_xunits(stop), 0))[0] for stop in (begin, end)
        ]
        if width_of(f"  {word}", text) > ends[1] - ends[0]:
            height -= _LINE  # the next name goes below, where it has room


def _name_lines(axes: Axes, lines: dict[str, tuple[float, str]], at) -> None:
    """Write each line's name at its end, apart from each other."""
    low, high = axes.get_ylim()
    heights = [(value - low) / (high - low) for value, _ in lines.values()]
    for (name, (_, color)), height in zip(lines.items(), _spread(heights), strict=True):
        axes.annotate(
            legible(name, 30),
            xy=(axes.convert_xunits(at), height),
            xycoords=axes.get_xaxis_transform(),
            xytext=(8, 0),
            textcoords="offset points",
            va="center",
            color=color,
            fontsize=11,
            fontweight="bold" if name in ("model", "truth") else "normal",
            annotation_clip=False,
            **PLAIN,
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
