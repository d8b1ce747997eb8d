"""Floor 5: pictures of what a model is and does.

The names below are loaded when they are first used: the learner's page needs no engine.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # for editors; at run time see __getattr__
    from statewise.pictures.diagram.drawing import Drawing, draw
    from statewise.pictures.explanation.explaining import Explanation, explain
    from statewise.pictures.forecast_plot import plot_forecast
    from statewise.pictures.inspection.inspecting import Inspection, LayerSteps, inspect
    from statewise.pictures.sketch import model_from_sketch

__all__ = [
    "Drawing",
    "Explanation",
    "Inspection",
    "LayerSteps",
    "draw",
    "explain",
    "inspect",
    "model_from_sketch",
    "plot_forecast",
]

_MODULES = {
    "Drawing": "diagram.drawing",
    "Explanation": "explanation.explaining",
    "Inspection": "inspection.inspecting",
    "LayerSteps": "inspection.inspecting",
    "draw": "diagram.drawing",
    "explain": "explanation.explaining",
    "inspect": "inspection.inspecting",
    "model_from_sketch": "sketch",
    "plot_forecast": "forecast_plot",
}


def __getattr__(name: str):
    """Load a public name on first use (PEP 562)."""
    if name in _MODULES:
        value = getattr(import_module(f"statewise.pictures.{_MODULES[name]}"), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'statewise.pictures' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
