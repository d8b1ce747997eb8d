"""Floor 5: work over several processes and machines.

Forecasts and backtests by key run over an `Executor`: `OneProcess`, `Processes`, or `Ray` (the
extra ``statewise[ray]``). `ShardedStreams` spreads live states by key over actors. `join` lets this
process train with others as one. Names load when they are first used.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from statewise.distributed.backtesting import backtest
    from statewise.distributed.executors import (
        Executor,
        OneProcess,
        Processes,
        Ray,
        WorkerLostError,
    )
    from statewise.distributed.files import predict_files
    from statewise.distributed.forecasting import predict
    from statewise.distributed.joining.join import Joined, ProcessLostError, join
    from statewise.distributed.ray_datasets import predict_dataset
    from statewise.distributed.ray_fitting import fit_dataset
    from statewise.distributed.sharded.errors import PartlyPushedError, ShardLostError
    from statewise.distributed.sharded.hosts import InProcess
    from statewise.distributed.sharded.ray_actors import RayActors
    from statewise.distributed.sharded.streams import ShardedStreams

_NAMES = {
    "Executor": "executors",
    "InProcess": "sharded.hosts",
    "Joined": "joining.join",
    "OneProcess": "executors",
    "PartlyPushedError": "sharded.errors",
    "ProcessLostError": "joining.join",
    "Processes": "executors",
    "Ray": "executors",
    "RayActors": "sharded.ray_actors",
    "ShardLostError": "sharded.errors",
    "ShardedStreams": "sharded.streams",
    "WorkerLostError": "executors",
    "backtest": "backtesting",
    "join": "joining.join",
    "fit_dataset": "ray_fitting",
    "predict": "forecasting",
    "predict_dataset": "ray_datasets",
    "predict_files": "files",
}

__all__ = [
    "Executor",
    "InProcess",
    "Joined",
    "OneProcess",
    "PartlyPushedError",
    "ProcessLostError",
    "Processes",
    "Ray",
    "RayActors",
    "ShardLostError",
    "ShardedStreams",
    "WorkerLostError",
    "backtest",
    "fit_dataset",
    "join",
    "predict",
    "predict_dataset",
    "predict_files",
]


def __getattr__(name: str):
    """Load a public name on first use (PEP 562)."""
    if name not in _NAMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_NAMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__():
    return sorted(__all__)
