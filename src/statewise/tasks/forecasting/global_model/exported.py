"""A global model for other runtimes: its networks as Keras models, what they see as sums."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from statewise import layers
from statewise.models import Model
from statewise.tasks.forecasting.exporting import Exported, Part, check_no_gaps, refused
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.config import holds_counts
from statewise.tasks.forecasting.serialization.limits import MOST_STEPS

if TYPE_CHECKING:
    from statewise.tasks.forecasting.global_model.model import GlobalModel

_LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
_POINT = {"quantiles": 4}  # which of the head's outputs is the point, where it isn't the first


def exported_of(model: "GlobalModel") -> Exported:
    """Return the networks of a model, and how values are prepared for them.

    Raises:
        ValueError: where they see more than the latest values of one target, or gaps in them.
    """
    architecture, columns = model.architecture, model.data.panel.columns
    if columns.inputs or columns.calendar:
        names = ", ".join(map(repr, [*columns.inputs, *columns.calendar]))
        raise refused(
            f"it was given inputs besides the target ({names})",
            "One that is fitted on the target alone can be; this one is kept by save",
        )
    check_no_gaps(architecture.gaps)
    seasonal, blind = model.spec.start == "seasonal", model.spec.start == "blind"
    counts, season = holds_counts(model.request), architecture.season
    begins_from = [Part(0, [(1, 0, 1)])]
    if seasonal and season > 1:
        begins_from.append(_season_before(season))
    told: dict[str, Any] = {
        "members": 1,
        "lookback": architecture.lookback,
        "lost": 0,
        # Beyond it stands what was forecast; the network was shown the latest season known.
        "farthest": min(architecture.distant, default=MOST_STEPS),
        "logarithm": model.spec.log,
        "median_of_logarithms": True,
        "counts": counts,
        "scaled_by_series": True,
        "reach": 1 + max(architecture.reach, *architecture.seasons, 0),
        "center": 0.0,
        "step": None,
        "features": features_of(architecture, blind=blind and model.request.tentative),
        "begins_from": begins_from,
    }
    return Exported([network_of(architecture, weights) for weights in model.weights], told)


def features_of(architecture: Architecture, *, blind: bool) -> list[Part]:
    """Return what a network sees of the latest values, see `windows.shown`."""
    parts = [Part(0, [(1, 0, 1), (-1, 1, 1)])]
    parts += [Part(0, [(1, 0, 1), (-1, 0, width)]) for width in architecture.averages]
    for season in architecture.seasons if architecture.season_seen else ():
        both = [_season_before(season), Part(season, [(1, season - 1, 1), (-1, season, 1)])]
        parts += [Part(0, [])] * 2 if blind else both
    return parts


def _season_before(season: int) -> Part:
    return Part(season, [(1, season - 1, 1), (-1, 0, 1)])


def network_of(architecture: Architecture, weights: dict[str, Any]) -> Model:
    """Return the Keras model of one network, whose answer is the point alone.

    Args:
        architecture: of the network.
        weights: of the network.
    """
    x = layers.Input((None, architecture.seen))
    h = layers.Activation(keras.ops.arcsinh)(x)
    made: list[Any] = []
    for number in range(architecture.layers):
        layer = _LAYERS[architecture.cell](
            architecture.units, return_sequences=True, name=f"layer_{number}"
        )
        after = layer(h)
        h = layers.Add()([h, after]) if made else after
        made.append(layer)
    answer = layers.Dense(1, name="head")
    raw = answer(h)
    if architecture.shortcut:
        shortcut = layers.Dense(1, use_bias=False, name="shortcut")
        raw = layers.Add()([raw, shortcut(x)])
    for layer, given in zip(made, weights["layers"], strict=True):
        layer.set_weights([np.asarray(one) for one in given])
    point = _POINT.get(architecture.likelihood, 0)
    answer.set_weights([np.asarray(weights[n])[..., point, None] for n in ("head", "bias")])
    if architecture.shortcut:
        shortcut.set_weights([np.asarray(weights["shortcut"])[:, point, None]])
    return Model(x, raw, name="network")
