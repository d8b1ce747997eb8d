"""Tables and plots from what run.py has measured.

    python benchmarks/results.py FOLDER [--page docs/benchmarks.md]

Writes FOLDER/results.md and its plots; with ``--page`` also the page of the documentation, and the
plots beside it.
"""

import argparse
import json
import shutil
import statistics
from pathlib import Path

import agreement
import jobs

KEPT = "statewise, programs on disk"
PLOTS = {"benchmarks.png": "ratios", "benchmarks_curves.png": "curves"}
_REPEAT = """
## To repeat it

```bash
python -m pip install -e '.[peers]'      # or in an environment of its own, see --peer-python
python benchmarks/run.py                 # about two hours; --quick for ten minutes
python benchmarks/results.py build/benchmarks --page docs/benchmarks.md
```

The script measures every side in a process of its own, in turn; read the ratios, not the
milliseconds. A run that was cut off goes on when the command is given again.
"""


def key(row: dict) -> tuple:
    """Return what tells a row from all others."""
    return row["setting"], row["round"], row["job"], row["side"]


def read_rows(folder: Path) -> list[dict]:
    """Return the rows of a run so far, an error in those whose results aren't the reference's."""
    path = folder / "rows.jsonl"
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8").splitlines()
    return agreement.mark([json.loads(line) for line in lines])


class Found:
    """The rows of one setting: medians over the rounds.

    Args:
        rows: those of all settings.
        setting: the one wanted.
    """

    def __init__(self, rows: list[dict], setting: str):
        self.rows = [row for row in rows if row["setting"] == setting]

    def sides(self, label: str) -> list[str]:
        """Return the sides that a job was measured on, in their order."""
        return list(dict.fromkeys(row["side"] for row in self.rows if row["job"] == label))

    def values(self, label: str, side: str, name: str) -> list[float]:
        """Return what the rounds gave."""
        found = [r for r in self.rows if r["job"] == label and r["side"] == side]
        return [row[name] for row in found if row.get(name) is not None]

    def median(self, label: str, side: str, name: str) -> float | None:
        """Return the median over the rounds, or None if there is nothing."""
        values = self.values(label, side, name)
        return statistics.median(values) if values else None

    def error(self, label: str, side: str) -> str | None:
        """Return why a side failed, if it did in some round."""
        found = [r for r in self.rows if r["job"] == label and r["side"] == side]
        return next((row["error"] for row in found if "error" in row), None)

    def differs(self, label: str, side: str) -> str:
        """Return, to be put behind a loss, how a peer's results differ from the reference's."""
        found = [r for r in self.rows if r["job"] == label and r["side"] == side]
        return next((f" ({row['differs']})" for row in found if "differs" in row), "")

    def peak(self) -> tuple[float, str] | None:
        """Return the machine's best matrix product, in operations a second, and whose it is."""
        found = {"XLA": "statewise", "oneDNN": "PyTorch"}
        rates = [
            (max(values), name)
            for name, side in found.items()
            if (values := self.values("peak", side, "flops"))
        ]
        return max(rates) if rates else None

    def best_peer(self, label: str, name: str, among=None) -> tuple[float, str] | None:
        """Return the least median of all peers that gave one, and whose it is."""
        peers = [s for s in self.sides(label) if not s.startswith("statewise")]
        times = [(self.median(label, s, name), s) for s in peers if among is None or among(s)]
        return min((time for time in times if time[0] is not None), default=None)


