"""`TimeDistributed`: one layer for every time step, as one call over all of them."""

import jax
import jax.numpy as jnp
import keras

from statewise.layers.arithmetic import is_pure
from statewise.layers.bidirectional import Bidirectional
from statewise.layers.carry import Carry
from statewise.layers.rnn import GRU, LSTM, SimpleRNN
from statewise.layers.scores import moved

# Layers that treat every sample by itself, whatever stands beside it in the batch, and keep
# nothing from call to call: for them all time steps can be one large batch. A class that isn't
# named here is run step by step, which is always right; so is a subclass, since it may compute
# something else.
_BY_SAMPLE = {
    getattr(keras.layers, name)
    for name in (
        "Activation AveragePooling1D AveragePooling2D AveragePooling3D Conv1D Conv1DTranspose "
        "Conv2D Conv2DTranspose Conv3D Conv3DTranspose Cropping1D Cropping2D Cropping3D Dense "
        "DepthwiseConv1D DepthwiseConv2D ELU EinsumDense Embedding Flatten GlobalAveragePooling1D "
        "GlobalAveragePooling2D GlobalAveragePooling3D GlobalMaxPooling1D GlobalMaxPooling2D "
        "GlobalMaxPooling3D Identity InputLayer LayerNormalization LeakyReLU MaxPooling1D "
        "MaxPooling2D MaxPooling3D PReLU Permute ReLU RepeatVector Rescaling Reshape "
        "SeparableConv1D SeparableConv2D Softmax UnitNormalization "
        "UpSampling1D UpSampling2D UpSampling3D ZeroPadding1D ZeroPadding2D ZeroPadding3D"
    ).split()
}
_RECURRENT = {
    *(SimpleRNN, GRU, LSTM),
    *(keras.layers.SimpleRNN, keras.layers.GRU, keras.layers.LSTM),
}


@keras.saving.register_keras_serializable(package="statewise")
class TimeDistributed(keras.layers.TimeDistributed):
    """Applies a layer to every time step: ``(batch, time, ...) -> (batch, time, ...)``.

    Same arguments, weights and results as `keras.layers.TimeDistributed`. Where the inner layer
    treats every sample by itself (Dense, Activation, Conv2D, Embedding, ...: see `folds`), the
    time steps are folded into the batch and the layer is called once; elsewhere (dropout, batch
    normalisation, layers of your own) it is called step by step in one compiled loop, in Keras's
    order, so that random numbers and running averages come out the same.

    Call arguments:
        inputs: ``(batch, time, ...)``, at least three axes.
        training: passed on to the inner layer if it takes it.
        mask: ``(batch, time, ...)``, passed on step by step if the inner layer takes it.

    Raises:
        ValueError: if the mask's first two axes aren't those of the inputs; for a stateful inner
            layer, which would have to carry its state from one time step to the next.

    >>> import numpy as np
    >>> layer = TimeDistributed(keras.layers.Dense(4))
    >>> layer(np.ones((2, 5, 3), "float32")).shape
    (2, 5, 4)
    """

    def __init__(self, layer, **kwargs):
        super().__init__(layer, **kwargs)
        for inner in layer._flatten_layers():
            if isinstance(inner, keras.layers.RNN) and inner.stateful:
                raise ValueError(
                    f"layer {layer.name!r} in TimeDistributed is stateful ({inner.name!r}), but "
                    "what it reads within one time step is a sequence of its own. Build it with "
                    "stateful=False."
                )

    def call(self, inputs, training=None, mask=None):
        """Apply the inner layer to every time step."""
        if mask is not None and tuple(mask.shape[:2]) != tuple(inputs.shape[:2]):
            raise ValueError(
                f"The mask of layer {self.name!r} has the shape {tuple(mask.shape)}; its first two "
                f"axes must be (batch, time) = {tuple(inputs.shape[:2])}, as in the inputs."
            )
        kwargs = {}
        if self.layer._call_has_training_arg:
            kwargs["training"] = training
        if not self.layer._call_has_mask_arg:
            mask = None
        run = self._fold if folds(self.layer) else self._step_by_step
        # The states and resets around this call are those of the outer time axis.
        with Carry({}):
            return run(jnp.asarray(inputs), mask, kwargs)

    def _fold(self, inputs, mask, kwargs):
        batch, time = inputs.shape[:2]

        def fold(a):
            return a.reshape(batch * time, *a.shape[2:])

        if mask is not None:
            kwargs["mask"] = fold(jnp.asarray(mask))

        def unfold(a):
            return a.reshape(batch, time, *a.shape[1:])

        outputs = self.layer.call(moved(inputs, fold), **kwargs)
        return jax.tree.map(lambda a: moved(a, unfold), outputs)

    def _step_by_step(self, inputs, mask, kwargs):
        # Inside a traced loop no variable may be updated, so their values go through it.
        variables = self.layer.variables

        def step(values, now):
            x, valid = now
            if valid is not None:
                kwargs["mask"] = valid
            pairs = zip(variables, values, strict=True)
            with keras.StatelessScope(state_mapping=list(pairs)) as scope:
                outputs = self.layer.call(x, **kwargs)
            return [scope.get_current_value(v) for v in variables], outputs

        steps = jax.tree.map(lambda a: jnp.swapaxes(jnp.asarray(a), 0, 1), (inputs, mask))
        values, outputs = jax.lax.scan(step, [v.value for v in variables], steps)
        for variable, value in zip(variables, values, strict=True):
            if not variable.trainable:
                variable.assign(value)
        return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), outputs)


def folds(layer: keras.Layer) -> bool:
    """Whether one call of ``layer`` over all time steps at once computes the same as many.

    >>> folds(keras.layers.Dense(3)), folds(keras.layers.Dropout(0.1))
    (True, False)
    """
    kind = type(layer)
    if kind in (TimeDistributed, keras.layers.TimeDistributed):
        return folds(layer.layer)
    if kind in (Bidirectional, keras.layers.Bidirectional):
        return folds(layer.forward_layer) and folds(layer.backward_layer)
    if kind in _RECURRENT:
        cell = layer.cell
        return is_pure(cell) and not (layer.stateful or cell.dropout or cell.recurrent_dropout)
    if isinstance(layer, keras.Sequential) or kind.__name__ == "Functional":
        return all(folds(part) for part in layer.layers)
    axes = keras.tree.flatten(getattr(layer, "axis", None))
    return kind in _BY_SAMPLE and is_pure(layer) and 0 not in axes
