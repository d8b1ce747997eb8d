"""What was found out about a model: the calls of its parts, and what hangs on what."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from statewise.pictures.trace.parts import Part
from statewise.pictures.trace.time_axis import TimeAxis


@dataclass(eq=False)
class Value:
    """An array that enters or leaves a part, or the model; one sample.

    Attributes:
        shape: with a batch axis of 1.
        dtype: as NumPy's.
        time: where the steps of its time axis are drawn.
        tokens: for numbers that choose a row of a table, how many rows there are.
    """

    shape: tuple[int, ...]
    dtype: str
    time: TimeAxis
    tokens: int | None = None

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        """Return random values."""
        if self._is_whole:
            return rng.integers(0, self._kinds, self.shape).astype(self.dtype)
        return rng.normal(size=self.shape).astype(self.dtype)

    def draw_other(self, values: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return random values that all differ from the given ones."""
        if not self._is_whole:
            return self.draw(rng)
        further = rng.integers(1, self._kinds, self.shape)
        return ((values.astype(int) + further) % self._kinds).astype(self.dtype)

    @property
    def _is_whole(self) -> bool:
        return self.tokens is not None or not np.issubdtype(self.dtype, np.inexact)

    @property
    def _kinds(self) -> int:
        return max(self.tokens or 5, 2)


@dataclass(eq=False)
class Node:
    """One call of a part.

    Attributes:
        part: what was called.
        inputs: what went in; of a recurrent layer the sequence, then its state.
        outputs: what came out; of a recurrent layer the output of each step, then its state.
        again: calls the part with other inputs.
        reach: for each output, for each input: bool (places of the output, places of the input),
            which of them it depends on. Empty for a recurrent layer.
        moves: whether every output is an input, put elsewhere.
        backwards: of a recurrent layer, whether it begins at the last step.
    """

    part: Part
    inputs: list[Value]
    outputs: list[Value]
    again: Callable
    reach: list[list[np.ndarray]] = field(default_factory=list)
    moves: bool = False
    backwards: bool = False


@dataclass(eq=False)
class Trace:
    """What `trace_of` found.

    Attributes:
        inputs: of the model.
        outputs: of the model.
        nodes: the calls of its parts, in order.
        carried: for each stateful recurrent layer, the arrays that it may take from the last batch.
        reach: for each goal (`goals`), for each source (`sources`): bool, as `Node.reach`.
        copied: for each goal, whether everything in it is something of a source, unchanged.
    """

    inputs: list[Value]
    outputs: list[Value]
    nodes: list[Node]
    carried: dict[int, list[Value]]
    reach: list[list[np.ndarray]] = field(default_factory=list)
    copied: list[bool] = field(default_factory=list)

    @property
    def sources(self) -> list[tuple[str, int, int, Value]]:
        """What the ways between the parts begin at: kind, number of the node, which, the value."""
        return [
            *(("input", 0, i, v) for i, v in enumerate(self.inputs)),
            *(
                ("output", n, i, v)
                for n, x in enumerate(self.nodes)
                for i, v in enumerate(x.outputs)
            ),
            *(("carried", n, i, v) for n, c in self.carried.items() for i, v in enumerate(c)),
        ]

    @property
    def goals(self) -> list[tuple[str, int, int, Value]]:
        """What the ways between the parts lead to."""
        return [
            *(("input", n, i, v) for n, x in enumerate(self.nodes) for i, v in enumerate(x.inputs)),
            *(("result", 0, i, v) for i, v in enumerate(self.outputs)),
        ]
