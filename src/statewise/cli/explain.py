"""``statewise explain``: what a model sees, drawn and said."""

from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.given_model import MOST, axes_of, check_model, model_of
from statewise.cli.places import check_places, unwritten
from statewise.cli.refusal import Refusal

_SHAPE, _SHAPE_OF_WORDS = (1, 5, 1), (1, 5)  # of a sketch, where none is given


@click.command()
@click.argument("model")
@click.option(
    "--shape",
    metavar="BATCH,STEPS,FEATURES",
    help="Shape of what goes in, as 32,3,1; by default the model's own, 1,5,1 for layers typed.",
)
@click.option("--closed-loop", type=click.IntRange(0, MOST), default=0, metavar="N",
              help="Draw N further steps, each fed with the output before it.")  # fmt: skip
@click.option("--svg", is_flag=True, help="Write the picture as picture.svg.")
@click.option("--png", is_flag=True, help="Write the picture as picture.png.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Folder for the pictures; by default this one.",
)
@shared.force
def explain(model, shape, closed_loop, svg, png, output, force):
    """Draw and explain MODEL: what goes where, what is remembered, and how many weights.

    MODEL is a saved model (model.keras, old.h5), a model or a function that returns one in a Python
    file (train.py:model), or layers typed here: "LSTM(4, return_sequences=True) | Dense(1)".

    \b
    Examples:
      statewise explain "LSTM(4, return_sequences=True) | Dense(1)"
      statewise explain "Embedding(100, 8) | GRU(4) | Dense(1)" --shape 1,6 --svg
    """
    if output is not None and not (svg or png):
        raise click.UsageError("--output goes with --svg or --png")
    axes = None if shape is None else axes_of(shape)
    sketched = check_model(model)
    taken = ""
    if sketched and axes is None:
        axes = _SHAPE_OF_WORDS if model.lstrip().startswith("Embedding") else _SHAPE
        names = ", ".join(("batch", "time steps", "features")[: len(axes)])
        taken = f"the shape {','.join(map(str, axes))} ({names}) was taken"
    pictures = ["picture.svg"] * svg + ["picture.png"] * png
    folder = output or Path()
    if pictures:
        check_places([folder / name for name in pictures], "--output", force=force)
    # The engine takes seconds to load: what is wrong with the options is told before that.
    from statewise.cli.printer import Printer, as_notes

    printer = Printer()
    with printer.busy("Loading the engine"):
        from statewise.pictures import draw
        from statewise.pictures import explain as explain_model
    try:
        with as_notes(printer):
            made = model_of(model, axes)
        found = explain_model(made, axes)
        drawing = draw(made, axes, closed_loop=closed_loop) if closed_loop else found.drawing
    except Refusal:
        raise
    except (TypeError, ValueError) as error:
        hint = f" ({taken}; --shape says another)" if taken else ""
        raise Refusal(f"{error}{hint}") from None
    except Exception as error:  # a model of another file may do anything
        raise Refusal(f"{model} can't be drawn: {type(error).__name__}: {error}") from None
    if taken:
        printer.note(f"{taken}; --shape says another.")
    _print(printer, found, drawing)
    if pictures:
        _write(drawing, folder, pictures)
        printer.line("Written", " and ".join(pictures))


def _print(printer, found, drawing) -> None:
    for text in drawing.text.splitlines():
        printer.console.print(text, soft_wrap=True, markup=False)
    printer.console.print()
    for sentence in found.sentences:
        printer.console.print(sentence, soft_wrap=True, markup=False)
    for warning in found.warnings:
        printer.line("Warning", warning)
    if len(found.weights):
        printer.console.print()
        for line in found.weights.to_string(index=False).splitlines():
            printer.console.print(line, soft_wrap=True, markup=False)


def _write(drawing, folder: Path, names: list[str]) -> None:
    try:
        for name in names:
            drawing.save(folder / name)
    except OSError as error:
        raise unwritten(folder, error) from None
