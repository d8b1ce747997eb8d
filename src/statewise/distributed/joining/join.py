"""`join`: the first line of a script that several processes run together."""

import atexit
import contextlib
import socket
import subprocess
import sys
from typing import NamedTuple

import jax
import keras

from statewise._runtime.processes import ProcessLostError as ProcessLostError
from statewise.distributed.joining.addresses import Place, place_of, split_address
from statewise.distributed.joining.jax_runtime import (
    forget_runtime,
    has_computed,
    place_values_alone,
    start_runtime,
)
from statewise.distributed.joining.meeting import start_meeting
from statewise.distributed.joining.members import this_process
from statewise.distributed.joining.visit import Visit

# Seconds that the others have to come, once somebody answers at the address.
_COME = 300.0


class Joined(NamedTuple):
    """Which part this process has in a run.

    Attributes:
        process: its number, from 0.
        processes: how many there are.
    """

    process: int
    processes: int

    @property
    def first(self) -> bool:
        """Whether this is process 0: the one to print, to draw, and to write files."""
        return self.process == 0


class _Now:
    joined: Joined | None = None
    meeting: subprocess.Popen | None = None


def join(
    address: str | None = None,
    *,
    processes: int | None = None,
    process: int | None = None,
    wait: float = 10.0,
    patience: float = 45.0,
) -> Joined:
    """Let this process compute with the others of a run, and share batches out among all devices.

    It comes before anything is computed; then models, data, `fit`, `evaluate` and `predict` are
    written as for one process. Every process runs the same script on the same data. Of each batch
    (of windows, or of lanes) every device has the same rows: ``batch / devices`` of them; the state
    of a lane stays where the lane is. Gradients, losses and metrics are summed over all rows of all
    devices, and the weights are the same everywhere::

        loss = sum over devices d, rows r of d: loss(row r) / batch

    so a training is that of one process, to rounding. See ``docs/distributed.md``.

    Without arguments, the launcher (``python -m statewise.distributed``) or the cluster (Slurm,
    Open MPI, Kubernetes, as JAX recognises them) says who is who. Where nothing does, this is a run
    of one process, which shares batches out among its devices, if it has several.

    The random numbers of NumPy, Python and Keras are made the same in all processes, unless they
    are already (by ``keras.utils.set_random_seed`` before).

    Args:
        address: ``"host:port"`` of process 0, the same for all; the port is free there.
        processes: how many there are.
        process: the number of this one, from 0.
        wait: seconds to try until somebody answers at the address.
        patience: seconds without a sign of life after which another process counts as lost. Within
            `fit`, `evaluate` and `predict` that is a `ProcessLostError` error, which says which.

    Returns:
        Which part this process has; ``join().first`` is true in process 0 alone.

    Raises:
        ValueError: where an argument is missing or isn't what it should be.
        RuntimeError: where something was computed already; where this process or the run is
            refused, because others have another version of statewise, say.
        ConnectionError: where nobody answers at the address, or something else does.
        TimeoutError: where others don't come.

    Example:
        >>> joined = join()  # nothing says that there are others
        >>> joined.process, joined.processes, joined.first
        (0, 1, True)
    """
    place = place_of(address, processes, process)
    if _Now.joined is not None:
        return _again(place)
    if place.processes > 1:
        _join(place, wait, patience)
    _Now.joined = Joined(place.process, place.processes)
    if keras.distribution.distribution() is None and jax.device_count() > 1:
        keras.distribution.set_distribution(keras.distribution.DataParallel())
    return _Now.joined


def _again(place: Place) -> Joined:
    assert _Now.joined is not None
    if (place.process, place.processes) != _Now.joined:
        raise RuntimeError(
            f"This process has joined a run already, as process {_Now.joined.process} of "
            f"{_Now.joined.processes}. A process joins one run only; start a new one for another."
        )
    return _Now.joined


def _join(place: Place, wait: float, patience: float) -> None:
    if has_computed():
        raise RuntimeError(
            "join() comes too late: something was computed in this process already, and JAX has "
            "opened its devices. Call it before any model, array or data set is made."
        )
    host, port = split_address(place.address)
    with contextlib.ExitStack() as undone:
        if place.process == 0 and not place.meeting:
            _begin_meeting(host, port, place.processes, patience, undone)
            host = "127.0.0.1"
        member = this_process(place.process, place.processes)
        visit = Visit((host, port), member, wait=wait, come=_COME, patience=patience)
        undone.pop_all()
    start_runtime(f"{_bracketed(host)}:{visit.port}", place, wait=max(wait, 60.0))
    jax.devices()  # all open theirs together
    place_values_alone()
    visit.watch()
    if visit.seed is not None:
        keras.utils.set_random_seed(visit.seed)
    _leave_at_the_end(visit)


def _begin_meeting(host: str, port: int, processes: int, patience: float, undone) -> None:
    try:
        listener = socket.create_server(("", port))
    except OSError as error:
        raise ConnectionError(
            f"address={host}:{port} can't be used by process 0: {error.strerror}. Is another run "
            "going on there? Give a port that is free on this machine."
        ) from error
    with listener:
        meeting = start_meeting(listener, processes, patience)
    undone.callback(meeting.kill)
    _Now.meeting = meeting  # its pipe stays open as long as this process


def _leave_at_the_end(visit: Visit) -> None:
    """Let the others know when this process ends, and how; and don't wait for them."""
    failed: list[str] = []
    hook = sys.excepthook

    def note(kind, error, trace):
        failed.append(f"{kind.__name__}: {error}")
        hook(kind, error, trace)

    def leave():
        visit.leave(failed[0] if failed else None)
        forget_runtime()

    sys.excepthook = note
    atexit.register(leave)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
