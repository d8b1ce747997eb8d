"""A fitted detector as one file: safetensors, nothing in it that runs when it's read."""

import hashlib
import json
from collections.abc import Hashable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors import safe_open
from safetensors.numpy import save

from statewise._whole_files import written_whole
from statewise.models.state import State, concatenate
from statewise.sequences import DataError
from statewise.tasks.anomaly.cells import SCALES, groups_of
from statewise.tasks.anomaly.data import Columns
from statewise.tasks.anomaly.fitting import Learned
from statewise.tasks.anomaly.networks import METHODS, Design, Tail
from statewise.tasks.anomaly.scaling import LONGEST
from statewise.tasks.forecasting.serialization.limits import check_count, check_shape
from statewise.tasks.forecasting.serialization.objects import as_objects, as_text
from statewise.tasks.forecasting.serialization.parts import as_plain, damage_told
from statewise.tasks.forecasting.serialization.typed import typed

FORMAT = "statewise-anomalies-1"
_GATES = {"forecast": 3, "autoencoder": 4, "feedback": 4}
_MOST = 4096


def write(path: Any, params: dict[str, Any], learned: Learned) -> None:
    """Write what a detector has learned.

    Raises:
        DataError: where a key or a name is of a type that can't be written.
        OSError: where the file can't be written.
    """
    told = {
        "params": params,
        "design": learned.design._asdict(),
        "names": _written(learned.names, "name"),
        "columns": [
            _written([learned.columns.key, learned.columns.time], "name of a column"),
            None
            if learned.columns.target is None
            else _written(learned.columns.target, "name of a column"),
        ],
        "between": learned.between,
        "ends": list(learned.ends.values()),
        "keys": _written(learned.scales, "key"),
        "losses": learned.losses,
        "notes": learned.notes,
    }
    scales = list(learned.scales.values())
    state = concatenate(list(learned.states.values())).numpy()
    arrays = {
        **{f"weight {i}": array for i, array in enumerate(learned.arrays)},
        **{f"tail {name}": np.asarray(one) for name, one in learned.tail._asdict().items()},
        "centers": np.stack([center for center, _ in scales]),
        "spreads": np.stack([spread for _, spread in scales]),
        "scores": np.asarray(learned.scores, np.float32),
        **{f"state {layer}:{n}": a for layer, named in state.items() for n, a in named.items()},
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    text = json.dumps(told, default=as_plain)
    metadata = {"format": FORMAT, "told": text, "checksum": _checksum(text, arrays)}
    with written_whole(path) as beside:
        beside.write_bytes(save(arrays, metadata=metadata))


def read(path: Any) -> tuple[dict[str, Any], Learned]:
    """Return the arguments of the detector, and what it had learned.

    Raises:
        DataError: where the file is none of a detector, is damaged, or of another format.
        FileNotFoundError: where there is none.
    """
    path = Path(path)
    if path.is_dir():
        raise DataError(f"{path} is a folder, and no file of a detector")
    if not path.exists():
        raise FileNotFoundError(f"{path}: no such file")
    with damage_told(path, "a detector"):
        return _read(path)


def _read(path: Path) -> tuple[dict[str, Any], Learned]:
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata() or {}
        if metadata.get("format") != FORMAT:
            raise DataError(
                f"{path} is no file of a detector that this version can read: its format is "
                f"{metadata.get('format')!r:.60}, expected {FORMAT!r}"
            )
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no dict)
    if _checksum(metadata["told"], arrays) != metadata["checksum"]:
        raise ValueError("its checksum is another one")
    told = json.loads(metadata["told"])
    design = typed(Design, told["design"])
    names, keys = tuple(_read_back(told["names"])), _read_back(told["keys"])
    _check(design, names, keys, arrays)
    states: dict[str, dict[str, Any]] = {}
    for name in arrays:
        if name.startswith("state "):
            layer, _, array = name.removeprefix("state ").partition(":")
            states.setdefault(layer, {})[array] = arrays[name]
    state = State(states)
    if state.batch_size != len(keys):
        raise ValueError(f"it has {state.batch_size} states of {len(keys)} series")
    of_table, target = told["columns"]
    key, time = _read_back(of_table)
    columns = Columns(key, time, None if target is None else tuple(_read_back(target)))
    weights = sum(name.startswith("weight ") for name in arrays)
    learned = Learned(
        design=design,
        arrays=[arrays[f"weight {i}"] for i in range(weights)],
        tail=Tail(
            levels=arrays["tail levels"],
            excesses=arrays["tail excesses"],
            averages=arrays["tail averages"],
            steps=float(arrays["tail steps"].item()),
        ),
        names=names,
        columns=columns,
        between=float(told["between"]),
        ends={
            key: None if end is None else float(end)
            for key, end in zip(keys, told["ends"], strict=True)
        },
        scales={key: (arrays["centers"][i], arrays["spreads"][i]) for i, key in enumerate(keys)},
        states={key: state.rows([i]).numpy() for i, key in enumerate(keys)},
        scores=arrays["scores"],
        losses=[float(loss) for loss in told["losses"]],
        notes=[str(note) for note in told["notes"]],
    )
    return told["params"], learned


def _check(design: Design, names: tuple, keys: list, arrays: dict[str, np.ndarray]) -> None:
    """Refuse a file that claims more than it holds, before anything is made of it."""
    if design.method not in METHODS:
        raise ValueError(f"it has the method {design.method!r:.40}")
    check_count(design.features, "features", len(names))
    check_count(design.units, "units", _MOST)
    check_count(design.window, "window", _MOST)
    check_count(design.season, "season", LONGEST)
    if len(names) != design.features or not keys or len(set(keys)) != len(keys):
        raise ValueError("its names or keys aren't those of its series")
    gates = _GATES[design.method]
    if arrays["weight 0"].shape[-1] != gates * design.units:
        raise ValueError(
            f"weights of the shape {arrays['weight 0'].shape} aren't those it tells of"
        )
    for name in ("centers", "spreads"):
        check_shape(arrays, name, (len(keys), design.features))
    for name in ("tail levels", "tail excesses", "tail averages"):
        check_shape(arrays, name, (len(SCALES), groups_of(design.features)))
    for name, array in arrays.items():
        if array.dtype.kind != "f" or not np.isfinite(array).all():
            raise ValueError(f"{name} holds something else than finite numbers")
    if not (arrays["spreads"] > 0).all() or not (arrays["tail excesses"] > 0).all():
        raise ValueError("a spread isn't above 0")


def _written(values: Iterable[Hashable], name: str) -> list[str]:
    """Return names or keys as text, each with its own type."""
    column = np.empty(len(values := list(values)), object)
    column[:] = values
    mixed = pd.Series([*column, 0], dtype=object)  # with a number, no text is left as it is
    text = as_text(mixed, name)
    return [] if text is None else text.tolist()[:-1]


def _read_back(texts: list[str]) -> list[Any]:
    return as_objects(pd.Series(texts, dtype=object)).tolist()


def _checksum(text: str, arrays: dict[str, np.ndarray]) -> str:
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(f"{name}{array.dtype}{array.shape}".encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()
