"""A model typed on one line: ``LSTM(4, return_sequences=True) | Dense(1)``.

The grammar is a small part of Python's, read with `ast` and never run: layers joined by ``|``, each
a known name with arguments that are numbers, words, True, False, None, lists of these, or another
layer (for ``Bidirectional`` and ``TimeDistributed``).
"""

import ast

import keras

from statewise import layers as our_layers
from statewise.models import Sequential
from statewise.pictures.trace.inputs import explained

_LAYERS = frozenset(
    "Activation Bidirectional Conv1D Dense Dropout ELU Embedding Flatten GRU "
    "GlobalAveragePooling1D GlobalMaxPooling1D LSTM LayerNormLSTM LayerNormalization LeakyReLU "
    "Masking MaxPooling1D MinGRU MinLSTM AveragePooling1D Permute ProjectedLSTM ReLU RepeatVector "
    "Reshape SimpleRNN Softmax "
    "TimeDistributed UpSampling1D ZeroPadding1D".split()
)
_WRAPPERS = ("Bidirectional", "TimeDistributed")
_LONGEST = 2000  # letters
_MOST = 1024  # a number: a sketch is to be seen, not to fill the memory
_MOST_TOKENS = 100_000
_MOST_LAYERS = 40


def model_from_sketch(text: str, shape: tuple[int | None, ...], name: str = "sketch") -> Sequential:
    """Return the model that a line describes.

    Args:
        text: layers joined by ``|``, the first that sees the input first.
        shape: of the input, ``(batch, time steps, features)``.
        name: of the model.

    Raises:
        ValueError: where the text isn't such a line, naming the place; where a layer refuses its
            arguments, or one can't stand on the one before.

    >>> model = model_from_sketch("LSTM(4) | Dense(1, activation='relu')", (1, 5, 2))
    >>> [type(layer).__name__ for layer in model.layers]
    ['LSTM', 'Dense']
    """
    calls = parse_sketch(text)
    made = [keras.Input(tuple(shape[1:]))] + [_layer(call) for call in calls]
    with explained():
        return Sequential(made, name=name)


def parse_sketch(text: str) -> list[tuple]:
    """Return the layers of a sketch as (name, arguments, keyword arguments), in their order.

    Raises:
        ValueError: where the text isn't a sketch, naming the place.

    >>> parse_sketch("GRU(8) | Dense(units=1)")
    [('GRU', [8], {}), ('Dense', [], {'units': 1})]
    """
    if len(text) > _LONGEST:
        raise ValueError(f"The sketch has {len(text)} letters; {_LONGEST} are the most.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ValueError(
            f"The sketch can't be read: {getattr(error, 'msg', error)}. It is layers joined by |, "
            "as in LSTM(4, return_sequences=True) | Dense(1)."
        ) from None
    parts = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        parts.append(tree.right)
        tree = tree.left
        if len(parts) >= _MOST_LAYERS:
            raise ValueError(f"The sketch has more than {_MOST_LAYERS} layers.")
    return [_call(node, text) for node in [tree, *reversed(parts)]]


def _call(node: ast.AST, text: str) -> tuple:
    if isinstance(node, ast.Name):
        raise ValueError(f"The sketch names {node.id} without its arguments: {node.id}(...).")
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise ValueError(f"The sketch has {_piece(node, text)} where a layer should be.")
    name = node.func.id
    if name not in _LAYERS:
        known = ", ".join(sorted(_LAYERS))
        raise ValueError(f"The sketch has no layer {name!r}; it knows {known}.")
    starred = [a for a in node.args if isinstance(a, ast.Starred)]
    if starred or any(k.arg is None for k in node.keywords):
        raise ValueError(f"The arguments of {name} can't be unpacked with a star.")
    arguments = [_value(a, name, text) for a in node.args]
    named = {k.arg: _value(k.value, name, text) for k in node.keywords}
    if name in _WRAPPERS and not any(_is_layer(a) for a in [*arguments, *named.values()]):
        raise ValueError(f"{name} takes a layer, as in {name}(LSTM(4)).")
    return name, arguments, named


def _value(node: ast.AST, name: str, text: str):
    """Return a literal, or the description of a layer."""
    if isinstance(node, ast.Call):
        if name not in _WRAPPERS:
            raise ValueError(f"{name} takes no layer, but {_piece(node, text)} came.")
        return _call(node, text)
    if isinstance(node, (ast.List, ast.Tuple)):
        return tuple(_value(element, name, text) for element in node.elts)
    sign = 1
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        sign, node = -1, node.operand
    value = getattr(node, "value", None)
    if not isinstance(node, ast.Constant) or not isinstance(
        value, (bool, int, float, str, type(None))
    ):
        raise ValueError(
            f"The arguments of {name} are plain numbers, words, True, False or None; "
            f"{_piece(node, text)} isn't."
        )
    most = _MOST_TOKENS if name == "Embedding" else _MOST
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        if not abs(value) <= most:
            raise ValueError(f"{name}: {value} is too large for a sketch; {most:,} is the most.")
        return sign * value
    return value


def _layer(call: tuple) -> keras.Layer:
    name, arguments, named = call
    arguments = [_layer(a) if _is_layer(a) else a for a in arguments]
    named = {key: _layer(a) if _is_layer(a) else a for key, a in named.items()}
    try:
        return getattr(our_layers, name)(*arguments, **named)
    except (TypeError, ValueError, AttributeError) as error:
        said = " ".join(str(error).split())
        raise ValueError(f"{name} refuses its arguments: {said}") from error


def _is_layer(value) -> bool:
    return isinstance(value, tuple) and len(value) == 3 and isinstance(value[1], list)


def _piece(node: ast.AST, text: str) -> str:
    return repr(ast.get_source_segment(text.strip(), node) or type(node).__name__)