def summary(found: Found) -> list[str]:
    """Return the lines of the table that sets each job against its aim."""
    lines = [
        "| | job | what | statewise | best peer | times faster | to be | of the matrix peak |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for label, job in jobs.BY_LABEL.items():
        for name, what, aim, work in (
            ("train", "training step", job.training, 3),
            ("infer", "forward pass", job.inference, 1),
        ):
            if aim is None or not found.sides(label):
                continue
            lines.append(_against(found, label, name, what, aim, work))
            if job.words and name == "train":
                keras = "Keras".__eq__
                lines.append(
                    _against(
                        *(found, label, name, what, jobs.WORDS_AGAINST_KERAS, work),
                        among=lambda side, keras=keras: keras(side.split()[0]),
                    )
                )
        lines += _first_epoch(found, label)
    return lines


def _against(found, label, name, what, aim, work, among=None):
    job, own = jobs.BY_LABEL[label], found.median(label, "statewise", name)
    peer = found.best_peer(label, name, among)
    ratio = f"**{peer[0] / own:.2f}**" if own and peer else ""
    peak = found.peak()
    share = f"{work * job.flops / own / peak[0]:.0%}" if own and peak else ""
    theirs = f"{_time(peer[0])} ({peer[1]})" if peer else "none"
    ours = _time(own) if own else f"failed: {found.error(label, 'statewise')}"
    return (
        f"| {job.letter} | {job.title} | {what} | {ours} | {theirs} | {ratio} | {aim} | {share} |"
    )


def _first_epoch(found, label):
    own = found.median(label, "statewise", "first")
    keras = found.median(label, "Keras on JAX", "first")
    if not own or not keras:
        return []
    job = jobs.BY_LABEL[label]
    cells = f"{_time(own)} | {_time(keras)} (Keras on JAX) | **{keras / own:.2f}** | 2"
    return [f"| {job.letter} | {job.title} | first epoch | {cells} | |"]


def details(found: Found) -> list[str]:
    """Return the lines of the table of everything that was measured."""
    lines = [
        "| | job | side | training step (least to most) | GFLOP/s | forward pass | GFLOP/s | by "
        "| first epoch | tracing | compiling | memory | loss |",
        "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for label, job in jobs.BY_LABEL.items():
        for side in found.sides(label):
            head = f"| {job.letter} | {job.title} | {side} |"
            error = found.error(label, side)
            if error:
                lines.append(f"{head} failed: {error} {'| ' * 10}|".replace("\n", " "))
                continue
            train, infer, first, trace, compiling, memory, loss = (
                found.median(label, side, name)
                for name in ("train", "infer", "first", "trace", "compile", "memory", "loss")
            )
            spread = found.values(label, side, "train")
            ways = [row.get("way") for row in found.rows if key(row)[2:] == (label, side)]
            cells = [
                f"{_time(train)} ({_time(min(spread))} to {_time(max(spread))})" if train else "",
                _rate(3 * job.flops, train),
                _time(infer),
                _rate(job.flops, infer),
                (ways[-1] if ways else None) or "",
                *(_time(first), _time(trace), _time(compiling)),
                f"{memory / 2**20:.0f} MiB" if memory else "",
                f"{loss:.6f}{found.differs(label, side)}" if loss is not None else "",
            ]
            lines.append(f"{head} {' | '.join(cells)} |")
    return lines


def imports(found: Found) -> list[str]:
    """Return the lines about what importing takes."""
    own, keras = (found.median("imports", "statewise", name) for name in ("import", "keras"))
    if not own or not keras:
        return []
    shown = found.median("imports", "statewise", "help")
    return [
        f"Where statewise is installed, a process that imports Keras on JAX takes {_time(keras)}, "
        f"and with statewise, its models and layers {_time(own)}. `statewise --help` takes "
        f"{_time(shown)}.",
        "",
    ]


def write(folder: Path) -> Path:
    """Write the tables and plots of a folder; return the path of the tables."""
    import plots

    rows = read_rows(folder)
    facts = json.loads((folder / "machine.json").read_text(encoding="utf-8"))
    settings = list(dict.fromkeys(row["setting"] for row in rows))
    lines = ["# Beside the peers", ""]
    lines += [f"- {name}: {value}" for name, value in facts.items()]
    for setting in settings:
        found = Found(rows, setting)
        rounds = len({row["round"] for row in found.rows})
        peak = found.peak()
        lines += ["", f"## The memory allocator: {setting}", ""]
        lines += [f"Medians over {rounds} round{'s' * (rounds > 1)}, every side in turn."]
        if peak:
            lines += [
                f"The machine's matrix product: {peak[0] / 1e9:.0f} GFLOP/s ({peak[1]}), the best "
                "that a library reaches in float32. None uses a tile unit for it; the kernels do "
                "where there is one, and then may go above."
            ]
        lines += ["", *imports(found), *summary(found), "", "### Everything", "", *details(found)]
    if settings:
        for name, draw in PLOTS.items():
            if getattr(plots, draw)(rows, settings[0], folder / name):
                lines += ["", f"![{draw}]({name})"]
    path = folder / "results.md"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def write_page(folder: Path, page: Path) -> None:
    """Write the page of the documentation, with its plots in ``images`` beside it."""
    text = write(folder).read_text(encoding="utf-8")
    for name in PLOTS:
        if (folder / name).exists():
            own = name.replace("benchmarks", page.stem)  # so that several pages can stand together
            shutil.copy(folder / name, page.parent / "images" / own)
            text = text.replace(f"]({name})", f"](images/{own})")
    page.write_text(text + _REPEAT, encoding="utf-8")


def _time(seconds: float | None) -> str:
    if seconds is None:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"


def _rate(work: float, seconds: float | None) -> str:
    return f"{work / seconds / 1e9:.3g}" if seconds else ""


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path)
    given = parser.parse_args()
    if given.page:
        write_page(given.folder, given.page)
    else:
        write(given.folder)


if __name__ == "__main__":
    main()
