"""The launcher: starts the processes of a run on one machine, and ends them together."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator

from statewise.distributed.joining.addresses import ADDRESS, PROCESS, PROCESSES
from statewise.distributed.joining.meeting import start_meeting

# Seconds that the others have to end by themselves once one is lost, and once they're told to.
_GRACE, _AFTER_TERM = 60.0, 10.0

_DESCRIPTION = """\
Runs a script in several processes of this machine that train together: each of them calls
statewise.distributed.join() before anything else. Every line that they print is told apart by the
number of its process. When one fails, the others end too, and so does this command, with its code.
"""


def main(arguments: list[str]) -> int:
    """Start the processes, hand on what they print, and return the run's exit code."""
    options = _options(arguments)
    for attempt in range(options.restarts + 1):
        code = run(options.processes, [options.script, *options.arguments], options.patience)
        if code in (0, _INTERRUPTED) or attempt == options.restarts:
            break
        _say(f"starting again, {options.restarts - attempt - 1} more times at most")
    return code


def run(processes: int, command: list[str], patience: float = 45.0) -> int:
    """Run a script in so many processes; return 0, or the code of the first that failed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        meeting = start_meeting(listener, processes, patience)
    started: list[subprocess.Popen] = []
    threads = []
    try:
        for number, cores in enumerate(_shares_of_cores(processes)):
            place = {ADDRESS: f"127.0.0.1:{port}", PROCESSES: str(processes), PROCESS: str(number)}
            with _on_cores(cores):
                child = subprocess.Popen(
                    [sys.executable, "-u", *command],
                    env={**os.environ, **place},
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
            started.append(child)
            threads.append(threading.Thread(target=_hand_on, args=(number, child.stdout)))
            threads[-1].start()
        return _wait(started)
    except KeyboardInterrupt:
        return _INTERRUPTED
    finally:
        _end(started)
        for thread in threads:
            thread.join()
        assert meeting.stdin is not None
        meeting.stdin.close()
        meeting.wait()


_INTERRUPTED = 130  # what a shell says of Ctrl-C


def _wait(started: list[subprocess.Popen]) -> int:
    """Wait until all have ended, or a while after one has failed; return the first one's code."""
    failed, until, running = 0, None, True
    while running:
        running = any(child.poll() is None for child in started)
        # Where several have ended by now, one that was killed has taken the others with it.
        ended = sorted((child.returncode or 0, i) for i, child in enumerate(started))
        code, number = next((one for one in ended if one[0]), (0, 0))
        if code and not failed:
            failed, until = code, time.monotonic() + _GRACE
            _say(f"process {number} {_how_it_ended(code)}; the others end too")
        if running and until is not None and time.monotonic() > until:
            _say("some don't end by themselves, and are ended")
            break
        time.sleep(0.1)
    return 128 - failed if failed < 0 else failed


def _how_it_ended(code: int) -> str:
    if code > 0:
        return f"has failed with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"


def _end(started: list[subprocess.Popen]) -> None:
    for child in started:
        if child.poll() is None:
            child.terminate()
    until = time.monotonic() + _AFTER_TERM
    for child in started:
        try:
            child.wait(max(0.0, until - time.monotonic()))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def _hand_on(number: int, pipe) -> None:
    for line in pipe:
        text = line.decode(errors="replace").rstrip("\n")
        print(f"[{number}] {text}", flush=True)


def _say(text: str) -> None:
    print(f"statewise: {text}", file=sys.stderr, flush=True)


def _shares_of_cores(processes: int) -> Iterator[set[int] | None]:
    """Yield the processor cores for each process: a share of those there are, where it's one each.

    XLA and the kernels start as many threads as they see cores; all of them for each process would
    be in each other's way.
    """
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    for number in range(processes):
        first, stop = (len(cores) * i // processes for i in (number, number + 1))
        yield set(cores[first:stop]) or ({cores[number % len(cores)]} if cores else None)


class _on_cores:  # noqa: N801 (used like a function)
    """Lets the processes that are started within run on some cores alone."""

    def __init__(self, cores: set[int] | None):
        self._cores = cores

    def __enter__(self):
        if self._cores:
            self._before = os.sched_getaffinity(0)
            os.sched_setaffinity(0, self._cores)

    def __exit__(self, *exception):
        if self._cores:
            os.sched_setaffinity(0, self._before)


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        "python -m statewise.distributed", description=_DESCRIPTION, allow_abbrev=False
    )
    parser.add_argument(
        "--processes", type=_count, required=True, help="how many; as many as there are cores, say"
    )
    parser.add_argument(
        "--restarts",
        type=_none_or_more,
        default=0,
        help="how often to start all of them again when one fails (a training with a checkpoint "
        "goes on from there); none by default",
    )
    parser.add_argument(
        "--patience",
        type=float,
        default=45.0,
        help="seconds without a sign of life after which a process counts as lost (45)",
    )
    parser.add_argument("script", help="the script, which calls join()")
    parser.add_argument("arguments", nargs=argparse.REMAINDER, help="its own arguments")
    options = parser.parse_args(arguments)
    if not os.path.isfile(options.script):
        parser.error(f"there is no script {options.script!r}")
    return options


def _count(text: str) -> int:
    return _at_least(1, text)


def _none_or_more(text: str) -> int:
    return _at_least(0, text)


def _at_least(least: int, text: str) -> int:
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r}: expected a whole number from {least} on")
    return int(text)
