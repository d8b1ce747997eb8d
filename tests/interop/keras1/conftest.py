"""Each test meets every old spelling for the first time."""

import pytest

from statewise.interop.keras1 import spelling


@pytest.fixture(autouse=True)
def _nothing_warned_of(monkeypatch):
    monkeypatch.setattr(spelling, "_warned", set())
