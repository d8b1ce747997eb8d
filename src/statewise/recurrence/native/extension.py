"""The compiled extension: found or not, and why, and its custom calls made known to XLA."""

import functools
import logging
import os
from types import ModuleType

import jax

from statewise._runtime import threads

FORWARD, BACKWARD = "statewise_recurrence_forward", "statewise_recurrence_backward"
ADAM = "statewise_adam"
LINEAR_FORWARD, LINEAR_BACKWARD = "statewise_linear_forward", "statewise_linear_backward"

# By this environment variable the native path is switched off, for good, when it's first asked for.
SWITCH = "STATEWISE_NATIVE"
_OFF, _ON = ("0", "off", "false", "no"), ("", "1", "on", "true", "yes")
# These choose what the extension computes with.
_INSTRUCTION_SET, _THREADS = "STATEWISE_ISA", threads.SWITCH


@functools.cache
def _load() -> tuple[ModuleType | None, str | None]:
    """Return the extension, its custom calls registered, or why there is none.

    Raises:
        ValueError: if one of the environment variables says what there isn't. Each time it's asked
            for: whoever measures on another instruction set than they think is misled.
    """
    wish = os.environ.get(SWITCH, "").strip().lower()
    if wish in _OFF:
        return None, f"the environment variable {SWITCH} switches it off"
    if wish not in _ON:
        raise ValueError(
            f"The environment variable {SWITCH} is {os.environ[SWITCH]!r}; expected one of "
            f"{', '.join(_OFF)} to switch the native kernels off, or nothing."
        )
    try:
        from statewise.recurrence.native import _native
    except ImportError as error:
        return None, (
            "the extension is not built here (it is built with the package where there is a C++ "
            f"compiler): {error}"
        )
    _check_choices(_native.instruction_sets())
    try:
        for name, handler in (
            (FORWARD, _native.forward_handler()),
            (BACKWARD, _native.backward_handler()),
            (ADAM, _native.adam_handler()),
            (LINEAR_FORWARD, _native.linear_forward_handler()),
            (LINEAR_BACKWARD, _native.linear_backward_handler()),
        ):
            jax.ffi.register_ffi_target(name, handler, platform="cpu")
    except Exception as error:  # JAX raises its runtime's own type where the interfaces differ
        version = ".".join(map(str, _native.ffi_api_version))
        return None, (
            f"the installed jaxlib does not take the extension, which was built for XLA's "
            f"custom-call interface {version} (install statewise anew): {error}"
        )
    return _native, None


def _check_choices(instruction_sets: list[str]) -> None:
    """Refuse environment variables that the extension would pass over."""
    wish = os.environ.get(_INSTRUCTION_SET, "")
    if wish and wish not in instruction_sets:
        raise ValueError(
            f"The environment variable {_INSTRUCTION_SET} is {wish!r}, which this machine or build "
            f"doesn't have; choose one of {', '.join(instruction_sets)}, or unset it for the first."
        )
    wish = os.environ.get(_THREADS, "").strip()
    if wish and not (wish.isdecimal() and wish.isascii() and int(wish) > 0):
        raise ValueError(
            f"The environment variable {_THREADS} is {wish!r}; expected a whole number of threads, "
            "1 or more, or nothing for as many as there are processors."
        )


def available() -> bool:
    """Return whether the extension is built, loaded and not switched off."""
    return _load()[0] is not None


def unavailable_reason() -> str | None:
    """Return why there is no extension, as part of a sentence, or None if there is one."""
    return _load()[1]


@functools.cache
def log_if_missing() -> None:
    """Tell the log, once, that the reference serves for want of the extension; not if it's off."""
    reason = unavailable_reason()
    if reason is not None and SWITCH not in reason:
        logging.getLogger("statewise").warning(
            "The recurrence runs on the slower reference, because %s. "
            "statewise.recurrence.show_config() tells what serves; %s=0 says that this is wanted.",
            reason,
            SWITCH,
        )


def extension() -> ModuleType:
    """Return the extension.

    Raises:
        RuntimeError: if there is none; the message says why.
    """
    module, reason = _load()
    if module is None:
        raise RuntimeError(f"The native recurrence is not available: {reason}.")
    return module
