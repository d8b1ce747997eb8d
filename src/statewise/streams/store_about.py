"""What a store says about itself: its format, its columns, and which weights made its states."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from statewise.streams import checksums
from statewise.streams.records import Column
from statewise.streams.store_files import damaged

FORMAT = "statewise-streams-2"
WITHOUT_CHECKSUMS = "statewise-streams-1"  # is brought to the present format when it's opened

About = dict[str, str]


def about_of(columns: Sequence[Column], weights: str) -> About:
    """Return what a new store says, by name."""
    described = json.dumps([_described(column) for column in columns])
    return signed({"format": FORMAT, "columns": described, "weights": weights})


def signed(about: Mapping[str, str]) -> About:
    """Return what a store says with a checksum of it.

    >>> sorted(signed({"format": FORMAT}))
    ['checksum', 'format']
    """
    texts = {name: text for name, text in about.items() if name != "checksum"}
    return {**texts, "checksum": checksums.of_texts(texts)}


def check_about(path: Path, about: About, columns: Sequence[Column]) -> None:
    """Refuse a store that isn't of these columns, or whose word isn't whole.

    Args:
        path: of the store.
        about: what it says.
        columns: what it should hold.

    Raises:
        ValueError: naming the differences, or what is damaged.
    """
    if about.get("format") not in (FORMAT, WITHOUT_CHECKSUMS):
        raise ValueError(
            f"{path} isn't a store that this version can read: its format is "
            f"{about.get('format')!r}, expected {FORMAT!r}."
        )
    if not {"columns", "weights"} <= about.keys() or not all(
        isinstance(text, str) for pair in about.items() for text in pair
    ):
        raise damaged(path, "what it says about itself isn't whole")
    if about["format"] == FORMAT and signed(about) != about:
        raise damaged(path, "what it says about itself doesn't have its checksum")
    try:
        _check_columns(path, json.loads(about["columns"]), columns)
    except (TypeError, KeyError, json.JSONDecodeError) as error:
        raise damaged(path, f"its columns are {about['columns']!r:.200}") from error


def _check_columns(path: Path, kept: list[dict], columns: Sequence[Column]) -> None:
    here = [_described(column) for column in columns]
    differences = []
    for i in range(max(len(kept), len(here))):
        store, model = (side[i] if i < len(side) else None for side in (kept, here))
        if store is None or model is None or _fitting(store) != _fitting(model):
            differences.append(f"the store has {_words(store)}, the model {_words(model)}")
    if differences:
        raise ValueError(f"{path} holds the states of another model: {'; '.join(differences)}.")


def _described(column: Column) -> dict:
    shape, dtype = list(column.shape), str(np.dtype(column.dtype))
    return {"name": column.name, "kind": column.kind, "shape": shape, "dtype": dtype}


def _fitting(described: dict) -> tuple:
    return described["kind"], described["shape"], described["dtype"]


def _words(described: dict | None) -> str:
    if described is None:
        return "nothing more"
    shape = tuple(described["shape"])
    return f"{described['name']} ({described['kind']}) {shape} {described['dtype']}"
