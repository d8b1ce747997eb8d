"""Puts the learner's page together: style, scripts and numbers in one HTML file."""

from importlib.resources import files
from pathlib import Path

from statewise.pictures.render.one_file import data_element, one_file, write_page

_ASSETS = files("statewise.pictures.learn") / "assets"


def learn_page() -> str:
    """Return the learner's page as one HTML text, which needs no other file and no network.

    On the page one chooses layers, batch, time steps and features, and sees the unrolled picture,
    the shapes in words, the number of weights and the code, and a trained LSTM(4) calculating step
    by step. The text is the same in every call.

    >>> page = learn_page()
    >>> page.startswith("<!doctype html>"), "<script src" in page
    (True, False)
    """
    numbers = (_ASSETS / "tank_lstm.json").read_text("utf-8")
    return one_file(_ASSETS, {"numbers": data_element("application/json", "tank-lstm", numbers)})


def write_learn_page(path: str | Path) -> Path:
    """Write the learner's page to a file, in a folder that is made if there is none.

    Args:
        path: the file; an existing one is written over.

    Returns:
        The absolute path of the file.

    Raises:
        OSError: where the file can't be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_learn_page(f"{folder}/learn.html").name
    'learn.html'
    """
    return write_page(learn_page(), path)
