"""What each part of the models' classes is derived from: `object`, and for types a Keras model.

A part (`Stepping`, `Running`, ...) is named before a Keras model in a class's bases, whose methods
and attributes it uses as its own.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keras import Model as ModelMixin
else:
    ModelMixin = object

__all__ = ["ModelMixin"]
