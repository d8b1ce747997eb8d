"""What a recurrent layer becomes in a PyTorch module: ``nn.LSTM``, ``nn.GRU`` or ``nn.RNN``."""

import warnings
from typing import Any

import keras

from statewise.interop.pytorch.drawing import Graph, Value, fill
from statewise.interop.pytorch.weights import to_torch
from statewise.layers import ProjectedLSTM

# What a PyTorch module gives beside the sequence: h, or h and c of an LSTM.
_STATES = {"LSTM": 2, "GRU": 1, "RNN": 1}


def recurrent(graph: Graph, layer, args: tuple, kwargs: dict) -> Any:
    """Put the call of a recurrent layer into the graph; return what stands for its outputs."""
    x, given = _inputs(layer, args, kwargs)
    kind, options = _kind_of(layer, layer)
    node = graph.apply(graph.torch.flip, x.node, (1,)) if layer.go_backwards else x.node

    def make():
        module = _module(graph.torch, kind, options)
        arrays = to_torch(kind, layer.get_weights(), bias=options["bias"])
        return fill(graph.torch, module, {f"{name}_l0": a for name, a in arrays.items()})

    result = graph.call(layer, make, node, *_begin(graph, kind, given))
    sequence = graph.item(result, 0)
    output = sequence if layer.return_sequences else graph.item(sequence, (slice(None), -1))
    if not layer.return_state:
        return Value(output)
    states = _ends(graph, kind, result)
    return [Value(output), *(Value(graph.item(state, 0)) for state in states)]


def bidirectional(graph: Graph, layer, args: tuple, kwargs: dict) -> Any:
    """Put the call of a `Bidirectional` into the graph; return what stands for its outputs."""
    x, given = _inputs(layer, args, kwargs)
    ways = layer.forward_layer, layer.backward_layer
    (kind, options), (other, others) = (_kind_of(layer, way) for way in ways)
    if (kind, options) != (other, others):
        raise _refused(layer, "its two directions aren't of one kind, size and arithmetic")
    if ways[0].go_backwards:
        raise _refused(layer, "its forward layer goes backwards")

    def make():
        module = _module(graph.torch, kind, options | {"bidirectional": True})
        arrays = {}
        for way, end in zip(ways, ("_l0", "_l0_reverse"), strict=True):
            made = to_torch(kind, way.get_weights(), bias=options["bias"])
            arrays |= {f"{name}{end}": a for name, a in made.items()}
        return fill(graph.torch, module, arrays)

    count = _STATES[kind]
    begin = given and [  # h of both directions, then c
        (given[place], given[count + place]) for place in range(count)
    ]
    result = graph.call(layer, make, x.node, *_begin(graph, kind, begin))
    ends = _ends(graph, kind, result)
    if layer.return_sequences:
        sequence, size = graph.item(result, 0), ways[0].cell.output_size
        parts = [
            graph.item(sequence, (Ellipsis, slice(None, size))),
            graph.item(sequence, (Ellipsis, slice(size, None))),
        ]
    else:
        parts = [graph.item(ends[0], place) for place in (0, 1)]
    outputs = [Value(node) for node in _merged(graph, layer, parts)]
    if layer.return_state:
        outputs += [Value(graph.item(end, place)) for place in (0, 1) for end in ends]
    return outputs[0] if len(outputs) == 1 else outputs


def _merged(graph: Graph, layer, parts: list) -> list:
    """Return the two directions' outputs, put together as the layer does."""
    torch = graph.torch
    match layer.merge_mode:
        case "concat":
            return [graph.apply(torch.cat, parts, dim=-1)]
        case "sum":
            return [graph.apply(torch.add, *parts)]
        case "mul":
            return [graph.apply(torch.mul, *parts)]
        case "ave":
            return [graph.apply(torch.div, graph.apply(torch.add, *parts), 2)]
        case _:
            return parts


def _inputs(layer, args: tuple, kwargs: dict) -> tuple[Value, list | None]:
    """Return the sequences and the given states of a call, or None without these."""
    kwargs = dict(kwargs)
    x, *states = keras.tree.flatten(list(args))
    states += keras.tree.flatten(kwargs.pop("initial_state", []))
    if kwargs.pop("mask", None) is not None:
        raise _refused(
            layer,
            "a mask leaves steps out (mask_zero=True, or Masking), and PyTorch's modules take "
            "none. Give sequences of one length, without it",
        )
    if kwargs:
        raise _refused(layer, f"it is called with {sorted(kwargs)}")
    return x, states or None


def _kind_of(layer, way) -> tuple[str, dict]:
    """Return PyTorch's name of a recurrent layer's kind, and the module's options."""
    cell = way.cell
    if isinstance(cell, keras.layers.StackedRNNCells):
        raise _refused(layer, "it is a stack of cells; build it of layers, one upon the other")
    if way.stateful:
        raise _refused(
            layer,
            "it is stateful, and PyTorch's modules keep no state. Build the model without "
            "stateful=True, with states as inputs and outputs where they are wanted",
        )
    tanh, sigmoid = keras.activations.tanh, keras.activations.sigmoid
    given = cell.activation, getattr(cell, "recurrent_activation", sigmoid)
    kind = {
        keras.layers.SimpleRNNCell: "RNN",
        keras.layers.GRUCell: "GRU",
        keras.layers.LSTMCell: "LSTM",
    }.get(getattr(type(cell), "keras_cell", type(cell)))
    if isinstance(way, ProjectedLSTM):
        kind = "LSTM"
    if kind is None:
        raise _refused(layer, f"PyTorch has no module for {type(cell).__name__}")
    if given != (tanh, sigmoid) and (kind, given[0]) != ("RNN", keras.activations.relu):
        names = [getattr(function, "__name__", repr(function)) for function in given]
        raise _refused(layer, f"PyTorch's {kind} has no activations like its {' and '.join(names)}")
    if kind == "GRU" and not cell.reset_after:
        raise _refused(layer, "PyTorch's GRU is that of reset_after=True")
    if cell.dropout or cell.recurrent_dropout:
        warnings.warn(
            f"Layer {layer.name!r} drops values of its own while it trains (dropout="
            f"{cell.dropout}, recurrent_dropout={cell.recurrent_dropout}), one mask for all steps; "
            "PyTorch's modules can't, and the module does not.",
            stacklevel=2,
        )
    options: dict[str, Any] = {
        "input_size": cell.kernel.shape[0],
        "hidden_size": cell.units,
        "bias": cell.use_bias,
    }
    if isinstance(way, ProjectedLSTM):
        options["proj_size"] = cell.projection
    if kind == "RNN":
        options["nonlinearity"] = "relu" if given[0] is keras.activations.relu else "tanh"
    return kind, options


def _module(torch, kind: str, options: dict):
    return getattr(torch.nn, kind)(**options, batch_first=True)


def _begin(graph: Graph, kind: str, given: list | None) -> list:
    """Return the state to begin with as PyTorch wants it, ``(directions, batch, units)`` each."""
    if given is None:
        return []
    states = []
    for arrays in given:
        ways = [value.node for value in (arrays if isinstance(arrays, tuple) else (arrays,))]
        states.append(graph.apply(graph.torch.stack, ways))
    return [tuple(states)] if kind == "LSTM" else states


def _ends(graph: Graph, kind: str, result: Any) -> list:
    """Return the nodes of the last state, ``(directions, batch, units)`` each."""
    if kind == "LSTM":
        return [graph.item(result, 1, place) for place in (0, 1)]
    return [graph.item(result, 1)]


def _refused(layer, why: str) -> ValueError:
    from statewise.interop.pytorch.layer_modules import refused

    return refused(layer, why)
