"""The code of the documentation's pages, for tests that use what a page offers."""

import re
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def block_with(page: str, words: str, language: str = "python") -> str:
    """Return the one block of code of a page that has some words in it."""
    text = (DOCS / page).read_text("utf-8")
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", text, re.M | re.S)
    (found,) = [block for block in blocks if words in block]
    return found
