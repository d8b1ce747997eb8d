"""Pages that are one HTML file: style, scripts and data put into their places."""

from importlib.resources import files
from pathlib import Path
from typing import Any

from statewise._version import __version__
from statewise._whole_files import written_whole
from statewise.pictures.render.bundle import bundle

_BASE = files("statewise.pictures") / "assets" / "base.css"


def one_file(assets: Any, parts: dict[str, str]) -> str:
    """Return a page that needs no other file and no network.

    Args:
        assets: the folder of the page's ``index.html``, ``style.css`` and ``scripts/``, of which
            ``main.js`` is the first.
        parts: HTML for the places of ``index.html`` that are written ``<!-- name -->``, by name.

    Raises:
        ValueError: where ``index.html`` hasn't such a place.

    >>> page = one_file(files("statewise.pictures.learn") / "assets", {"numbers": "<i>1</i>"})
    >>> "<i>1</i>" in page, "<script src" in page
    (True, False)
    """
    scripts = {
        part.name: part.read_text("utf-8")
        for part in (assets / "scripts").iterdir()
        if part.name.endswith(".js")
    }
    style = _BASE.read_text("utf-8") + (assets / "style.css").read_text("utf-8")
    parts = {
        "style": f"<style>\n{style}</style>",
        "scripts": f'<script type="module">\n{bundle(scripts, "main.js")}</script>',
        "version": __version__,
        **parts,
    }
    page = (assets / "index.html").read_text("utf-8")
    for name, part in parts.items():
        before, found, after = page.partition(f"<!-- {name} -->")
        if not found:
            raise ValueError(f"index.html has no place <!-- {name} -->")
        page = before + part + after
    return page


def data_element(kind: str, name: str, text: str) -> str:
    """Return data as an element that a page's scripts can read by its name.

    >>> data_element("application/json", "keys", '["</script>"]')
    '<script type="application/json" id="keys">["\\\\u003c/script>"]</script>'
    """
    # "<" could end the element, or begin a comment, wherever it stood in the text.
    safe = text.strip().replace("<", "\\u003c")
    return f'<script type="{kind}" id="{name}">{safe}</script>'


def write_page(text: str, path: str | Path) -> Path:
    """Write a page to a file, in a folder that is made if there is none; return where it is.

    Raises:
        OSError: where the file can't be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page("<p>", f"{folder}/new/page.html").name
    'page.html'
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with written_whole(path) as beside:
        beside.write_text(text, encoding="utf-8")
    return path
