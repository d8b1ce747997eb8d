"""Models in files: saved whole or not at all, and a word on which file is damaged."""

import os
import zipfile
import zlib
from pathlib import Path

from statewise._keras_compat import (
    ask_to_proceed_with_overwrite,
    is_remote_path,
    load_saved,
    says_unknown_class,
)
from statewise._runtime.forks import check_not_forked
from statewise._whole_files import write_beside
from statewise.layers.recurrent import saving_states
from statewise.models.mixin import ModelMixin
from statewise.models.seals import check_seals, seal

# Errors that say what is wrong with what is asked for, not with the file.
_PLAIN = (FileNotFoundError, PermissionError, IsADirectoryError, ImportError, MemoryError)


class Saving(ModelMixin):
    """What writes a model to files; to be named before a Keras model in a class's bases."""

    def save(self, filepath, overwrite=True, zipped=None, *, include_state: bool = False, **kwargs):
        """Save the model, as Keras's ``save`` does, on request with the state that it keeps.

        Loading gives the state back: the loaded model goes on where this one was. An older file is
        replaced when the new one is complete; an error (a full disk) leaves it as it was.
        """

        def write(path, overwrite=True):
            with saving_states(include_state):
                return super(Saving, self).save(path, overwrite=overwrite, zipped=zipped, **kwargs)

        optimizer = getattr(self, "optimizer", None)
        return _save(filepath, overwrite, write, _bytes(self) + _bytes(optimizer))

    def save_weights(self, filepath, overwrite=True, max_shard_size=None):
        """Save the weights, as Keras's ``save_weights`` does, whole or not at all; see `save`."""

        def write(path, overwrite=True):
            return super(Saving, self).save_weights(path, overwrite, max_shard_size)

        return _save(filepath, overwrite, write, _bytes(self))

    def load_weights(self, filepath, *args, **kwargs):
        """Load weights, as Keras's ``load_weights`` does.

        Raises:
            ValueError: naming the file, if it's damaged.
        """
        if isinstance(filepath, (str, os.PathLike)) and not _is_remote(filepath):
            check_seals(filepath)
        return super().load_weights(filepath, *args, **kwargs)


def _bytes(of) -> int:
    """Return how many bytes the variables of a model or an optimizer take."""
    return sum(v.value.nbytes for v in getattr(of, "variables", ()))


def _save(filepath, overwrite: bool, write, size: int):
    if not isinstance(filepath, (str, os.PathLike)) or _is_remote(filepath):
        return write(filepath, overwrite)
    # Keras asks if the file is there, and where it writes first there is none.
    exists = os.path.exists(filepath)
    if exists and not overwrite and not ask_to_proceed_with_overwrite(filepath):
        return None
    return write_beside(filepath, write, size, seal)


def _is_remote(filepath) -> bool:
    return str(filepath).startswith("hf://") or is_remote_path(str(filepath))


def load_model(path, custom_objects=None, compile=True):
    """Load a saved model, ``.keras`` or older, with the layers of this package known to Keras.

    Args:
        path: the file.
        custom_objects: names and objects of your own, as in `keras.saving.load_model`.
        compile: whether to restore optimizer, loss and metrics too.

    Raises:
        ValueError: if there is no such file, it isn't a saved model, or it's damaged.
        TypeError: if it needs a class of yours that isn't known.

    >>> import tempfile, os
    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((3, 1)), layers.GRU(2)])
    >>> path = os.path.join(tempfile.mkdtemp(), "model.keras")
    >>> model.save(path)
    >>> type(load_model(path)).__name__
    'Sequential'
    """
    check_not_forked()
    if isinstance(path, (str, os.PathLike)) and not _is_remote(path):
        check_seals(path)
    try:
        return load_saved(path, custom_objects=custom_objects, compile=compile)
    except _PLAIN:
        raise
    except Exception as error:
        damage = _damage(path)
        if damage is not None:
            raise ValueError(
                f"{path} is damaged: {damage}. Load an intact copy of the file."
            ) from error
        if says_unknown_class(error) or str(path) in str(error):
            raise  # a class of the user's own, or a file that isn't there
        raise ValueError(
            f"{path} can't be loaded as a model: it isn't one, or none that this version of Keras "
            f"reads ({type(error).__name__}: {error!s:.1000})."
        ) from error


def _damage(path) -> str | None:
    """Return what is wrong with a ``.keras`` file as an archive; None where it is whole."""
    if not isinstance(path, (str, os.PathLike)) or Path(path).suffix != ".keras":
        return None
    if not Path(path).is_file():
        return None
    part = None
    try:
        with zipfile.ZipFile(path) as archive:
            for part in archive.infolist():
                with archive.open(part) as file:
                    while file.read(1 << 20):
                        pass
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        where = "its table of parts" if part is None else f"its part {part.filename!r}"
        return f"{where} can't be read ({error})"
    except (OSError, ValueError, OverflowError) as error:
        return f"it can't be read as an archive ({error})"
    return None
