"""Puts the learner's page together: style, scripts and numbers in one HTML file."""

from importlib.resources import files
from pathlib import Path

from statewise._version import __version__
from statewise.pictures.learn.bundle import bundle

_ASSETS = files("statewise.pictures.learn") / "assets"
_SCRIPTS = "scripts"
_MAIN = "main.js"


def learn_page() -> str:
    """Return the learner's page as one HTML text, which needs no other file and no network.

    On the page one chooses layers, batch, time steps and features, and sees the unrolled picture,
    the shapes in words, the number of weights and the code, and a trained LSTM(4) calculating step
    by step. The text is the same in every call.

    >>> page = learn_page()
    >>> page.startswith("<!doctype html>"), "<script src" in page
    (True, False)
    """
    scripts = {
        part.name: part.read_text("utf-8")
        for part in (_ASSETS / _SCRIPTS).iterdir()
        if part.name.endswith(".js")
    }
    parts = {
        "<!-- style -->": f"<style>\n{_asset('style.css')}</style>",
        "<!-- numbers -->": _json("tank-lstm", _asset("tank_lstm.json")),
        "<!-- scripts -->": f'<script type="module">\n{bundle(scripts, _MAIN)}</script>',
        "<!-- version -->": __version__,
    }
    page = _asset("index.html")
    for place, part in parts.items():
        before, found, after = page.partition(place)
        if not found:
            raise ValueError(f"index.html has no place {place}")
        page = before + part + after
    return page


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
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(learn_page(), encoding="utf-8")
    return path


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")


def _json(name: str, text: str) -> str:
    # "</" would end the script element, wherever it stood in the text.
    safe = text.strip().replace("</", "<\\/")
    return f'<script type="application/json" id="{name}">{safe}</script>'
