"""Compiled programs kept on disk, so that the next process need not compile them again.

JAX does the keeping; here it's told where, and how much. A program holds calls of the native
kernels and instructions of this processor, so each version of the two has a folder of its own:
what was compiled for another is never loaded.
"""

import hashlib
import importlib.util
import os
import platform
import shutil
import time
from pathlib import Path

import filelock
import jax
import platformdirs
from jax.experimental.compilation_cache import compilation_cache

from statewise._version import __version__

# By this environment variable the cache is switched off ("0"), or put into another folder.
SWITCH = "STATEWISE_CACHE"

MAX_BYTES = 512 << 20
_UNUSED_DAYS = 30


class _Now:
    """What is in force in this process."""

    folder: Path | None = None
    off_reason: str | None = "nothing has asked for it"


def keep_compiled_programs(folder: str | os.PathLike | None = None) -> Path | None:
    """Let JAX keep what it compiles in a folder of the user's cache, at most 512 MiB of it.

    Importing this package does it. What was used least recently is thrown away first. A cache that
    the user has chosen for JAX is left as it is (``jax_compilation_cache_dir``, or the environment
    variable ``JAX_COMPILATION_CACHE_DIR``); ``STATEWISE_CACHE=0`` switches this one off, and
    ``STATEWISE_CACHE=FOLDER`` moves it.

    Args:
        folder: where; None for what the environment says, or else the user's cache folder. In
            both "~" is the home folder.

    Returns:
        The folder in use, or None where there is none: then programs are compiled in every process.

    >>> folder = keep_compiled_programs()
    >>> folder is None or folder.is_dir()
    True
    """
    wish = os.environ.get(SWITCH, "").strip()
    if wish.lower() in ("0", "off", "false", "no"):
        _Now.off_reason = f"the environment variable {SWITCH} switches it off"
        return None
    own = jax.config.jax_compilation_cache_dir  # type: ignore[attr-defined]  # made as JAX starts
    if own not in (None, "", str(_Now.folder)):
        _Now.off_reason = f"JAX has one of its own, {own}"
        return None
    base = Path(folder or wish or platformdirs.user_cache_path("statewise"))
    try:
        # A shell leaves "~" as it is inside quotes; JAX would keep a relative path wherever the
        # process goes later.
        base = base.expanduser().absolute()
    except (RuntimeError, OSError) as error:
        _Now.off_reason = f"{base} leads nowhere: {error}"
        return None
    chosen = base / f"programs-{_fingerprint()}"
    try:
        new = not chosen.exists()
        chosen.mkdir(parents=True, exist_ok=True)
        _check_writable(chosen)
        if new:
            _forget_unused(base, chosen)
        else:
            _forget_cut(chosen)
    except (OSError, ValueError) as error:  # ValueError for a path with a zero byte
        _Now.off_reason = f"{chosen} can't be written: {getattr(error, 'strerror', error)}"
        return None
    jax.config.update("jax_compilation_cache_dir", str(chosen))
    jax.config.update("jax_compilation_cache_max_size", MAX_BYTES)
    # A recurrent model is many small programs; each is worth its file.
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", 0)
    compilation_cache.reset_cache()  # JAX asks once a process; it may have asked before
    _Now.folder, _Now.off_reason = chosen, None
    return chosen


def folder_in_use() -> Path | None:
    """Return where this package lets JAX keep programs, or None."""
    return _Now.folder


def why_off() -> str | None:
    """Return why this package keeps no programs, as part of a sentence; None where it does."""
    return _Now.off_reason


def _fingerprint() -> str:
    """Return a short name for this version of the package, its kernels and this processor."""
    parts = [__version__, jax.__version__, platform.machine(), _processor()]
    extension = importlib.util.find_spec("statewise.recurrence.native._native")
    if extension is not None and extension.origin:
        parts.append(hashlib.sha256(Path(extension.origin).read_bytes()).hexdigest())
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _processor() -> str:
    """Return what tells processors apart for which XLA compiles differently."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    marks = ("model name", "flags", "Features", "CPU part")
    return "\n".join(dict.fromkeys(line for line in lines if line.startswith(marks)))


def _check_writable(folder: Path) -> None:
    probe = folder / f".probe-{os.getpid()}"
    probe.touch()
    probe.unlink()


def _forget_unused(base: Path, chosen: Path) -> None:
    """Remove the folders of other versions that nobody has used for a month."""
    limit = time.time() - _UNUSED_DAYS * 24 * 3600
    for other in base.glob("programs-*"):
        if other != chosen and other.stat().st_mtime < limit:
            shutil.rmtree(other, ignore_errors=True)


def _forget_cut(folder: Path) -> None:
    """Remove the programs whose writing was cut short: JAX would warn of them in every process.

    JAX writes a program, and then a file with the time of its last use: where that is missing, the
    process was killed, or the disk was full. While JAX writes, or reads, it holds the lock.
    """
    names = set(os.listdir(folder))
    programs = [name for name in names if name.endswith("-cache")]
    cut = [name for name in programs if f"{name.removesuffix('-cache')}-atime" not in names]
    if not cut:
        return
    try:
        with filelock.FileLock(folder / ".lockfile", timeout=0):
            for name in cut:
                if not (folder / f"{name.removesuffix('-cache')}-atime").exists():
                    (folder / name).unlink(missing_ok=True)
    except filelock.Timeout:
        return  # another process writes; the next one that starts looks again
