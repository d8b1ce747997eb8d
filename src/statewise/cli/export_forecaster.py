"""What ``statewise export`` does with a saved forecaster: its networks and a JSON, in a folder."""

from pathlib import Path

import click

from statewise.cli.given_model import is_model_file
from statewise.cli.places import check_places
from statewise.cli.refusal import Refusal, one_line

_ENDINGS = (".forecaster", ".zip")  # a saved one may have any; so they are called in the docs
_INSIDE = "_forecaster.zip"  # of the folder that `statewise forecast FOLDER` writes


def is_forecaster(model: str) -> bool:
    """Whether a file of a forecaster is named, be it there or not.

    Raises:
        Refusal: where a folder with one is named.
    """
    path = Path(model)
    if model.rpartition(":")[0].endswith(".py") or model.endswith(".py"):
        return False
    try:
        folder, there = path.is_dir(), path.is_file()
    except (OSError, ValueError):  # layers typed can be longer than a path may be
        return False
    if folder and (path / _INSIDE).is_file():
        raise Refusal(f"{model} is a folder: the forecaster in it is {path / _INSIDE}")
    if folder:
        return False
    if not there:
        return model.lower().endswith(_ENDINGS)
    return not is_model_file(model) or _holds_forecaster(path)


def export_forecaster(
    model: str,
    kind: str,
    output: Path | None,
    level: tuple[float, ...] | None,
    *,
    state: bool,
    shape: str | None,
    force: bool,
) -> None:
    """Write the folder of a saved forecaster.

    Args:
        model: the path of its file.
        kind: what was asked for, "onnx" or "cpp".
        output: the folder; None for one by the file's name.
        level: of the intervals, in percent; None for the usual ones.
        state, shape, force: the options of these names.
    """
    if kind != "onnx":
        raise click.UsageError(
            f"--cpp is for models; a forecaster, as {model} is one, is written by --onnx"
        )
    if state:
        raise click.UsageError("--state is for models; a forecaster's networks always have theirs")
    if shape is not None:
        raise click.UsageError("--shape goes with layers typed; a forecaster has its own")
    if not Path(model).is_file():
        raise Refusal(f"{model}: no such file")
    folder = output or Path(Path(model).stem)
    if folder.exists() and not folder.is_dir():
        raise Refusal(f"{folder} is a file: --output names the folder to write")
    try:
        occupied = folder.is_dir() and any(folder.iterdir())
    except OSError as error:
        raise Refusal(f"{folder} can't be read: {error.strerror or error}") from None
    if occupied and not force:
        raise Refusal(
            f"{folder} is there already, and not empty: --force writes over an earlier export, "
            "--output names another folder"
        )
    check_places(
        [folder / "forecaster.json"] if folder.is_dir() else [folder], "--output", force=True
    )
    from statewise.cli.printer import Printer

    printer = Printer()
    with printer.busy("Loading the engine"):
        from statewise.tasks import Forecaster
    try:
        forecaster = Forecaster.load(model)
    except ValueError as error:  # it names the file
        raise Refusal(str(error)) from None
    except OSError as error:
        raise Refusal(f"{model} can't be read: {error.strerror or error}") from None
    try:
        forecaster.export(folder, overwrite=force, **({} if level is None else {"level": level}))
    except ImportError as error:
        raise Refusal(one_line(str(error))) from None
    except ValueError as error:
        raise Refusal(f"{model}: {error}") from None
    except OSError as error:
        raise Refusal(f"{folder} can't be written: {error.strerror or error}") from None
    printer.line("Written", str(folder))


def _holds_forecaster(path: Path) -> bool:
    """Whether a file is a forecaster's whatever its name's ending is."""
    import zipfile  # what `statewise --help` has no use for

    try:
        with zipfile.ZipFile(path) as file:
            return "forecaster.json" in file.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
