"""Who takes part in a run, and who may not."""

import hashlib
import importlib.metadata
import json
import os
import platform
import random
import socket
from collections.abc import Iterable
from typing import NamedTuple

from statewise._version import __version__

PROTOCOL = 1


class RefusedError(ValueError):
    """A process can't take part in a run.

    Attributes:
        by_all: whether the run as a whole can't begin for the same reason.
    """

    def __init__(self, reason: str, *, by_all: bool = False):
        super().__init__(reason)
        self.by_all = by_all


class Member(NamedTuple):
    """A process of a run.

    Attributes:
        process: its number, from 0.
        processes: how many there are, as it was told.
        host: the name of its machine.
        pid: its number there.
        versions: of what all must have alike.
        chance: a digest of where its random numbers stand.
    """

    process: int
    processes: int
    host: str
    pid: int
    versions: dict[str, str]
    chance: str

    def __str__(self) -> str:
        return f"Process {self.process} of {self.processes} (pid {self.pid} on {self.host})"

    @classmethod
    def of(cls, hello: dict) -> "Member":
        """Return who says this hello."""
        if hello["statewise"] != PROTOCOL:
            raise RefusedError(
                "The processes of this run don't understand each other: they have different "
                "versions of statewise. Install the same one everywhere."
            )
        process, processes, pid = (int(hello[name]) for name in ("process", "processes", "pid"))
        versions = {str(name): str(value) for name, value in hello["versions"].items()}
        return cls(process, processes, str(hello["host"]), pid, versions, str(hello["chance"]))

    def hello(self) -> bytes:
        """Return the line with which this process comes to the meeting."""
        said = {
            "statewise": PROTOCOL,
            "process": self.process,
            "processes": self.processes,
            "host": self.host,
            "pid": self.pid,
            "versions": self.versions,
            "chance": self.chance,
        }
        return json.dumps(said).encode() + b"\n"


def this_process(process: int, processes: int) -> Member:
    """Return what this process says of itself."""
    import keras
    import numpy as np

    versions = {"statewise": __version__, "python": ".".join(platform.python_version_tuple()[:2])}
    for name in ("jax", "jaxlib", "keras"):
        versions[name] = importlib.metadata.version(name)
    versions["floatx"] = keras.config.floatx()
    state = np.random.get_state(legacy=False)
    drawn = json.dumps((random.getstate(), state), default=np.ndarray.tolist)
    chance = hashlib.sha256(drawn.encode()).hexdigest()
    return Member(process, processes, socket.gethostname(), os.getpid(), versions, chance)


def check_welcome(member: Member, others: Iterable[Member], processes: int, begun: bool) -> None:
    """Refuse one who can't be among the others.

    Raises:
        RefusedError: saying why, and what to do.
    """
    if member.processes != processes:
        raise RefusedError(
            f"processes={member.processes}, but the run at this address is one of {processes}. "
            "Give every process the same number."
        )
    if not 0 <= member.process < processes:
        raise RefusedError(
            f"process={member.process}: the processes of a run of {processes} are numbered from 0 "
            f"to {processes - 1}."
        )
    if begun:
        raise RefusedError(
            "The run at this address has begun already, and takes nobody in any more. Start all "
            "processes again, or give this run an address of its own."
        )
    for other in others:
        if other.process == member.process:
            raise RefusedError(
                f"process={member.process} has come already: {other}. Give each process a number "
                "of its own."
            )


def check_same(members: Iterable[Member]) -> None:
    """Refuse a run whose processes have different versions of what they compute with.

    Raises:
        RefusedError: naming what differs, and where.
    """
    first, *others = sorted(members)
    differences = [
        f"{name} is {member.versions.get(name)} in process {member.process} on {member.host} and "
        f"{version} in process {first.process} on {first.host}"
        for member in others
        for name, version in first.versions.items()
        if member.versions.get(name) != version
    ]
    if differences:
        raise RefusedError(
            f"The processes of a run need the same versions, but {'; '.join(differences)}. Install "
            "the same one everywhere (floatx is Keras's setting), and start all again.",
            by_all=True,
        )
