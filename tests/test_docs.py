"""The pages of the documentation: their code runs, prints what they say, and their links lead on.

The ``python`` blocks of a page run from top to bottom in one namespace, as if somebody typed them
one after the other. What a block prints must be what the ``output`` block right after it shows,
word by word, but for the amount of white space. Decimal fractions may be off by one in their last
place. In a block ``output about`` they may be off by a quarter: those are results of a training,
which another processor rounds another way.
"""

import contextlib
import io
import re
import warnings
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import keras
import pytest

from statewise.interop.keras1 import OldSpellingWarning

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"]

_FENCE = re.compile(r"^```([\w ]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_TOLERANCE = {"output": 0.0, "output about": 0.25}
_FRACTION = re.compile(r"-?\d+\.\d*(?:e[-+]?\d+)?")


def page_id(path: Path) -> str:
    return str(path.relative_to(ROOT))


@dataclass(frozen=True)
class Block:
    """A piece of code on a page.

    Attributes:
        code: the piece.
        line: on which line of the page it begins.
        output: what the page shows that it prints; None where it shows nothing.
        tolerance: by what part of it a decimal fraction may differ from the one shown.
    """

    code: str
    line: int
    output: str | None = None
    tolerance: float = 0.0


def blocks(text: str) -> list[Block]:
    found = []
    fences = [*_FENCE.finditer(text), None]
    for fence, after in pairwise(fences):
        if fence[1] != "python":
            continue
        line = text.count("\n", 0, fence.start(2)) + 1
        if after and after[1] in _TOLERANCE and not text[fence.end() : after.start()].strip():
            found.append(Block(fence[2], line, after[2], _TOLERANCE[after[1]]))
        else:
            found.append(Block(fence[2], line))
    return found


def agrees(got: str, shown: str, tolerance: float = 0.0) -> bool:
    """Whether an output is the one shown, to the precision of this module's docstring."""
    if _FRACTION.sub("#", got).split() != _FRACTION.sub("#", shown).split():
        return False
    pairs = zip(_FRACTION.findall(got), _FRACTION.findall(shown), strict=True)
    return all(_is_close(*pair, tolerance) for pair in pairs)


def _is_close(got: str, shown: str, tolerance: float) -> bool:
    digits, _, exponent = shown.partition("e")
    last_place = 10.0 ** (int(exponent or 0) - len(digits.partition(".")[2]))
    margin = max(1.01 * last_place, tolerance * abs(float(shown)))
    return abs(float(got) - float(shown)) <= margin


def run(page: Path) -> None:
    namespace = {"__name__": "__main__"}
    for block in blocks(page.read_text("utf-8")):
        # The blank lines give a traceback the page's own line numbers.
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
        if block.output is not None:
            got = printed.getvalue()
            assert agrees(got, block.output, block.tolerance), (
                f"{page_id(page)}, the code at line {block.line} prints\n\n{got}\n"
                f"but the page shows\n\n{block.output}"
            )


# What a page needs beside the package and its own dependencies; it's in the extra `test`.
_NEEDS = {"dask_and_spark.md": "dask.dataframe"}
_LONG = (
    "gallery.md",
    "forecasting.md",
    "understanding.md",
    "from_keras.md",
    "onnx.md",
    "classification.md",
)  # 10 s each


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] if page.name in _LONG else [], id=page_id(page))
        for page in PAGES
    ],
)
def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    if page.name in _NEEDS:
        pytest.importorskip(_NEEDS[page.name], reason=f"{page.name} needs {_NEEDS[page.name]}")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MPLBACKEND", "agg")
    keras.utils.clear_session()
    keras.utils.set_random_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", OldSpellingWarning)  # the page on old scripts shows them
        run(page)


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as the sites that show Markdown make them."""
    text = _FENCE.sub("", page.read_text("utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", TEXTS, ids=page_id)
def test_links_lead_somewhere(page):
    links = _LINK.findall(_FENCE.sub("", page.read_text("utf-8")))
    for link in links:
        if link.startswith(("https://", "http://")):
            continue
        target, _, anchor = link.partition("#")
        there = (page.parent / target).resolve() if target else page
        assert there.exists(), f"{page_id(page)} links to {link}: there is no such file"
        assert not anchor or anchor in anchors(there), f"{page_id(page)}: no heading for {link}"


def test_the_index_names_every_page():
    links = set(_LINK.findall((ROOT / "docs" / "index.md").read_text("utf-8")))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} <= links | {"index.md"}


def test_the_readme_names_two_commands():
    text = (ROOT / "README.md").read_text("utf-8")
    commands = re.findall(r"<!-- command: (\w+) -->\n```bash\n(.+)\n```", text)
    assert [name for name, _ in commands] == ["forecast", "tests"]


@pytest.mark.parametrize(
    ("got", "shown", "tolerance", "same"),
    [
        ("(93, 3, 1)\n", "(93,  3, 1)", 0, True),
        ("(93, 3, 1)", "(94, 3, 1)", 0.5, False),
        ("loss 0.1234", "loss 0.1235", 0, True),
        ("loss 0.1234", "loss 0.1236", 0, False),
        ("loss 0.1234", "loss 0.1434", 0.25, True),
        ("loss 0.1234", "loss 0.1734", 0.25, False),
        ("[0.5 1.25]", "[0.5 1.26]", 0, True),
        ("[ 0.5  -1.25]", "[0.5 -1.25]", 0, False),
        ("-0.50", "0.50", 0.25, False),
        ("3.1e-08", "3.2e-08", 0, True),
        ("one two", "one", 0, False),
        ("True", "False", 0.5, False),
    ],
)
def test_the_comparison_itself(got, shown, tolerance, same):
    assert agrees(got, shown, tolerance) == same


def test_the_blocks_are_found_where_they_stand():
    text = (
        "a\n```python\nx = 1\n```\nb\n```python\nprint(x)\n```\n```output\n1\n```\n"
        "```python\nprint(x / 3)\n```\n\n```output about\n0.3\n```\n"
    )
    assert blocks(text) == [
        Block("x = 1\n", 3),
        Block("print(x)\n", 7, "1\n"),
        Block("print(x / 3)\n", 13, "0.3\n", 0.25),
    ]
