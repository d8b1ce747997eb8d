"""Every job on statewise, stock Keras on three backends and plain PyTorch, in turn, in one run.

    python benchmarks/run.py [--jobs a,b,g] [--sides statewise,PyTorch] [--rounds 3] [--quick]
                             [--peer-python PYTHON] [--output build/benchmarks]

Jobs a to i are in jobs.py, j are curves over length, batch and units. Each measurement is a process
of its own, which has the machine for itself; round after round all sides take turns, first with the
memory allocator as it is, then with huge pages in it for every side (GLIBC_TUNABLES). The machine's
matrix product is measured in every round too. statewise compiles everything anew
(STATEWISE_CACHE=0); what it saves to find its programs on disk stands as a side of its own.

The peers need an environment: ``python -m pip install 'statewise[peers]'``, there or elsewhere
(``--peer-python``). What fails stays in the table with its error, and so does
statewise, without its times and with the exit code 1, where loss or weights after an epoch aren't
those of the plain reference (agreement.py). After each measurement a line is
added to OUTPUT/rows.jsonl and the tables and plots are written again, so a run that is cut off
leaves what it has, and goes on where it was when the same command is given again.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import agreement
import jobs
import results
import side_keras
import side_torch
from machine import facts

MEASURE = Path(__file__).parent / "measure.py"
SIDES = (*side_keras.BACKENDS, *side_torch.SIDES)
KEPT = results.KEPT
LIMIT = 900  # seconds after which a measurement is given up
SETTINGS = {"as it is": {}, "huge pages": {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}}
# What a curve of job j is drawn for: ours, and the peers that are worth a line.
CURVE_SIDES = ("statewise", "Keras on JAX", "PyTorch")


def arguments():
    """Return the options given on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    letters = sorted({job.letter for job in jobs.JOBS} | {"j"})
    parser.add_argument("--jobs", default=",".join(letters), help="letters, with commas between")
    parser.add_argument("--sides", default=",".join(SIDES), help="names, with commas between")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--settings", default=",".join(SETTINGS), help=f"of {', '.join(SETTINGS)}")
    parser.add_argument("--peer-python", default=sys.executable, help="a Python that has the peers")
    parser.add_argument("--output", type=Path, default=Path("build/benchmarks"))
    parser.add_argument("--quick", action="store_true", help="one short round, one setting, no j")
    given = parser.parse_args()
    given.seconds = 0.3 if given.quick else 2.0
    if given.quick:
        given.rounds, given.settings = 1, "as it is"
        given.jobs = ",".join(letter for letter in given.jobs.split(",") if letter != "j")
    for name, known in (("jobs", letters), ("sides", SIDES), ("settings", SETTINGS)):
        chosen = getattr(given, name).split(",")
        setattr(given, name, chosen)
        if unknown := [one for one in chosen if one not in known]:
            parser.error(f"--{name}: {', '.join(unknown)}: choose from {', '.join(known)}")
    return given


def plan(given):
    """Yield what is to be measured, in its order: (setting, round, label, side)."""
    labels = [label for label, job in jobs.BY_LABEL.items() if job.letter in given.jobs]
    for number, setting in enumerate(given.settings):
        for turn in range(given.rounds):
            first = number == turn == 0
            for side in ("statewise", "PyTorch"):
                yield setting, turn, "peak", side
            if setting == "as it is":
                for side in given.sides:
                    if side != "PyTorch compiled":
                        yield setting, turn, "imports", side
            for label in labels:
                if first and jobs.BY_LABEL[label].training is not None:
                    yield setting, turn, label, agreement.REFERENCE
                for side in given.sides:
                    yield setting, turn, label, side
                kept = jobs.BY_LABEL[label].training is not None and "statewise" in given.sides
                if kept and setting == "as it is":
                    yield setting, turn, label, KEPT
            for name in jobs.SWEEPS if "j" in given.jobs and turn == 0 else ():
                if first:
                    yield setting, turn, f"j {name}", agreement.REFERENCE
                for side in CURVE_SIDES:
                    if side in given.sides:
                        yield setting, turn, f"j {name}", side


def measure(given, setting: str, label: str, side: str) -> dict:
    """Run one measurement in a process of its own; return what it found, or its error."""
    environment = os.environ | SETTINGS[setting] | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    environment.pop("KERAS_BACKEND", None)
    environment["STATEWISE_CACHE"] = "0"
    seconds, times = given.seconds, 1
    if side == KEPT:
        # The first process fills the folder; what counts is the second.
        side, seconds, times = "statewise", 0.0, 2
        environment["STATEWISE_CACHE"] = str((given.output / "programs").resolve())
    if side == agreement.REFERENCE:
        environment["STATEWISE_NATIVE"] = "0"
    python = sys.executable if side.startswith("statewise") else given.peer_python
    command = [python, str(MEASURE), label, side, str(seconds)]
    for _ in range(times):
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, env=environment, timeout=LIMIT, check=False
            )
        except subprocess.TimeoutExpired:
            return {"error": f"not done after {LIMIT} s"}
        if done.returncode:
            return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1][:300]}
    return json.loads(done.stdout.splitlines()[-1])


def begun(given) -> set[tuple]:
    """Make the folder, or see what a run before this one has left there.

    Raises:
        SystemExit: if what is there was measured on something else.
    """
    given.output.mkdir(parents=True, exist_ok=True)
    path, here = given.output / "machine.json", facts(given.peer_python)
    if path.exists() and json.loads(path.read_text(encoding="utf-8")) != here:
        sys.exit(
            f"--output {given.output}: what is there was measured on another machine or with other "
            "versions, and can't be gone on with. Choose another folder."
        )
    path.write_text(json.dumps(here, indent=1), encoding="utf-8")
    return {results.key(row) for row in results.read_rows(given.output)}


def main():
    given = arguments()
    done = begun(given)
    with (given.output / "rows.jsonl").open("a", encoding="utf-8") as file:
        for setting, turn, label, side in plan(given):
            row = {"setting": setting, "round": turn, "job": label, "side": side}
            if results.key(row) in done:
                continue
            row["load"] = os.getloadavg()[0] if hasattr(os, "getloadavg") else None
            start = time.perf_counter()
            row |= measure(given, setting, label, side)
            print(json.dumps(row), file=file, flush=True)
            say = row.get("error") or f"{time.perf_counter() - start:.0f} s"
            print(f"{setting}, round {turn + 1}: {label}, {side}: {say}", flush=True)
            results.write(given.output)
    print(results.write(given.output).read_text(encoding="utf-8"))
    rows = results.read_rows(given.output)
    wrong = [f"{r['job']}, {r['side']}: {r['error']}" for r in rows if r.get("wrong")]
    if wrong:
        sys.exit("\n".join(["Results that are not the reference's:", *wrong]))


if __name__ == "__main__":
    main()
