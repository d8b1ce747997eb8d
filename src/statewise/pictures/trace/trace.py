"""What a model does with time, found by running it: which step of what goes into which step.

The model's parts (`parts_of`) are first called on shapes alone. Then two things are measured,
both with random values, and both the same way: change one step, and look what moves.

* Between the parts: the model runs with every part standing aside, its outputs replaced by given
  values, so that what is left is the way from the outputs of the parts to the inputs of others.
* Within each part that isn't a recurrent layer: its own outputs against its own inputs.

Random weights stand in for the model's own, because the picture is of what the layers do, and a
weight that happens to be zero would hide it. No data are needed, and nothing of the model changes.
"""

import keras
import numpy as np

from statewise.models.structure import stateful_layers
from statewise.pictures.trace.calls import record
from statewise.pictures.trace.dependencies import measure_between, measure_nodes, settle_tokens
from statewise.pictures.trace.inputs import Inputs, explained
from statewise.pictures.trace.traced import Trace


def trace_of(model: keras.Model, inputs: Inputs) -> Trace:
    """Find out what a built model does with these inputs.

    Raises:
        TypeError: for a stateful layer of Keras's own, whose state gets lost.
        ValueError: where a shape doesn't fit, or a layer can't be run so.
    """
    stateful_layers(model)  # refuses those whose state gets lost
    with explained():
        found = record(model, inputs.shapes, inputs.dtypes)
        rng = np.random.default_rng(0)
        measure_nodes(found, rng)
        measure_between(model, found, rng)
        settle_tokens(found)
    return found
