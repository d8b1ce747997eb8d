"""``statewise explain``: what a model sees, drawn and said."""

import importlib.util
import sys
from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.places import check_places, unwritten
from statewise.cli.refusal import Refusal

_MOST = 10_000  # of each axis but the batch
_SHAPE, _SHAPE_OF_WORDS = (1, 5, 1), (1, 5)  # of a sketch, where none is given
_FILES = (".keras", ".h5", ".hdf5")


@click.command()
@click.argument("model")
@click.option(
    "--shape",
    metavar="BATCH,STEPS,FEATURES",
    help="Shape of what goes in, as 32,3,1; by default the model's own, 1,5,1 for layers typed.",
)
@click.option("--closed-loop", type=click.IntRange(0, _MOST), default=0, metavar="N",
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

    MODEL is a saved model (model.keras), a model or a function that returns one in a Python file
    (train.py:model), or layers typed here: "LSTM(4, return_sequences=True) | Dense(1)".

    \b
    Examples:
      statewise explain "LSTM(4, return_sequences=True) | Dense(1)"
      statewise explain "Embedding(100, 8) | GRU(4) | Dense(1)" --shape 1,6 --svg
    """
    if output is not None and not (svg or png):
        raise click.UsageError("--output goes with --svg or --png")
    axes = None if shape is None else _axes(shape)
    sketched = _check_model(model)
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
    from statewise.cli.printer import Printer

    printer = Printer()
    with printer.busy("Loading the engine"):
        from statewise.pictures import draw
        from statewise.pictures import explain as explain_model
    try:
        made = _model(model, axes)
        found = explain_model(made, axes)
        drawing = draw(made, axes, closed_loop=closed_loop) if closed_loop else found.drawing
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


def _axes(shape: str) -> tuple:
    parts = [part.strip() for part in shape.strip("() ").split(",") if part.strip()]
    try:
        axes = tuple(None if part in ("None", "any") else int(part) for part in parts)
    except ValueError:
        raise Refusal(f"--shape {shape}: whole numbers with commas between, as 32,3,1") from None
    if len(axes) < 2 or any(axis is not None and axis < 1 for axis in axes):
        raise Refusal(
            f"--shape {shape}: the batch, the time steps and the features, each 1 or more, "
            "as 32,3,1"
        )
    if any(axis is not None and axis > _MOST for axis in axes[1:]):
        raise Refusal(f"--shape {shape}: {_MOST:,} time steps or features are the most")
    return axes


def _check_model(model: str) -> bool:
    """Refuse what can be seen to be wrong before the engine is loaded; say if it's a sketch."""
    path, _, name = model.rpartition(":")
    if path.endswith(".py"):
        if not Path(path).is_file():
            raise Refusal(f"{path}: no such file")
        if not name.isidentifier():
            raise Refusal(f"{model}: {name!r} is no name of Python")
    elif model.endswith(".py"):
        raise Refusal(f"{model}: which name in it? As {model}:model")
    elif model.lower().endswith(_FILES):
        if not Path(model).is_file():
            raise Refusal(f"{model}: no such file")
    else:
        return True
    return False


def _model(model: str, axes):
    path, _, name = model.rpartition(":")
    if path.endswith(".py"):
        return _from_file(Path(path), name)
    if model.lower().endswith(_FILES):
        return _loaded(model)
    from statewise.pictures import model_from_sketch

    try:
        return model_from_sketch(model, axes)
    except (MemoryError, OverflowError) as error:
        raise Refusal(f"the sketch is too large: {error}") from None


def _loaded(path: str):
    from statewise.models import load_model

    try:
        return load_model(path, compile=False)
    except Exception as error:  # Keras raises whatever its readers do
        first = str(error).strip().splitlines()
        raise Refusal(f"{path} can't be loaded: {first[0] if first else error!r}") from None


def _from_file(path: Path, name: str):
    """Return a model by its name in a file, which is run."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:  # not for a name that ends with .py
        raise Refusal(f"{path} is no file of Python")
    module = importlib.util.module_from_spec(spec)
    sys.path.insert(0, str(path.parent.resolve()))  # as for `python FILE`
    try:
        spec.loader.exec_module(module)
        found = getattr(module, name, None)
        if found is not None and not hasattr(found, "layers") and callable(found):
            found = found()
    except SystemExit as error:
        raise Refusal(f"{path} ends the program when it's run (exit code {error.code})") from None
    except Exception as error:  # whatever the file does
        raise Refusal(f"{path} failed: {type(error).__name__}: {error}") from None
    finally:
        sys.path.remove(str(path.parent.resolve()))
    if found is None:
        raise Refusal(f"{path} has no {name!r}")
    return found


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
