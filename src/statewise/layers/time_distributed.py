"""`TimeDistributed`: one layer for every time step, as one call over all of them."""

import jax
import jax.numpy as jnp
import keras

from statewise._keras_compat import (
    all_layers,
    child_shape,
    get_keras_mask,
    set_keras_mask,
    takes_mask,
    takes_training,
)
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
        mask: ``(batch, time)``, False for a time step that doesn't count, or
            ``(batch, time, ...)``, also for what is within each; passed on step by step if the
            inner layer takes it.

    The outputs' mask is what the inner layer makes of its inputs at each time step (`Embedding`
    with ``mask_zero``, `Masking`); where the inner layer makes none, a time step counts if anything
    within it does.

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
        for inner in all_layers(layer):
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
        if takes_training(self.layer):
            kwargs["training"] = training
        inputs = jnp.asarray(inputs)
        if mask is not None:
            mask = _within_each_step(self.layer, jnp.asarray(mask, bool), inputs)
        run = self._fold if folds(self.layer) else self._step_by_step
        # The states and resets around this call are those of the outer time axis.
        with Carry({}):
            outputs, masks = run(inputs, mask, kwargs)
        for output, output_mask in zip(jax.tree.leaves(outputs), masks, strict=True):
            output_mask = _outer(mask) if output_mask is None else output_mask
            if output_mask is not None:
                set_keras_mask(output, output_mask)
        return outputs

    def compute_output_shape(self, input_shape):
        """Return the shape of the outputs, or of each where the inner layer has several."""
        inner = self.layer.compute_output_shape(child_shape(self, input_shape))
        return keras.tree.map_shape_structure(
            lambda shape: (shape[0], input_shape[1], *shape[1:]), inner
        )

    def compute_mask(self, inputs, mask=None):
        """Return the mask of each output: the inner layer's, or that of the time steps."""
        if isinstance(inputs, keras.KerasTensor):
            return None  # no part of a model's graph: the values bring it along
        inputs = jnp.asarray(inputs)
        if mask is not None:
            mask = _within_each_step(self.layer, jnp.asarray(mask, bool), inputs)
        folded = None if mask is None else _folded(mask)
        masks = _inner_masks(self.layer, _folded(inputs), folded)
        masks = [_outer(mask) if m is None else _unfolded(m, inputs) for m in masks]
        return masks[0] if len(masks) == 1 else masks

    def _fold(self, inputs, mask, kwargs):
        folded = moved(inputs, _folded)
        mask = None if mask is None else _folded(mask)
        if mask is not None and takes_mask(self.layer):
            kwargs["mask"] = mask
        outputs = self.layer.call(folded, **kwargs)
        masks = _masks_after(self.layer, folded, mask, outputs)

        def unfold(a):
            return _unfolded(a, inputs)

        masks = [None if m is None else unfold(m) for m in masks]
        return jax.tree.map(lambda a: moved(a, unfold), outputs), masks

    def _step_by_step(self, inputs, mask, kwargs):
        # Inside a traced loop no variable may be updated, so their values go through it.
        variables = self.layer.variables

        def step(values, now):
            x, valid = now
            if valid is not None and takes_mask(self.layer):
                kwargs["mask"] = valid
            pairs = zip(variables, values, strict=True)
            with keras.StatelessScope(state_mapping=list(pairs)) as scope:
                outputs = self.layer.call(x, **kwargs)
                masks = _masks_after(self.layer, x, valid, outputs)
            return [scope.get_current_value(v) for v in variables], (outputs, masks)

        steps = jax.tree.map(lambda a: jnp.swapaxes(jnp.asarray(a), 0, 1), (inputs, mask))
        values, results = jax.lax.scan(step, [v.value for v in variables], steps)
        for variable, value in zip(variables, values, strict=True):
            if not variable.trainable:
                variable.assign(value)
        return jax.tree.map(lambda a: jnp.swapaxes(a, 0, 1), results)


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


def _folded(a):
    """Return ``(batch, time, ...)`` as ``(batch * time, ...)``."""
    return a.reshape(a.shape[0] * a.shape[1], *a.shape[2:])


def _unfolded(a, inputs):
    """Return ``(batch * time, ...)`` as ``(batch, time, ...)``, for the inputs' first two axes."""
    return a.reshape(*inputs.shape[:2], *a.shape[1:])


def _within_each_step(layer, mask, inputs):
    """Return the mask for a layer that wants one for the time steps within each time step."""
    recurrent = any(isinstance(inner, keras.layers.RNN) for inner in all_layers(layer))
    if mask.ndim == 2 and recurrent and inputs.ndim > 2:
        return jnp.broadcast_to(mask[:, :, None], inputs.shape[:3])
    return mask


def _outer(mask):
    """Return the mask of the time steps ``(batch, time)``: one counts if anything in it does."""
    return mask if mask is None or mask.ndim == 2 else mask.any(axis=tuple(range(2, mask.ndim)))


def _masks_after(layer, inputs, mask, outputs) -> list:
    """Return the mask of each output of the inner layer, None where it has none."""
    leaves = jax.tree.leaves(outputs)
    masks = [get_keras_mask(leaf) for leaf in leaves]  # a model's outputs carry theirs
    if all(m is None for m in masks):
        masks = _inner_masks(layer, inputs, mask)
    return masks if len(masks) == len(leaves) else [None] * len(leaves)


def _inner_masks(layer, inputs, mask) -> list:
    """Return what the inner layer says of the masks of its outputs; the step's own where it can."""
    masks = layer.compute_mask(inputs, mask) if layer.supports_masking else None
    masks = keras.tree.flatten(masks)
    if mask is not None and mask.ndim > 1:
        return masks
    return [m if mask is None or m is None or m.ndim < 2 else m & mask[:, None] for m in masks]
