"""``statewise export``: a saved model or forecaster, for another runtime."""

from pathlib import Path

import click

from statewise.cli import options as shared
from statewise.cli.export_forecaster import export_forecaster, is_forecaster
from statewise.cli.given_model import axes_of, check_model, model_of
from statewise.cli.places import check_places
from statewise.cli.refusal import Refusal, one_line

_ENDINGS = {"onnx": ".onnx", "cpp": ".hpp"}


@click.command()
@click.argument("model")
@click.option("--onnx", "kind", flag_value="onnx", help="Write an ONNX file; of a forecaster a "
              "folder.")  # fmt: skip
@click.option("--cpp", "kind", flag_value="cpp", help="Write a C++ header for the live step.")
@click.option("--state", is_flag=True,
              help="Of --onnx: every state comes in and goes out, from call to call.")  # fmt: skip
@click.option(
    "--shape",
    metavar="BATCH,STEPS,FEATURES",
    help="Shape of what goes in, for layers typed, as any,any,1 (the default).",
)
@click.option(
    "--level",
    type=shared.Levels(),
    metavar="PERCENT",
    help="Of a forecaster: levels of the intervals that are told of, by default 50,80,90,95.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="The file, of a forecaster the folder; by default MODEL's name with another ending, in "
    "this folder.",
)
@shared.force
def export(model, kind, state, shape, level, output, force):
    """Write MODEL for another runtime: ONNX, or a C++ header.

    MODEL is a saved model of Keras 1, 2 or 3 (model.keras, old.h5), a saved forecaster
    (sales.forecaster), a model or a function that returns one in a Python file (train.py:model), or
    layers typed here. A model's file is run on random inputs beside the model where that's
    possible, and what isn't equal isn't written.

    \b
    Examples:
      statewise export "LSTM(4, return_sequences=True) | Dense(1)" --onnx --state
    """
    if kind is None:
        raise click.UsageError("what to write? --onnx or --cpp")
    if is_forecaster(model):
        export_forecaster(model, kind, output, level, state=state, shape=shape, force=force)
        return
    if level is not None:
        raise click.UsageError(f"--level is of a forecaster's intervals; {model} is none")
    if state and kind != "onnx":
        raise click.UsageError("--state goes with --onnx; a C++ header always has the state")
    axes = None if shape is None else axes_of(shape)
    sketched = check_model(model)
    if axes is not None and not sketched:
        raise click.UsageError("--shape goes with layers typed; a saved model has its own")
    path = output or Path(_stem(model, sketched)).with_suffix(_ENDINGS[kind])
    check_places([path], "--output", force=force)
    from statewise.cli.printer import Printer, as_notes

    printer = Printer()
    with printer.busy("Loading the engine"):
        from statewise.models import Model, Sequential
    try:
        with as_notes(printer):
            made = model_of(model, axes or (None, None, 1))
        if not isinstance(made, (Model, Sequential)):
            raise Refusal(
                f"{model} holds {type(made).__name__}, not a model of statewise's: let it be the "
                "one that statewise.accelerate makes of it"
            )
        made.export(path, format=kind, **({"state": True} if state else {}))
    except ImportError as error:
        raise Refusal(one_line(str(error))) from None
    except (TypeError, ValueError) as error:
        raise Refusal(f"{model}: {error}") from None
    except OSError as error:
        raise Refusal(f"{path} can't be written: {error.strerror or error}") from None
    printer.line("Written", str(path))


def _stem(model: str, sketched: bool) -> str:
    """Return the name of a file for a model: its own, or "model" for layers typed."""
    path, _, name = model.rpartition(":")
    if path.endswith(".py"):
        return name
    return "model" if sketched else Path(model).stem
