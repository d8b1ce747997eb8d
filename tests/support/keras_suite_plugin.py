"""What Keras's tests expect of the pytest that runs them, and how each of them ended."""

import json
import os
from pathlib import Path

import jax
import pytest

if os.environ.get("KERAS_SUITE_SUBSTITUTES") == "1":
    from keras.src.testing import test_case

    import statewise

    test_case.Model = statewise.Model  # in which run_layer_test trains a layer

from keras.src import backend

_outcomes: dict[str, str] = {}


def skip_if_backend(given_backend, reason):
    """Keras's mark for a test that one engine doesn't run; tests import it from conftest."""
    return pytest.mark.skipif(backend.backend() == given_backend, reason=reason)


def pytest_configure(config):
    for name in ("requires_trainable_backend", "multi_device"):
        config.addinivalue_line("markers", f"{name}: one of Keras's")


def pytest_collection_modifyitems(items):
    for item in items:
        if item.get_closest_marker("multi_device") and jax.device_count() < 2:
            item.add_marker(pytest.mark.skip(reason="one device"))


def pytest_collectreport(report):
    if report.failed:
        _outcomes[report.nodeid] = "failed"


def pytest_runtest_logreport(report):
    if report.failed or (report.when == "call") or report.skipped:
        _outcomes[report.nodeid] = report.outcome


def pytest_sessionfinish():
    Path(os.environ["KERAS_SUITE_RESULTS"]).write_text(json.dumps(_outcomes))
