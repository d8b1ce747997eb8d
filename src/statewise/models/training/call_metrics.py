"""Metrics that a model, or a layer of it, updates while it is called."""

from contextvars import ContextVar

from statewise._keras_compat import (
    compiled_loss,
    compiled_metrics,
    get_stateless_scope,
    loss_tracker,
    replaced,
)
from statewise.models.mixin import ModelMixin

# The values of the metrics' variables in the step that is being traced, after the model's call.
_values: ContextVar[list | None] = ContextVar("values", default=None)


class CallMetrics(ModelMixin):
    """Keras's pure loss, with such metrics; to be named before a Keras model in a class's bases.

    Keras hands a call the values of the weights, and those of the metrics only to what comes after
    it. What `call` adds to a metric would be lost without a word: the metric stays at its zeros.
    """

    def compute_loss_and_updates(
        self, trainable_variables, non_trainable_variables, metrics_variables, *args, **kwargs
    ):
        """Keras's pure loss function; `call` finds the metrics' values, and changes them."""
        if not self._has_metrics_of_its_own():
            return super().compute_loss_and_updates(
                trainable_variables, non_trainable_variables, metrics_variables, *args, **kwargs
            )
        call, variables = self.call, self.metrics_variables

        def call_with_metrics(*call_args, **call_kwargs):
            scope = get_stateless_scope()
            for variable, value in zip(variables, metrics_variables, strict=True):
                scope.add_update((variable, value))
            outputs = call(*call_args, **call_kwargs)
            _values.set([scope.get_current_value(variable) for variable in variables])
            return outputs

        token = _values.set(None)
        try:
            with replaced(self, "call", call_with_metrics):
                return super().compute_loss_and_updates(
                    trainable_variables, non_trainable_variables, metrics_variables, *args, **kwargs
                )
        finally:
            _values.reset(token)

    def stateless_compute_loss(
        self, trainable_variables, non_trainable_variables, metrics_variables, *args, **kwargs
    ):
        """Keras's pure loss, from the metrics as `call` has left them."""
        updated = _values.get()
        return super().stateless_compute_loss(
            trainable_variables,
            non_trainable_variables,
            metrics_variables if updated is None else updated,
            *args,
            **kwargs,
        )

    def _has_metrics_of_its_own(self) -> bool:
        """Whether there are metrics besides the loss's and those given to ``compile``."""
        compiled = {id(metric) for metric in (loss_tracker(self), compiled_metrics(self))}
        loss = compiled_loss(self)
        if loss is not None:
            compiled |= {id(metric) for metric in loss.metrics}
        return any(id(metric) not in compiled for metric in self.metrics)
