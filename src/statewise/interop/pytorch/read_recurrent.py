"""Reading ``nn.LSTM``, ``nn.GRU`` and ``nn.RNN``: a layer of ours for each layer of the module."""

from functools import partial
from typing import Any

from statewise import layers
from statewise.interop.pytorch.values import Plain, Read, States, Value, Zeros
from statewise.interop.pytorch.weights import give, to_keras

_KINDS = ("LSTM", "GRU", "RNN")
_NAMES = ("weight_ih", "weight_hh", "bias_ih", "bias_hh", "weight_hr")


def is_recurrent(torch, module) -> bool:
    """Whether a module is one of PyTorch's recurrent ones, and no subclass with its own ways."""
    return any(type(module) is getattr(torch.nn, kind) for kind in _KINDS)


def read_recurrent(
    state: Read, module, x: Any, begin: Any, *, only_last: bool, states: bool
) -> tuple:
    """Return what a recurrent module gives: the sequence, and its last states.

    Args:
        state: of the reading.
        module: the module.
        x: its inputs.
        begin: what it's given as the state to begin with.
        only_last: whether of the sequence the last step alone is wanted.
        states: whether the last states are wanted.

    Returns:
        The sequence, or its last step, and the states, of an LSTM a pair; None for these where
        they aren't wanted.

    Raises:
        LayoutError: where the inputs have batch and time the other way round.
        ValueError: for a state to begin with that isn't zeros.
    """
    kind = type(module).__name__
    value = state.tensor_of(x, (None, module.input_size), _dtype(module))
    if value.time_first == module.batch_first:
        raise state.wrong_layout()
    _check_begin(state, begin)
    arrays = {name: p.detach().cpu().numpy() for name, p in module.named_parameters()}
    tensor: Any = value.tensor
    ends = []
    only_last = only_last and not module.bidirectional
    for number in range(module.num_layers):
        top = number == module.num_layers - 1
        options = _options(module, kind) | {
            "return_sequences": not (top and only_last),
            "return_state": states,
            "name": state.name if module.num_layers == 1 else f"{state.name}_{number}",
        }
        layer = state.layer(
            module,
            number,
            lambda: _layer(module, kind, number, arrays, options),  # noqa: B023
        )
        _check_again(state, layer, options)
        tensor = layer(tensor)
        if states:
            tensor, *end = tensor
            ends.append(end)
        if module.dropout and not top:
            tensor = layers.Dropout(module.dropout)(tensor)
    sequence = Value(tensor, value.time_first and not only_last, last_only=only_last)
    if not states:
        return sequence, None
    count = 2 if kind == "LSTM" else 1  # of arrays a state has
    parts = [
        States([way[place] for end in ends for way in _ways(end, count)]) for place in range(count)
    ]
    return sequence, tuple(parts) if kind == "LSTM" else parts[0]


def _ways(states: list, count: int) -> list[list]:
    """Return the states of each direction."""
    return [states[first : first + count] for first in range(0, len(states), count)]


def _options(module, kind: str) -> dict:
    options: dict[str, Any] = {"use_bias": module.bias, "dtype": _dtype(module)}
    if kind == "RNN":
        options["activation"] = module.nonlinearity
    return options


def _layer(module, kind: str, number: int, arrays: dict, options: dict):
    """Return the layer, or both directions, of one layer of a module, with its weights."""
    made, weights, name = [], [], options.pop("name")
    for end in ("", "_reverse") if module.bidirectional else ("",):
        if module.proj_size:
            make = partial(layers.ProjectedLSTM, module.hidden_size, module.proj_size)
        else:
            of_kind = layers.SimpleRNN if kind == "RNN" else getattr(layers, kind)
            make = partial(of_kind, module.hidden_size)
        named = f"{name}{end}" if module.bidirectional else name
        made.append(make(name=named, go_backwards=bool(end), **options))
        of_one = {
            name: arrays[f"{name}_l{number}{end}"]
            for name in _NAMES
            if f"{name}_l{number}{end}" in arrays
        }
        weights.append(to_keras(kind, of_one))
    layer = made[0]
    if module.bidirectional:
        layer = layers.Bidirectional(made[0], backward_layer=made[1], name=name)
    width = weights[0][0].shape[0]
    layer.build((None, None, width))
    for one, arrays_of_one in zip(made if len(made) == 1 else _both(layer), weights, strict=True):
        give(one, arrays_of_one)
    return layer


def _check_again(state: Read, layer, options: dict) -> None:
    """Refuse a second call of a module of which something else is wanted than of the first."""
    if any(getattr(layer, name) != options[name] for name in ("return_sequences", "return_state")):
        raise state.refused(
            "it is called several times, once for its sequence and once for its last step or state"
        )


def _both(layer) -> list:
    return [layer.forward_layer, layer.backward_layer]


def _dtype(module) -> str:
    return str(module.weight_ih_l0.dtype).removeprefix("torch.")


def _check_begin(state: Read, begin: Any) -> None:
    """Refuse a state to begin with that isn't made of zeros."""
    parts = begin if isinstance(begin, tuple) else (begin,)
    for part in parts:
        if part is None or isinstance(part, Zeros) or part == Plain(None):
            continue
        raise state.refused(
            "it begins at a state that is computed or given. Read the part before it and the part "
            "after it by themselves, and put the models together"
        )
