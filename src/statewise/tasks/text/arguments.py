"""The arguments of `TextGenerator`: refused where they make no sense, "auto" resolved."""

import math
from typing import Any

import numpy as np

from statewise.recurrence import CELLS
from statewise.sequences.arrays import check_count
from statewise.tasks.text.tokens import LEVELS

_MOST_LAYERS = 16
_EMBEDDING = {"char": 64, "word": 128, "bytes": 64}
_VOCABULARY = {"char": None, "word": 10_000, "bytes": None}
_MOST_LANES = 16  # more are faster, but an epoch's batches fewer, and what it teaches less
_LEAST_CHUNKS = 64  # of a lane in an epoch, before there are more lanes
_TO_SEE = 8_000_000  # tokens, in all epochs together
_MOST_EPOCHS = 40


def check(generator: Any) -> None:
    """Refuse arguments that make no sense; NumPy's numbers become Python's.

    Raises:
        TypeError, ValueError: naming the argument, what came, and what is expected.
    """
    _one_of(generator, "level", LEVELS)
    _one_of(generator, "cell", tuple(CELLS))
    for name, least in (("units", 1), ("layers", 1), ("steps", 1), ("seed", 0)):
        setattr(generator, name, check_count(getattr(generator, name), name, least))
    for name in ("embedding", "lanes", "epochs"):
        if getattr(generator, name) != "auto":
            if isinstance(getattr(generator, name), str):
                raise ValueError(
                    f'{name} must be a whole number or "auto", but is {getattr(generator, name)!r}'
                )
            setattr(generator, name, check_count(getattr(generator, name), name))
    for name, least in (("vocabulary", 2), ("patience", 1)):
        if getattr(generator, name) not in (None, "auto"):
            setattr(generator, name, check_count(getattr(generator, name), name, least))
    if generator.vocabulary not in (None, "auto") and generator.level == "bytes":
        raise ValueError("vocabulary is for characters and words; there are 256 bytes")
    if generator.layers > _MOST_LAYERS:
        raise ValueError(f"layers must be at most {_MOST_LAYERS}, but is {generator.layers:,}")
    for name in ("dropout", "weight_drop"):
        _within(generator, name, 0, 1, "from 0 to below 1")
    _within(generator, "weight_decay", 0, math.inf, "0 or more")
    _above(generator, "learning_rate")
    if generator.clip is not None:
        _above(generator, "clip")
    if generator.validation is not None and not _is_text(generator.validation):
        _within(generator, "validation", 0, 1, "from 0 to below 1, or a text")
    for name in ("tied", "layer_norm"):
        if not isinstance(getattr(generator, name), (bool, np.bool_)):
            raise TypeError(f"{name} must be True or False, but is {getattr(generator, name)!r}")
        setattr(generator, name, bool(getattr(generator, name)))


def embedding_of(generator: Any) -> int:
    """Return how many numbers a token becomes."""
    given = generator.embedding
    return _EMBEDDING[generator.level] if given == "auto" else given


def vocabulary_of(generator: Any) -> int | None:
    """Return how many tokens the vocabulary may have, None for any number."""
    given = generator.vocabulary
    return _VOCABULARY[generator.level] if given == "auto" else given


def lanes_of(generator: Any, tokens: int) -> int:
    """Return how many lanes there are: fewer for a short text, so that its batches are many."""
    if generator.lanes != "auto":
        return generator.lanes
    return min(_MOST_LANES, max(1, tokens // (generator.steps * _LEAST_CHUNKS)))


def epochs_of(generator: Any, tokens: int) -> int:
    """Return how many epochs there are: until some millions of tokens were seen."""
    if generator.epochs != "auto":
        return generator.epochs
    return min(_MOST_EPOCHS, max(1, round(_TO_SEE / tokens)))


def _is_text(value: Any) -> bool:
    return not isinstance(value, (bool, int, float, np.number))


def _one_of(generator: Any, name: str, words: tuple[str, ...]) -> None:
    value = getattr(generator, name)
    if not isinstance(value, str) or value not in words:
        raise ValueError(f"{name} must be one of {', '.join(words)}, but is {value!r:.60}")


def _number(generator: Any, name: str) -> float:
    value = getattr(generator, name)
    if isinstance(value, (bool, np.bool_)) or not isinstance(
        value, (int, float, np.integer, np.floating)
    ):
        raise TypeError(f"{name} must be a number, but is {value!r:.60}")
    setattr(generator, name, float(value))
    return float(value)


def _within(generator: Any, name: str, least: float, most: float, words: str) -> None:
    value = _number(generator, name)
    if not least <= value < most:
        raise ValueError(f"{name} must be {words}, but is {value:g}")


def _above(generator: Any, name: str) -> None:
    value = _number(generator, name)
    if not 0 < value < math.inf:
        raise ValueError(f"{name} must be above 0, but is {value:g}")
