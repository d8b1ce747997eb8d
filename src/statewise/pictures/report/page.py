"""Puts a report together: style, scripts, texts and numbers in one HTML file."""

import json
from importlib.resources import files
from pathlib import Path

from statewise._version import __version__
from statewise.pictures.learn.bundle import bundle
from statewise.pictures.report.content import Report

_ASSETS = files("statewise.pictures.report") / "assets"
_MAIN = "main.js"


def report_page(report: Report) -> str:
    """Return a report as one HTML text, which needs no other file and no network.

    >>> report = Report({"title": "Sales & <more>"}, "")
    >>> page = report_page(report)
    >>> page.startswith("<!doctype html>"), "<title>Sales &amp; &lt;more&gt;</title>" in page
    (True, True)
    """
    folder = _ASSETS / "scripts"
    scripts = {part.name: part.read_text("utf-8") for part in folder.iterdir()}
    scripts = {name: text for name, text in scripts.items() if name.endswith(".js")}
    content = json.dumps(report.content, ensure_ascii=False, separators=(",", ":"))
    parts = {
        "<!-- title -->": _escaped(str(report.content["title"])),
        "<!-- style -->": f"<style>\n{_asset('style.css')}</style>",
        # "<" would end the script element, or begin a comment, wherever it stood in the text.
        "<!-- content -->": _data("application/json", "content", content.replace("<", "\\u003c")),
        "<!-- numbers -->": _data("text/plain", "numbers", report.numbers),
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


def write_report(report: Report, path: str | Path) -> Path:
    """Write a report to a file, in a folder that is made if there is none.

    Args:
        report: from `report_of_backtest` or `report_of_forecast`.
        path: the file; an existing one is written over.

    Returns:
        The absolute path of the file.

    Raises:
        OSError: where the file can't be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_report(Report({"title": "Sales"}, ""), f"{folder}/report.html").name
    'report.html'
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(report_page(report), encoding="utf-8")
    return path


def _asset(name: str) -> str:
    return (_ASSETS / name).read_text("utf-8")


def _data(kind: str, name: str, text: str) -> str:
    return f'<script type="{kind}" id="{name}">{text}</script>'


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
