"""Small loops compiled in one piece.

XLA runs what it compiles for a CPU as a list of kernels, each of which takes some 30 nanoseconds to
start. A training step of a small network is sixty of them, so the starting takes longer than the
arithmetic. A loop whose turns touch few bytes XLA makes one kernel of; its limit of 1 KiB is meant
for counters. With 384 KiB the epoch of a small network is one kernel: a step of LSTM(4) on 3 time
steps takes 0.3 microseconds instead of 1.9, of LSTM(32) 2.5 instead of 8, and compiles in two
thirds of the time. More is not better: from 128 units on, separate kernels run faster, and many
layers in one kernel compile slowly (thirty `Dense` of 16 units, which 512 KiB would admit, six
times as long). Loops that call native code stay apart, among them those with products of several
rows, which XLA leaves to a library.

XLA has no such option for one program, only for the process, and reads it when it starts.
"""

import os
import sys

LIMIT = 3 << 17  # bytes that a turn reads and writes
_FLAGS = "XLA_FLAGS"
_OPTION = "xla_cpu_small_while_loop_byte_threshold"


class _Now:
    """What is in force in this process."""

    off_reason: str | None = "nothing has asked for it"


def compile_small_loops_whole() -> bool:
    """Let XLA compile small loops in one piece, where it hasn't started yet.

    Importing this package does it, by adding an option to the environment variable ``XLA_FLAGS``.
    What the user has chosen there for the same option stays.

    Returns:
        Whether small loops are compiled in one piece.

    >>> compile_small_loops_whole() == (why_not_whole() is None)
    True
    """
    if _Now.off_reason is None:
        return True
    flags = os.environ.get(_FLAGS, "")
    option = f"--xla_backend_extra_options={_OPTION}={LIMIT}"
    if option in flags.split() and flags.count(_OPTION) == 1:
        _Now.off_reason = None  # a parent process set it, and this one has read it
    elif _OPTION in flags:
        _Now.off_reason = f"{_FLAGS} sets {_OPTION}"
    elif _jax_has_started():
        _Now.off_reason = "JAX had started before statewise was imported"
    else:
        # First, so that whatever else the user sets among the extra options comes on top.
        os.environ[_FLAGS] = f"{option} {flags}".strip()
        _Now.off_reason = None
    return _Now.off_reason is None


def _jax_has_started() -> bool:
    bridge = sys.modules.get("jax._src.xla_bridge")
    return bridge is not None and bridge.backends_are_initialized()


def why_not_whole() -> str | None:
    """Return why small loops aren't compiled in one piece, part of a sentence; None if they are."""
    return _Now.off_reason
