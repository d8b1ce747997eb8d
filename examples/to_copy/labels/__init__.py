"""A kind of task to copy: which label a sequence has."""

from statewise.tasks.labels.labeller import Labeller

__all__ = ["Labeller"]
