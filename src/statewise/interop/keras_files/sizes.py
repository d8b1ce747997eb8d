"""Whether a configuration and the weights beside it speak of layers of the same size.

To be asked before a model is built: a flipped bit in a number of units would otherwise fill the
memory with weights that the file doesn't hold.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import h5py  # type: ignore[import-untyped]  # it has no types

# The fields that say how many numbers a layer's weights have.
_FIELDS = ("units", "output_dim", "input_dim", "filters", "nb_filter")
_SMALL = 1 << 16  # a layer of that many units is harmless


def check_sizes(config: Any, group: h5py.Group, path) -> None:
    """Refuse a configuration with a size that none of the arrays has.

    Raises:
        ValueError: naming the layer.
    """
    largest = max(_axes(group), default=0)
    for kind, fields in _layers(config):
        for field in _FIELDS:
            size = fields.get(field)
            if isinstance(size, int) and size > max(largest, _SMALL):
                raise ValueError(
                    f"{path}: layer {fields.get('name')!r} ({kind}) has {field}={size}, but "
                    f"no array of the file has more than {largest} numbers along an axis. The file "
                    "is damaged."
                )


def _axes(group: h5py.Group) -> Iterator[int]:
    sizes: list[int] = []
    group.visititems(lambda _, thing: sizes.extend(getattr(thing, "shape", None) or ()))
    yield from sizes


def _layers(config: Any) -> Iterator[tuple[str, Mapping]]:
    waiting = [config]
    while waiting:
        here = waiting.pop()
        if isinstance(here, Mapping):
            kind, inner = here.get("class_name"), here.get("config")
            if isinstance(kind, str) and isinstance(inner, Mapping):
                yield kind, inner
            waiting += here.values()
        elif isinstance(here, list):
            waiting += here
