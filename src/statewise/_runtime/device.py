"""Where the programs that are traced now will run."""

import jax


def platform() -> str:
    """Return the kind of device that arrays are on by default: "cpu", "gpu" or "tpu".

    It's that of JAX's default backend, or of ``jax.default_device`` where one is chosen.

    >>> platform() in ("cpu", "gpu", "tpu")
    True
    """
    chosen = jax.config.jax_default_device  # type: ignore[attr-defined]  # made as it runs
    if chosen is None:
        return jax.default_backend()
    return chosen if isinstance(chosen, str) else chosen.platform
