"""Each test meets every old spelling for the first time."""

import pytest

from statewise.interop.keras1 import spelling


@pytest.fixture(autouse=True)
def _nothing_said(monkeypatch):
    monkeypatch.setattr(spelling, "_said", set())
