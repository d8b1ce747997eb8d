"""The random state that a process has: NumPy's and Python's generators, and Keras's global seed.

Seeds of layers (dropout) are variables of the model, and kept with its weights.
"""

import random
from typing import Any, NamedTuple

import numpy as np

from statewise._keras_compat import global_seed_variable, made_global_seed


class RandomState(NamedTuple):
    """What the next random numbers are drawn from.

    Attributes:
        numpy: what ``np.random.get_state(legacy=False)`` says.
        python: what ``random.getstate`` says.
        keras: the value of Keras's global seed generator; None while there is none.
    """

    numpy: Any
    python: Any
    keras: Any

    @classmethod
    def now(cls) -> "RandomState":
        """Return the state that the process has now.

        >>> before = RandomState.now()
        >>> drawn = np.random.rand(3), random.random()
        >>> before.apply()
        >>> bool(np.all(np.random.rand(3) == drawn[0])), random.random() == drawn[1]
        (True, True)
        """
        variable = global_seed_variable()
        seed = None if variable is None else np.asarray(variable.value)
        return cls(np.random.get_state(legacy=False), random.getstate(), seed)

    def apply(self) -> None:
        """Let the process have this state."""
        np.random.set_state(self.numpy)
        random.setstate(self.python)
        if self.keras is not None:
            made_global_seed().assign(self.keras)
