"""The compiled extension: found or not, and why, and its custom calls made known to XLA."""

import functools
import logging
import os
from types import ModuleType

import jax

FORWARD, BACKWARD = "statewise_recurrence_forward", "statewise_recurrence_backward"
ADAM = "statewise_adam"

# By this environment variable the native path is switched off, for good, when it's first asked for.
SWITCH = "STATEWISE_NATIVE"


@functools.cache
def _load() -> tuple[ModuleType | None, str | None]:
    """Return the extension, its custom calls registered, or why there is none."""
    if os.environ.get(SWITCH, "1").strip().lower() in ("0", "off", "false", "no"):
        return None, f"the environment variable {SWITCH} switches it off"
    try:
        from statewise.recurrence.native import _native
    except ImportError as error:
        return None, (
            "the extension is not built here (it is built with the package where there is a C++ "
            f"compiler): {error}"
        )
    try:
        for name, handler in (
            (FORWARD, _native.forward_handler()),
            (BACKWARD, _native.backward_handler()),
            (ADAM, _native.adam_handler()),
        ):
            jax.ffi.register_ffi_target(name, handler, platform="cpu")
    except Exception as error:  # JAX raises its runtime's own type where the interfaces differ
        version = ".".join(map(str, _native.ffi_api_version))
        return None, (
            f"the installed jaxlib does not take the extension, which was built for XLA's "
            f"custom-call interface {version} (install statewise anew): {error}"
        )
    return _native, None


def available() -> bool:
    """Return whether the extension is built, loaded and not switched off."""
    return _load()[0] is not None


def unavailable_reason() -> str | None:
    """Return why there is no extension, as part of a sentence, or None if there is one."""
    return _load()[1]


@functools.cache
def say_if_missing() -> None:
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
