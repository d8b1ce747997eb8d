"""Whether a model is still what was noted of it: its layers, and its weights."""

import keras

from statewise._keras_compat import arrays_behind, graph_of, hold_these, holder_of_graph


class LayersWatch:
    """Tells whether a model is still made of the layers of which it was made.

    Args:
        model: a built model.
    """

    def __init__(self, model: keras.Model):
        # A `Sequential` makes itself a new graph whenever its layers change; others can't change.
        self._holder = holder_of_graph(model)
        self._graph = graph_of(self._holder)
        self._name = model.name

    def check(self) -> None:
        """Refuse a model that was changed.

        Raises:
            RuntimeError: if it's made of other layers now.
        """
        if graph_of(self._holder) is not self._graph:
            raise RuntimeError(
                f"Model {self._name!r} is made of other layers now than when its streams were "
                "made, which know nothing of them. Make Streams(model) anew."
            )


class WeightsWatch(LayersWatch):
    """Tells whether a model's weights are still those that were noted.

    Args:
        model: a built model.
    """

    def __init__(self, model: keras.Model):
        super().__init__(model)
        self._variables = list(model.weights)
        self.note(self.snapshot())

    def snapshot(self) -> list[tuple]:
        """Return the weights as they are now, to be noted once all is made of them."""
        return arrays_behind(self._variables)

    def note(self, snapshot: list[tuple]) -> None:
        """Take these weights as those that are current."""
        self._noted = snapshot

    def are_current(self) -> bool:
        """Whether the weights are those that were noted.

        Raises:
            RuntimeError: if the model is made of other layers now.
        """
        if graph_of(self._holder) is not self._graph:
            self.check()
        # JAX's arrays never change: other weights are other arrays.
        return hold_these(self._noted)
