"""A local model for other runtimes: its networks side by side in one, its transforms as sums."""

from typing import TYPE_CHECKING

from statewise.tasks.forecasting.exporting import Exported, Part, check_steps, told_intervals
from statewise.tasks.forecasting.serialization.limits import MOST_STEPS

if TYPE_CHECKING:
    from statewise.tasks.forecasting.local_model.model import LocalModel


def exported_of(model: "LocalModel", levels: list[float]) -> Exported:
    """Return the networks of a model, and how values are prepared for them; see `Engine.exported`.

    Raises:
        ValueError: where steps of its calendar may have had no row.
    """
    check_steps(model.data)
    scaler = model.pipeline.transforms[-1].get_state()
    weights = differences(model.spec.lags)
    told = {
        "members": model.model.output_shape[-1],
        "lookback": model.lookback,
        "lost": model.spec.steps_lost,
        "farthest": MOST_STEPS,
        "logarithm": model.spec.log,
        "median_of_logarithms": False,
        "counts": False,
        "scaled_by_series": False,
        "reach": 0,
        "center": scaler["shift"][0],
        "step": scaler["scale"][0],
        "features": [Part(0, [(sign, lag, 1) for lag, sign in weights.items()])],
        # What the difference was taken from, added again.
        "begins_from": [Part(0, [(-sign, lag - 1, 1) for lag, sign in weights.items() if lag])],
        "past": [],
        "inputs": [],
        "intervals": told_intervals(
            levels, lambda level: model.band(level, model.residuals.sorted.shape[1])
        ),
    }
    return Exported([model.model], told)


def differences(lags: tuple[int, ...]) -> dict[int, int]:
    """Return what differences one after the other are of values, by how many steps before now.

    >>> differences((12, 1))
    {0: 1, 12: -1, 1: -1, 13: 1}
    """
    weights = {0: 1}
    for lag in lags:
        moved = {at + lag: -sign for at, sign in weights.items()}
        weights |= {at: weights.get(at, 0) + sign for at, sign in moved.items()}
    return weights
