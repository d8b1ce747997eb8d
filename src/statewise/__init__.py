"""Recurrent networks on sequences: train, forecast, stream, and see what the network sees.

Importing this package chooses JAX as Keras's engine where nothing was chosen, tells XLA how to
compile small loops, makes its classes known to Keras's loaders, and does nothing more: the names
below load what they need when they are first used, so that ``import statewise`` and ``statewise
--help`` stay quick.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from statewise._renamed import say_renamed
from statewise._runtime.engine import choose_engine
from statewise._runtime.registry import make_known_to_keras
from statewise._runtime.small_loops import compile_small_loops_whole
from statewise._version import __version__

choose_engine()
compile_small_loops_whole()
make_known_to_keras()

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    import keras

    from statewise import (
        datasets,
        distributed,
        layers,
        models,
        pictures,
        recurrence,
        sequences,
        streams,
        tasks,
    )
    from statewise.interop import accelerate, from_torch, load, to_torch
    from statewise.models import Model, Sequential, load_model
    from statewise.pictures import draw, explain, explain_backend, inspect_steps
    from statewise.recurrence import show_config
    from statewise.sequences import read_table
    from statewise.tasks import (
        AnomalyDetector,
        Forecaster,
        SequenceClassifier,
        SequenceRegressor,
        TextGenerator,
        backtest,
    )

_MODULES = (
    "datasets",
    "distributed",
    "interop",
    "layers",
    "models",
    "pictures",
    "recurrence",
    "sequences",
    "streams",
    "tasks",
)
# Keras by another name: an import that sorting by name can't put before the choice of its engine.
_OTHERS = ("keras",)
_NAMES = {
    "AnomalyDetector": "statewise.tasks",
    "Forecaster": "statewise.tasks",
    "Model": "statewise.models",
    "SequenceClassifier": "statewise.tasks",
    "SequenceRegressor": "statewise.tasks",
    "Sequential": "statewise.models",
    "TextGenerator": "statewise.tasks",
    "accelerate": "statewise.interop",
    "backtest": "statewise.tasks",
    "draw": "statewise.pictures",
    "explain": "statewise.pictures",
    "explain_backend": "statewise.pictures",
    "from_torch": "statewise.interop",
    "inspect_steps": "statewise.pictures",
    "load": "statewise.interop",
    "load_model": "statewise.models",
    "read_table": "statewise.sequences",
    "show_config": "statewise.recurrence",
    "to_torch": "statewise.interop",
}
_RENAMED = {"inspect": "inspect_steps"}  # the old names stay for a release

__all__ = [*_MODULES, *_OTHERS, *_NAMES, "__version__"]


def __getattr__(name: str):
    """Load a public name on first use (PEP 562)."""
    if name in _MODULES:
        return import_module(f"statewise.{name}")
    if name in _OTHERS:
        return import_module(name)
    if name in _NAMES:
        value = getattr(import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    if name in _RENAMED:
        say_renamed(f"statewise.{name}", f"statewise.{_RENAMED[name]}")
        return __getattr__(_RENAMED[name])
    raise AttributeError(f"module 'statewise' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
