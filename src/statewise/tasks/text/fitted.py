"""What a `TextGenerator` has after its fit: the trained network, and what runs it."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from statewise.models import Model
from statewise.tasks.text.documents import pieces
from statewise.tasks.text.loops import Loop, loop_of
from statewise.tasks.text.network import Plan, network
from statewise.tasks.text.passing import Passes
from statewise.tasks.text.tokens import Tokens


@dataclass(eq=False)
class Learned:
    """A trained network and the tokens it was trained on.

    Attributes:
        plan: what it's made of.
        tokens: of the text.
        model: the network.
        facts: what was found in training, as JSON holds it: "history", "epochs", "lanes".
    """

    plan: Plan
    tokens: Tokens
    model: Model
    facts: dict[str, Any] = field(default_factory=dict)

    @cached_property
    def passes(self) -> Passes:
        """What runs the network over texts."""
        return Passes(self.model, len(self.tokens))

    @cached_property
    def loop(self) -> Loop:
        """What runs its closed loop."""
        return loop_of(self.model, self.passes, self.tokens.never_drawn)

    def log_likelihoods(self, document: Any, encoding: str = "utf-8") -> Iterator[np.ndarray]:
        """Yield those of one document's tokens, some at a time."""
        found = pieces(document, self.tokens.level, encoding)
        return self.passes.log_likelihoods(self.tokens.encode(piece.text) for piece in found)

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled: no compiled program, but the weights."""
        weights = [np.asarray(v.value) for v in self.model.trainable_variables]
        return {
            "plan": self.plan,
            "tokens": self.tokens.get_state(),
            "weights": weights,
            "facts": self.facts,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Make the network of what was pickled."""
        self.plan, self.facts = state["plan"], state["facts"]
        self.tokens, self.model = Tokens.from_state(state["tokens"]), network(self.plan)
        for variable, values in zip(self.model.trainable_variables, state["weights"], strict=True):
            variable.assign(values)


class Fitted:
    """What has a trained network, once it's fitted."""

    _learned: Learned

    def _check_fitted(self) -> Learned:
        if not hasattr(self, "_learned"):
            raise ValueError("this TextGenerator is not fitted yet: call fit(text) first")
        return self._learned

    def __getstate__(self) -> dict[str, Any]:
        """Return what is pickled; the network is within what was learned."""
        return {name: value for name, value in vars(self).items() if name != "model_"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Take what was pickled."""
        vars(self).update(state)
        if "_learned" in state:
            self.model_ = self._learned.model
