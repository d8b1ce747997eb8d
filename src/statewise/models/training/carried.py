"""What goes from batch to batch beside the trained variables: Keras's others, and states."""

from dataclasses import dataclass
from functools import partial

import jax

from statewise.layers import Carry
from statewise.models.training.flags import current_flags


@partial(
    jax.tree_util.register_dataclass,
    data_fields=["variables", "states"],
    meta_fields=["layers"],
)
@dataclass(frozen=True)
class Carried:
    """Keras's non-trainable variables, and the states of recurrent layers beside them.

    Keras's ``train_step`` hands its non-trainable variables through without looking at them; this
    is how the states travel along (see `statewise.models.training.steps`).

    Attributes:
        variables: the values of the variables; None for one that stays.
        states: for each of the layers, the arrays of its state.
        layers: the recurrent layers that take part.
    """

    variables: list
    states: list
    layers: tuple

    def carry(self) -> Carry:
        """Return the `Carry` that hands the layers their states."""
        states = dict(zip(self.layers, self.states, strict=True))
        return Carry(states, current_flags().resets)

    def after(self, variables: list, carry: Carry) -> "Carried":
        """Return what is carried on after a call."""
        return Carried(variables, carry.ended(self.layers), self.layers)

    def changed_since(self, before: "Carried") -> "Carried":
        """Return the same with None for each variable that a traced call left as it was.

        What comes out of a program for nothing takes longer than a small network.
        """
        pairs = zip(self.variables, before.variables, strict=True)
        changed = [None if new is old else new for new, old in pairs]
        return Carried(changed, self.states, self.layers)
