"""What callbacks have come to in a training: the attributes that changed since it began.

What a callback was made with stays what it's made with: another ``patience`` in the script that
goes on is the one that counts. A callback of one's own may have ``get_state()`` and
``set_state(state)`` instead, for what isn't numbers, texts, arrays or lists of these.
"""

import hashlib
import pickle
from collections.abc import Mapping, Sequence
from typing import Any

import jax
import numpy as np
from keras.callbacks import Callback, CallbackList, History, ProgbarLogger

from statewise._keras_compat import choose_direction
from statewise.models.training.checkpoints.values import NotKeptError, decoded, encoded, same

_NOT_OF_THE_TRAINING = {"_model", "params", "model"}


def kept_callbacks(callbacks: CallbackList) -> list[Callback]:
    """Return the callbacks whose state is kept: all but the progress bar."""
    return [c for c in callbacks.callbacks if not isinstance(c, ProgbarLogger)]


def at_begin(callbacks: Sequence[Callback]) -> list[dict[str, Any]]:
    """Return what the attributes are as a training begins, for `changes`."""
    return [{name: _form(value) for name, value in _attributes(c).items()} for c in callbacks]


def changes(
    callbacks: Sequence[Callback], begin: Sequence[Mapping[str, Any]], arrays: dict[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return for each callback, as JSON, the attributes that changed, and which can't be kept.

    Args:
        callbacks: those of the training.
        begin: what `at_begin` returned.
        arrays: where the arrays among them are put.
    """
    found = []
    for number, (callback, before) in enumerate(zip(callbacks, begin, strict=True)):
        name = f"callback/{number}"
        kept: dict[str, Any] = {"class": type(callback).__name__, "values": {}, "lost": []}
        if _has_own_state(callback):
            kept["own"] = encoded(callback.get_state(), name, arrays)
            found.append(kept)
            continue
        for attribute, value in _attributes(callback).items():
            if attribute in before and same(_form(value), before[attribute]):
                continue
            if callable(value):
                kept["monitors"] = kept.get("monitors", False) or attribute == "monitor_op"
                continue
            try:
                some: dict[str, np.ndarray] = {}
                kept["values"][attribute] = encoded(value, f"{name}/{attribute}", some)
                arrays |= some
            except NotKeptError:
                if not _is_keras_s(callback):
                    kept["lost"].append(attribute)
        found.append(kept)
    return found


def restore(
    callbacks: Sequence[Callback],
    states: Sequence[Mapping[str, Any]],
    arrays: Mapping[str, np.ndarray],
) -> list[str]:
    """Give callbacks the attributes they had; return the names of those that couldn't be given.

    Callbacks are told apart by their class, and several of one class by their order.
    """
    waiting, lost = list(callbacks), []
    for state in states:
        callback = next((c for c in waiting if type(c).__name__ == state["class"]), None)
        if callback is None:
            lost += [state["class"]] * bool(state["values"] or state["lost"] or "own" in state)
            continue
        waiting.remove(callback)
        if "own" in state:
            if _has_own_state(callback):
                callback.set_state(decoded(state["own"], arrays))
            else:
                lost.append(state["class"])
            continue
        if state.get("monitors"):
            choose_direction(callback)
        for attribute, value in state["values"].items():
            setattr(callback, attribute, decoded(value, arrays))
        lost += [f"{state['class']}.{attribute}" for attribute in state["lost"]]
    return lost


def back_to(callbacks: Sequence[Callback], begin: Sequence[Mapping[str, Any]]) -> None:
    """Give callbacks the attributes that they had as the training began, where these are known."""
    for callback, before in zip(callbacks, begin, strict=True):
        now = _attributes(callback)
        for attribute, value in before.items():
            if _is_known(value) and attribute in now and not same(_form(now[attribute]), value):
                setattr(callback, attribute, _form(value))


def _is_known(value) -> bool:
    """Whether a form is the value itself."""
    if isinstance(value, (list, tuple, dict)):
        return all(map(_is_known, value.values() if isinstance(value, dict) else value))
    return not isinstance(value, _Pickled) and not callable(value)


def _is_keras_s(callback: Callback) -> bool:
    """Whether a callback's attributes that can't be kept are known to be none of the training's."""
    return type(callback).__module__.startswith("keras.") and not isinstance(callback, History)


def _attributes(callback: Callback) -> dict[str, Any]:
    return {n: v for n, v in vars(callback).items() if n not in _NOT_OF_THE_TRAINING}


def _has_own_state(callback: Callback) -> bool:
    return all(callable(getattr(callback, name, None)) for name in ("get_state", "set_state"))


def _form(value):
    """Return a value in a form that stays as it is, whatever becomes of the value itself."""
    if type(value) in (list, tuple):
        return type(value)(map(_form, value))
    if type(value) is dict:
        return {key: _form(part) for key, part in value.items()}
    if isinstance(value, np.ndarray) and value.dtype != object:
        return np.array(value)
    plain = (type(None), bool, int, float, str, np.generic, jax.Array)
    if isinstance(value, plain) or callable(value):
        return value
    try:
        return _Pickled(hashlib.blake2b(pickle.dumps(value), digest_size=16).hexdigest())
    except Exception:  # a file, a lock: no part of what is computed, as far as one can tell
        return _Pickled("")


class _Pickled(str):
    """What tells one state of an object from another."""
