"""How the parts of a diagram look: their inks, their sizes, and words in the middle of something.

Nothing is told by colour alone. Inputs are square, cells round, layers flat, outputs square with a
thick edge; the state's arrows are thick, what crosses batches or is fed back is dashed, and
whatever isn't plain has a word beside it.
"""

from statewise.pictures.diagram.elements import CELLS, INPUT, LAYER, OUTPUT
from statewise.pictures.render.scene import Ink, Words

# Tints of Okabe and Ito's colours, of different lightness.
INKS = {
    INPUT: Ink("#9C2F6B", "#FBE3EF", 1.4),
    CELLS: Ink("#00664B", "#D3EEE2", 2.0),
    LAYER: Ink("#555555", "#F1F1F1", 1.2),
    OUTPUT: Ink("#004C7D", "#DCEBF7", 3.0),
}
STATE_COLOR = "#00664B"
STATE_INK = Ink(STATE_COLOR, None, 2.6)
GIVEN_INK = Ink(STATE_COLOR, None, 2.6)
CARRIED_INK = Ink(STATE_COLOR, None, 2.6, (7, 4))
FED_BACK_INK = Ink("#B34700", None, 1.8, (5, 3))
GAP_DASH = (2.0, 3.0)
MUTED, DARK = "#5A5A5A", "#1A1A1A"

PITCH, WIDE = 100.0, 62.0  # from column to column; width of a box
HEIGHTS = {INPUT: 44.0, CELLS: 40.0, LAYER: 28.0, OUTPUT: 44.0}
BETWEEN = 40.0  # rows
OUTSIDE = 96.0  # room for arrows from and to other batches


def centered(x: float, y: float, text: str, size: float, color: str = DARK) -> Words:
    """Return words around a place."""
    return Words(x, y, text, size, anchor="middle", color=color)
