"""The arrays that a training consists of: taken out of the model, and put back."""

from collections.abc import Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from statewise.models.structure import LaneStates
from statewise.models.training.programs import Programs
from statewise.models.training.shares import whole


def taken(model, programs: Programs) -> tuple[dict[str, np.ndarray], list]:
    """Return the values of all variables of a training and the states of its layers.

    They are the model's weights (with the seeds of its layers), the optimizer's variables (steps,
    learning rate, moments, moving averages, the scale of a loss), the metrics' sums within the
    epoch, and what recurrent layers carry: on lanes, or because they are stateful.

    Returns:
        The arrays by name, and what `put` has to know of the states.
    """
    arrays = {}
    for kind, variables in _groups(model).items():
        for number, variable in enumerate(variables):
            arrays[f"{kind}/{number}"] = whole(variable.value)
    states = []
    if isinstance(programs.states, LaneStates):
        kept = [(arrays_of, True) for arrays_of in programs.states.carried or []]
    else:
        kept = [layer.memory.snapshot() for layer in programs.layers]
    for number, (values, carried) in enumerate(kept):
        for i, value in enumerate(values or ()):
            arrays[f"state/{number}/{i}"] = whole(value)
        states.append((None if values is None else len(values), carried))
    return arrays, states


def put(model, programs: Programs, arrays: Mapping[str, np.ndarray], states: Sequence) -> None:
    """Give a training the values that `taken` has taken; the shapes are known to agree."""
    for kind, variables in _groups(model).items():
        for number, variable in enumerate(variables):
            name = f"{kind}/{number}"
            if name in arrays:  # a metric may have none before its first batch
                variable.assign(jnp.asarray(arrays[name]))
    kept: list[list] = []
    for layer, (count, _) in enumerate(states):
        kept.append([jax.device_put(arrays[f"state/{layer}/{i}"]) for i in range(count or 0)])
    if isinstance(programs.states, LaneStates):
        programs.states.carried = kept or None
        return
    for recurrent, values, (count, carried) in zip(programs.layers, kept, states, strict=True):
        recurrent.memory.restore((None if count is None else values, carried))


def _groups(model) -> dict[str, list]:
    return {
        "weights": model.variables,
        "optimizer": model.optimizer.variables,
        "metrics": model.metrics_variables,
    }
