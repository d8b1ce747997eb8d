"""Where the processes of a run meet: a small process of its own, which outlives each of them.

Everybody says who he is, a line of JSON over TCP. Once all are there, and all run the same
versions, everybody is told where JAX's own coordination service is, which runs here too: so no
process of the run takes it along when it ends. After that each connection stays open. Where one
breaks off, or nothing comes over it for a while, the others are told who is lost.

    hello    {"statewise": 1, "process": 2, "processes": 4, "host": ..., "pid": ..., "versions": {}}
    answers  {"waiting": [3]}   {"refused": "..."}   {"welcome": port, "seed": 7}   {"lost": "..."}
    later    {"alive": 1} both ways, {"bye": 1} and {"failed": "KeyError: ..."} to here
"""

import argparse
import contextlib
import json
import os
import secrets
import select
import socket
import subprocess
import sys
import time

from statewise.distributed.joining.members import Member, RefusedError, check_same, check_welcome

TICK = 1.0  # seconds between two signs of life
LONGEST = 1 << 16  # bytes of a line
_LAST = 3.0  # seconds for the last processes to end, which would miss JAX's service
_FOREVER = 10 * 365 * 24 * 3600


class Meeting:
    """The meeting of one run.

    Args:
        listener: the socket at which it listens.
        processes: how many are to come.
        patience: seconds after which one that gives no sign of life counts as lost.
    """

    def __init__(self, listener: socket.socket, processes: int, patience: float):
        self._listener = listener
        self._processes = processes
        self._patience = patience
        self._open: dict[socket.socket, bytearray] = {}
        self._members: dict[socket.socket, Member] = {}
        self._heard: dict[socket.socket, float] = {}
        self._leaving: set[socket.socket] = set()
        self._service = None

    def run(self, owner: int | None) -> None:
        """Serve until the run is over.

        Args:
            owner: the file descriptor of a pipe from whoever started this process; when that has
                ended before the run began, there will be none.
        """
        try:
            self._serve(owner)
        finally:
            for connection in self._open:
                connection.close()

    def _serve(self, owner: int | None) -> None:
        told = time.monotonic()
        while True:
            waiting: list = [self._listener, *self._open, *([owner] if owner is not None else [])]
            for ready in select.select(waiting, [], [], TICK)[0]:
                if ready is self._listener:
                    connection, _ = self._listener.accept()
                    connection.settimeout(self._patience)
                    self._open[connection] = bytearray()
                    self._heard[connection] = time.monotonic()
                elif ready == owner:
                    owner = None
                    if self._service is None:
                        return
                else:
                    self._read(ready)
            if time.monotonic() - told >= TICK:
                told = time.monotonic()
                self._tell_all({"alive": 1} if self._service else {"waiting": self._missing()})
                self._look_for_silent_ones()
            if self._service is not None and not self._members:
                time.sleep(_LAST)
                return

    def _missing(self) -> list[int]:
        there = {member.process for member in self._members.values()}
        return [i for i in range(self._processes) if i not in there]

    def _read(self, connection) -> None:
        try:
            data = connection.recv(LONGEST)
        except OSError:
            data = b""
        if not data:
            self._close(
                connection, "its connection broke off: it was killed, or its machine is off"
            )
            return
        self._heard[connection] = time.monotonic()
        buffer = self._open[connection]
        buffer += data
        *lines, rest = bytes(buffer).split(b"\n")
        buffer[:] = rest
        for line in lines:
            if connection in self._open:
                self._take(connection, line)
        if len(buffer) > LONGEST:
            self._close(connection, "it sent what nobody understands")

    def _take(self, connection, line: bytes) -> None:
        try:
            said = json.loads(line)
            if connection not in self._members:
                self._welcome(connection, Member.of(said))
            elif "failed" in said:
                self._take_leave(connection, f"it ended with an error, {said['failed']}")
            elif "bye" in said:
                self._take_leave(connection, "its program has come to its end", ended=True)
        except RefusedError as refused:
            if refused.by_all:
                self._tell_all({"refused": str(refused)})
            self._tell(connection, {"refused": str(refused)})
            self._forget(connection)
        except (ValueError, TypeError, KeyError):
            self._close(connection, "it sent what nobody understands")

    def _welcome(self, connection, member: Member) -> None:
        check_welcome(member, self._members.values(), self._processes, self._service is not None)
        self._members[connection] = member
        if self._missing():
            return
        check_same(self._members.values())
        same = len({member.chance for member in self._members.values()}) == 1
        port, self._service = start_service(self._processes)
        self._tell_all({"welcome": port, "seed": None if same else secrets.randbelow(1 << 31)})

    def _take_leave(self, connection, why: str, *, ended: bool = False) -> None:
        """Tell the others that one is lost; its connection stays until it breaks off.

        Args:
            connection: of that one.
            why: as the second part of a sentence.
            ended: whether it has done all that it had to do, perhaps all that the others need.
        """
        member = self._members.get(connection)
        if member is not None and self._service is not None and connection not in self._leaving:
            self._leaving.add(connection)
            self._tell_all({"lost": f"{member} is lost: {why}.", "ended": ended})

    def _close(self, connection, why: str) -> None:
        self._take_leave(connection, why)
        self._forget(connection)

    def _forget(self, connection) -> None:
        self._members.pop(connection, None)
        self._open.pop(connection, None)
        connection.close()

    def _look_for_silent_ones(self) -> None:
        for connection in list(self._open):
            silent = time.monotonic() - self._heard[connection]
            if silent > self._patience:
                self._close(connection, f"it has given no sign of life for {silent:.0f} seconds")

    def _tell_all(self, answer: dict) -> None:
        for connection in list(self._members):
            self._tell(connection, answer)

    def _tell(self, connection, answer: dict) -> None:
        with contextlib.suppress(OSError):  # that it's gone is found where it's read
            connection.sendall(json.dumps(answer).encode() + b"\n")


def start_meeting(listener: socket.socket, processes: int, patience: float) -> subprocess.Popen:
    """Start the process of a run's meeting; it ends with the run, or with this process before."""
    command = [sys.executable, "-m", "statewise.distributed.joining.meeting"]
    command += ["--socket", str(listener.fileno()), "--processes", str(processes)]
    return subprocess.Popen(
        [*command, "--patience", str(patience)],
        stdin=subprocess.PIPE,
        env={"TF_CPP_MIN_LOG_LEVEL": "1", **os.environ},  # as JAX has it: no word of its service
        pass_fds=[listener.fileno()],
        start_new_session=True,  # Ctrl-C is for the processes that compute
    )


def start_service(processes: int):
    """Start JAX's coordination service; return its port and the service."""
    from jaxlib import _jax  # without JAX itself, which takes a second

    with socket.create_server(("", 0)) as free:
        port = free.getsockname()[1]
    service = _jax.get_distributed_runtime_service(
        f"[::]:{port}", processes, heartbeat_timeout=_FOREVER, shutdown_timeout=1
    )
    return port, service


def main(arguments: list[str]) -> None:
    """Serve one run over a socket that is inherited."""
    parser = argparse.ArgumentParser()
    for name in ("--socket", "--processes"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--patience", type=float, required=True)
    options = parser.parse_args(arguments)
    listener = socket.socket(fileno=options.socket)
    Meeting(listener, options.processes, options.patience).run(sys.stdin.fileno())
    os._exit(0)  # the service would wait for processes that have gone without a word to it


if __name__ == "__main__":
    main(sys.argv[1:])
