"""Jobs on a GPU: statewise, its own kernels, stock Keras on JAX and PyTorch (cuDNN), in one table.

    python benchmarks/gpu.py [--output build/gpu] [--seconds 440] [--peer-python PYTHON]
                             [--sides statewise,PyTorch] [--small]

Networks: the jobs b, d, e, f and g of jobs.py, an epoch by `fit` and a batch by `predict_on_batch`.
Layers: 768 units, 16 sequences of 1024 steps of 768 features, forward alone and with all gradients,
float32 and bfloat16, with right-padded masks and without; the arrays are on the device. Each side
is a process of its own, one after the other, that goes through all cases; all begin with the same
weights, and what they compute must agree with ours.

After each case OUTPUT/gpu.json and the table OUTPUT/gpu.md are written anew. A run that is cut off,
or stops because its seconds are over, goes on where it was when the same command is given again.
``--small`` has tiny sizes, for a try on any machine.
"""

import argparse
import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from gpu_cases import SIZE, Case, cases, measure
from machine import facts

# Each side: whose module runs it, and what it finds in its environment.
SIDES = {
    "statewise": ("keras", {}),
    "statewise's kernels": ("keras", {"STATEWISE_GPU": "kernels"}),
    "Keras on JAX": ("keras", {"KERAS_BACKEND": "jax"}),
    "PyTorch": ("torch", {}),
}
# Published for one H100 and this size, milliseconds forward, and with the gradients.
ANCHORS = (
    ("cuDNN's LSTM in float16", "2.01", "5.19"),
    ("FlashRNN's LSTM in bfloat16", "4.87", "13.6"),
)
# How far what a side computes may be from ours, as a part of it: TF32, or 8 bits, and an epoch.
AGREE = {"network": 0.02, "float32": 0.01, "bfloat16": 0.05}
LIMIT = 120  # seconds without a word after which a case is given up


def serve(side: str, seconds: float, small: bool) -> None:
    """Measure the cases named on the standard input, and print a line of JSON for each."""
    kind, _ = SIDES[side]
    known = cases(small)
    for line in sys.stdin:
        case = known[line.strip()]
        try:
            found = measure(case, side, kind, seconds)
        except Exception as error:  # the next case may work
            found = {"error": f"{type(error).__name__}: {error}".splitlines()[0][:200]}
        print("found " + json.dumps(found), flush=True)


class Process:
    """A side's process, which may fall silent or end."""

    def __init__(self, python: str, side: str, seconds: float, small: bool):
        command = [python, __file__, "--serve", side, "--each", str(seconds)]
        environment = os.environ | SIDES[side][1]
        # Memory as it's needed: other sides come after this one.
        environment |= {"XLA_PYTHON_CLIENT_PREALLOCATE": "false", "STATEWISE_CACHE": "0"}
        self._said = tempfile.TemporaryFile("w+")  # noqa: SIM115 (open until the process ends)
        self._process = subprocess.Popen(
            command + ["--small"] * small,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=environment,
        )
        self._lines: queue.Queue = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            if line.startswith("found "):
                self._lines.put(json.loads(line.removeprefix("found ")))
        self._lines.put(None)

    def measure(self, name: str, limit: float) -> dict | None:
        """Return what it found, or None where it ended or said nothing."""
        try:
            self._process.stdin.write(name + "\n")
            self._process.stdin.flush()
            return self._lines.get(timeout=limit)
        except (BrokenPipeError, queue.Empty):
            return None

    def end(self) -> str:
        """End the process; return the last line that it said among its errors."""
        self._process.kill()
        self._process.communicate()
        with self._said:
            self._said.seek(0)
            return (self._said.read().strip().splitlines() or ["no word"])[-1][:200]


def gone_through(given) -> None:
    """Measure what isn't known yet, side by side, until all is known or the time is over."""
    path, known = given.output / "gpu.json", cases(given.small)
    kept = json.loads(path.read_text("utf-8")) if path.exists() else {"rows": {}}
    kept.setdefault("machine", facts(given.peer_python) | {"small": given.small})
    if kept["machine"].get("small") != given.small:
        raise SystemExit(f"{path} is of another size; choose another --output.")
    begun = time.perf_counter()
    for side in given.sides:
        process = None
        for name in known:
            key = f"{name} | {side}"
            left = given.seconds - (time.perf_counter() - begun)
            if key in kept["rows"] or left <= 0:
                continue
            python = given.peer_python if SIDES[side][0] == "torch" else sys.executable
            process = process or Process(python, side, given.each, given.small)
            found = process.measure(name, min(LIMIT, left))
            if found is None:
                said, process = process.end(), None
                if time.perf_counter() - begun >= given.seconds:
                    continue  # not its fault: the next run measures it
                found = {"error": f"ended, or nothing heard for {LIMIT} s: {said}"}
            kept["rows"][key] = found
            path.write_text(json.dumps(kept, indent=1), "utf-8")
            (given.output / "gpu.md").write_text(table(kept["rows"], known), "utf-8")
        if process is not None:
            process.end()
    missing = len(known) * len(given.sides) - len(kept["rows"])
    print(table(kept["rows"], known))
    print("All is measured." if missing <= 0 else f"{missing} are left: give the command again.")


def table(rows: dict, known: dict[str, Case]) -> str:
    """Return the results in Markdown: milliseconds, and how many times as fast as each other."""
    lines = ["| case | | " + " | ".join(SIDES) + " |", "|---|---|" + "---|" * len(SIDES)]
    for name, case in known.items():
        found = {side: rows.get(f"{name} | {side}", {}) for side in SIDES}
        for what, said in (("forward", "forward"), ("both", "training step")):
            cells = [_cell(found, side, what, case) for side in SIDES]
            lines.append(f"| {name} | {said} | " + " | ".join(cells) + " |")
    lines += ["", "Milliseconds; in brackets how many times the time of statewise.", ""]
    size = f"{SIZE['units']} units, batch {SIZE['batch']}, {SIZE['steps']} steps"
    for name, forward, both in ANCHORS:
        lines.append(f"Published for one H100, {size}: {name} {forward} ms forward, {both} both.")
    return "\n".join(lines) + "\n"


def _cell(found: dict, side: str, what: str, case: Case) -> str:
    row, ours = found[side], found["statewise"]
    if "error" in row:
        return f"failed: {row['error']}"
    if what not in row:
        return ""
    text = f"{row[what] * 1e3:.3g}"
    if side == "statewise" or what not in ours:
        return text
    far = abs(row["value"] - ours["value"]) > AGREE[case.dtype or "network"] * abs(ours["value"])
    return f"{text} ({row[what] / ours[what]:.2f})" + " **differs**" * far


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path("build/gpu"))
    parser.add_argument("--seconds", type=float, default=440, help="after which it stops")
    parser.add_argument("--each", type=float, default=0.5, help="seconds for each median")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has PyTorch")
    parser.add_argument("--sides", default=",".join(SIDES), help="names, with commas between")
    parser.add_argument("--small", action="store_true", help="tiny sizes")
    parser.add_argument("--serve", choices=SIDES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        return serve(given.serve, given.each, given.small)
    given.sides = given.sides.split(",")
    if unknown := [side for side in given.sides if side not in SIDES]:
        parser.error(f"--sides: {', '.join(unknown)}: choose from {', '.join(SIDES)}")
    given.output.mkdir(parents=True, exist_ok=True)
    gone_through(given)


if __name__ == "__main__":
    main()
