"""`explain`: what a model makes of its data, in sentences and tables."""

import html
from dataclasses import dataclass, field
from itertools import pairwise

import keras
import numpy as np
import pandas as pd

from statewise._keras_compat import all_layers
from statewise.models.structure import stateful_layers
from statewise.pictures.diagram.description import sights
from statewise.pictures.diagram.drawing import Drawing, draw, drawing_of, trace_of
from statewise.pictures.diagram.elements import INPUT, OUTPUT, Diagram
from statewise.pictures.explanation.weights import weights_table
from statewise.pictures.render.names import legible
from statewise.pictures.trace.reaching import Reach, measure_reach
from statewise.pictures.trace.shapes import Inputs, inputs_of
from statewise.pictures.trace.traced import Trace
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
    sentences = [
        *_axes(inputs, trace),
        drawing.description,
        *_carried(model),
        *_measured(reaches),
    ]
    weights = weights_table(model, trace)
    sentences.append(f"{int(weights['weights'].sum()):,} weights, whatever the time steps are.")
    if cut is not None:
        sentences.append(cut.description)
    warnings = [
        *_reach_warnings(reaches, drawing.diagram),
        *_shape_warnings(inputs, trace),
        *_cut_warnings(model, x),
    ]
    return Explanation(drawing, sentences, warnings, weights, _table(reaches, trace), cut)


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


def _axes(inputs: Inputs, trace: Trace) -> list[str]:
    batch = "any number of" if inputs.batch is None else f"{inputs.batch:,}"
    said = []
    for value in trace.inputs:
        shape = value.shape[1:]
        samples = f"{batch} sample{'s' * (inputs.batch != 1)} in a batch"
        if value.slots.steps is None:
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


def _carried(model) -> list[str]:
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


def _measured(reaches: list[Reach]) -> list[str]:
    if all((r.strength > 0).all() for r in reaches):
        return ["Measured by the gradient: every output hangs on every input."]
    said = []
    for reach in reaches:
        if reach.timed:
            last = reach.strength[-1] > 0
            name = "The output" if len(reach.slots) == 1 else "The last output"
            said.append(f"Measured by the gradient: {name.lower()} hangs on {_spans(last)}.")
    return said[:1] if len(reaches) == 1 else said


def _reach_warnings(reaches: list[Reach], diagram: Diagram) -> list[str]:
    found = []
    several_inputs = max(r.input for r in reaches) > 0
    for i in range(max(r.input for r in reaches) + 1):
        mine = [r for r in reaches if r.input == i]
        unread = ~np.any([(r.strength > 0).any(axis=0) for r in mine], axis=0)
        name = f"input {i + 1}" if several_inputs else "the input"
        if unread.all():
            found.append(f"No output hangs on {name} at all: its gradient is 0.")
        elif unread.any():
            found.append(
                f"No output hangs on {_spans(unread)} of {name}: nothing can be learned from them."
            )
    missed = _missed(reaches, diagram)
    if missed:
        found.append(missed)
    return found


def _missed(reaches: list[Reach], diagram: Diagram) -> str | None:
    """Say where arrows lead from an input to an output, and the gradient is 0 all the same."""
    seen = sights(diagram)
    outputs, inputs = diagram.rows_of(OUTPUT), sorted(diagram.rows_of(INPUT), key=_number(diagram))
    for reach in reaches:
        if not (reach.strength > 0).any():
            continue
        leaving = diagram.boxes_of(outputs[reach.output])
        entering = diagram.boxes_of(inputs[reach.input])
        for place, out in enumerate(leaving):
            lost = np.zeros(reach.strength.shape[1], bool)
            for box in entering:
                span = slice(*box.steps) if box.steps else slice(0, 1)
                none = (reach.strength[place, span] == 0).all()
                lost[span] = none and box.place in seen[out.place] and not out.is_gap
            if lost.any():
                name = "The output" if len(leaving) == 1 else f"The output of step {place + 1}"
                if out.steps:
                    name = f"The output of step {out.steps[0] + 1}"
                return (
                    f"{name} should see {_spans(lost)}, but its gradient there is exactly 0: "
                    "weights of zero, units that are switched off (relu), masked steps, or so "
                    "many steps that the gradient has vanished."
                )
    return None


def _number(diagram: Diagram):
    return lambda row: int(diagram.rows[row].name or 0)


def _shape_warnings(inputs: Inputs, trace: Trace) -> list[str]:
    recurrent = any(node.part.recurrent for node in trace.nodes)
    shape = trace.inputs[0].shape
    stateful = bool(trace.carried)
    if recurrent and len(shape) == 3 and shape[1] == 1 and shape[2] > 1 and not stateful:
        return [
            f"There is one time step of {shape[2]} features, so nothing is recurrent: the network "
            f"makes a single step. If these are {shape[2]} moments of one series, the shape is "
            f"(batch, {shape[2]}, 1)."
        ]
    return []


def _cut_warnings(model, x) -> list[str]:
    if not isinstance(x, Windows) or len(x) < 2 or not stateful_layers(model):
        return []
    stride = int(x.start[1] - x.start[0])
    if x.key[0] != x.key[1] or stride >= x.x.shape[1]:
        return []
    return [
        f"The windows overlap, and the model is stateful: strung together they are a series in "
        f"which steps come again ({x.x.shape[1]} steps, then back by {x.x.shape[1] - stride}). "
        "Give the series in parts that don't overlap (stride=lookback), or as lanes."
    ]


def _table(reaches: list[Reach], trace: Trace) -> pd.DataFrame:
    """Return the strengths, a row for each place of an output and a column for each input step."""
    several_outputs, several_inputs = len(trace.outputs) > 1, len(trace.inputs) > 1
    blocks = []
    for o, output in enumerate(trace.outputs):
        mine = [r for r in reaches if r.output == o]
        first = f"output {o + 1}" if several_outputs else "output"
        index = [_place(first, *span, output.slots.steps) for span in output.slots.spans]
        columns = {}
        for reach in mine:
            name = f"input {reach.input + 1}" if several_inputs else "input"
            for step in range(reach.strength.shape[1]):
                key = f"{name} {step + 1}" if reach.timed else name
                columns[key] = reach.strength[:, step]
        blocks.append(pd.DataFrame(columns, index=index))
    return pd.concat(blocks)


def _place(name: str, start: int, stop: int, steps: int | None) -> str:
    if steps is None:
        return name
    return f"{name} {start + 1}" if stop - start == 1 else f"{name} {start + 1}-{stop}"


def _spans(flags: np.ndarray) -> str:
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
