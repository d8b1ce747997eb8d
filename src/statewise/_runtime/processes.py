"""The other processes of a run, without which nothing that is computed together can go on.

Whoever watches over them (`statewise.distributed`) notes here that one is lost; what computes with
them asks here, and turns the engine's own error, which names a socket, into one that names the
process.
"""

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator

import jax

# How long to wait for a word on who is lost, once a computation has failed.
_PATIENCE = 10.0
# What the errors of the engine's collectives have in common.
_COLLECTIVE = ("gloo", "nccl", "collective", "coordination", "connection", "peer", "socket")


class ProcessLostError(RuntimeError):
    """Another process of the run has ended or doesn't answer; together nothing can be computed."""


class _Now:
    lost: str | None = None
    noted = threading.Event()
    computing = 0


def note_lost(sentence: str) -> None:
    """Note which process is lost, and why, if none is yet."""
    if _Now.lost is None:
        _Now.lost = sentence
        _Now.noted.set()


def lost() -> str | None:
    """Return which process is lost, and why; None where none is."""
    return _Now.lost


def computing() -> bool:
    """Whether this process is computing with the others now, and may be waiting for them."""
    return _Now.computing > 0


@functools.cache
def in_several_processes() -> bool:
    """Whether this process computes with others.

    >>> in_several_processes()
    False
    """
    return jax.process_count() > 1


@contextlib.contextmanager
def computing_together() -> Iterator[None]:
    """Let a block of code compute with the other processes, if there are any.

    Raises:
        ProcessLostError: where one of them is lost, before or meanwhile.
    """
    if not in_several_processes():
        yield
        return
    _check_all_there()
    _Now.computing += 1
    try:
        yield
    except (jax.errors.JaxRuntimeError, ValueError) as error:
        if _is_of_a_collective(error):
            _Now.noted.wait(_PATIENCE)
            note_lost("Another process of the run doesn't answer.")
        if _Now.lost is not None:
            raise _lost() from error
        raise
    finally:
        _Now.computing -= 1


def together(function: Callable) -> Callable:
    """Return a function that runs in `computing_together`."""

    @functools.wraps(function)
    def run(*args, **kwargs):
        if not in_several_processes():
            return function(*args, **kwargs)
        with computing_together():
            return function(*args, **kwargs)

    return run


def _is_of_a_collective(error: Exception) -> bool:
    """Whether the engine says that it couldn't reach another process."""
    # Outside of a program the engine's own error is a ValueError, as many others are.
    words = _COLLECTIVE if isinstance(error, jax.errors.JaxRuntimeError) else _COLLECTIVE[:2]
    return any(word in str(error).lower() for word in words)


def _check_all_there() -> None:
    if _Now.lost is not None:
        raise _lost()


def _lost() -> ProcessLostError:
    return ProcessLostError(
        f"{_Now.lost} This process can't go on without it. Start all processes of the run again; a "
        "training with a checkpoint goes on from there."
    )
