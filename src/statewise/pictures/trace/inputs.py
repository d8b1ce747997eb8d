"""The shapes that a picture is drawn for: given, or the model's own; and what doesn't fit."""

import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import keras
import numpy as np

from statewise._keras_compat import build_shapes, misfit_in
from statewise.pictures.render.names import legible

_STEPS = 5  # where nobody says how many
_AXES = {2: "(batch, features)", 3: "(batch, time steps, features)"}
_MOST = 2**24  # numbers in one sample's input: more is a slip of the keyboard


@dataclass(frozen=True)
class Inputs:
    """What goes into a model.

    Attributes:
        batch: samples in a batch; None for any number.
        shapes: of each input, with a batch axis of 1.
        dtypes: of each input.
    """

    batch: int | None
    shapes: list[tuple[int, ...]]
    dtypes: list[str]

    @property
    def steps(self) -> int | None:
        """The time steps of the first input."""
        return self.shapes[0][1] if len(self.shapes[0]) > 1 else None


def inputs_of(model: keras.Model, shape=None, steps: int | None = None) -> Inputs:
    """Return what goes into a model: as given, and where nothing is given as the model has it.

    A model that isn't built yet is built for this shape.

    Args:
        model: any model.
        shape: ``(batch, time steps, features)``, an array of that shape, or a list of these for
            several inputs. None in a shape, or instead of it, is the model's own.
        steps: time steps, where neither says.

    Raises:
        TypeError: where the model or the shape is something else.
        ValueError: where a shape is not the model's.
    """
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"model must be a model of Keras or statewise, but is a {type(model).__name__}. "
            "Put a single layer into a Sequential."
        )
    if steps is not None and (not _is_count(steps) or steps < 1):
        raise ValueError(f"steps={steps!r}: time steps are a whole number, 1 or more.")
    given = None if shape is None else _as_shapes(shape)
    own = _own_shapes(model)
    if own is None:
        if given is None:
            raise ValueError(
                f"Model {legible(model.name)!r} isn't built yet, so its inputs aren't known: give "
                "the shape, (batch, time steps, features)."
            )
        _build(model, given, steps)
        own = _own_shapes(model) or [tuple(None for _ in s) for s in given]
    given = given or [tuple(None for _ in s) for s in own]
    if len(given) != len(own):
        raise ValueError(
            f"Model {legible(model.name)!r} takes {len(own)} inputs, but {len(given)} "
            f"shape{'s' * (len(given) != 1)} came: {_format(given)}."
        )
    merged = [_merge(model, g, o, steps) for g, o in zip(given, own, strict=True)]
    return Inputs(merged[0][0], [(1, *m[1:]) for m in merged], _dtypes(model, len(merged)))


@contextmanager
def explained():
    """Say errors of Keras about shapes in one sentence: which layer, what it wants, what came."""
    try:
        yield
    except (ValueError, TypeError) as error:
        said = _describe_misfit(str(error))
        if said is None:
            raise
        raise ValueError(said) from error


def _own_shapes(model) -> list | None:
    if not getattr(model, "built", False):
        return None
    try:
        shapes = model.input_shape
    except (AttributeError, ValueError):
        shapes = build_shapes(model)
        shapes = list(shapes.values()) if shapes else None
        shapes = shapes[0] if shapes and len(shapes) == 1 else shapes
        if shapes is not None and all(s is None or isinstance(s, int) for s in shapes):
            shapes = tuple(None if i < 2 else s for i, s in enumerate(shapes))
    if shapes is None:
        return None
    if isinstance(shapes, dict):
        shapes = list(shapes.values())
    if isinstance(shapes, tuple) and all(s is None or isinstance(s, int) for s in shapes):
        return [shapes]
    return [tuple(s) for s in shapes]


def _as_shapes(shape) -> list[tuple]:
    if hasattr(shape, "shape"):
        return [tuple(shape.shape)]
    if not isinstance(shape, Sequence) or isinstance(shape, str) or not len(shape):
        raise TypeError(
            f"shape must be (batch, time steps, features), an array, or a list of these for "
            f"several inputs; it is {shape!r}."
        )
    if any(hasattr(s, "shape") or isinstance(s, (list, tuple)) for s in shape):
        return [_as_shapes(s)[0] for s in shape]
    for axis in shape:
        if axis is not None and (not _is_count(axis) or axis < 1):
            raise ValueError(
                f"shape={tuple(shape)}: every axis is a whole number, 1 or more, or None for the "
                "model's own."
            )
    if len(shape) < 2:
        raise ValueError(
            f"shape={tuple(shape)}: there is the batch, then the time steps, then the features."
        )
    return [tuple(None if axis is None else int(axis) for axis in shape)]


