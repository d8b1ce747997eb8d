"""A training that is interrupted again and again, beside the same one that never is."""

from contextlib import contextmanager

import numpy as np

from statewise.models.structure import stateful_layers
from statewise.models.training.checkpoints.folder import Folder


class KilledError(BaseException):
    """What ends a training here, as nothing in the library expects it."""


@contextmanager
def ending_after(writes, monkeypatch):
    """Let a training end right after so many checkpoints have been written."""
    left, write = [writes], Folder.write

    def counted(self, *args):
        write(self, *args)
        left[0] -= 1
        if left[0] == 0:
            raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(Folder, "write", counted)
        yield


def interrupted(train, monkeypatch, writes=(1, 2)):
    """Train with checkpoints, and end after so many of them each time; return the last training.

    Args:
        train: takes whether to keep checkpoints; returns a fresh model and its history.
        monkeypatch: pytest's.
        writes: how many checkpoints are written before each interruption.
    """
    for count in writes:
        with ending_after(count, monkeypatch):
            try:
                train(True)
            except KilledError:
                continue
            raise AssertionError("the training ended before it was interrupted")
    return train(True)


def everything(model):
    """Return the bytes of all that a training has changed, by name."""
    found = {}
    groups = {"weights": model.variables, "optimizer": model.optimizer.variables}
    for kind, variables in groups.items():
        for number, variable in enumerate(variables):
            found[f"{kind} {number}"] = np.asarray(variable.value).tobytes()
    for number, layer in enumerate(stateful_layers(model)):
        arrays, carried = layer.memory.snapshot()
        found[f"state {number}"] = carried, [np.asarray(a).tobytes() for a in arrays or ()]
    return found


def assert_same_training(one, other):
    """Hold two trainings, ``(model, history)``, to each other, to the bit."""
    these, those = everything(one[0]), everything(other[0])
    assert [n for n in dict.fromkeys([*these, *those]) if these.get(n) != those.get(n)] == []
    assert repr(one[1].history) == repr(other[1].history)
    assert one[1].epoch == other[1].epoch
