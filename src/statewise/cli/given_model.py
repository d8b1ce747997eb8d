"""The model that a command is given: a file, a name in a file of Python, or layers typed."""

import importlib.util
import sys
from pathlib import Path

from statewise.cli.refusal import Refusal

MOST = 10_000  # of each axis but the batch
_FILES = (".keras", ".h5", ".hdf5", ".json")


def axes_of(shape: str) -> tuple:
    """Return the axes that an option says, as 32,3,1."""
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
    if any(axis is not None and axis > MOST for axis in axes[1:]):
        raise Refusal(f"--shape {shape}: {MOST:,} time steps or features are the most")
    return axes


def check_model(model: str) -> bool:
    """Refuse what can be seen to be wrong before the engine is loaded; say if it's a sketch."""
    path, _, name = model.rpartition(":")
    if path.endswith(".py"):
        if not Path(path).is_file():
            raise Refusal(f"{path}: no such file")
        if not name.isidentifier():
            raise Refusal(f"{model}: {name!r} is no name of Python")
    elif model.endswith(".py"):
        raise Refusal(f"{model}: which name in it? As {model}:model")
    elif is_model_file(model):
        if not Path(model).exists():
            raise Refusal(f"{model}: no such file")
    else:
        return not _is_folder(model)
    return False


def is_model_file(model: str) -> bool:
    """Whether the name is that of a file of a model."""
    return model.lower().endswith(_FILES)


def _is_folder(model: str) -> bool:
    """Whether a folder is named: one that Keras wrote, or a SavedModel."""
    try:
        return Path(model).is_dir()
    except (OSError, ValueError):  # layers typed can be longer than a path may be
        return False


def model_of(model: str, axes):
    """Return the model; a sketch is made for these axes."""
    path, _, name = model.rpartition(":")
    if path.endswith(".py"):
        return _from_file(Path(path), name)
    if is_model_file(model) or _is_folder(model):
        return _loaded(model)
    from statewise.pictures import model_from_sketch

    try:
        return model_from_sketch(model, axes)
    except (MemoryError, OverflowError) as error:
        raise Refusal(f"the sketch is too large: {error}") from None


def _loaded(path: str):
    from statewise.interop import load

    try:
        return load(path, compile=False)
    except Exception as error:  # Keras raises whatever its readers do
        said = str(error) or repr(error)
        raise Refusal(said if path in said else f"{path} can't be loaded: {said}") from None


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
