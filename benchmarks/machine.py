"""What a measurement was made on: the processor, its threads, the versions of everything."""

import json
import os
import platform
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PACKAGES = ("jax", "keras", "numpy", "tensorflow-cpu", "tensorflow", "torch")
_VERSIONS = f"""
import json, platform
from importlib.metadata import PackageNotFoundError, version
found = {{"Python": platform.python_version()}}
for name in {_PACKAGES}:
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""
_NATIVE = (
    "from statewise.recurrence import native;"
    "print(native.extension.extension().instruction_set()"
    " if native.available() else native.unavailable_reason())"
)


def processor() -> str:
    """Return the name of the processor."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            return next(line.split(":")[1].strip() for line in lines if "model name" in line)
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def threads() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def versions(python: str) -> dict[str, str]:
    """Return the version of another Python, and those of the libraries that it has."""
    return json.loads(_run(python, _VERSIONS) or "{}")


def native_kernels() -> str:
    """Return the native kernels' instruction set, or why they can't be used."""
    return _run(sys.executable, _NATIVE) or "unknown"


def large_pages() -> str:
    """Return the system's setting of transparent huge pages."""
    try:
        text = Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text(encoding="utf-8")
    except OSError:
        return "unknown"
    return text.partition("[")[2].partition("]")[0] or "unknown"


def facts(peer_python: str) -> dict[str, str]:
    """Return all of it by name, for a run whose peers are run by ``peer_python``."""
    kernel = platform.release().partition("-")[0]
    ours, peers = (
        ", ".join(f"{name} {number}" for name, number in versions(python).items())
        for python in (sys.executable, peer_python)
    )
    return {
        "processor": f"{processor()}, {threads()} threads",
        "system": " ".join([platform.system(), kernel + ",", *platform.libc_ver()]),
        "transparent huge pages": large_pages(),
        "statewise": f"{version('statewise')}; native kernels: {native_kernels()}; {ours}",
        "peers": peers,
        "numbers": "float32",
    }


def machine() -> str:
    """Return the machine, its threads and the versions, in a line."""
    found = []
    for name in ("jax", "keras", "numpy"):
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            continue
    return (
        f"{processor()}, {threads()} threads, Python {platform.python_version()}, "
        f"{', '.join(found)}, float32; native kernels: {native_kernels()}"
    )


def _run(python: str, code: str) -> str:
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=False)
    return done.stdout.strip()
