"""From a text to a trained network."""

import os
from typing import Any

from statewise.sequences import Lanes
from statewise.sequences.tables import DataError
from statewise.tasks.forecasting.progress import Progress
from statewise.tasks.text.arguments import embedding_of, epochs_of, lanes_of, vocabulary_of
from statewise.tasks.text.corpus import (
    Corpus,
    in_lanes,
    parts_of,
    place_of,
    read_corpus,
    same_tokens,
)
from statewise.tasks.text.fitted import Learned
from statewise.tasks.text.network import Plan, network
from statewise.tasks.text.training import Schedule, train

_WEIGHT = 4 * 4  # bytes in training: itself, its gradient, and the optimizer's two averages


def learn(
    generator: Any, text: Any, encoding: str, progress: Progress, **checkpoint: Any
) -> Learned:
    """Train a network on a text, by the checked arguments of a `TextGenerator`.

    Args:
        generator: which has the arguments.
        text, encoding: as for `TextGenerator.fit`.
        progress: called after each epoch.
        checkpoint: as for a model's ``fit``.

    Raises:
        TypeError, ValueError, OSError: as `TextGenerator.fit`.
    """
    corpus = read_corpus(text, generator.level, vocabulary_of(generator), encoding)
    stop, validation = _split(corpus, generator.validation, encoding)
    known = stop - int((corpus.begins < stop).sum())
    plan = _plan(generator, len(corpus.tokens))
    lanes = in_lanes(
        parts_of(corpus, 0, stop, lanes_of(generator, known)),
        lanes_of(generator, known),
        generator.steps,
        generator.seed,
    )
    schedule = Schedule(
        epochs_of(generator, known),
        generator.learning_rate,
        generator.weight_decay,
        generator.clip,
        generator.patience,
    )
    model = network(plan)
    laid = None if validation is None else _validation_lanes(validation, generator)
    history = train(model, lanes, laid, schedule, progress, **checkpoint)
    facts = {"history": history, "epochs": len(history["loss"]), "lanes": lanes.batch}
    return Learned(plan, corpus.tokens, model, facts)


def _split(corpus: Corpus, validation: Any, encoding: str):
    """Return where the text to train on ends, and what to validate on: (corpus, first, stop).

    The last part is rounded up to whole tokens.
    """
    total, everything = len(corpus), len(corpus.numbers)
    stretch = None
    if validation is not None and not isinstance(validation, float):
        other = same_tokens(validation, corpus.tokens, encoding)
        stretch = (other, 0, len(other.numbers))
    elif validation:
        kept = int((1 - validation) * total)
        if kept < 2 or kept == total:
            raise DataError(
                f"text has {total} token{'s' * (total != 1)}, of which validation={validation:g} "
                f"leaves {kept} to train on: give a longer text"
            )
        cut = place_of(corpus, kept)
        stretch = (corpus, cut, everything)
        everything = cut
    elif total < 2:
        raise DataError("text has one token: there is nothing that could be learned from it")
    return everything, stretch


def _validation_lanes(stretch: tuple[Corpus, int, int], generator: Any) -> Lanes:
    corpus, first, stop = stretch
    count = min(8, lanes_of(generator, stop - first))
    return in_lanes(parts_of(corpus, first, stop, count), count, generator.steps, None)


def _plan(generator: Any, tokens: int) -> Plan:
    """Return what the network is made of; refuse one for whose weights there is no room."""
    plan = Plan(
        tokens=tokens,
        embedding=embedding_of(generator),
        cell=generator.cell,
        units=generator.units,
        layers=generator.layers,
        dropout=generator.dropout,
        weight_drop=generator.weight_drop,
        tied=generator.tied,
        layer_norm=generator.layer_norm,
        seed=generator.seed,
    )
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    if 2 * (taken := _WEIGHT * plan.weights) > memory:
        raise ValueError(
            f"units={plan.units:,} in {plan.layers} layers for {tokens:,} tokens take some "
            f"{taken / 1e9:.3g} GB to train, but this machine has {memory / 1e9:.3g} GB: take fewer"
        )
    return plan
