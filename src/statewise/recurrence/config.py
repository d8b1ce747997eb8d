"""What computes the recurrence on this machine, in words."""

import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import TextIO

from statewise._runtime import compilation_cache
from statewise._runtime import device as where
from statewise._runtime import small_loops as _small_loops
from statewise._version import __version__
from statewise.recurrence import native
from statewise.recurrence.backends import gpu
from statewise.recurrence.backends.cudnn_elsewhere import has_cudnn
from statewise.recurrence.native.extension import SWITCH, extension


def show_config(file: TextIO | None = None) -> None:
    """Print which path serves the recurrence and why, and the versions that matter.

    Args:
        file: where to print; standard output if None.

    >>> show_config()
    statewise ...
    recurrence  ...
    """
    print("\n".join(_lines()), file=file or sys.stdout)


def _lines() -> list[str]:
    names = ("jax", "jaxlib", "keras", "numpy")
    versions = ", ".join(f"{name} {_version(name)}" for name in names)
    device = where.platform()
    return [
        f"statewise {__version__}, Python {platform.python_version()}, {versions}",
        *_recurrence_lines(device),
        f"device      {device}, {platform.machine()}, {platform.system()}",
        _small_loops_line(device),
        _programs_line(),
    ]


def _recurrence_lines(device: str) -> list[str]:
    if device == "gpu":
        return _gpu_lines()
    reason = native.unavailable_reason()
    if reason is None and device != "cpu":
        reason = f"the arrays are on a {device}, and the native kernels are for the CPU"
    if reason is not None:
        return [f"recurrence  the reference (a compiled lax.scan), because {reason}"]
    built = extension()
    return [
        f"recurrence  native C++ kernels: {built.instruction_set()}, up to "
        f"{built.thread_count()} threads ({SWITCH}=0 switches them off)",
        "            for LSTM, GRU and SimpleRNN with the functions that are listed in",
        "            statewise.recurrence.activations, but for single steps of few samples;",
        "            anything else: the reference",
    ]


def _gpu_lines() -> list[str]:
    wish = gpu.chosen()
    if wish == "reference":
        return [f"recurrence  the reference (a compiled lax.scan), because {gpu.SWITCH}=reference"]
    rest = "our own kernels, never measured" if wish == "kernels" else "the reference"
    if not has_cudnn():
        return [f"recurrence  {rest} (a compiled lax.scan), because the installed JAX has no cuDNN"]
    return [
        f"recurrence  cuDNN's LSTM ({gpu.SWITCH}=reference switches it off), masked or not, with",
        "            tanh and sigmoid in float32, bfloat16 and float16, without resets and without",
        f"            dropout between steps; anything else: {rest}",
    ]


def _small_loops_line(device: str) -> str:
    reason = _small_loops.why_not_whole()
    if device != "cpu":
        reason = f"it compiles them for a {device}"
    if reason is not None:
        return f"small loops compiled as XLA does it, because {reason}"
    return f"small loops compiled in one piece, up to {_small_loops.LIMIT >> 10} KiB a turn"


def _programs_line() -> str:
    reason = compilation_cache.why_off()
    if reason is not None:
        return f"programs    compiled in every process, because {reason}"
    return f"programs    kept in {compilation_cache.folder_in_use()} ({compilation_cache.SWITCH}=0)"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "(not installed)"
