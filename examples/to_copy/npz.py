"""A format to copy: the weights of a model in an ``.npz`` file, by the names of its variables."""

from typing import Any

import numpy as np

from statewise._whole_files import written_whole
from statewise.models import Model, Sequential


def write_weights(model: Model | Sequential, path: Any) -> None:
    """Write the weights of a model.

    Args:
        model: of any kind.
        path: of the file, which is written whole or not at all.

    Raises:
        OSError: where it can't be written.

    >>> import tempfile
    >>> from statewise import layers
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(3)])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_weights(model, f"{folder}/a.npz")
    ...     read_weights(model, f"{folder}/a.npz")
    """
    with written_whole(path) as beside, open(beside, "wb") as file:
        np.savez(file, **{variable.path: np.asarray(variable) for variable in model.weights})


def read_weights(model: Model | Sequential, path: Any) -> None:
    """Give a model the weights of a file; nothing is changed where one doesn't fit.

    Raises:
        ValueError: where the file's names or shapes aren't the model's; it says which.
    """
    with np.load(path) as file:
        arrays = dict(file)
    shapes = {variable.path: tuple(variable.shape) for variable in model.weights}
    wrong = sorted(shapes.keys() ^ arrays.keys())
    wrong += [name for name in shapes.keys() & arrays.keys() if arrays[name].shape != shapes[name]]
    if wrong:
        raise ValueError(
            f"{path} doesn't hold the weights of model {model.name!r}: {wrong[0]!r} is in one of "
            "them alone, or has another shape. Give it the file of a model of the same layers."
        )
    for variable in model.weights:
        variable.assign(arrays[variable.path])
