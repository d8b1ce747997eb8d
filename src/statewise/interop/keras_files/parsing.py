"""JSON within files, parsed."""

import json
from typing import Any


def parsed(content: str | bytes | None, where) -> Any:
    """Return what a text in JSON says; Keras's tuples become lists.

    Args:
        content: the text.
        where: what to name in errors: the file, and the part of it.

    Raises:
        ValueError: naming the file, where it isn't JSON.

    >>> parsed('{"class_name": "__tuple__", "items": [1, 2]}', "model.h5")
    [1, 2]
    """
    try:
        if content is None:
            raise ValueError("there is nothing")
        return json.loads(content, object_hook=_without_tuples)
    except (ValueError, RecursionError, TypeError) as error:
        raise ValueError(
            f"{where} can't be read as JSON ({error!s:.200}): it's damaged. Load an intact copy of "
            "the file."
        ) from error


def _without_tuples(found: dict) -> Any:
    if found.get("class_name") == "__tuple__" and isinstance(found.get("items"), list):
        return found["items"]
    return found
