"""The picture of a text by how much each of its tokens surprised a model."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

_WIDE = 80  # letters of a line
_MOST_LINES = 50
_MOST_BITS = 8.0  # where the shade is the darkest
_LETTER = (0.115, 0.24)  # inches of a letter
_SHADES = "Oranges"  # from white on, in one hue: its lightness alone tells
_SHOWN = {"\n": "↵", "\t": "⇥", "\r": "␍"}


def plot_surprise(
    tokens: Sequence[str], log_likelihoods: Sequence[float] | np.ndarray, *, title: str = ""
) -> Figure:
    """Draw a text with each token shaded by its surprise: minus the log2 of its probability.

    White is what was sure to come, the darkest shade what takes 8 bits and more. Lines are cut at
    80 letters; of a long text the first 50 lines are drawn.

    Args:
        tokens: of the text, in their order.
        log_likelihoods: of each, in nats, as `TextGenerator.log_likelihood` gives them with
            ``each=True``.
        title: stands above.

    Raises:
        ValueError: where there are no tokens, or not as many numbers.

    >>> figure = plot_surprise(["a", " cat", "\\n"], np.log([0.5, 0.1, 0.9]))
    >>> len(figure.axes)
    2
    """
    told = np.asarray(log_likelihoods, float)
    if not len(tokens) or told.shape != (len(tokens),):
        raise ValueError(
            f"log_likelihoods must have one number for each of the {len(tokens)} tokens, of which "
            f"there must be one at least, but has the shape {told.shape}"
        )
    bits = np.minimum(-told / np.log(2), 1e6)
    cells = list(_cells(tokens, bits))
    lines = 1 + max(line for line, *_ in cells)
    size = (_WIDE * _LETTER[0] + 1.2, lines * _LETTER[1] + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.add_subplot()
    shades: np.ndarray = np.zeros((lines, _WIDE))
    for line, column, letter, surprise in cells:
        shades[line, column] = surprise
        dark = surprise > 0.6 * _MOST_BITS
        style: dict[str, Any] = {"color": "white" if dark else "black", "parse_math": False}
        style |= {"ha": "center", "va": "center", "family": "monospace", "fontsize": 9}
        axes.text(column, line, letter, **style)
    scale = Normalize(0, _MOST_BITS)
    colours = ScalarMappable(scale, colormaps[_SHADES])
    axes.imshow(shades, cmap=_SHADES, norm=scale, aspect="auto")
    axes.set_axis_off()
    axes.set_title(title, loc="left", fontsize=10, parse_math=False)
    figure.colorbar(colours, ax=axes, label="bits", fraction=0.02, pad=0.01)
    return figure


def _cells(tokens: Sequence[str], bits: np.ndarray) -> Iterator[tuple[int, int, str, float]]:
    """Yield (line, column, letter, bits) for each letter, until the last line is full."""
    line = column = 0
    for token, surprise in zip(tokens, bits.tolist(), strict=True):
        for letter in token:
            if column == _WIDE:
                line, column = line + 1, 0
            if line == _MOST_LINES:
                return
            shown = _SHOWN.get(letter, letter if letter.isprintable() else "�")
            yield line, column, shown, surprise
            column += 1
            if letter == "\n":
                line, column = line + 1, 0
