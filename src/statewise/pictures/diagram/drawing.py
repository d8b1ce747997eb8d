"""`draw`: the unrolled network as a picture, made from what the model does."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import keras

from statewise._whole_files import written_whole
from statewise.models.structure import check_step_by_step
from statewise.pictures.diagram.changes import with_closed_loop, with_resets
from statewise.pictures.diagram.cuts import Cut, draw_cut
from statewise.pictures.diagram.description import describe
from statewise.pictures.diagram.elements import Diagram
from statewise.pictures.diagram.layout import lay_out
from statewise.pictures.diagram.terminal import to_text
from statewise.pictures.diagram.unroll import unroll
from statewise.pictures.render.scene import Scene, to_svg
from statewise.pictures.trace.inputs import Inputs, inputs_of
from statewise.pictures.trace.trace import trace_of
from statewise.pictures.trace.traced import Trace
from statewise.sequences.lanes import Lanes
from statewise.sequences.windowing import Windows


@dataclass(frozen=True, eq=False, repr=False)
class Drawing:
    """A picture. It shows itself in a notebook; ``print`` writes it with letters.

    Attributes:
        picture: its name: "one-to-one", "one-to-many", "many-to-one", "many-to-many",
            "encoder-decoder"; of data, "windows" or "lanes".
        diagram: what it says: rows, boxes, arrows; for data, a `Cut`.
        scene: its lines and words at their places.
        text: the picture for a terminal.

    >>> from statewise import Sequential, layers
    >>> drawing = draw(Sequential([layers.Input((3, 1)), layers.LSTM(4), layers.Dense(1)]))
    >>> drawing.picture, drawing.svg[:4]
    ('many-to-one', '<svg')
    """

    picture: str
    diagram: "Diagram | Cut"
    scene: Scene
    text: str

    @property
    def structure(self) -> dict:
        """Rows, boxes and arrows without names: equal for two models that do the same."""
        return self.diagram.structure

    @property
    def description(self) -> str:
        """The picture in sentences."""
        return self.scene.description

    @property
    def svg(self) -> str:
        """The picture as SVG: its words are text, and nothing is loaded from elsewhere."""
        return to_svg(self.scene)

    def _repr_svg_(self) -> str:
        return self.svg

    def save(self, path: str | os.PathLike) -> None:
        """Write the picture to a file, as SVG or PNG by the name's ending.

        Raises:
            ValueError: for any other ending.
            OSError: where the file can't be written.
        """
        path = Path(path)
        match path.suffix.lower():
            case ".svg":
                with written_whole(path) as beside:
                    beside.write_text(self.svg, encoding="utf-8")
            case ".png":
                from statewise.pictures.render.raster import (
                    save_png,  # Matplotlib takes a while to load
                )

                with written_whole(path) as beside:
                    save_png(self.scene, beside)
            case other:
                raise ValueError(
                    f"{path.name}: the ending {other!r} is not known; take .svg or .png."
                )

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<Drawing {self.picture}: {self.scene.title}>"


def draw(
    model,
    shape=None,
    *,
    steps: int | None = None,
    closed_loop: int = 0,
    resets: Sequence[int] = (),
) -> Drawing:
    """Draw a network unrolled in time, or how series were cut.

    The picture is made from what the model does: its layers are run on random values, once with
    every step of everything changed in turn, to see which step goes into which. So two models that
    do the same have the same picture, whatever their layers are called. It takes no data and no
    training, and changes nothing in the model (one that isn't built yet is built).

    From the bottom to the top: an input box for each time step, with a dot for each feature; a row
    of cells for each recurrent layer, with the state's arrows from step to step; a row for each
    other layer that computes something; outputs where there are outputs. A sequence of more than 8
    steps is shortened in the middle.

    Args:
        model: a model of Keras or statewise; or `statewise.sequences.Windows` or ``Lanes``, whose
            picture is how the series were cut.
        shape: ``(batch, time steps, features)`` of what goes in, or data of that shape; a list of
            these for several inputs. None, whole or for an axis, is what the model says.
        steps: time steps, where neither the shape nor the model says; by default 5.
        closed_loop: so many further steps, at each of which the input is the output of the step
            before, as ``forecast`` does it.
        resets: before which time steps, from 0, a new sequence begins: the state's arrow is cut
            there. 0 cuts the state that a stateful layer carries from the last batch.

    Returns:
        A `Drawing`: ``.picture`` is its name, ``.save("a.svg")`` writes it, ``print`` shows it.

    Raises:
        TypeError: for something that isn't a model, and for a stateful layer of Keras's own.
        ValueError: where a shape doesn't fit (saying which layer, what it wanted, what came), or a
            closed loop or a reset isn't possible.

    >>> from statewise import Sequential, layers
    >>> parts = [layers.LSTM(4, name="lstm"), layers.Dense(1, name="dense")]
    >>> model = Sequential([layers.Input((3, 1)), *parts], name="seed")
    >>> print(draw(model, (32, 3, 1)))
    many-to-one: seed
    <BLANKLINE>
    output                  [y]      (batch 32, features 1)
                             ^
    dense                   [o]      (batch 32, features 1)
                             ^
    lstm        (o)-->(o)-->(o)      (batch 32, units 4)
                 ^     ^     ^
    input       [x1]  [x2]  [x3]     (batch 32, time steps 3, features 1)
    """
    if isinstance(model, (Windows, Lanes)):
        return _draw_data(model)
    inputs = inputs_of(model, shape, steps)
    return drawing_of(model, inputs, trace_of(model, inputs), closed_loop, resets)


def drawing_of(
    model: keras.Model,
    inputs: Inputs,
    traced: Trace,
    closed_loop: int = 0,
    resets: Sequence[int] = (),
) -> Drawing:
    """Return the picture of what was traced."""
    diagram = _diagram_of(model, inputs, traced)
    if closed_loop:
        diagram = _closed(model, inputs, diagram, closed_loop)
    diagram = with_resets(diagram, resets)
    scene = lay_out(diagram, describe(diagram))
    return Drawing(diagram.picture, diagram, scene, to_text(diagram))


def _diagram_of(model: keras.Model, inputs: Inputs, traced: Trace) -> Diagram:
    def words(value, last: str) -> str:
        axes = ["batch any" if inputs.batch is None else f"batch {inputs.batch}"]
        rest = value.shape[1:]
        if value.time.steps is not None:
            axes.append(f"time steps {rest[0]}")
            rest = rest[1:]
        if rest:
            axes.append(f"{last} {' x '.join(map(str, rest))}")
        return f"({', '.join(axes)})"

    return unroll(traced, words, model.name)


def _closed(model, inputs: Inputs, known: Diagram, steps: int) -> Diagram:
    if not isinstance(steps, int) or steps < 0:
        raise ValueError(f"closed_loop={steps!r}: a number of further steps, 0 for none.")
    check_step_by_step(model)
    one = Inputs(inputs.batch, [(1, 1, *s[2:]) for s in inputs.shapes], inputs.dtypes)
    own = getattr(model, "input_shape", None)
    if isinstance(own, tuple) and len(own) > 1 and own[1] not in (None, 1):
        raise ValueError(
            f"closed_loop: the model takes {own[1]} time steps at a time; to be given one new step "
            "after the other it must take any number of them: Input((None, features))."
        )
    return with_closed_loop(known, _diagram_of(model, one, trace_of(model, one)), steps)


def _draw_data(data) -> Drawing:
    cut, scene, text = draw_cut(data)
    return Drawing(cut.picture, cut, scene, text)
