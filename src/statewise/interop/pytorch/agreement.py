"""Whether two networks compute the same: random inputs for both, and their outputs compared."""

import numpy as np

# Largest difference, of the largest value: sums of products in another order.
LIMITS = {"float64": 1e-10, "float32": 2e-5}
_STEPS, _BATCH = 7, 3


def drawn_inputs(tensors, *, limits: dict[int, int], seed: int) -> list[np.ndarray]:
    """Return random inputs for a model, of three samples and seven steps where it leaves them open.

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
    return drawn


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
        off = np.abs(ours.astype("float64") - theirs.astype("float64")).max(initial=0.0)
        scale = max(1.0, np.abs(theirs).max(initial=0.0))
        if not off <= limit * scale:
            raise ValueError(
                f"{what} was taken over wrongly: on random inputs output {number} differs from the "
                f"original's by {off:.3g}, of values up to {scale:.3g}."
            )
