"""`explain`: what a model makes of its data, in sentences and tables."""

import html
from dataclasses import dataclass, field
from typing import cast

import keras
import numpy as np
import pandas as pd

from statewise.pictures.diagram.drawing import Drawing, draw, drawing_of
from statewise.pictures.diagram.elements import Diagram
from statewise.pictures.explanation import cautions, sentences
from statewise.pictures.explanation.reach import measure_reach, reach_table
from statewise.pictures.explanation.weights import weights_table
from statewise.pictures.trace.inputs import Inputs, inputs_of
from statewise.pictures.trace.trace import trace_of
from statewise.sequences.lanes import Lanes
from statewise.sequences.windowing import Windows

_MEASURED_ROWS = 4  # samples of given data at which gradients are taken


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """What `explain` found; ``print`` says all of it.

    Attributes:
        drawing: the picture.
        sentences: about samples, steps and features, about what gets where, and what is carried.
        warnings: what is probably not meant.
        weights: one row for each matrix: layer, matrix, shape, formula, weights.
        reach: how strongly each output step hangs on each input step: the largest gradient, a row
            for each output and a column for each input. Exactly 0 is: not at all.
        cut: of windows or lanes, how the series were cut; else None.

    >>> from statewise import Sequential, layers
    >>> explanation = explain(Sequential([layers.Input((3, 1)), layers.LSTM(4)]))
    >>> explanation.weights["weights"].sum().item(), explanation.warnings
    (96, [])
    """

    drawing: Drawing
    sentences: list[str]
    warnings: list[str]
    weights: pd.DataFrame
    reach: pd.DataFrame
    cut: Drawing | None = field(default=None)

    def __str__(self) -> str:
        parts = [self.drawing.text, "\n".join(self.sentences)]
        if self.warnings:
            parts.append("\n".join(f"Warning: {warning}" for warning in self.warnings))
        if len(self.weights):
            parts.append(self.weights.to_string(index=False))
        if self.cut is not None:
            parts.append(self.cut.text)
        return "\n\n".join(parts)

    def __repr__(self) -> str:
        return f"<Explanation of {self.drawing!r}, {len(self.warnings)} warnings>"

    def _repr_html_(self) -> str:
        said = "".join(f"<p>{html.escape(s)}</p>" for s in self.sentences)
        warned = "".join(f"<p><b>Warning:</b> {html.escape(w)}</p>" for w in self.warnings)
        cut = "" if self.cut is None else self.cut.svg
        return f"{self.drawing.svg}{said}{warned}{self.weights.to_html(index=False)}{cut}"


def explain(model: keras.Model, x=None, *, steps: int | None = None) -> Explanation:
    """Say what a model makes of its data: for whoever asks what goes where, and what is kept.

    Which inputs reach which output is measured by the gradient, with the model's own weights: at
    the first samples where data are given, else at random ones.

    Args:
        model: a model of Keras or statewise.
        x: the shape of what goes in, ``(batch, time steps, features)``, or data of that shape; for
            several inputs a list; or `statewise.sequences.Windows` or ``Lanes``, and how they were
            cut is drawn too. None is what the model says.
        steps: time steps, where neither says; by default 5.

    Returns:
        An `Explanation`.

    Raises:
        TypeError: for something that isn't a model.
        ValueError: where the shape doesn't fit; the message says which layer, what it wanted, and
            what came.

    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((3, 1)), layers.LSTM(4), layers.Dense(1)])
    >>> for sentence in explain(model, (32, 3, 1)).sentences[:2]:
    ...     print(sentence)
    (batch 32, time steps 3, features 1): 32 samples in a batch, each a sequence of 3 time steps
    with 1 number known at each.
    A row of the batch is one sample; no row knows of another.
    """
    cut = draw(x) if isinstance(x, (Windows, Lanes)) else None
    given = _data_of(x)
    inputs = inputs_of(model, x if given is None else given, steps)
    trace = trace_of(model, inputs)
    drawing = drawing_of(model, inputs, trace)
    reaches = measure_reach(model, trace, _samples(given, inputs))
    weights = weights_table(model, trace)
    said = [
        *sentences.of_axes(inputs, trace),
        drawing.description,
        *sentences.of_state(model),
        *sentences.of_reach(reaches),
        f"{int(weights['weights'].sum()):,} weights, whatever the time steps are.",
        *([] if cut is None else [cut.description]),
    ]
    warned = [
        *cautions.of_reach(reaches, cast(Diagram, drawing.diagram)),  # of a model
        *cautions.of_shape(trace),
        *cautions.of_cut(model, x),
    ]
    return Explanation(drawing, said, warned, weights, reach_table(reaches, trace), cut)


def _data_of(x):
    """Return data as an array or a list of them; None for a shape."""
    if isinstance(x, Windows):
        return x.x
    if isinstance(x, Lanes):
        return next(iter(x.epoch())).x
    several = isinstance(x, (list, tuple)) and all(hasattr(a, "shape") for a in x) and len(x)
    return x if hasattr(x, "shape") or several else None


def _samples(given, inputs: Inputs) -> list | None:
    """Return the first samples of data, finite ones only; None where there are no data."""
    if given is None:
        return None
    arrays = [given] if hasattr(given, "shape") else list(given)
    arrays = [np.asarray(a)[:_MEASURED_ROWS] for a in arrays]
    known = all(np.isfinite(a).all() for a in arrays if a.dtype.kind == "f")
    return arrays if known and all(len(a) for a in arrays) else None
