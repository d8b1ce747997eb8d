"""A series with its anomalies shaded, and below it the score of each step."""

from collections.abc import Hashable, Sequence

import numpy as np
import pandas as pd
from matplotlib.dates import AutoDateLocator
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from statewise.pictures.forecast_axes import PLAIN, Dates, write_numbers
from statewise.pictures.render.names import legible

_LINE, _SHADE, _SCORE = "#333333", "#D55E00", "#0072B2"
_MOST = 6  # features that are drawn


def plot_anomalies(
    values: pd.DataFrame,
    scores: np.ndarray,
    spans: Sequence[tuple[int, int]],
    *,
    threshold: float,
    learned: int = 0,
    title: str = "",
) -> Figure:
    """Draw a series with its anomalies shaded, and the score of each step below it.

    Args:
        values: a column for each feature, of which six at most are drawn; the index is the time.
        scores: (time,); NaN where there is none.
        spans: the first and the last step of each anomaly.
        threshold: of the score, drawn as a line.
        learned: so many steps at the beginning were learned from; a line tells where they end.
        title: what stands above it.

    Returns:
        A figure of 1200 pixels in width at 100 dots an inch.

    Raises:
        ValueError: where there are other numbers of values and scores, or none.

    >>> frame = pd.DataFrame({"level": np.sin(np.arange(50.0))})
    >>> figure = plot_anomalies(frame, np.arange(50.0), [(45, 49)], threshold=45.0)
    >>> len(figure.axes)
    2
    """
    if not len(values) or len(values) != len(scores):
        raise ValueError(f"values has {len(values)} steps, scores {len(scores)}: as many, and one")
    names: list[Hashable] = list(values.columns[:_MOST])
    time = values.index
    if isinstance(time, pd.DatetimeIndex) and time.tz is not None:
        time = time.tz_localize(None)
    figure = Figure(figsize=(12, 2.2 * len(names) + 2.4), dpi=100, layout="constrained")
    heights = [2.2] * len(names) + [1.4]
    every = figure.subplots(len(names) + 1, 1, sharex=True, height_ratios=heights, squeeze=False)
    for axes, name in zip(every[:-1, 0], names, strict=True):
        axes.plot(time, values[name], color=_LINE, linewidth=0.8)
        unit = write_numbers(axes)
        label = legible(name, 60)
        axes.set_title(f"{label} ({unit})" if unit else label, loc="left", fontsize=9, **PLAIN)
    below = every[-1, 0]
    below.plot(time, scores, color=_SCORE, linewidth=0.8)
    below.axhline(threshold, color=_SHADE, linewidth=0.8, linestyle="--")
    below.set_title("score: once in 10^score steps", loc="left", fontsize=9)
    for axes in every[:, 0]:
        for first, last in spans:
            axes.axvspan(time[first], time[last], color=_SHADE, alpha=0.25, linewidth=0)
            axes.axvline(time[first], color=_SHADE, linewidth=0.8, alpha=0.8)
        if 0 < learned < len(time):
            axes.axvline(time[learned], color=_LINE, linewidth=0.8, linestyle=":")
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.margins(x=0.01)
    if isinstance(time, pd.DatetimeIndex):
        below.xaxis.set_major_locator(AutoDateLocator(minticks=3, maxticks=9))
        below.xaxis.set_major_formatter(Dates(None))
    else:
        below.xaxis.set_major_locator(MaxNLocator(nbins=9, integer=True))
    if title:
        figure.suptitle(legible(title, 120), fontsize=12, fontweight="bold", **PLAIN)
    return figure
