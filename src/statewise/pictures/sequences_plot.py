"""Pictures of sequences that were told apart: which steps decided, and what was taken for what."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from statewise.pictures.forecast_axes import PLAIN
from statewise.pictures.render.names import legible
from statewise.tasks import Contributions

# Blue for, orange against: told apart by any eyes. Near 0 it is white.
_MAP = "PuOr"
_LINES = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9")
_DASHES = ("-", "--", ":", "-.")
_FOR, _AGAINST = "#5E4FA2", "#E08214"
_MOST_LINES = 6  # features drawn as lines; more of them as a map
_MOST_NAMED = 30  # classes whose names have room


def plot_contributions(contributions: Contributions, *, title: str = "") -> Figure:
    """Draw a sequence, and below it what each of its steps contributed to what was told of it.

    Above are the values, a line for each feature (a map, where there are more than six), the steps
    shaded by how much they contributed; below a bar for each step, above 0 for what was told, below
    0 against it.

    Args:
        contributions: of one sequence, as ``explain`` gives them.
        title: of the picture; "" to say what was told.

    Returns:
        A figure of 1000 x 600 pixels; ``figure.savefig("why.png", dpi=100)`` writes it.

    >>> from statewise.tasks import Contributions
    >>> steps = np.array([[0.1], [0.9], [-0.2]])
    >>> figure = plot_contributions(Contributions("up", steps.cumsum(0), steps))
    >>> figure.axes[0].get_title(loc="left"), len(figure.axes[1].patches)
    ('Which steps decided for up', 3)
    """
    values, given = contributions.values, contributions.contributions
    time, features = values.shape
    steps, each = np.arange(time), contributions.steps
    most = max(float(np.abs(each).max()), 1e-12)
    figure = Figure(figsize=(10.0, 6.0), dpi=100, layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    names = [
        legible(f"feature {j}" if contributions.names is None else contributions.names[j])
        for j in range(features)
    ]
    if features <= _MOST_LINES:
        norm = Normalize(-most, most)
        span = values.min(), values.max()
        edge = 0.05 * ((span[1] - span[0]) or 1.0)
        above.imshow(
            each[None], aspect="auto", cmap=_MAP, norm=norm, interpolation="nearest", alpha=0.6,
            extent=(-0.5, time - 0.5, span[0] - edge, span[1] + edge), zorder=0,
        )  # fmt: skip
        for j in range(features):
            above.plot(
                steps, values[:, j], color=_LINES[j], linestyle=_DASHES[j % len(_DASHES)],
                linewidth=1.6, marker="o" if time == 1 else None, label=names[j],
            )  # fmt: skip
        if features > 1:
            above.legend(loc="upper right", fontsize=9)
        above.set_ylabel("value" if features > 1 else names[0], **PLAIN)
    else:
        largest = max(float(np.abs(given).max()), 1e-12)
        norm = Normalize(-largest, largest)
        above.imshow(
            given.T, aspect="auto", cmap=_MAP, norm=norm, interpolation="nearest",
            extent=(-0.5, time - 0.5, features - 0.5, -0.5),
        )  # fmt: skip
        figure.colorbar(ScalarMappable(norm, _MAP), ax=above, pad=0.01, label="contribution")
        above.yaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
        above.set_ylabel("feature")
    below.bar(steps, each, width=0.9, color=np.where(each >= 0, _FOR, _AGAINST))
    below.axhline(0, color="#333333", linewidth=0.8)
    below.set_ylabel("for (above 0), against")
    below.set_xlabel("time step")
    below.xaxis.set_major_locator(MaxNLocator(nbins=12, integer=True))
    for axes in (above, below):
        axes.spines[["top", "right"]].set_visible(False)
    _title(above, title or f"Which steps decided for {_told(contributions.told)}")
    return figure


def plot_confusion(table: pd.DataFrame, *, title: str = "") -> Figure:
    """Draw which class was taken for which: rows are true, columns told.

    Args:
        table: how often each was told for each, rows and columns by class.
        title: of the picture.

    Returns:
        A figure; ``figure.savefig("confusion.png", dpi=100)`` writes it.

    Raises:
        ValueError: where there is no class.

    >>> table = pd.DataFrame([[9, 1], [0, 5]], index=["a", "b"], columns=["a", "b"])
    >>> figure = plot_confusion(table)
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['9', '1', '0', '5']
    """
    if table.empty:
        raise ValueError("the table has no class: give one row and one column at least")
    rows, columns = table.shape
    size = min(max(3.0, 0.55 * max(rows, columns) + 2.0), 14.0)
    figure = Figure(figsize=(size + 0.6, size), dpi=100, layout="constrained")
    axes = figure.add_subplot()
    counts = table.to_numpy(float)
    shares = counts / np.maximum(counts.sum(1, keepdims=True), 1)
    axes.imshow(shares, cmap="Blues", norm=Normalize(0, 1), interpolation="nearest")
    if max(rows, columns) <= _MOST_NAMED:
        for i in range(rows):
            for j in range(columns):
                color = "white" if shares[i, j] > 0.55 else "#333333"
                count = f"{counts[i, j]:,.0f}"
                axes.text(j, i, count, ha="center", va="center", color=color, fontsize=9)
        axes.set_yticks(range(rows), [legible(one, 24) for one in table.index])
        axes.set_xticks(range(columns), [legible(one, 24) for one in table.columns], rotation=45)
        for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
            label.set_parse_math(False)
    axes.set_xlabel("told")
    axes.set_ylabel("true")
    _title(axes, title or "What was taken for what")
    return figure


def _told(told: Any) -> str:
    return f"{told:.4g}" if isinstance(told, (float, np.floating)) else str(told)


def _title(axes: Axes, text: str) -> None:
    axes.set_title(legible(text, 110), loc="left", fontsize=12, fontweight="bold", **PLAIN)
