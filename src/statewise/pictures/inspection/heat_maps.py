"""Gates and states over time as heat maps, the input above them."""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Its lightness rises evenly: in black and white, and to any eyes, lighter is more.
_MAP = "cividis"
_MOST_NUMBERS = 24  # steps up to which every field has its number
_MOST_UNITS = 12
_MOST_LINES = 4  # features drawn as lines; more of them as a heat map
_DASHES = ("-", "--", ":", "-.")
_OF_LSTM = {
    "i": "input gate i",
    "f": "forget gate f",
    "c": "candidate",
    "o": "output gate o",
}
_NAMES = {
    "LSTM": _OF_LSTM,
    "LayerNormLSTM": _OF_LSTM,
    "ProjectedLSTM": _OF_LSTM,
    "MinLSTM": {"i": "input gate i", "f": "forget gate f", "h": "candidate"},
    "MinGRU": {"z": "update gate z", "h": "candidate"},
    "GRU": {"z": "update gate z", "r": "reset gate r", "h": "candidate"},
    "SimpleRNN": {"h": "activation"},
}
_STATES = {"c": "cell state c", "h": "hidden state h"}


def plot_steps(steps, sample: int) -> Figure:
    """Return a figure of one sample: the input, then a map of units by time for gates and states.

    Args:
        steps: `LayerSteps`.
        sample: which row of the batch.

    Raises:
        IndexError: for a sample that isn't there.
    """
    batch, time = steps.x.shape[:2]
    if not -batch <= sample < batch:
        raise IndexError(f"sample={sample}: the batch has {batch} samples.")
    maps = [(_gate_name(steps, n), a[sample], _is_gate(steps, n)) for n, a in steps.gates.items()]
    maps += [(_STATES[n], steps.states[n][sample], False) for n in ("c", "h") if n in steps.states]
    if len(steps.gates) == 1:  # a SimpleRNN's activation is its state
        maps = maps[1:]
    units = maps[0][1].shape[1]
    with_numbers = time <= _MOST_NUMBERS and units <= _MOST_UNITS
    high = min(0.28 * max(units, 3) + 0.5, 2.4)
    heights = [1.5, *[high] * len(maps)]
    figure = Figure(
        figsize=(max(7.0, min(0.52 * time + 3, 14)), sum(heights) + 0.8),
        dpi=100,
        layout="constrained",
    )
    axes = figure.subplots(len(maps) + 1, 1, sharex=True, height_ratios=heights)
    _draw_input(axes[0], steps, sample)
    for ax, (name, values, is_gate) in zip(axes[1:], maps, strict=True):
        units = values.shape[1]  # a projected output has fewer than the cell
        most = 1.0 if is_gate else max(float(np.abs(values).max()), 1e-6)
        norm = Normalize(0.0 if is_gate else -most, most)
        ax.imshow(
            values.T, aspect="auto", cmap=_MAP, norm=norm, interpolation="nearest",
            extent=(0.5, time + 0.5, units + 0.5, 0.5),
        )  # fmt: skip
        _dress(ax, name, units)
        if with_numbers:
            _write_numbers(ax, values, norm)
        bar = figure.colorbar(ScalarMappable(norm, _MAP), ax=ax, pad=0.01, aspect=12)
        bar.ax.tick_params(labelsize=8)
    axes[-1].set_xlabel("time step" + (", computed from the last" if steps.backwards else ""))
    axes[-1].xaxis.set_major_locator(MaxNLocator(nbins=20, integer=True))
    figure.suptitle(_title(steps, sample), x=0.01, ha="left", fontweight="bold", fontsize=12)
    return figure


def _draw_input(ax, steps, sample: int) -> None:
    values = steps.x[sample].astype(float)
    time, features = values.shape
    at = np.arange(1, time + 1)
    if features <= _MOST_LINES:
        for i in range(features):
            ax.plot(
                at, values[:, i], _DASHES[i], color="#1A1A1A", marker="osD^"[i], markersize=4,
                linewidth=1.2, label=f"feature {i + 1}",
            )  # fmt: skip
        if features > 1:
            ax.legend(
                loc="lower right", bbox_to_anchor=(1.0, 0.97), ncols=features, frameon=False,
                fontsize=8, borderpad=0,
            )  # fmt: skip
        ax.spines[["top", "right"]].set_visible(False)
        ax.set_ylabel("input x", fontsize=9)
        return
    ax.imshow(values.T, aspect="auto", cmap=_MAP, extent=(0.5, time + 0.5, features + 0.5, 0.5))
    _dress(ax, "input x", features)
    ax.set_ylabel("feature", fontsize=8)


def _dress(ax, name: str, units: int) -> None:
    ax.set_title(name, loc="left", fontsize=10, pad=3)
    ax.set_ylabel("unit", fontsize=8)
    ax.set_yticks(range(1, units + 1) if units <= _MOST_UNITS else [1, units])
    ax.tick_params(labelsize=8)


def _write_numbers(ax, values: np.ndarray, norm: Normalize) -> None:
    for (step, unit), value in np.ndenumerate(values):
        color = "#000000" if norm(value) > 0.55 else "#FFFFFF"
        ax.text(step + 1, unit + 1, f"{value:.2f}", ha="center", va="center", size=7, color=color)


def _gate_name(steps, name: str) -> str:
    return _NAMES.get(steps.kind, {}).get(name, name)


def _is_gate(steps, name: str) -> bool:
    """Whether it's a tap between 0 and 1, not a candidate."""
    values = steps.gates[name]
    return "gate" in _gate_name(steps, name) and values.min() >= 0 and values.max() <= 1


def _title(steps, sample: int) -> str:
    text = f"{steps.kind} {steps.name!r}, sample {sample + 1}"
    if steps.half_life is None:
        return text
    lives = steps.half_life
    return (
        f"{text}: half of what it stores is gone after {lives.min():.2g} to {lives.max():.2g} steps"
    )
