"""Text that every Python has at hand: the source of its own standard library."""

import ast
import re
import sysconfig
import tokenize
from pathlib import Path

from statewise.datasets._checks import check_counts

# Modules in plain Python, of several kinds of writing; in this order in the text.
_MODULES = [
    "textwrap",
    "argparse",
    "collections/__init__",
    "json/decoder",
    "json/encoder",
    "statistics",
    "random",
    "heapq",
    "bisect",
    "functools",
    "contextlib",
    "dataclasses",
    "enum",
    "fractions",
    "difflib",
    "calendar",
    "configparser",
    "csv",
    "string",
    "copy",
    "pprint",
    "reprlib",
    "shutil",
    "tempfile",
    "subprocess",
    "threading",
    "queue",
    "sched",
    "selectors",
    "socketserver",
    "http/client",
    "http/server",
    "http/cookies",
    "urllib/parse",
    "urllib/request",
    "email/message",
    "logging/__init__",
    "logging/handlers",
    "unittest/case",
    "unittest/mock",
    "doctest",
    "pdb",
    "trace",
    "timeit",
    "traceback",
    "inspect",
    "typing",
    "tokenize",
    "ast",
    "dis",
    "pickle",
    "pickletools",
    "shelve",
    "tarfile",
    "zipfile",
    "gzip",
    "datetime",
    "_pydatetime",
    "_pydecimal",
    "numbers",
    "ipaddress",
    "uuid",
    "mailbox",
    "optparse",
    "cmd",
    "shlex",
    "asyncio/base_events",
    "asyncio/tasks",
    "asyncio/streams",
    "asyncio/queues",
    "concurrent/futures/_base",
    "multiprocessing/pool",
    "multiprocessing/managers",
    "xml/dom/minidom",
    "xml/etree/ElementTree",
    "html/parser",
    "turtle",
    "locale",
    "gettext",
    "sqlite3/dbapi2",
    "ftplib",
    "smtplib",
    "imaplib",
    "poplib",
]

# Words (with an apostrophe inside), numbers, and each sign by itself.
_TOKEN = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*|\d+|[^\w\s]|_")


def library_source(*, limit: int | None = None) -> str:
    """Return source code of this Python's own standard library, one module after the other.

    Nothing is downloaded or imported. The text differs a little between versions of Python.

    Args:
        limit: how many characters at most; ``None`` for all, about four million.

    Raises:
        TypeError: where the limit is no whole number.
        ValueError: where the limit is below 1.
        FileNotFoundError: where this Python comes without the source of its library.

    Example:
        >>> text = library_source(limit=1000)
        >>> len(text), "def " in library_source(limit=10_000)
        (1000, True)
    """
    if limit is not None:
        check_counts(limit=limit)
    parts, length = [], 0
    for text in _sources():
        parts.append(text)
        length += len(text)
        if limit is not None and length >= limit:
            break
    return "".join(parts)[:limit]


def library_words(*, limit: int | None = None) -> list[str]:
    """Return the words of the standard library's docstrings, in lower case, one after the other.

    Numbers and each punctuation mark are tokens of their own. Nothing is downloaded or imported.

    Args:
        limit: how many tokens at most; ``None`` for all, more than a hundred thousand.

    Raises:
        TypeError: where the limit is no whole number.
        ValueError: where the limit is below 1.
        FileNotFoundError: where this Python comes without the source of its library.

    Example:
        >>> library_words(limit=5)
        ['text', 'wrapping', 'and', 'filling', '.']
    """
    if limit is not None:
        check_counts(limit=limit)
    words: list[str] = []
    for text in _sources():
        for docstring in _docstrings(text):
            words += _TOKEN.findall(docstring.lower())
        if limit is not None and len(words) >= limit:
            break
    return words[:limit]


def _sources():
    folder = Path(sysconfig.get_path("stdlib"))
    paths = [folder / f"{module}.py" for module in _MODULES]
    paths = [path for path in paths if path.is_file()]  # some come and go between versions
    if not paths:
        raise FileNotFoundError(f"there is no source of the standard library in {folder}")
    for path in paths:
        with tokenize.open(path) as file:
            yield file.read()


def _docstrings(text: str):
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, kinds):
            docstring = ast.get_docstring(node)
            if docstring:
                yield docstring
