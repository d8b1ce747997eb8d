"""The plots of the comparison: how many times faster, and the curves of job j."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

import jobs
import results


def ratios(rows: list[dict], setting: str, path: Path) -> bool:
    """Draw each peer's training step as a multiple of statewise's; return whether there was any."""
    found = results.Found(rows, setting)
    labels = [
        label
        for label, job in jobs.BY_LABEL.items()
        if job.training and found.median(label, "statewise", "train")
    ]
    if not labels:
        return False
    sides = [s for label in labels for s in found.sides(label) if not s.startswith("statewise")]
    figure, axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for side in dict.fromkeys(sides):
        points = [
            (i, theirs / found.median(label, "statewise", "train"))
            for i, label in enumerate(labels)
            if (theirs := found.median(label, side, "train"))
        ]
        if points:
            axes.plot(*zip(*points, strict=True), "o", label=side)
    axes.plot(
        range(len(labels)), [jobs.BY_LABEL[la].training for la in labels], "k_", ms=20, label="aim"
    )
    axes.axhline(1, color="grey", lw=1)
    axes.set_yscale("log")
    axes.set_xticks(range(len(labels)), labels, rotation=30, ha="right")
    axes.set_ylabel("a training step, times statewise's")
    axes.legend()
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True


def curves(rows: list[dict], setting: str, path: Path) -> bool:
    """Draw the cost of a training step against length, batch and units."""
    chosen = [r for r in rows if r["setting"] == setting and r.get("points")]
    if not chosen:
        return False
    figure, panels = plt.subplots(1, 3, figsize=(13, 4.2), layout="constrained")
    for panel, name in zip(panels, jobs.SWEEPS, strict=True):
        for row in chosen:
            if row["job"] != f"j {name}":
                continue
            values = [int(value) for value in row["points"]]
            panel.plot(values, [1e3 * t for t in row["points"].values()], "o-", label=row["side"])
        others = ", ".join(f"{key} {value}" for key, value in jobs.USUAL.items() if key != name)
        panel.set(xscale="log", yscale="log", xlabel=name, title=f"LSTM; {others}")
        if panel.lines:
            panel.legend()
    panels[0].set_ylabel("a training step, ms")
    figure.savefig(path, dpi=120)
    plt.close(figure)
    return True
