"""What `explain` says in sentences: about axes, about states, and about what hangs on what."""

from itertools import pairwise

import keras
import numpy as np

from statewise._keras_compat import all_layers
from statewise.models.structure import stateful_layers
from statewise.pictures.explanation.reach import Reach
from statewise.pictures.render.names import legible
from statewise.pictures.trace.inputs import Inputs
from statewise.pictures.trace.traced import Trace


def of_axes(inputs: Inputs, trace: Trace) -> list[str]:
    """Say what the axes of each input are: samples, time steps, features."""
    batch = "any number of" if inputs.batch is None else f"{inputs.batch:,}"
    said = []
    for value in trace.inputs:
        shape = value.shape[1:]
        samples = f"{batch} sample{'s' * (inputs.batch != 1)} in a batch"
        if value.time.steps is None:
            each = f"each {_count(int(np.prod(shape)), 'number')}, without time steps"
            words = f"features {' x '.join(map(str, shape))}"
        else:
            width = int(np.prod(shape[1:], dtype=int))
            known = "a token" if len(shape) == 1 else _count(width, "number")
            each = f"each a sequence of {_count(shape[0], 'time step')} with {known} known at each"
            words = f"time steps {shape[0]}"
            words += f", features {' x '.join(map(str, shape[1:]))}" if len(shape) > 1 else ""
        label = "any" if inputs.batch is None else inputs.batch
        said.append(f"(batch {label}, {words}): {samples}, {each}.")
    return [*said, "A row of the batch is one sample; no row knows of another."]


def of_state(model: keras.Model) -> list[str]:
    """Say what is carried from batch to batch, and what is forgotten."""
    names = [legible(layer.name) for layer in stateful_layers(model)]
    if names:
        return [
            f"Carried to the next batch: the state of {', '.join(names)}, row by row. Row 7 of the "
            "next batch goes on where row 7 of this one stopped, so batches must come in order "
            "(shuffle=False) with the same sequences in the same rows, until reset_states().",
        ]
    recurrent = any(isinstance(layer, keras.layers.RNN) for layer in all_layers(model))
    if not recurrent:
        return ["There is no state: nothing is remembered from step to step."]
    return [
        "Forgotten after each batch: every sample begins with the initial state, and what a layer "
        "ends with is dropped. Samples may be shuffled."
    ]


def of_reach(reaches: list[Reach]) -> list[str]:
    """Say on which steps the outputs hang."""
    if all((r.strength > 0).all() for r in reaches):
        return ["Measured by the gradient: every output hangs on every input."]
    said = []
    for reach in reaches:
        if reach.timed:
            last = reach.strength[-1] > 0
            name = "The output" if len(reach.time) == 1 else "The last output"
            said.append(f"Measured by the gradient: {name.lower()} hangs on {spans(last)}.")
    return said[:1] if len(reaches) == 1 else said


def spans(flags: np.ndarray) -> str:
    """Say which steps are meant, from 1: ``steps 1 to 4 and 7``."""
    steps = np.flatnonzero(flags) + 1
    if not len(steps):
        return "no step"
    runs, begin = [], steps[0]
    for before, after in pairwise([*steps, steps[-1] + 2]):
        if after != before + 1:
            runs.append(f"{begin}" if begin == before else f"{begin} to {before}")
            begin = after
    words = runs[0] if len(runs) == 1 else f"{', '.join(runs[:-1])} and {runs[-1]}"
    return f"step{'s' * (len(steps) > 1)} {words}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' * (number != 1)}"
