"""Which model forecasts: a local one for one short series, a global one for everything else."""

import numpy as np

from statewise.tasks.forecasting.adapters import Intake
from statewise.tasks.forecasting.engine import Arguments, Engine
from statewise.tasks.forecasting.global_model.model import GlobalModel
from statewise.tasks.forecasting.local_model.model import LocalModel

_LONG = 1000  # steps from which on one series makes a panel of its own
_ENGINES: dict[str, type[Engine]] = {"local": LocalModel, "global": GlobalModel}
_OLD_NAMES = {"alone": "local"}  # of files of 0.1


def engine_for(taken: Intake, arguments: Arguments) -> type[Engine]:
    """Return the model for what was taken in.

    Args:
        taken: the series.
        arguments: of the forecaster.
    """
    panel = taken.panel
    local = (
        len(panel) == 1
        and panel.values.shape[1] == 1
        and not (panel.columns.inputs or panel.columns.calendar)
        and not np.isnan(panel.values).any()
        and arguments.likelihood is None
        and arguments.layers == 1
        and len(panel.values) < _LONG
    )
    return LocalModel if local else GlobalModel


def engine_named(name: str) -> type[Engine]:
    """Return the model of which a file has the name.

    Raises:
        ValueError: where it is the name of none.
    """
    name = _OLD_NAMES.get(name, name)
    if name not in _ENGINES:
        raise ValueError(f"it names the engine {name!r:.40}")
    return _ENGINES[name]


def name_of(engine: Engine) -> str:
    """Return the name of a model in files."""
    return next(name for name, kind in _ENGINES.items() if type(engine) is kind)
