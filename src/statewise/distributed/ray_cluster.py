"""The way to a Ray cluster: found within ten seconds, or told that there is none."""

import os
import re
import socket
import time
from types import ModuleType
from typing import Any

SECONDS = 10.0  # after which an address where no cluster is has been told of
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\4\0\0\0\0\0"  # and no settings
_SETTINGS = 4  # the type of the frame by which whoever speaks HTTP/2 begins
_ADDRESS = re.compile(r"(?P<client>ray://)?(?P<host>\[[^\]]+\]|[^\s/:]+):(?P<port>\d{1,5})/?")


def imported() -> ModuleType:
    """Return Ray.

    Raises:
        ImportError: where it isn't installed, with what to do.
    """
    try:
        import ray
    except ImportError as error:
        raise ImportError(
            "Ray isn't installed, or can't be loaded "
            f"({error}): pip install 'statewise[ray]', or take Processes(), which needs nothing."
        ) from None
    return ray


def connect(address: str | None = None) -> Any:
    """Connect this process to a cluster, where it isn't; return Ray.

    Args:
        address: see `statewise.distributed.Ray`.

    Raises:
        ImportError: where Ray isn't installed.
        ConnectionError: where no cluster is at the address.
        TypeError, ValueError: where it is no address.
    """
    if address is not None and not isinstance(address, str):
        raise TypeError(f"address must be text such as 'host:6379', but is {address!r:.80}")
    ray = imported()
    if ray.is_initialized():
        _check_same(ray, address)
        return ray
    if address in (None, "local"):
        ray.init(address="local", include_dashboard=False, log_to_driver=False)
        return ray
    if address == "auto":
        address = os.environ.get("RAY_ADDRESS") or _own_address()
    check_reached(address)
    try:
        ray.init(address=address, log_to_driver=False)
    except Exception as error:  # Ray has many, and of several kinds
        raise ConnectionError(
            f"address={address!r}: something answers there, but Ray says "
            f"{type(error).__name__}: {' '.join(str(error).split()):.300}"
        ) from None
    return ray


def check_reached(address: str, seconds: float = SECONDS) -> None:
    """Refuse an address where nothing speaks as a Ray cluster does, within some seconds.

    Ray by itself waits for minutes. Its servers speak HTTP/2 (gRPC), whose server says its settings
    as soon as a client has begun: what doesn't is none.

    Args:
        address: "host:port", with "ray://" before it for Ray's client.
        seconds: after which it is told that nobody answers.

    Raises:
        ConnectionError: where no cluster answers.
        ValueError: where it is no address.

    >>> check_reached("nowhere")
    Traceback (most recent call last):
    ...
    ValueError: address='nowhere' is no address of a Ray cluster: expected host:port...
    """
    parts = _ADDRESS.fullmatch(address)
    if parts is None or not 0 < int(parts["port"]) < 65536:
        raise ValueError(
            f"address={address!r} is no address of a Ray cluster: expected host:port, such as "
            "10.0.0.5:6379 (or ray://host:10001 for Ray's client), auto or local"
        )
    host, port = parts["host"].strip("[]"), int(parts["port"])
    until = time.monotonic() + seconds
    try:
        with socket.create_connection((host, port), timeout=seconds / 3) as connection:
            connection.sendall(_PREFACE)
            connection.settimeout(max(0.1, until - time.monotonic()))
            begun = connection.recv(9)
    except (OSError, UnicodeError) as error:  # a host name may be none
        why = "nobody answers" if isinstance(error, TimeoutError) else str(error)
        raise ConnectionError(_none_there(address, why)) from None
    if len(begun) < 4 or begun[3] != _SETTINGS:
        raise ConnectionError(_none_there(address, "what answers there is none"))


def refused_version() -> str:
    """Return the words for a worker with another version, with fields for both versions."""
    return (
        "A worker of the Ray cluster has another version of statewise ({have}) than this process "
        "({wanted}): install {wanted} on all nodes, or give runtime_env={{'pip': ...}} to ray.init."
    )


def _none_there(address: str, why: str) -> str:
    return (
        f"no Ray cluster is at {address}: {why}. Look for its address where it was started "
        "(ray start --head prints it), and whether this machine may reach its ports"
    )


def _own_address() -> str:
    """Return the address of the cluster to which this machine belongs."""
    from ray._private import services

    found = sorted(services.find_gcs_addresses())
    if not found:
        raise ConnectionError(
            "address='auto': no Ray runs on this machine. Start one (ray start --head), or name "
            "the address of another one, or take address='local' to start one for this process"
        )
    return found[0]


def _check_same(ray: Any, address: str | None) -> None:
    """Refuse another cluster than the one that this process is connected to."""
    if address in (None, "auto", "local"):
        return
    try:
        here = ray.get_runtime_context().gcs_address
    except Exception:  # Ray's client has none
        return
    if address.removeprefix("ray://") != here and not address.startswith("ray://"):
        raise ConnectionError(
            f"address={address!r}, but this process is connected to the Ray cluster at {here}: "
            "ray.shutdown() leaves that one"
        )
