"""What scikit-learn asks of an estimator, where scikit-learn is there: it isn't needed to run.

Its own errors and warnings are raised where it has been imported, since nobody else asks for them.
"""

import sys
import warnings
from importlib import import_module
from typing import Any


def not_fitted(name: str) -> Exception:
    """Return the error of an estimator that isn't fitted yet; always a ValueError too."""
    text = f"this {name} is not fitted yet: call fit(X, y) first"
    kind = _of("exceptions", "NotFittedError")
    return ValueError(text) if kind is None else kind(text)


def warn_of_column(shape: tuple[int, ...]) -> None:
    """Warn that labels came as a column."""
    kind = _of("exceptions", "DataConversionWarning") or UserWarning
    text = f"A column-vector y was passed when a 1d array was expected: it has the shape {shape}"
    warnings.warn(text, kind, stacklevel=5)


def tags(kind: str, per_step: bool) -> Any:
    """Return the tags of an estimator, as scikit-learn asks for by ``__sklearn_tags__``.

    Args:
        kind: "classifier" or "regressor".
        per_step: whether it tells something of each step.
    """
    found = import_module("sklearn.utils")
    several = per_step or kind == "regressor"
    return found.Tags(
        estimator_type=kind,
        target_tags=found.TargetTags(required=True, multi_output=several),
        transformer_tags=None,
        classifier_tags=found.ClassifierTags() if kind == "classifier" else None,
        regressor_tags=found.RegressorTags() if kind == "regressor" else None,
        input_tags=found.InputTags(three_d_array=True),
        non_deterministic=False,
    )


def _of(module: str, name: str) -> Any:
    return getattr(sys.modules.get(f"sklearn.{module}"), name, None)
