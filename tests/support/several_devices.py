"""Programs on several devices of the CPU, which exist only where they are asked for before JAX."""

import os
import subprocess
import sys
import textwrap

BEGIN = """
import statewise
import jax, keras
import numpy as np
from statewise import layers
from statewise.sequences import lanes

def close(one, other, tolerance=1e-5):
    found, expected = jax.tree.flatten(one), jax.tree.flatten(other)
    assert found[1] == expected[1], (found[1], expected[1])
    for a, b in zip(found[0], expected[0], strict=True):
        np.testing.assert_allclose(a, b, atol=tolerance, rtol=tolerance)

def share_out():
    keras.distribution.set_distribution(keras.distribution.DataParallel())
"""


def environment(devices: int) -> dict[str, str]:
    """Return the environment of a program that is to see so many devices."""
    flags = f"{os.environ.get('XLA_FLAGS', '')} --xla_force_host_platform_device_count={devices}"
    return {**os.environ, "XLA_FLAGS": flags, "JAX_PLATFORMS": "cpu", "STATEWISE_CACHE": "0"}


def on_devices(devices: int, code: str) -> None:
    """Run a program, after `BEGIN`, and fail with what it says where it fails."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + textwrap.dedent(code)],
        env=environment(devices),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-4000:]
