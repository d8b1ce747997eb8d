"""What a fit, or a forecast block by block, shows while it goes on, for those who ask for a bar."""

import math
from collections.abc import Callable

import keras

Progress = Callable[[str, int, int, float], None]

_PHASES = {
    "reading": "Reading",
    "choosing": "Choosing on the validation part",
    "collecting": "Collecting windows",
    "training": "Training on everything",
    "forecasting": "Forecasting",
}


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
    last: dict[str, int] = {}

    def show(phase: str, done: int, most: int, loss: float) -> None:
        if not progress:
            return
        series = math.isnan(loss)  # of which some were read, or forecast
        if done <= last.get(phase, 0):  # once more
            del bars[phase]
        if phase not in bars:
            if bars:
                print()  # what went before may have ended early
            print(_PHASES[phase], flush=True)
            known = None if phase == "reading" else most
            bars[phase] = keras.utils.Progbar(known, unit_name="series" if series else "epoch")
        values = [] if series else [("loss", loss)]
        bars[phase].update(done, values=values, finalize=done == most and phase != "reading")
        last[phase] = done

    return show
