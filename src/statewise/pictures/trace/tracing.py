"""What a model does with time, found by running it: which step of what goes into which step.

The model's parts (`interception`) are first called on shapes alone. Then two things are measured,
both with random values, and both the same way: change one step, and look what moves.

* Between the parts: the model runs with every part standing aside, its outputs replaced by given
  values, so that what is left is the way from the outputs of the parts to the inputs of others.
* Within each part that isn't a recurrent layer: its own outputs against its own inputs.

Random weights stand in for the model's own, because the picture is of what the layers do, and a
weight that happens to be zero would hide it. No data are needed, and nothing of the model changes.
"""

from collections.abc import Sequence

import keras
import numpy as np

from statewise.pictures.trace.measuring import measure_between, measure_nodes, settle_tokens
from statewise.pictures.trace.recording import record
from statewise.pictures.trace.traced import Trace


def trace(model: keras.Model, shapes: Sequence[tuple[int, ...]], dtypes: Sequence[str]) -> Trace:
    """Find out what a built model does with inputs of the given shapes, one for each input.

    Args:
        model: built.
        shapes: with a batch axis of 1.
        dtypes: of the inputs.
    """
    found = record(model, shapes, dtypes)
    rng = np.random.default_rng(0)
    measure_nodes(found, rng)
    measure_between(model, found, rng)
    settle_tokens(found)
    return found
