"""Floor 5: pictures of what a model is and does.

The names below are loaded when they are first used: the learner's page needs no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from statewise._renamed import say_renamed

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.pictures.anomaly_plot import plot_anomalies
    from statewise.pictures.diagram.drawing import Drawing, draw
    from statewise.pictures.explanation.backends import explain_backend
    from statewise.pictures.explanation.explain import Explanation, explain
    from statewise.pictures.forecast_plot import plot_forecast
    from statewise.pictures.inspection.layer_steps import Inspection, LayerSteps, inspect_steps
    from statewise.pictures.sequences_plot import plot_confusion, plot_contributions
    from statewise.pictures.sketch import model_from_sketch
    from statewise.pictures.surprise_plot import plot_surprise

__all__ = [
    "Drawing",
    "Explanation",
    "Inspection",
    "LayerSteps",
    "draw",
    "explain",
    "explain_backend",
    "inspect_steps",
    "model_from_sketch",
    "plot_anomalies",
    "plot_confusion",
    "plot_contributions",
    "plot_forecast",
    "plot_surprise",
]

_MODULES = {
    "Drawing": "diagram.drawing",
    "Explanation": "explanation.explain",
    "Inspection": "inspection.layer_steps",
    "LayerSteps": "inspection.layer_steps",
    "draw": "diagram.drawing",
    "explain": "explanation.explain",
    "explain_backend": "explanation.backends",
    "inspect_steps": "inspection.layer_steps",
    "model_from_sketch": "sketch",
    "plot_anomalies": "anomaly_plot",
    "plot_confusion": "sequences_plot",
    "plot_contributions": "sequences_plot",
    "plot_forecast": "forecast_plot",
    "plot_surprise": "surprise_plot",
}
_RENAMED = {"inspect": "inspect_steps"}  # the old names stay for a release


def __getattr__(name: str):
    """Load a public name on first use (PEP 562)."""
    if name in _MODULES:
        value = getattr(import_module(f"statewise.pictures.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
    if name in _RENAMED:
        say_renamed(f"statewise.pictures.{name}", f"statewise.pictures.{_RENAMED[name]}")
        return __getattr__(_RENAMED[name])
    raise AttributeError(f"module 'statewise.pictures' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
