"""Following a PyTorch module's ``forward``, call by call, and building the model that does it."""

import contextlib
import inspect
import operator
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import keras

from statewise.interop.pytorch.operations import FUNCTIONS, METHODS
from statewise.interop.pytorch.read_layers import read_module
from statewise.interop.pytorch.read_recurrent import is_recurrent, read_recurrent
from statewise.interop.pytorch.values import Plain, Read, States, Value

# Functions that make what a recurrence begins with; torch.fx can't follow them by itself.
_ZEROS = ("zeros", "zeros_like")


class LayoutError(ValueError):
    """The module's arrays have time as their first axis, not the batch (or the reverse)."""


def read_forward(torch, module, *, time_first: bool) -> tuple[list, list[Value], dict[int, int]]:
    """Build what a module's ``forward`` computes.

    Args:
        torch: PyTorch.
        module: the module.
        time_first: whether the axes of its inputs are taken to be (time, batch, ...).

    Returns:
        The symbolic inputs, the values that come out, and by the position of an input that is
        looked up in tables the rows of the smallest.

    Raises:
        LayoutError: where ``time_first`` is the wrong way round.
        ValueError: naming what can't be followed.
    """
    graph = _traced(torch, module)
    state = Read(torch, module, time_first, LayoutError)
    values: dict[Any, Any] = {}
    outputs: Any = None
    if is_recurrent(torch, module):  # by itself: the sequence is what comes out
        sequence, _ = read_recurrent(
            state, module, state.input("x"), None, only_last=False, states=False
        )
        return state.inputs, [sequence], state.limits

    for node in graph.nodes:
        if node.op == "placeholder":
            if node.args or _has_default(module, node.target):
                values[node] = Plain(node.args[0] if node.args else None)
            else:
                values[node] = state.input(node.target)
            continue
        args, kwargs = _filled(torch, (node.args, dict(node.kwargs)), values)
        if node.op == "output":
            outputs = args[0]
        elif node.op == "call_module":
            called = module.get_submodule(node.target)
            state.at(node.target, called)
            if is_recurrent(torch, called):
                begin = args[1] if len(args) > 1 else kwargs.get("hx")
                values[node] = read_recurrent(
                    state, called, args[0], begin, **_wanted(node, called.batch_first)
                )
            else:
                values[node] = read_module(state, called, args[0])
        elif node.op == "get_attr":
            raise state.refused(f"forward uses the parameter or buffer {node.target!r} by itself")
        else:
            known = FUNCTIONS if node.op == "call_function" else METHODS
            name = getattr(node.target, "__name__", node.target)
            state.where = f"{name} in forward"
            if name not in known:
                raise state.refused("it isn't among the operations that can be taken over")
            values[node] = known[name](state, *args, **kwargs)
    return state.inputs, _flat(state, outputs), state.limits


def _traced(torch, module):
    """Return the graph of what a module does."""
    if is_recurrent(torch, module):
        return None
    tracer = torch.fx.Tracer()
    defaults = {
        name: parameter.default
        for name, parameter in inspect.signature(module.forward).parameters.items()
        if parameter.default is None
    }
    try:
        with _zeros_followed(torch, tracer):
            return tracer.trace(module, concrete_args=defaults or None)
    except LayoutError:
        raise
    except Exception as error:  # whatever a forward does with what has no values yet
        raise ValueError(
            f"What forward of {type(module).__name__} does can't be followed, since it depends on "
            f"values ({type(error).__name__}: {error!s:.300}). Give the modules that it chains as "
            "an nn.Sequential, or their weights by load_torch_weights."
        ) from error


@contextlib.contextmanager
def _zeros_followed(torch, tracer) -> Iterator[None]:
    """Let functions that make zeros of a size that isn't known yet stand in the graph."""

    def followed(original):
        def function(*args, **kwargs):
            proxies = (torch.fx.Proxy,)
            if any(isinstance(leaf, proxies) for leaf in keras.tree.flatten((args, kwargs))):
                return tracer.create_proxy("call_function", original, args, kwargs)
            return original(*args, **kwargs)

        return function

    with contextlib.ExitStack() as stack:
        for name in _ZEROS:
            stack.enter_context(patch.object(torch, name, followed(getattr(torch, name))))
        yield


def _has_default(module, name: str) -> bool:
    parameters = inspect.signature(module.forward).parameters
    return name in parameters and parameters[name].default is not inspect.Parameter.empty


def _filled(torch, arguments: Any, values: dict) -> Any:
    """Return arguments with what their nodes stand for in their places."""
    return torch.fx.node.map_arg(arguments, lambda node: values[node])


def _wanted(node, batch_first: bool) -> dict[str, bool]:
    """Return what is used of what a recurrent module gives.

    ``only_last``: of the sequence nothing but its last step; ``states``: the last states, too.
    """
    last = ((slice(None), -1), (slice(None), -1, slice(None))) if batch_first else (-1,)
    if not all(_is_item(user) for user in node.users):
        return {"only_last": False, "states": True}
    uses = [use for user in node.users if user.args[1] == 0 for use in user.users]
    return {
        "only_last": all(_is_item(use) and use.args[1] in last for use in uses),
        "states": any(user.args[1] != 0 and user.users for user in node.users),
    }


def _is_item(node) -> bool:
    return node.op == "call_function" and node.target is operator.getitem


def _flat(state: Read, outputs: Any) -> list[Value]:
    """Return the values that come out, in order."""
    if isinstance(outputs, Value):
        return [outputs]
    if isinstance(outputs, States):
        raise state.refused(
            "forward returns the states of several layers as one array; return them one by one"
        )
    if isinstance(outputs, (tuple, list)):
        return [value for part in outputs for value in _flat(state, part)]
    raise state.refused(f"forward returns {type(outputs).__name__}")
