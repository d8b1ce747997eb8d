"""Whether two networks compute the same: random inputs for both, and their outputs compared."""

import keras
import numpy as np

from statewise._keras_compat import inputs_structure
from statewise.layers import Carry
from statewise.models.structure import stateful_layers

# Largest difference, of the largest value: sums of products in another order.
LIMITS = {"float64": 1e-10, "float32": 2e-5}
_STEPS, _BATCH = 7, 3


def drawn_inputs(tensors, *, limits: dict[int, int], seed: int) -> list[np.ndarray]:
    """Return random inputs for a model, of three samples and seven steps where it leaves them open.

    The last steps of the first sample are zeros: padding, where something masks them.

    Args:
        tensors: the model's symbolic inputs.
        limits: by the position of an input that is looked up in tables: the rows they have.
        seed: what they are drawn from.
    """
    rng = np.random.default_rng(seed)
    drawn = []
    for position, tensor in enumerate(tensors):
        batch, *others = tensor.shape
        shape = (batch or _BATCH, *(size or _STEPS for size in others))
        if position in limits:
            drawn.append(rng.integers(0, limits[position], shape, dtype=np.int32))
        else:
            dtype = tensor.dtype if tensor.dtype in LIMITS else "float32"
            drawn.append(rng.normal(size=shape).astype(dtype))
        if len(shape) > 1 and (position in limits or len(shape) > 2):
            drawn[-1][0, shape[1] - shape[1] // 3 :] = 0
    return drawn


def outputs_of(model, given: list[np.ndarray]) -> list[np.ndarray]:
    """Return a functional model's outputs, from the initial state; what its layers keep stays."""
    packed = keras.tree.pack_sequence_as(inputs_structure(model), given)
    with Carry(dict.fromkeys(stateful_layers(model))):
        outputs = keras.tree.flatten(model(packed, training=False))
    return [np.asarray(array) for array in outputs]


def check_agreement(what: str, got: list[np.ndarray], expected: list[np.ndarray]) -> None:
    """Refuse outputs that aren't equal to rounding.

    Raises:
        ValueError: saying which output differs, and by how much.
    """
    if len(got) != len(expected):
        raise ValueError(f"{what}: {len(expected)} outputs became {len(got)}.")
    for number, (ours, theirs) in enumerate(zip(got, expected, strict=True)):
        if ours.shape != theirs.shape:
            raise ValueError(
                f"{what} was taken over wrongly: output {number} has the shape {ours.shape}, the "
                f"original's has {theirs.shape}."
            )
        limit = LIMITS.get(str(theirs.dtype), LIMITS["float32"])
        # Where gates without bounds have grown so far, rounding is all that is left to compare.
        known = np.abs(theirs) < 1e6
        ours, theirs = ours[known].astype("float64"), theirs[known].astype("float64")
        off = np.abs(ours - theirs).max(initial=0.0)
        scale = max(1.0, np.abs(theirs).max(initial=0.0))
        if not off <= limit * scale:
            raise ValueError(
                f"{what} was taken over wrongly: on random inputs output {number} differs from the "
                f"original's by {off:.3g}, of values up to {scale:.3g}."
            )
