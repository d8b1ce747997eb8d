"""The optimizers, as old code calls them: ``Adam(lr=0.009, decay=0.01, epsilon=None)``.

Every optimizer of `keras.optimizers` is here, and takes, besides today's arguments,

* ``lr`` for ``learning_rate``;
* ``decay``: the learning rate is ``lr / (1 + decay * iterations)``, where ``iterations`` is the
  number of updates done before; today a schedule says that;
* ``epsilon=None`` for ``keras.config.epsilon()``.

What is made is Keras's optimizer of today. What isn't given has today's default, which isn't the
old one for ``Adadelta`` (its learning rate was 1.0), ``Adagrad`` (0.01), ``Adamax`` and ``Nadam``
(0.002): each is 0.001 now.

>>> import warnings
>>> from statewise.interop.keras1.optimizers import SGD
>>> with warnings.catch_warnings():
...     warnings.simplefilter("ignore", FutureWarning)
...     optimizer = SGD(lr=0.1, momentum=0.9)
>>> type(optimizer) is keras.optimizers.SGD
True
"""

import functools
import inspect

import keras
import numpy as np

from statewise.interop.keras1.spelling import OldName, rename, warn_once


def __getattr__(name: str):
    """Offer what is in `keras.optimizers`, its optimizers by their old arguments too."""
    if name.startswith("_") or not hasattr(keras.optimizers, name):
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return _old_optimizer(name)


def __dir__():
    return dir(keras.optimizers)


@functools.cache
def _old_optimizer(name: str):
    today = getattr(keras.optimizers, name)
    is_optimizer = isinstance(today, type) and issubclass(today, keras.optimizers.Optimizer)
    if not is_optimizer or "learning_rate" not in inspect.signature(today).parameters:
        return today
    if today is keras.optimizers.Optimizer:
        return today  # to derive from
    body = {
        "__doc__": f"`keras.optimizers.{name}`, by its old arguments too.",
        "__module__": __name__,
        "today": today,
        "_make": classmethod(_make_optimizer),
    }
    return OldName(name, (today,), body)


def _make_optimizer(cls, construct, args, kwargs):
    name = cls.__name__
    if len(args) > 1:
        raise TypeError(
            f"{name} got {len(args)} arguments without a name. Their order isn't what it was, so "
            "only the learning rate can go without: name the others, as in epsilon=..., decay=...."
        )
    kwargs = rename(kwargs, {"lr": "learning_rate"}, name)
    if "epsilon" in kwargs and kwargs["epsilon"] is None:
        warn_once("epsilon=None", "leave epsilon out, or write epsilon=keras.config.epsilon()")
        kwargs["epsilon"] = keras.config.epsilon()
    decay = kwargs.pop("decay", None)
    if decay is None:
        return construct(*args, **kwargs)
    arguments = inspect.signature(cls.today).bind_partial(*args, **kwargs)
    arguments.apply_defaults()
    rate = arguments.arguments["learning_rate"]
    if not isinstance(rate, (int, float, np.number)):
        raise TypeError(
            f"{name} got decay={decay} and the learning rate {rate!r}: decay needs a number to "
            "begin with. Leave decay out, and let the schedule say how the learning rate falls."
        )
    warn_once(
        "decay=",
        f"learning_rate=keras.optimizers.schedules.InverseTimeDecay({rate}, decay_steps=1, "
        f"decay_rate={decay}), or leave it out where it is 0",
    )
    if decay:
        rate = keras.optimizers.schedules.InverseTimeDecay(rate, decay_steps=1, decay_rate=decay)
    return construct(**kwargs | {"learning_rate": rate})
