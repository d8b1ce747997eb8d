"""The learner's page in a headless Chromium; skipped, with the reason, where there is none."""

import pytest

from browser import chromium, watched  # noqa: F401
from statewise.pictures.learn import write_learn_page


@pytest.fixture(scope="session")
def page_file(tmp_path_factory):
    return write_learn_page(tmp_path_factory.mktemp("page") / "learn.html")


@pytest.fixture
def page(chromium, page_file):  # noqa: F811
    """The page, just opened; at the end of every test: no error, and nothing else was loaded."""
    yield from watched(chromium, page_file)
