"""Coming to the meeting of a run, and staying in touch with it."""

import contextlib
import json
import os
import select
import socket
import sys
import threading
import time

from statewise._runtime.processes import computing, lost, note_lost
from statewise.distributed.joining.meeting import LONGEST, TICK
from statewise.distributed.joining.members import Member

# Seconds that a lost process's partners have to find out by themselves, before they are ended.
GRACE = 10.0
_SAID_AFTER = 10.0  # seconds of waiting after which it's said who is waited for


class Visit:
    """This process's connection to the meeting.

    Args:
        address: where the meeting is, ``(host, port)``.
        member: this process.
        wait: seconds to wait until somebody answers there.
        come: seconds to wait until the others have come.
        patience: seconds without a sign of life after which the meeting counts as lost.

    Attributes:
        port: of JAX's coordination service, on the same host.
        seed: what all are to draw from, where they don't draw alike already; else None.

    Raises:
        ConnectionError: where nobody answers, or something else does.
        TimeoutError: where others don't come.
        RuntimeError: where this process, or the run, is refused.
    """

    def __init__(self, address, member: Member, *, wait: float, come: float, patience: float):
        self._where = f"{address[0]}:{address[1]}"
        self._patience = patience
        self._member = member
        self._rest = b""
        self._connection = self._connect(address, wait)
        with contextlib.ExitStack() as undone:
            undone.callback(self._connection.close)
            self._connection.sendall(member.hello())
            self.port, self.seed = self._welcome(come)
            undone.pop_all()

    def _connect(self, address, wait: float) -> socket.socket:
        until, error = time.monotonic() + wait, None
        while (left := until - time.monotonic()) > 0:
            try:
                return socket.create_connection(address, timeout=left)
            except OSError as failed:
                error = failed
                time.sleep(min(0.2, max(0.0, until - time.monotonic())))
        raise ConnectionError(
            f"Nobody answers at address={self._where!r} ({error}; tried for {wait:.0f} seconds). "
            "Process 0 has to run there: is it started, is the address its own, and may this "
            "machine reach that port? wait=SECONDS tries for longer."
        )

    def _welcome(self, come: float) -> tuple[int, int | None]:
        begin, missing, told = time.monotonic(), None, False
        while time.monotonic() - begin < come:
            for answer in self._answers(TICK):
                if "refused" in answer:
                    raise RuntimeError(answer["refused"])
                if "welcome" in answer:
                    return answer["welcome"], answer["seed"]
                missing = answer.get("waiting", missing)
            if missing and not told and time.monotonic() - begin > _SAID_AFTER:
                told = True
                print(f"statewise: waiting for {_processes(missing)}", file=sys.stderr, flush=True)
        if missing is None:
            raise self._something_else()
        raise TimeoutError(
            f"{_processes(missing).capitalize()} of {self._member.processes} didn't come within "
            f"{come:.0f} seconds. Start as many as processes={self._member.processes} says, each "
            f"with address={self._where!r} and a number of its own."
        )

    def _answers(self, timeout: float) -> list[dict]:
        """Return what came from the meeting within some seconds."""
        if not select.select([self._connection], [], [], timeout)[0]:
            return []
        data = self._connection.recv(LONGEST)
        if not data:
            raise ConnectionError(
                f"The meeting of the run at {self._where} has ended: process 0, or whoever started "
                "the run, has given up. What it says there tells why."
            )
        *lines, self._rest = (self._rest + data).split(b"\n")
        try:
            answers = [json.loads(line) for line in lines]
        except ValueError:
            raise self._something_else() from None
        if len(self._rest) > LONGEST or not all(isinstance(answer, dict) for answer in answers):
            raise self._something_else()
        return answers

    def _something_else(self) -> ConnectionError:
        return ConnectionError(
            f"What answers at address={self._where!r} isn't a run of statewise. Give the address "
            "at which process 0 has joined, and a port that nothing else uses."
        )

    def watch(self) -> None:
        """Stay in touch from a thread of its own, and note who is lost."""
        self._connection.settimeout(self._patience)
        threading.Thread(target=self._watch, name="statewise-watch", daemon=True).start()

    def _watch(self) -> None:
        heard = said = time.monotonic()
        ended_at, there = None, True
        while there or not ended_at or time.monotonic() < ended_at + TICK:
            try:
                answers = self._answers(TICK)
                if time.monotonic() - said >= TICK:
                    self._say({"alive": 1})
                    said = time.monotonic()
            except (OSError, ValueError):
                answers = [{"lost": f"The meeting of the run at {self._where} has ended."}]
                there = False
                time.sleep(TICK)
            if answers:
                heard = time.monotonic()
            elif time.monotonic() - heard > self._patience:
                answers = [{"lost": f"The meeting of the run at {self._where} doesn't answer."}]
            for answer in answers:
                if "lost" in answer:
                    note_lost(answer["lost"])
                    if not answer.get("ended"):
                        ended_at = ended_at or time.monotonic() + GRACE
            if ended_at is not None and time.monotonic() > ended_at and computing():
                self._end()

    def _end(self) -> None:
        """End this process, which waits for another in what nothing can interrupt."""
        print(
            f"statewise: ProcessLostError: {lost()} This process waits for it, and is ended.",
            file=sys.stderr,
            flush=True,
        )
        os._exit(70)

    def _say(self, word: dict) -> None:
        self._connection.sendall(json.dumps(word).encode() + b"\n")

    def leave(self, error: str | None) -> None:
        """Say that this process has come to its end, by an error or without one."""
        with contextlib.suppress(OSError):  # the connection ends with the process
            self._say({"bye": 1} if error is None else {"failed": error[:1000]})


def _processes(numbers: list[int]) -> str:
    names = ", ".join(map(str, numbers))
    return f"process{'es' * (len(numbers) > 1)} {names}"
