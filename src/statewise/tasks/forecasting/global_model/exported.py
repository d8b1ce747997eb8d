"""A global model for other runtimes: its networks as Keras models, what they see as sums."""

from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from statewise import layers
from statewise.models import Model
from statewise.sequences import Columns
from statewise.tasks.forecasting.exporting import (
    Exported,
    Part,
    check_steps,
    refused,
    told_intervals,
)
from statewise.tasks.forecasting.global_model.architecture import Architecture
from statewise.tasks.forecasting.global_model.config import holds_counts
from statewise.tasks.forecasting.global_model.features import Encoder
from statewise.tasks.forecasting.serialization.limits import MOST_STEPS

if TYPE_CHECKING:
    from statewise.tasks.forecasting.global_model.model import GlobalModel

_LAYERS = {"lstm": layers.LSTM, "gru": layers.GRU, "rnn": layers.SimpleRNN}
_POINT = {"quantiles": 4}  # which of the head's outputs is the point, where it isn't the first


def exported_of(model: "GlobalModel", levels: list[float]) -> Exported:
    """Return the networks of a model, and how values are prepared for them; see `Engine.exported`.

    Raises:
        ValueError: where steps of the calendar may have had no row, and for categories that JSON
            can't hold.
    """
    architecture = model.architecture
    check_steps(model.data)
    columns = model.data.panel.columns
    seasonal, blind = model.spec.start == "seasonal", model.spec.start == "blind"
    counts, season = holds_counts(model.request), architecture.season
    begins_from = [Part(0, [(1, 0, 1)])]
    if seasonal and season > 1:
        begins_from.append(_season_before(season))
    told: dict[str, Any] = {
        "members": architecture.channels,
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
        "step": _step(architecture),
        "features": features_of(architecture, blind=blind and model.request.tentative),
        "begins_from": begins_from,
        "past": list(columns.past),
        "inputs": inputs_of(columns, model.encoder),
        "intervals": None,  # a likelihood's are quantiles of paths that are drawn
    }
    if model.factors is None:
        residuals = model.residuals
        told["intervals"] = told_intervals(
            levels, lambda level: residuals.around(level, residuals.sorted.shape[1])
        )
    return Exported([network_of(architecture, weights) for weights in model.weights], told)


def inputs_of(columns: Columns, encoder: Encoder) -> list[dict[str, Any]]:
    """Return how the numbers that are known for each step are made of columns, in their order.

    Raises:
        ValueError: for categories that JSON can't hold.
    """
    numbers = [one for one in columns.static if one in encoder.means]
    words = [one for one in columns.static if one in encoder.vocabularies]
    calendar = [{"calendar": name} for name in columns.calendar]
    return [
        *(_input(name, encoder, static=False) for name in columns.future),
        *calendar,
        *(_input(name, encoder, static=True) for name in (*numbers, *words)),
    ]


def _input(name: str, encoder: Encoder, *, static: bool) -> dict[str, Any]:
    told: dict[str, Any] = {"column": name, "static": static}
    if name in encoder.means:
        return {**told, "mean": encoder.means[name], "deviation": encoder.deviations[name]}
    words = [w.item() if isinstance(w, np.generic) else w for w in encoder.vocabularies[name]]
    wrong = next((word for word in words if not isinstance(word, (str, bool, int, float))), None)
    if wrong is not None:
        raise refused(
            f"the categories of {name!r} are no text ({wrong!r:.40} is a {type(wrong).__name__})",
            "Make them text before fit, or keep the forecaster by save",
        )
    return {**told, "words": words}


def _step(architecture: Architecture) -> float | None:
    """Return the scale of all windows, None where each has its own; see `windows.scale_of`."""
    if architecture.lookback > 1:
        return None
    return 1.0 if architecture.gaps else 0.1  # no two steps tell how far a series moves


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
    """Return the Keras model of one network, whose answers are the points alone.

    It takes the features of one channel after the other, then the inputs, in which each category
    of a series is a 1 among zeros.

    Args:
        architecture: of the network.
        weights: of the network.
    """
    tables = [np.asarray(one) for one in weights["tables"]]
    given = layers.Input((None, architecture.features + architecture.inputs + _words(tables)))
    x: Any = given
    if architecture.channels > 1 or tables or architecture.gaps:
        ordering = layers.Dense(architecture.seen, use_bias=False, name="ordering")
        x = ordering(given)
        ordering.set_weights([_ordering(architecture, tables)])
    h = layers.Activation(keras.ops.arcsinh)(x)
    made: list[Any] = []
    for number in range(architecture.layers):
        layer = _LAYERS[architecture.cell](
            architecture.units, return_sequences=True, name=f"layer_{number}"
        )
        after = layer(h)
        h = layers.Add()([h, after]) if made else after
        made.append(layer)
    answer = layers.Dense(architecture.channels, name="head")
    raw = answer(h)
    if architecture.shortcut:
        shortcut = layers.Dense(architecture.channels, use_bias=False, name="shortcut")
        raw = layers.Add()([raw, shortcut(x)])
    for layer, arrays in zip(made, weights["layers"], strict=True):
        layer.set_weights([np.asarray(one) for one in arrays])
    points = slice(_POINT.get(architecture.likelihood, 0), None, architecture.outputs)
    answer.set_weights([np.asarray(weights[name])[..., points] for name in ("head", "bias")])
    if architecture.shortcut:
        shortcut.set_weights([np.asarray(weights["shortcut"])[:, points]])
    return Model(given, raw, name="network")


def _words(tables: list[np.ndarray]) -> int:
    return sum(len(table) for table in tables)


def _ordering(architecture: Architecture, tables: list[np.ndarray]) -> np.ndarray:
    """Return the matrix that makes what a network sees of what is given, (given, seen).

    It puts features side by side, all channels' of one kind, and looks up categories. Where the
    network sees which values are missing, none is.
    """
    features, channels = architecture.features, architecture.channels
    columns = np.arange(features).reshape(-1, channels).T.ravel()
    same = np.eye(features + architecture.inputs)
    same[:features] = np.eye(features, len(same))[columns]
    matrix = np.zeros((len(same) + _words(tables), architecture.seen), np.float32)
    matrix[: len(same), : len(same)] = same
    row, column = len(same), len(same)
    for table in tables:
        rows, width = table.shape
        matrix[row : row + rows, column : column + width] = table
        row, column = row + rows, column + width
    return matrix
