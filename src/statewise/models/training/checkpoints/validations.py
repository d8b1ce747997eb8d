"""What a training was validated on, when it goes on from a checkpoint: the same batches again."""

from typing import Any

import numpy as np

from statewise.models.training.checkpoints.container import digest_of
from statewise.models.training.checkpoints.identity import facts_of_data
from statewise.models.training.checkpoints.randomness import RandomState
from statewise.models.training.checkpoints.replay import digest_of_batch
from statewise.models.training.lane_batches import LaneBatches
from statewise.models.training.validation import SameBatches


class Validations:
    """The place in what is validated on.

    Args:
        validation: its batches, or None.
    """

    def __init__(self, validation: SameBatches | LaneBatches | None):
        self._validation = validation
        self._digest: str | None = None

    def facts(self) -> dict[str, Any] | None:
        """Return what the validation's data are; None without any."""
        return facts_of_data(self._validation)

    def place(self) -> dict[str, Any]:
        """Return how far it is: the epoch of lanes, what was kept of a generator."""
        validation = self._validation
        if isinstance(validation, LaneBatches):
            return {"lanes": validation.next_epoch}
        kept = validation.kept if validation is not None else None
        if not kept:
            return {}
        if self._digest is None:
            self._digest = digest_of(np.asarray([digest_of_batch(p, p.steps - 1) for p in kept]))
        return {"kept": self._digest}

    def go_to(self, place: dict[str, Any]) -> None:
        """Come to that place; read again what was kept of a generator.

        Raises:
            ValueError: where the generator gives other batches.
        """
        validation = self._validation
        if isinstance(validation, LaneBatches):
            validation.next_epoch = place["lanes"]
        elif validation is not None and "kept" in place:
            before = RandomState.now()
            for _ in validation.epoch():
                pass
            before.apply()
            if self.place() != place:
                raise ValueError(
                    "checkpoint: validation_data is a generator that gives other batches than "
                    "before the checkpoint. Let it draw from a generator of its own, with a seed; "
                    "or give arrays, or another folder to begin anew."
                )
