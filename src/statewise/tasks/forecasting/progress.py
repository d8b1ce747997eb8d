"""What a fit shows while it goes on, for those who ask for a bar."""

from collections.abc import Callable

import keras

Progress = Callable[[str, int, int, float], None]

_PHASES = {"choosing": "Choosing on the validation part", "training": "Training on everything"}


def as_progress(progress: Progress | bool | None) -> Progress:
    """Return the function that is called after each epoch.

    Args:
        progress: such a function; True for a bar, on stdout; None or False for nothing.

    >>> progress = as_progress(True)
    >>> progress("training", 2, 2, 0.5)
    Training on everything
    ...2/2...loss: 0.5000...
    """
    if callable(progress):
        return progress
    bars: dict[str, keras.utils.Progbar] = {}

    def show(phase: str, done: int, most: int, loss: float) -> None:
        if not progress:
            return
        if phase not in bars:
            if bars:
                print()  # what went before may have ended early
            print(_PHASES[phase], flush=True)
            bars[phase] = keras.utils.Progbar(most, unit_name="epoch")
        bars[phase].update(done, values=[("loss", loss)], finalize=done == most)

    return show
