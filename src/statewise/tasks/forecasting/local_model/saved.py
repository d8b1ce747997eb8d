"""What a file keeps of a local model, and what it may claim of one."""

from typing import TYPE_CHECKING, Any

from statewise.recurrence import CELLS
from statewise.sequences import Pipeline
from statewise.tasks.forecasting.engine import Named, Plain
from statewise.tasks.forecasting.intervals import Residuals
from statewise.tasks.forecasting.local_model.ensemble import side_by_side
from statewise.tasks.forecasting.local_model.selection import ValidationSplit
from statewise.tasks.forecasting.local_model.transforms import TransformSpec
from statewise.tasks.forecasting.serialization.limits import (
    MOST_ROWS,
    MOST_STEPS,
    check_count,
    check_weights,
    numbers_in,
)

if TYPE_CHECKING:
    from statewise.tasks.forecasting.local_model.model import LocalModel

_PLAIN = ("cell", "lookback", "units", "epochs", "shape", "losses", "errors", "curves")


def state_of(model: "LocalModel") -> tuple[Plain, Named]:
    """Return what JSON can hold of a model, and its arrays by name."""
    plain = {
        "log": model.spec.log,
        "lags": list(model.spec.lags),
        "chain": model.pipeline.get_state(),
        "networks": model.model.output_shape[-1],
        **{name: getattr(model, name) for name in _PLAIN},
        "validation": [model.split.first, model.split.horizon],
    }
    arrays = {f"weight_{i}": w for i, w in enumerate(model.model.get_weights())}
    arrays |= {"residuals": model.residuals.sorted, "origins": model.split.origins}
    return plain, arrays


def parts_of(plain: Plain, arrays: Named) -> dict[str, Any]:
    """Return the parts of the model that gave these: the arguments of `LocalModel` by name.

    Raises:
        KeyError, TypeError, ValueError: where a part is missing, of another kind, or larger than
            what the file holds.
    """
    _check_sizes(plain, arrays)
    model = side_by_side(plain["cell"], networks=plain["networks"], units=plain["units"])
    model.set_weights([arrays[f"weight_{i}"] for i in range(len(model.get_weights()))])
    first, horizon = plain["validation"]
    return {
        "spec": TransformSpec(plain["log"], tuple(plain["lags"])),
        "pipeline": Pipeline.from_state(plain["chain"]),
        "model": model,
        "residuals": Residuals(arrays["residuals"]),
        "split": ValidationSplit(first, horizon, arrays["origins"]),
        **{name: plain[name] for name in _PLAIN},
        "shape": tuple(plain["shape"]),
        "curves": _pairs(plain["curves"]),
    }


def _check_sizes(plain: Plain, arrays: Named) -> None:
    held = numbers_in(arrays)
    for name in ("networks", "units"):
        check_count(plain[name], name, held)
    wide = plain["networks"] * plain["units"]
    check_weights(len(CELLS[plain["cell"]].gates) * wide**2, held)
    check_count(plain["lookback"], "lookback", MOST_STEPS)
    for name, value in zip(("first", "horizon"), plain["validation"], strict=True):
        check_count(value, name, MOST_ROWS)


def _pairs(curves: dict[str, list]) -> dict[str, list[tuple[int, float]]]:
    """Return curves as JSON had them with tuples again."""
    return {name: [tuple(pair) for pair in curve] for name, curve in curves.items()}