def _merge(model, given: tuple, own: tuple, steps: int | None) -> tuple:
    if len(given) != len(own):
        raise ValueError(
            f"Model {legible(model.name)!r} takes {len(own)} axes, {_format_axes(own)}, but "
            f"{len(given)} came: {_format([given])}."
        )
    for i, (came, wanted) in enumerate(zip(given, own, strict=True)):
        if None not in (came, wanted) and came != wanted:
            axis = {0: "samples in a batch", 1: "time steps"}.get(i, "features")
            if len(own) == 2 and i == 1:
                axis = "features"
            raise ValueError(
                f"Model {legible(model.name)!r} takes {wanted} {axis}, but {came} came: it wants "
                f"{_format([own])}, the shape is {_format([given])}."
            )
    merged = [came or wanted for came, wanted in zip(given, own, strict=True)]
    if len(merged) > 1 and merged[1] is None:
        merged[1] = steps or _STEPS
    elif steps is not None and len(merged) > 2 and merged[1] != steps:
        raise ValueError(
            f"steps={steps}, but the shape has {merged[1]} time steps, and can't have both."
        )
    if None in merged[1:]:
        raise ValueError(f"The shape {_format([tuple(merged)])} leaves an axis open: give it.")
    if np.prod(merged[1:], dtype=float) > _MOST:
        raise ValueError(
            f"The shape {_format([tuple(merged)])} has more than {_MOST:,} numbers in one sample; "
            "a picture of fewer time steps looks the same."
        )
    return tuple(merged)


def _build(model, shapes: list[tuple], steps: int | None) -> None:
    whole = [
        (None, *((steps or _STEPS) if axis is None else axis for axis in shape[1:]))
        for shape in shapes
    ]
    with explained():
        try:
            specs = [keras.KerasTensor((1, *s[1:]), dtype=keras.config.floatx()) for s in whole]
            if isinstance(model, keras.Sequential):
                model.build(whole[0])
            else:
                keras.backend.compute_output_spec(model, specs[0] if len(specs) == 1 else specs)
        except RuntimeError as error:  # how Keras wraps what went wrong inside
            raise ValueError(str(error)) from error


def _dtypes(model, count: int) -> list[str]:
    inputs = getattr(model, "inputs", None) or []
    known = [keras.backend.standardize_dtype(tensor.dtype) for tensor in inputs]
    return known if len(known) == count else [keras.config.floatx()] * count


def _describe_misfit(text: str) -> str | None:
    misfit = misfit_in(text)
    if misfit is None:
        return None
    layer, wanted, came, of_arrays = misfit
    if of_arrays:
        return (
            f"Layer {legible(layer)!r} takes {wanted} input{'s' * (wanted != '1')}, but what "
            f"stands before it hands on {came} arrays: with return_state=True a recurrent layer "
            "hands on its state beside its output, which only a functional model can take apart."
        )
    axes = came.count(",") + (not came.rstrip(")").rstrip().endswith(","))
    hint = ""
    if ndim := re.fullmatch(r"(?:min_)?ndim=(\d+)", wanted):
        wanted = f"{ndim[1]} axes" + (f", {_AXES[int(ndim[1])]}" if int(ndim[1]) in _AXES else "")
        if ndim[1] == "3" and axes == 2:
            hint = (
                " A recurrent layer below it hands on every step with return_sequences=True; "
                "RepeatVector makes steps of a vector."
            )
    elif axis := re.match(r"axis -1 of input shape to have value (\d+)", wanted):
        wanted = f"{axis[1]} features"
    return f"Layer {legible(layer)!r} wants {wanted}, but {came} came, {axes} axes.{hint}"


def _is_count(value) -> bool:
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def _format_axes(shape: tuple) -> str:
    return _AXES.get(len(shape), _format([shape]))


def _format(shapes: list[tuple]) -> str:
    return ", ".join(
        "(" + ", ".join("any" if axis is None else str(axis) for axis in s) + ")" for s in shapes
    )
