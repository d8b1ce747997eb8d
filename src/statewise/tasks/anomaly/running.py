"""A live model run over whole series, several at once, and its states after each of them."""

from collections.abc import Sequence

import numpy as np

from statewise.models import Model
from statewise.models.state import State, concatenate

_CHUNK, _LEAST, _SERIES = 1024, 128, 64  # steps and series of one call: few programs serve all


def run(
    model: Model,
    series: Sequence[np.ndarray],
    states: Sequence[State] | None = None,
    *,
    final: bool = False,
) -> tuple[list[np.ndarray], list[State]]:
    """Run a model over series, each from its own state.

    Args:
        model: that can be run step by step, and gives an output for each step.
        series: (time, features) float32 each, of any lengths, at least one step.
        states: to begin at, of one sample each; None for the initial state.
        final: whether the states after the last steps are wanted.

    Returns:
        The outputs, (time, outputs) each, and the states; of them none if they aren't wanted.
    """
    outputs: list = [None] * len(series)
    ends: list = [None] * len(series)
    order = sorted(range(len(series)), key=lambda i: len(series[i]))
    for at in range(0, len(order), _SERIES):
        some = order[at : at + _SERIES]
        begin = None if states is None else [states[i] for i in some]
        made, after = _together(model, [series[i] for i in some], begin, final)
        for i, output, end in zip(some, made, after, strict=True):
            outputs[i], ends[i] = output, end
    return outputs, ends if final else []


def _together(model, series, states, final):
    """Run over series side by side, in chunks; what stands after a series' end isn't used."""
    count, longest = len(series), max(map(len, series))
    rows = 1 << (count - 1).bit_length()
    chunk = min(_CHUNK, max(_LEAST, 1 << (longest - 1).bit_length()))
    state = model.initial_state(rows)
    if states is not None:
        state = concatenate([*states, *[states[0]] * (rows - count)])
    x = np.zeros((rows, -(-longest // chunk) * chunk, series[0].shape[1]), np.float32)
    for i, one in enumerate(series):
        x[i, : len(one)] = one
    parts, ends = [], [None] * count
    for start in range(0, x.shape[1], chunk):
        before = state
        output, state = model.step(x[:, start : start + chunk], before)
        parts.append(np.asarray(output))
        here = [i for i, one in enumerate(series) if start < len(one) <= start + chunk]
        for i in here if final else ():
            if len(series[i]) == start + chunk:
                ends[i] = state.rows([i]).numpy()
        rest = [i for i in here if final and ends[i] is None]
        # One step after the other, as a stream runs: the same program for any number of them.
        for at in range(start, max((len(series[i]) for i in rest), default=start)):
            _, before = model.step(x[:, at : at + 1], before)
            for i in rest:
                if len(series[i]) == at + 1:
                    ends[i] = before.rows([i]).numpy()
    made = np.concatenate(parts, 1)
    return [made[i, : len(one)] for i, one in enumerate(series)], ends
