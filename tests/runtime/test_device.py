"""Where programs will run."""

import jax

from statewise._runtime.device import platform


def test_the_default_backend_is_where_programs_run(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert platform() == "gpu"


def test_a_chosen_device_goes_before(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "tpu")
    for chosen, kind in (("gpu", "gpu"), (jax.local_devices(backend="cpu")[0], "cpu")):
        with jax.default_device(chosen):
            assert platform() == kind
    assert platform() == "tpu"
