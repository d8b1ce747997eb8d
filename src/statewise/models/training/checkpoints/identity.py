"""Which training a checkpoint is of: facts of model, optimizer, loss and data, and how they differ.

The facts are JSON. Names that Keras numbers (``lstm_1``) don't count: a model that is built once
more in the same process is the same.
"""

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import jax
import keras
import numpy as np

from statewise._keras_compat import all_layers
from statewise._version import __version__
from statewise.models.training.batches import CHUNK_LIMIT, WHOLE_LIMIT, Batches
from statewise.models.training.checkpoints.container import digest_of
from statewise.models.training.given import Given
from statewise.models.training.lane_batches import LaneBatches
from statewise.models.training.validation import SameBatches
from statewise.models.training.window_pieces import WindowPieces

_BLOCKS = 256  # of rows, that are looked at where there are too many to look at all
_LEFT_OUT = ("compile_config", "build_config", "registered_name", "module", "shared_object_id")
_SHOWN = 3  # differences that an error tells


def facts_of_model(model) -> dict[str, Any]:
    """Return what a compiled model is: its layers, weights, loss and optimizer."""
    weights = [
        [list(v.shape), str(keras.backend.standardize_dtype(v.dtype)), bool(v.trainable)]
        for v in model.variables
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # on what can't be saved: here it needn't be
        return {
            "model": _config(model, _names(model), own=True),
            "weights": weights,
            "loss": _config(model.loss),
            "optimizer": _optimizer(model.optimizer),
            "metrics": [[v.name, list(v.shape)] for v in model.metrics_variables],
        }


def facts_of_data(
    batches: Batches | LaneBatches | WindowPieces | SameBatches | None,
) -> dict[str, Any] | None:
    """Return what the data are; of a generator only that it's one.

    The numbers of arrays are all looked at up to 1 GiB, beyond it 256 MiB of their rows, evenly
    spread.
    """
    if batches is None:
        return None
    if isinstance(batches, SameBatches):
        return facts_of_data(batches.batches)
    if isinstance(batches, LaneBatches):
        lanes = batches.lanes
        return {
            "kind": "lanes",
            "series": len(lanes.keys),
            "lengths": digest_of(np.asarray(lanes.lengths)),
            "lanes": lanes.batch,
            "steps": lanes.steps,
            "features": [lanes.features, lanes.target_features],
            "seed": lanes.seed,
            "numbers": _digest_of_lanes(lanes),
        }
    if isinstance(batches, WindowPieces):
        windows = batches.windows
        batch = next(iter(windows.epoch(0)))
        return {
            "kind": "windows",
            "series": len(windows.keys),
            "lengths": digest_of(np.asarray(windows.lengths)),
            "windows": [windows.lookback, windows.horizon, windows.stride, windows.batch],
            "features": [windows.features, windows.target_features],
            "seed": windows.seed,
            "numbers": digest_of(*batch),
        }
    given = batches.given
    facts: dict[str, Any] = {
        "batch_size": given.batch_size,
        "steps": given.steps,
        "shuffle": given.shuffle if isinstance(given.shuffle, str) else bool(given.shuffle),
    }
    if given.rows is None:
        weights = given.class_weight
        facts["kind"] = type(given.x).__name__
        facts["class_weight"] = weights and sorted([int(k), float(v)] for k, v in weights.items())
        return facts
    facts |= {"kind": "arrays", "samples": given.samples}
    leaves = jax.tree.leaves(given.rows)
    first = [np.asarray(leaf.take(slice(0, 1))) for leaf in leaves]
    facts["arrays"] = [[list(a.shape[1:]), str(a.dtype)] for a in first]
    digests = [digest_of(*(np.asarray(r.take(rows)) for r in leaves)) for rows in _spread(given)]
    facts["numbers"] = digests[0] if len(digests) == 1 else digest_of(np.asarray(digests))
    return facts


def differences(then: Any, now: Any, name: str = "") -> Iterator[str]:
    """Yield in words what of the facts of a checkpoint is otherwise now.

    >>> list(differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "c": 2}))
    ['a, b: 1 in the checkpoint, 3 now']
    """
    if isinstance(then, dict) and isinstance(now, dict):
        for key in dict.fromkeys([*then, *now]):
            if key == "learning_rate" and None in (then.get(key, 0), now.get(key, 0)):
                continue  # a model that was trained before: the rate is a state by then
            where = f"{name}, {key}" if name else str(key)
            yield from differences(then.get(key), now.get(key), where)
        return
    lists = isinstance(then, list) and isinstance(now, list)
    if lists and len(then) == len(now) and any(isinstance(part, (dict, list)) for part in then):
        for number, (one, other) in enumerate(zip(then, now, strict=True)):
            yield from differences(one, other, f"{name} {number}")
        return
    if then != now and not (then != then and now != now):
        if isinstance(then, str) and isinstance(now, str) and name.endswith("numbers"):
            yield f"{name}: the data hold others than those of the checkpoint"
        else:
            yield f"{name}: {_words(then)} in the checkpoint, {_words(now)} now"


def check_same(path, then: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    """Refuse to go on with another model, optimizer, loss or data than those of a checkpoint.

    Raises:
        ValueError: naming the differences.
    """
    found = list(differences(then, json.loads(json.dumps(now))))
    if not found:
        return
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise ValueError(
        f"checkpoint: {path} is of another training. {'; '.join(found[:_SHOWN])}{more}. Nothing "
        "was changed. Give what that training was given, to go on with it, or another folder, to "
        "begin a new one."
    )


def _words(value) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return "nothing" if value is None else f"{value!r:.80}"


def _spread(given: Given) -> Iterator[slice]:
    """Yield the rows that are looked at, block by block."""
    each, whole = max(1, given.nbytes // given.samples), given.nbytes <= WHOLE_LIMIT
    rows = max(1, (CHUNK_LIMIT // 16 if whole else CHUNK_LIMIT // _BLOCKS) // each)
    apart = rows if whole else max(rows, given.samples // _BLOCKS)
    for first in range(0, given.samples, apart):
        yield slice(first, min(first + rows, given.samples))


def _digest_of_lanes(lanes) -> str:
    if lanes.in_memory and lanes.nbytes <= WHOLE_LIMIT:
        chunk = lanes.arrays(0)
    else:
        chunk = next(iter(lanes.epoch(0)))
    parts = [chunk.x, chunk.resets, chunk.valid, *([] if chunk.y is None else [chunk.y])]
    return digest_of(*(np.asarray(part) for part in parts))


def _names(model) -> dict[str, str]:
    return {layer.name: f"layer {i}" for i, layer in enumerate(all_layers(model))}


def _config(thing, names: Mapping[str, str] | None = None, *, own: bool = False) -> Any:
    """Return the configuration of something of Keras's as JSON; its class's name if it has none.

    Args:
        thing: a model, a loss, an optimizer.
        names: what stands for the names of layers.
        own: whether its ``get_config`` is asked, which says nothing of how it was compiled.
    """
    try:
        config = thing.get_config() if own else keras.saving.serialize_keras_object(thing)
        text = json.dumps(config, default=lambda o: type(o).__name__)
    except Exception:  # a class of the user's own, that isn't made to be saved
        return getattr(thing, "__name__", type(thing).__name__)
    return _plain(json.loads(text), names or {})


def _plain(value, names: Mapping[str, str]):
    """Leave out what says how a thing is compiled, built or registered, and number the layers."""
    if isinstance(value, dict):
        return {
            key: _unnumbered(part, names) if key == "name" else _plain(part, names)
            for key, part in value.items()
            if key not in _LEFT_OUT
        }
    if isinstance(value, list):
        return [_plain(part, names) for part in value]
    return names.get(value, value) if isinstance(value, str) else value


def _unnumbered(name, names: Mapping[str, str]):
    """Return a name without the number that Keras gives the second of its kind."""
    return re.sub(r"_\d+$", "", names.get(name, name)) if isinstance(name, str) else name


def _optimizer(optimizer) -> Any:
    facts = _config(optimizer)
    if isinstance(facts, dict) and int(np.asarray(optimizer.iterations)) > 0:
        _forget_rates(facts)
    return facts


def _forget_rates(facts: dict) -> None:
    """Leave out the learning rates of a model that was trained already: they are a state."""
    for key, value in facts.items():
        if key == "learning_rate" and isinstance(value, (int, float)):
            facts[key] = None
        elif isinstance(value, dict):
            _forget_rates(value)


def versions() -> dict[str, str]:
    """Return the versions of what computes the weights, to their last bits."""
    return {
        "statewise": __version__,
        "keras": keras.__version__,
        "jax": jax.__version__,
        "numpy": np.__version__,
    }
