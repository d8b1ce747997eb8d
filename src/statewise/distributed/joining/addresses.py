"""Which process of which run this is: by arguments, by a launcher, or by a cluster."""

import os
from collections.abc import Mapping
from typing import NamedTuple

# What the launcher tells the processes that it starts.
ADDRESS, PROCESSES, PROCESS = "STATEWISE_ADDRESS", "STATEWISE_PROCESSES", "STATEWISE_PROCESS"


class Place(NamedTuple):
    """Which process of which run this is.

    Attributes:
        address: of the meeting.
        processes: how many there are.
        process: the number of this one.
        meeting: whether somebody else has begun the meeting; else process 0 does.
    """

    address: str
    processes: int
    process: int
    meeting: bool = False


def place_of(
    address: str | None,
    processes: int | None,
    process: int | None,
    environment: Mapping[str, str] = os.environ,
) -> Place:
    """Return which process of which run this is.

    Raises:
        ValueError: for arguments that don't say it.

    >>> place_of("tank-1:4000", 4, 2).process
    2
    >>> place_of(None, None, None, {ADDRESS: "127.0.0.1:1", PROCESSES: "2", PROCESS: "1"}).meeting
    True
    """
    given = {"address": address, "processes": processes, "process": process}
    if all(value is None for value in given.values()):
        if ADDRESS in environment:
            count, number = int(environment[PROCESSES]), int(environment[PROCESS])
            return Place(environment[ADDRESS], count, number, meeting=True)
        return _of_a_cluster() or Place("", 1, 0)
    missing = [name for name, value in given.items() if value is None]
    if missing and processes != 1:
        raise ValueError(
            f"Missing: {', '.join(missing)}. Give address, processes and process, or none of them "
            "where a launcher says it all."
        )
    count, number = _whole("processes", processes, 1), _whole("process", process or 0, 0)
    if number >= count:
        raise ValueError(
            f"process={number}: expected a number from 0 to {count - 1}, since processes={count}."
        )
    if count > 1:
        split_address(address)
    return Place(address or "", count, number)


def split_address(address) -> tuple[str, int]:
    """Return host and port.

    >>> split_address("10.0.0.1:4000"), split_address("[::1]:4000")
    (('10.0.0.1', 4000), ('::1', 4000))
    """
    host, _, port = str(address).rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(
            f"address={address!r}: expected the host of process 0 and a port that is free there, "
            'such as "10.0.0.1:4000".'
        )
    return host, int(port)


def _whole(name: str, value, least: int) -> int:
    if isinstance(value, bool) or not hasattr(value, "__index__") or int(value) < least:
        raise ValueError(f"{name}={value!r}: expected a whole number from {least} on.")
    return int(value)


def _of_a_cluster() -> Place | None:
    """Return what a cluster says that JAX recognises; None outside of one."""
    from statewise.distributed.joining.jax_runtime import cluster

    found = cluster()
    return None if found is None else Place(*found)
