"""Text that a network writes: token after token, until its length or a stop string."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from statewise.tasks.text.drawing import Drawing
from statewise.tasks.text.loops import STEPS, Loop
from statewise.tasks.text.tokens import Tokens


def written(
    loop: Loop,
    tokens: Tokens,
    prompts: Sequence[np.ndarray],
    *,
    length: int,
    drawing: Drawing,
    stops: Sequence[Any],
    seed: int | None,
) -> Iterator[list[Any]]:
    """Yield what follows each prompt, some tokens at a time; nothing for one that has ended.

    Each row draws from a generator of its own, which only the seed and the row's number decide: the
    first row's text is that of its prompt alone.

    Args:
        loop: what draws.
        tokens: of the text.
        prompts: their numbers, one array for each row.
        length: how many tokens to write at most.
        drawing: how they are drawn.
        stops: texts at which a row ends; they are left out.
        seed: of the draws; None for others in every call.
    """
    entropy: Any = np.random.SeedSequence().entropy if seed is None else seed
    draws = [np.random.default_rng([entropy, row]) for row in range(len(prompts))]
    ends = [_End(tokens, stops) for _ in prompts]
    carried = loop.begin(prompts)
    for first in range(0, length, STEPS):
        uniform = np.stack([draw.random(STEPS) for draw in draws])
        drawn, carried = loop.draw(carried, drawing, uniform)
        drawn = drawn[:, : length - first]
        last = first + STEPS >= length
        yield [end.take(row, last) for end, row in zip(ends, drawn, strict=True)]
        if all(end.reached for end in ends):
            return


class _End:
    """Finds the first stop string in what is written, and holds back what may be its beginning."""

    def __init__(self, tokens: Tokens, stops: Sequence[Any]):
        self._tokens, self._stops = tokens, stops
        self._held = tokens.decode([])
        self.reached = False

    def take(self, drawn: np.ndarray, last: bool) -> Any:
        """Return what is sure to be written by now."""
        if self.reached:
            return self._held
        text = self._held + self._tokens.decode(drawn.tolist())
        found = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        self.reached = bool(found) or last
        if self.reached:
            self._held = text[:0]
            return text[: min(found)] if found else text
        kept = self._beginning(text)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def _beginning(self, text: Any) -> int:
        """Return how much of a text's end may be the beginning of a stop string."""
        most = max((len(stop) for stop in self._stops), default=1) - 1
        for size in range(min(most, len(text)), 0, -1):
            if any(stop.startswith(text[len(text) - size :]) for stop in self._stops):
                return size
        return 0


def stops_of(stop: Any, level: str) -> list[Any]:
    """Return stop strings as a list.

    Raises:
        TypeError, ValueError: where they are none.
    """
    if stop is None:
        return []
    given = [stop] if isinstance(stop, (str, bytes)) else list(stop)
    for one in given:
        if not isinstance(one, (str, bytes)) or (isinstance(one, bytes) and level != "bytes"):
            raise TypeError(f"stop must be a str or a list of them, but {one!r:.60} is among them")
        if not one:
            raise ValueError("stop must be text, but an empty one is among them")
    return [one.encode() if level == "bytes" and isinstance(one, str) else one for one in given]
