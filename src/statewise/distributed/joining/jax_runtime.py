"""All that leans on JAX's own insides for a run of several processes, one name each.

``jax.distributed.initialize`` lets process 0 host the coordination service, and every process end
by ``abort`` when the service is gone or a process is: whoever is left has no say in it. Here the
service is in the meeting, and who is lost is found out there (see `meeting`); JAX's part is to let
the devices of all processes be one.
"""

import ctypes
import sys
from unittest import mock

import jax
from jax._src import clusters, dispatch, distributed, xla_bridge
from jax.experimental import multihost_utils

_FOREVER = 10 * 365 * 24 * 3600


class _Elsewhere:
    """Stands for the service, which runs in the meeting."""

    def shutdown(self) -> None:
        """Do nothing."""


def has_computed() -> bool:
    """Whether JAX has opened its devices."""
    return xla_bridge.backends_are_initialized()


def cluster() -> tuple[str, int, int] | None:
    """Return address, number of processes and number of this one, as a cluster says; or None."""
    address, processes, process, _ = clusters.ClusterEnv.auto_detect_unset_distributed_params(
        None, None, None, [0], None, 60
    )
    if address is None or processes is None or process is None:
        return None
    return address, processes, process


def start_runtime(address: str, place, *, wait: float) -> None:
    """Let JAX know of the other processes."""
    # What it does beside: look for a notice by a cloud that the machine will be taken away.
    jax.config.update("jax_enable_preemption_service", False)
    made = _Elsewhere()
    with mock.patch.object(distributed._jax, "get_distributed_runtime_service", return_value=made):
        jax.distributed.initialize(
            address,
            place.processes,
            place.process,
            initialization_timeout=int(wait),
            heartbeat_timeout_seconds=_FOREVER,
            cluster_detection_method="deactivate",
        )


def place_values_alone() -> None:
    """Let a process make a variable, or load a model, without the others.

    Wherever a value is laid on the devices of all processes, JAX asks all of them whether they have
    the same one; a process that loads a model alone would wait for an answer, or take that of
    another question. Whether all have the same weights is asked by `fit` (and so on) instead.
    """
    asked = multihost_utils.assert_equal

    def assert_equal(*args, **kwargs):
        if sys._getframe(1).f_globals.get("__name__") != dispatch.__name__:
            asked(*args, **kwargs)

    multihost_utils.assert_equal = assert_equal


def forget_runtime() -> None:
    """Let this process end without waiting for the others.

    JAX's client would wait for all of them when it is taken down, and end in an ``abort`` where one
    is gone; so it is never taken down.
    """
    state = distributed.global_state
    if state.client is not None:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(state.client))
    state.client = state.service = None
