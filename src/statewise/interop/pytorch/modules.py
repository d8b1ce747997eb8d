"""`to_torch`: a model as a PyTorch module, with the same weights."""

from statewise.interop.agreement import check_agreement, drawn_inputs, outputs_of
from statewise.interop.graph import graph_behind, walk
from statewise.interop.optional import load_optional
from statewise.interop.pytorch.drawing import Graph
from statewise.interop.pytorch.layer_modules import visit


def to_torch(model):
    """Return a model as a PyTorch module: the same weights, the same outputs.

    The module is a ``torch.fx.GraphModule`` of PyTorch's own modules (``nn.LSTM``, ``nn.GRU``,
    ``nn.RNN``, ``nn.Linear``, ``nn.Embedding``, ...), named as the layers are: it prints its code,
    has an ordinary ``state_dict`` and can be trained and exported. Arrays are
    ``(batch, time, features)``, batch first. Both are run on random inputs, and what isn't equal is
    refused.

    Recurrent layers with PyTorch's arithmetic are taken (tanh, sigmoid; for SimpleRNN tanh or relu;
    ``reset_after=True``), ``Bidirectional``, states given and returned, ``go_backwards``,
    ``ProjectedLSTM``, ``TimeDistributed`` and ``RepeatVector``, ``Dense``, ``Embedding`` without a
    mask, ``LayerNormalization``, ``Dropout``, activations, ``Concatenate``, ``Add``, ``Flatten``
    and ``Reshape``. A layer's own dropout isn't PyTorch's, which is said by a warning.

    Args:
        model: a `Sequential` or functional model.

    Returns:
        A module in evaluation mode: ``module(*inputs)`` gives the outputs, as the model does.

    Raises:
        ImportError: without PyTorch, an optional extra: ``statewise[torch]``.
        ValueError: naming the layer that PyTorch has no counterpart of, and why.

    >>> import numpy as np
    >>> from statewise import Sequential, layers
    >>> model = Sequential([layers.Input((None, 2)), layers.GRU(3), layers.Dense(1)])
    >>> module = to_torch(model)  # doctest: +SKIP
    >>> module(torch.zeros(4, 10, 2)).shape  # doctest: +SKIP
    torch.Size([4, 1])
    """
    torch = load_optional("torch", "reading or making PyTorch's modules")
    functional = graph_behind(model)
    graph = Graph(torch, model.name)
    inputs = [graph.input(tensor.name) for tensor in functional.inputs]
    outputs = walk(model, inputs, lambda layer, args, kwargs: visit(graph, layer, args, kwargs))
    module = graph.module(outputs)
    for seed in range(2):
        given = drawn_inputs(functional.inputs, limits=graph.limits, seed=seed)
        expected = outputs_of(functional, given)
        with torch.no_grad():
            got = module(*[torch.from_numpy(a) for a in given])
        got = list(got) if isinstance(got, tuple) else [got]
        check_agreement(f"model {model.name!r}", [a.numpy() for a in got], expected)
    return module
