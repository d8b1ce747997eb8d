"""JSON that holds a table: records, one a line, columns, or one of these within something else."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pandas as pd

from statewise.sequences.reading.names import checked_names
from statewise.sequences.reading.raw_table import Places
from statewise.sequences.tables import DataError, counted, listed

_DEEPEST = 4
_LABEL = re.compile(r"[-\d./:T WQZ+]+|\d+")


def read_json(text: str, name: str) -> tuple[pd.DataFrame, Places, str]:
    """Return the table in a JSON text, the places of its rows, and words for its form.

    Numbers are numbers, text is text, null is missing. What is nested in a record becomes columns
    of their own, ``main.temp``; a list within a record stays as JSON text.

    Raises:
        DataError: where it is no JSON, or holds no table, or several.

    >>> read_json('{"data": [{"day": "2020-01-01", "y": 1}]}', "t.json")[0].to_dict("list")
    {'day': ['2020-01-01'], 'y': [1]}
    """
    text = text.lstrip("\ufeff").strip()
    try:
        value = json.loads(text)
    except RecursionError:
        raise DataError(f"{name} is JSON that is nested too deeply for a table") from None
    except ValueError as error:
        lines = _json_lines(text)
        if lines is None:
            raise DataError(f"{name} is no readable JSON: {error}") from None
        frame = _records([record for _, record in lines])
        return frame, Places("line", [number for number, _ in lines]), "a record a line"
    frame, words = _table(value, name)
    frame.columns = checked_names([str(column).strip() for column in frame.columns], name)
    return frame.reset_index(drop=True), Places("record", range(1, len(frame) + 1)), words


def _json_lines(text: str) -> list[tuple[int, dict]] | None:
    found = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except (ValueError, RecursionError):
            return None
        if not isinstance(record, dict):
            return None
        found.append((number, record))
    return found if len(found) > 1 else None


def _table(value: Any, name: str) -> tuple[pd.DataFrame, str]:
    found = list(_tables(value, (), 0))
    if not found:
        raise DataError(f"{name} is JSON without a table: a list of records is one")
    depth = min(len(path) for path, _, _ in found)
    found = [item for item in found if len(item[0]) == depth]
    if len(found) > 1:
        longest = sorted(found, key=lambda item: -len(item[1]))
        if len(longest[0][1]) < 3 * len(longest[1][1]):
            raise DataError(
                f"{name} holds {counted(len(found), 'table')}: "
                f"{listed('.'.join(path) for path, _, _ in found)}; keep one of them in the file"
            )
        found = longest
    path, frame, words = found[0]
    return frame, f"{words} in {'.'.join(path)!r}" if path else words


def _tables(
    value: Any, path: tuple[str, ...], depth: int
) -> Iterator[tuple[tuple[str, ...], pd.DataFrame, str]]:
    """Yield the tables in a value: itself if it is one, else those within it."""
    if depth > _DEEPEST or not value:
        return
    frame = None
    if isinstance(value, list):
        frame, words = _of_list(value), "records"
        inner = [(str(place), item) for place, item in enumerate(value[:20])]
    elif isinstance(value, dict):
        frame, words = _of_object(value)
        inner = [(str(key), item) for key, item in value.items()]
    else:
        return
    if frame is not None:
        yield path, frame, words
        return
    for key, item in inner:
        yield from _tables(item, (*path, key), depth + 1)


def _of_list(value: list) -> pd.DataFrame | None:
    if all(isinstance(item, dict) for item in value):
        return _records(value)
    if all(isinstance(item, list) for item in value) and all(map(_are_flat, value)):
        width = max(map(len, value))
        if width < 2:
            return None
        head, rest = value[0], value[1:]
        named = rest and all(isinstance(cell, str) for cell in head) and len(head) == width
        if named and any(not isinstance(cell, str) for row in rest for cell in row):
            return pd.DataFrame(rest, columns=[str(cell).strip() for cell in head])
        return pd.DataFrame(value, columns=[f"column{place}" for place in range(1, width + 1)])
    return None


def _are_flat(item: Any) -> bool:
    return not any(isinstance(cell, (dict, list)) for cell in item)


def _of_object(value: dict) -> tuple[pd.DataFrame | None, str]:
    if {"columns", "data"} <= value.keys() and _is_split(value):
        frame = pd.DataFrame(value["data"], columns=[str(name) for name in value["columns"]])
        index = value.get("index")
        if isinstance(index, list) and len(index) == len(frame) and not _counts(index):
            frame.insert(0, "" if "index" in frame.columns else "index", index)
        return frame, "columns and data"
    items = list(value.values())
    if len(items) > 1 and all(isinstance(item, list) and _are_flat(item) for item in items):
        if len({len(item) for item in items}) == 1 and len(items[0]):
            return pd.DataFrame(value), "columns"
        return None, ""
    if items and all(isinstance(item, dict) and item for item in items):
        if len(items) > 1 or _are_labelled(items[0]):
            return _of_objects(value)
        return None, ""
    if _are_labelled(value):
        return pd.DataFrame({"index": list(value), "value": items}), "values by label"
    return None, ""


def _are_labelled(value: dict) -> bool:
    """Whether an object holds values by days, years or numbers."""
    return len(value) > 1 and _are_flat(value.values()) and all(map(_LABEL.fullmatch, value))


def _is_split(value: dict) -> bool:
    rows, names = value["data"], value["columns"]
    return (
        isinstance(rows, list)
        and isinstance(names, list)
        and bool(rows)
        and all(isinstance(row, list) and len(row) == len(names) for row in rows)
    )


def _of_objects(value: dict) -> tuple[pd.DataFrame | None, str]:
    """Read objects within an object: a column each, or a row each."""
    inner = [list(item) for item in value.values()]
    flat = all(_are_flat(item.values()) for item in value.values())
    if not flat or any(set(keys) != set(inner[0]) for keys in inner):
        rows = all(map(_LABEL.fullmatch, value)) and len(value) > 1
        if not flat or not rows:
            return None, ""
    by_row = all(map(_LABEL.fullmatch, value))
    by_column = all(map(_LABEL.fullmatch, inner[0]))
    if (by_row and not by_column) or (by_row == by_column and len(value) > len(inner[0])):
        frame, labels = _records(list(value.values())), list(value)
    else:
        labels = inner[0]
        frame = pd.DataFrame({key: [item.get(at) for at in labels] for key, item in value.items()})
    if not _counts(labels):
        frame.insert(0, "" if "index" in frame.columns else "index", labels)
    return frame, "columns" if labels is inner[0] else "records by label"


def _counts(labels: list) -> bool:
    return [str(label) for label in labels] == [str(number) for number in range(len(labels))]


def _records(items: list[dict]) -> pd.DataFrame:
    return pd.DataFrame([_flat(item) for item in items])


def _flat(item: dict, before: str = "", depth: int = 0) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, cell in item.items():
        name = f"{before}{key}"
        if isinstance(cell, dict) and depth < _DEEPEST:
            flat.update(_flat(cell, f"{name}.", depth + 1))
        elif isinstance(cell, (dict, list)):
            flat[name] = json.dumps(cell, ensure_ascii=False)
        else:
            flat[name] = cell
    return flat
