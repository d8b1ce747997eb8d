"""Standing between the layers of a model: seeing what each is given, or answering in its place."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import keras

from statewise._keras_compat import all_layers, replaced
from statewise.layers.recurrent import Recurrent
from statewise.pictures.render.names import legible


@dataclass(frozen=True, eq=False)
class Part:
    """A layer that a picture shows as one thing.

    Attributes:
        layer: the layer.
        groups: the names of the models and wrappers that it is in, the outermost first.
        recurrent: whether it is a loop over time whose steps are known.
    """

    layer: keras.Layer
    groups: tuple[str, ...]
    recurrent: bool

    @property
    def method(self) -> str:
        """The name of the method to stand at: of a recurrent layer the loop alone.

        What a subclass does around the loop (taking a step of it, a mean) is then seen for what it
        is, as it would be if it were done by the next layer.
        """
        return "inner_loop" if self.recurrent else "call"


def parts_of(model: keras.Model) -> list[Part]:
    """Return what the model is made of: loops over time, and layers that have none inside."""
    found: dict[int, Part] = {}

    def visit(layer, groups):
        for inner in all_layers(layer, include_self=False, recursive=False):
            if isinstance(inner, keras.layers.InputLayer):
                continue
            if _is_opened(inner):
                visit(inner, (*groups, legible(inner.name)))
            else:
                found.setdefault(id(inner), Part(inner, groups, _is_loop(inner)))

    visit(model, ())
    return list(found.values())


@contextlib.contextmanager
def intercepted(parts: list[Part], handle: Callable) -> Iterator[None]:
    """Within this context ``handle(part, original, *args, **kwargs)`` runs in place of each part.

    Only these instances are touched, and they are left as they were.
    """

    def standing_at(part):
        original = getattr(part.layer, part.method)
        return lambda *args, **kwargs: handle(part, original, *args, **kwargs)

    with contextlib.ExitStack() as stack:
        for part in parts:
            stack.enter_context(replaced(part.layer, part.method, standing_at(part)))
        yield


def _is_loop(layer) -> bool:
    return isinstance(layer, (keras.layers.RNN, Recurrent))


def _is_opened(layer) -> bool:
    """Whether a picture shows what is inside a layer instead of the layer."""
    if _is_loop(layer) or isinstance(layer, keras.layers.TimeDistributed):
        return False  # what TimeDistributed runs, it runs within each time step
    inside = all_layers(layer, include_self=False)
    return isinstance(layer, keras.Model) or any(_is_loop(inner) for inner in inside)
