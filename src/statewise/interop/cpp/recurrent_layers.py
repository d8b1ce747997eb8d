"""Recurrent layers, each cell on top of the one before."""

from typing import Any

from statewise.interop.cpp.cells import Step, write_step
from statewise.interop.cpp.source import Source, Value, refused
from statewise.layers.arithmetic import array_names
from statewise.layers.known_cells import known_cells
from statewise.models.state_names import layer_names
from statewise.models.structure import recurrent_layers


def declare_states(source: Source, model) -> None:
    """Add the state of a model to a header, in the order of `State`.

    Raises:
        ValueError: for a cell of somebody else's making.
    """
    for layer, name in zip(recurrent_layers(model), layer_names(model), strict=True):
        cells = known_cells(layer.cell)
        if cells is None:
            raise refused(layer, f"{type(layer.cell).__name__} is a cell of somebody else's making")
        sizes = [size for cell, _ in cells for size in _sizes(cell)]
        source.states[id(layer)] = [
            source.member(f"{name}_{array}", size, f'"{array}" of layer "{name}"')
            for array, size in zip(array_names(layer), sizes, strict=True)
        ]


def recurrent(source: Source, layer, x: Value, mask: Value | None) -> Any:
    """Write one step of a recurrent layer; return what stands for its outputs.

    Where a mask leaves the step out, the state stays as it is.

    Raises:
        ValueError: for a layer that is called again.
    """
    cells = known_cells(layer.cell) or []  # never none: see `declare_states`
    if id(layer) not in source.states:
        raise refused(layer, "it is called several times, and has one state")
    members = source.states.pop(id(layer))
    if x.rank != 3:
        raise refused(layer, "what comes in isn't a sequence")
    sizes = [size for cell, _ in cells for size in _sizes(cell)]
    if mask is not None:
        source.line(f"if ({mask.name}) {{")
    buffer, waiting, flow = x.name, list(members), []
    for number, (cell, arithmetic) in enumerate(cells):
        count = len(arithmetic.state_type._fields)
        flow, waiting = waiting[:count], waiting[count:]
        suffix = f"_{number}" if len(cells) > 1 else ""
        source.line("{")
        write_step(Step(source, layer, cell, arithmetic, suffix, buffer, flow))
        source.line("}")
        buffer = flow[0]
        if number + 1 < len(cells):  # in a buffer that is zero beyond the values
            buffer = f"lower{suffix}"
            source.buffer(buffer, _sizes(cell)[0])
            source.line(f"{source.call('copy')}<{_sizes(cell)[0]}>({flow[0]}, {buffer});")
    if mask is not None:
        source.line("}")
    top = _sizes(cells[-1][0])[0]
    output = _copied(source, flow[0], top, 3 if layer.return_sequences else 2)
    if mask is not None and layer.zero_output_for_mask:
        source.line(f"if (!{mask.name}) {{")
        source.line(f"  for (std::size_t j = 0; j < {top}; ++j) {output.name}[j] = 0.0f;")
        source.line("}")
    if not layer.return_state:
        return output
    states = zip(members, sizes, strict=True)
    return [output, *(_copied(source, member, size, 2) for member, size in states)]


def _sizes(cell) -> list[int]:
    size = cell.state_size
    return list(size) if isinstance(size, (list, tuple)) else [size]


def _copied(source: Source, start: str, size: int, rank: int) -> Value:
    value = source.new(size, rank)
    source.line(f"{source.call('copy')}<{size}>({start}, {value.name});")
    return value
