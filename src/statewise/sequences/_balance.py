"""How well lanes are used, and what is in the way where they could be used better."""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np


class Balance(NamedTuple):
    """How much of what is computed on lanes is of use.

    Attributes:
        useful_steps: the steps of all series that are inputs.
        computed_steps: those of all chunks: chunks x batch x time.
        longest_lane: the useful steps of that lane.
        shortest_lane: the useful steps of that lane.
    """

    useful_steps: int
    computed_steps: int
    longest_lane: int
    shortest_lane: int


def describe_limit(
    balance: Balance, batch: int, steps: int, lengths: np.ndarray, keys: list[Hashable]
) -> str:
    """Say what keeps the lanes from being full, and what to change.

    Args:
        balance: of the lanes.
        batch: how many there are.
        steps: of a chunk.
        lengths: the steps of each series that are inputs.
        keys: of the series.
    """
    longest = balance.longest_lane
    beyond = balance.computed_steps // batch - longest  # at the end of the last chunk
    if beyond >= longest - balance.useful_steps / batch:
        return (
            f"limit: the last chunk of {steps} steps goes {beyond} beyond the longest lane; "
            "take fewer steps or fewer lanes"
        )
    widest = int(lengths.argmax())
    if lengths[widest] == longest:
        fitting = balance.useful_steps // longest
        return (
            f"limit: series {keys[widest]!r} alone makes the longest lane; "
            f"take {fitting} lane{'s' if fitting > 1 else ''}{' or fewer' if fitting > 1 else ''}"
        )
    return "limit: whole series can't fill the lanes more evenly; take fewer lanes"
