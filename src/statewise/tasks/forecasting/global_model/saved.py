"""What a file keeps of a global model, and what it may claim of one."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import jax
import numpy as np

from statewise.recurrence import CELLS
from statewise.tasks.forecasting.engine import Named, Plain
from statewise.tasks.forecasting.global_model.architecture import Architecture, initial_weights
from statewise.tasks.forecasting.global_model.config import IncrementSpec, Request, ValidationSplit
from statewise.tasks.forecasting.global_model.features import Encoder
from statewise.tasks.forecasting.intervals import Factors, Residuals
from statewise.tasks.forecasting.serialization.limits import (
    MOST_ROWS,
    MOST_STEPS,
    check_count,
    check_shape,
    check_weights,
    numbers_in,
)
from statewise.tasks.forecasting.serialization.typed import typed

if TYPE_CHECKING:
    from statewise.tasks.forecasting.global_model.model import GlobalModel

_PLAIN = ("epochs", "errors", "curves", "losses")
_GONE = ("logs", "starts", "options")  # what 0.1 kept of a request besides


def state_of(model: "GlobalModel") -> tuple[Plain, Named]:
    """Return what JSON can hold of a model, and its arrays by name."""
    plain = {
        "request": asdict(model.request),
        "candidate": list(model.spec),
        "plan": asdict(model.architecture),
        "encoder": asdict(model.encoder),
        "members": len(model.weights),
        "held": model.split.held,
        "validated": model.split.horizon,
        **{name: getattr(model, name) for name in _PLAIN},
    }
    arrays = {
        f"weight_{i}_{j}": np.asarray(leaf)
        for i, weights in enumerate(model.weights)
        for j, leaf in enumerate(jax.tree.leaves(weights))
    }
    arrays |= {
        "residuals": model.residuals.sorted,
        "first": model.split.first,
        "series": model.split.series,
    }
    if model.factors is not None:
        arrays["factors"] = model.factors.values
    return plain, arrays


def parts_of(plain: Plain, arrays: Named) -> dict[str, Any]:
    """Return the parts of the model that gave these: the arguments of `GlobalModel` by name.

    Raises:
        KeyError, TypeError, ValueError: where a part is missing, of another kind, or larger than
            what the file holds.
    """
    architecture = typed(Architecture, plain["plan"])
    given = {name: value for name, value in plain["request"].items() if name not in _GONE}
    parts = {
        "request": typed(Request, given),
        "spec": typed(IncrementSpec, plain["candidate"]),
        "architecture": architecture,
        "encoder": typed(Encoder, plain["encoder"]),
    }
    _check_sizes(plain, arrays, architecture)
    leaves, structure = jax.tree.flatten(initial_weights(architecture, 0))
    weights = [
        jax.tree.unflatten(
            structure,
            [jax.numpy.asarray(arrays[f"weight_{i}_{j}"]) for j in range(len(leaves))],
        )
        for i in range(plain["members"])
    ]
    factors = arrays.get("factors")
    return {
        **parts,
        "weights": weights,
        "residuals": Residuals(arrays["residuals"]),
        "factors": None if factors is None else Factors(factors),
        "split": ValidationSplit(
            plain["held"], plain["validated"], arrays["first"], arrays["series"]
        ),
        **{name: plain[name] for name in _PLAIN},
    }


def _check_sizes(plain: Mapping[str, Any], arrays: Named, architecture: Architecture) -> None:
    held = numbers_in(arrays)
    for name in ("units", "layers", "channels"):
        check_count(getattr(architecture, name), name, held)
    check_count(plain["members"], "members", held)
    for name in ("held", "validated"):
        check_count(plain[name], name, MOST_ROWS)
    for count in (architecture.inputs, *architecture.categories):
        check_count(count, "inputs", held, 0)
    units = len(CELLS[architecture.cell].gates) * architecture.units
    one = architecture.layers * units * architecture.units + units * architecture.inputs
    check_weights(plain["members"] * one, held)
    for given in (plain["plan"], plain["request"]):
        for name in ("lookback", "season"):
            check_count(given[name], name, MOST_STEPS)
        for season in given.get("also", ()):  # files of before have one season
            check_count(season, "season", MOST_STEPS, 2)
    expected = [leaf.shape for leaf in jax.tree.leaves(initial_weights(architecture, 0))]
    for i in range(plain["members"]):
        for j, shape in enumerate(expected):
            check_shape(arrays, f"weight_{i}_{j}", shape)
