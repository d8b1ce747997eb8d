"""What `learn` is given to learn: a target for each step, as the model's loss takes it."""

from collections.abc import Mapping

import keras
import numpy as np

from statewise.streams.arrivals import Batch, without_mask
from statewise.streams.signature import Signature


def check_compiled(model: keras.Model) -> None:
    """Refuse a model that can't learn.

    Raises:
        ValueError: if it isn't compiled with an optimizer and a loss.
    """
    if not model.compiled or model.optimizer is None or model.loss is None:
        raise ValueError(
            f"Model {model.name!r} can't learn yet: compile it with an optimizer and a loss first."
        )


def target_shape(model: keras.Model, signature: Signature) -> tuple[int, ...]:
    """Return the shape of the target of one step: the output's, or a class's number alone."""
    loss = getattr(model, "loss", None)
    name = str(getattr(loss, "name", None) or getattr(loss, "__name__", loss))
    return signature.outputs[:-1] if "sparse" in name else signature.outputs


def ignored_class(model: keras.Model) -> int | None:
    """Return the class that a model's loss passes over, if there is one."""
    return getattr(getattr(model, "loss", None), "ignore_class", None)


def checked_targets(
    batch: Batch,
    targets: Mapping,
    signature: Signature,
    shape: tuple[int, ...],
    ignored: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Check the targets of a batch's keys and lay them beside its steps.

    Args:
        batch: what arrived.
        targets: for each key as many targets as steps arrived; one, where one step arrived or the
            model gives its last output only.
        signature: of the model.
        shape: of one target.
        ignored: the class that the loss passes over, if there is one.

    Returns:
        The targets of the steps to be run, float32 ``(keys, time, ...)``, and where they are known,
        bool ``(keys, time)``.

    Raises:
        TypeError: if targets aren't numbers.
        ValueError: if a shape doesn't fit, a target is NaN or infinite, or no class's number; it
            names the key.
    """
    one = batch.single or not signature.sequences
    classes = None if shape == signature.outputs else signature.outputs[-1]
    expected = shape if one else (len(batch.seen), *shape)
    steps = batch.x.shape[1]
    y = np.zeros((len(batch.keys), steps, *shape), "float32")
    known = np.zeros((len(batch.keys), steps), bool)
    known[:, slice(None) if signature.sequences else slice(-1, None)] = True
    for i, key in enumerate(batch.keys):
        try:
            target = np.asarray(without_mask(targets[key]))
        except ValueError:  # rows of different lengths
            target = np.asarray(None)
        if target.dtype.kind not in "fiub":  # as text and complex numbers are none
            raise TypeError(f"The target for key {key!r} must be numbers.")
        target = _as_float32(target)
        if target.shape != expected:
            raise ValueError(
                f"The target for key {key!r} has the shape {target.shape}; expected {expected}."
            )
        if not np.isfinite(target).all():
            raise ValueError(f"The target for key {key!r} holds NaN or an infinity.")
        if classes is not None:
            wrong = (target < 0) | (target >= classes) | (target != np.trunc(target))
            wrong &= target != ignored
            if wrong.any():
                raise ValueError(
                    f"The target for key {key!r} holds {target[wrong].flat[0]:g}; expected the "
                    f"number of a class, 0 to {classes - 1}."
                )
        if not signature.sequences:
            y[i, -1:] = target
        else:
            y[i] = (target[None] if one else target)[batch.seen]
    return y, known


def _as_float32(array: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return array.astype("float32")
