"""Floor 3: models. Compiled epochs, the state as a value, closed-loop forecasts."""

from statewise.models.model import Functional, Model, Sequential
from statewise.models.saving import load_model
from statewise.models.state import State, concatenate
from statewise.models.state_files import load_state, save_state
from statewise.models.training.checkpoints.options import Checkpoints

__all__ = [
    "Checkpoints",
    "Functional",
    "Model",
    "Sequential",
    "State",
    "concatenate",
    "load_model",
    "load_state",
    "save_state",
]
