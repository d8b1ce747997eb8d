"""Puts a report together: style, scripts, texts and numbers in one HTML file."""

import json
from importlib.resources import files
from pathlib import Path

from statewise.pictures.render.one_file import data_element, one_file, write_page
from statewise.pictures.report.content import Report

_ASSETS = files("statewise.pictures.report") / "assets"


def report_page(report: Report) -> str:
    """Return a report as one HTML text, which needs no other file and no network.

    >>> report = Report({"title": "Sales & <more>"}, "")
    >>> page = report_page(report)
    >>> page.startswith("<!doctype html>"), "<title>Sales &amp; &lt;more&gt;</title>" in page
    (True, True)
    """
    content = json.dumps(report.content, ensure_ascii=False, separators=(",", ":"))
    parts = {
        "title": _escaped(str(report.content["title"])),
        "content": data_element("application/json", "content", content),
        "numbers": data_element("text/plain", "numbers", report.numbers),
    }
    return one_file(_ASSETS, parts)


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
    return write_page(report_page(report), path)


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
