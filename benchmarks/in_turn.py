"""Processes that live beside one another and run the same thing in turn.

What else the machine does falls on all of them: read the ratios of the medians. A script that uses
this starts itself again with ``--serve`` for each side, and there calls `serve`.
"""

import contextlib
import json
import statistics
import subprocess
import sys
import time

import numpy as np


def serve(runs: dict):
    """Run what the lines of the standard input name; print the seconds and the value of each."""
    for line in sys.stdin:
        begun = time.perf_counter()
        value = runs[line.strip()]()
        print(json.dumps([time.perf_counter() - begun, value]), flush=True)


class Side:
    """A process that runs what it is asked for.

    Args:
        python: the interpreter.
        script: what it runs, with ``--serve``.
        *given: what follows.
    """

    def __init__(self, python: str, script: str, *given: str):
        self.process = subprocess.Popen(
            [python, script, "--serve", *given],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, what: str) -> tuple[float, float]:
        """Return the seconds, and the value."""
        with contextlib.suppress(BrokenPipeError):  # it has ended; below it's said why
            self.process.stdin.write(what + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            said = self.process.stderr.read().strip().splitlines() or ["no message"]
            raise RuntimeError(said[-1])
        return tuple(json.loads(line))

    def end(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.process.wait()
        for stream in (self.process.stdout, self.process.stderr):
            stream.close()


def measure(sides: dict[str, Side], whats: tuple[str, ...], rounds: int) -> dict:
    """Run everything on all sides in turn, and end them.

    Returns:
        For each of ``whats`` by side: ``first``, the seconds of the first run, with compiling;
        ``seconds``, the median of the third and later ones; ``values`` of all.
    """
    times = {what: {side: [] for side in sides} for what in whats}
    values = {what: {side: [] for side in sides} for what in whats}
    try:
        for turn in range(rounds + 2):  # the first two of each are for compiling and warming up
            for what in whats:
                for side in sides if turn % 2 else reversed(sides):
                    seconds, value = sides[side].run(what)
                    values[what][side].append(value)
                    times[what][side].append(seconds)
    finally:
        for side in sides.values():
            side.end()
    return {
        "first": {what: {s: t[0] for s, t in found.items()} for what, found in times.items()},
        "seconds": {
            what: {side: statistics.median(taken[2:]) for side, taken in found.items()}
            for what, found in times.items()
        },
        "values": values,
    }


def differ(ours: list[float], theirs: list[float]) -> float:
    """Return by how much two sides' values differ, relative, at most."""
    ours, theirs = np.asarray(ours), np.asarray(theirs)
    return float(np.max(np.abs(ours - theirs) / np.maximum(np.abs(theirs), 1e-6)))
