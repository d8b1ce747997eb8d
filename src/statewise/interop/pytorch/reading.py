"""`from_torch`: a PyTorch module as a model, with the same weights."""

import jax
import keras
import numpy as np

from statewise.interop.agreement import check_agreement, drawn_inputs
from statewise.interop.optional import load_optional
from statewise.interop.pytorch.forward import LayoutError, read_forward
from statewise.models import Model


def from_torch(module):
    """Return a PyTorch module as a model of this package: the same weights, the same outputs.

    What the module's ``forward`` does is followed by ``torch.fx``: modules of ``nn.LSTM``,
    ``nn.GRU`` and ``nn.RNN`` (several layers, both directions, ``proj_size``, either
    ``batch_first``), ``nn.Linear``, ``nn.Embedding``, ``nn.LayerNorm``, ``nn.Dropout`` and
    activations, chained by ``nn.Sequential`` or by a ``forward`` of one's own: it may take the last
    step (``out[:, -1]``) or the last states (``h[-1]``), begin at zeros, put states together, and
    turn the first two axes. ``nn.LSTM`` and its like by themselves give the sequence.

    The model's arrays are batch first, ``(batch, time, features)``, also where the module's are
    not. Both are run on random inputs, and what isn't equal is refused.

    Args:
        module: a ``torch.nn.Module``. Its mode doesn't matter and stays as it is.

    Returns:
        A `statewise.Model`. Dropout between the layers of one module becomes ``Dropout`` layers.

    Raises:
        ImportError: without PyTorch, an optional extra: ``statewise[torch]``.
        TypeError: for what is no module.
        ValueError: naming what ``forward`` does that has no counterpart here.

    >>> from torch import nn  # doctest: +SKIP
    >>> module = nn.LSTM(2, 3, num_layers=2, batch_first=True)  # doctest: +SKIP
    >>> model = from_torch(module)  # doctest: +SKIP
    >>> model.output_shape  # doctest: +SKIP
    (None, None, 3)
    """
    torch = load_optional("torch", "reading or making PyTorch's modules")
    if not isinstance(module, torch.nn.Module):
        raise TypeError(
            f"from_torch takes a torch.nn.Module, what came is {type(module).__name__}. Weights "
            "alone (a state_dict, a file) go into a model by load_torch_weights."
        )
    _check_dtypes(module)
    try:
        inputs, outputs, limits = read_forward(torch, module, time_first=False)
        time_first = False
    except LayoutError:
        inputs, outputs, limits = read_forward(torch, module, time_first=True)
        time_first = True
    flat = [value.tensor for value in outputs]
    model = Model(
        inputs if len(inputs) > 1 else inputs[0],
        flat if len(flat) > 1 else flat[0],
        name=type(module).__name__.lower(),
    )
    _check(torch, module, model, outputs, limits, time_first)
    return model


def _check_dtypes(module) -> None:
    """Refuse weights of a dtype that this process doesn't compute in."""
    dtypes = {str(p.dtype).removeprefix("torch.") for p in module.parameters()}
    known = {"float32", "float64"} if jax.config.read("jax_enable_x64") else {"float32"}
    if len(dtypes) > 1 or not dtypes <= known:
        raise ValueError(
            f"{type(module).__name__} has weights of {', '.join(sorted(dtypes))}; expected is one "
            f"of {', '.join(sorted(known))}. Make it float32 (module.float()), or for float64 "
            "start Python with JAX_ENABLE_X64=1."
        )


def _check(torch, module, model, outputs, limits, time_first: bool) -> None:
    """Run both on random inputs, and refuse what isn't equal."""
    training = module.training
    module.eval()
    try:
        for seed in range(2):
            given = drawn_inputs(model.inputs, limits=limits, seed=seed)
            expected = keras.tree.flatten(
                model(given if len(given) > 1 else given[0], training=False)
            )
            for_torch = [torch.from_numpy(_turned(a) if time_first else a) for a in given]
            with torch.no_grad():
                got = _tensors(torch, module(*for_torch))[: len(outputs)]
            got = [
                _turned(a.numpy()) if value.time_first else a.numpy()
                for a, value in zip(got, outputs, strict=True)
            ]
            check_agreement(f"{type(module).__name__}", [np.asarray(a) for a in expected], got)
    finally:
        module.train(training)


def _turned(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array.swapaxes(0, 1)) if array.ndim > 1 else array


def _tensors(torch, result) -> list:
    """Return the tensors of what a module returned, in order."""
    if isinstance(result, torch.Tensor):
        return [result]
    return [tensor for part in result for tensor in _tensors(torch, part)]
