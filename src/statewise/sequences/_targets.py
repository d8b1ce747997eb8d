"""What each step of a series is to tell: the step after it, or a target of its own."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from statewise.sequences._opening import open_source
from statewise.sequences._sources import Source


@dataclass(frozen=True, eq=False)
class Targets:
    """The targets of a step t: some features of a source at its step t + ahead.

    Attributes:
        source: the series themselves, or the targets that were given for them.
        columns: the positions of these features.
        ahead: 1 for the next step, 0 for the same.
    """

    source: Source
    columns: list[int]
    ahead: int


def choose_targets(source: Source, targets: Any, key: Any) -> Targets | None:
    """Return what ``lanes`` was asked for as targets.

    Raises:
        TypeError: where targets are no real numbers.
        ValueError: where there is no such feature, a series has no next step, or targets don't
            have the keys and lengths of the series.
    """
    if targets is None:
        return None
    if isinstance(targets, str) and targets == "next":
        columns = list(range(source.features))
    elif _are_features(targets):
        chosen = targets if isinstance(targets, (list, tuple)) else [targets]
        columns = [source.position(one) for one in chosen]
    else:
        given = open_source(targets, key=key, word="targets").in_order_of(source)
        return Targets(given, list(range(given.features)), ahead=0)
    _check_next_step(source)
    return Targets(source, columns, ahead=1)


def _are_features(targets: Any) -> bool:
    """Tell names and positions of features from values."""
    if isinstance(targets, (list, tuple)):
        if not targets:
            raise ValueError('targets is empty: name at least one feature, or say "next" for all')
        return all(isinstance(one, (str, int, np.integer)) for one in targets)
    return isinstance(targets, (str, int, np.integer))


def _check_next_step(source: Source) -> None:
    short = np.flatnonzero(source.lengths < 2)
    if len(short):
        more = f" (and so have {len(short) - 1} more)" if len(short) > 1 else ""
        raise ValueError(
            f"{source.word} {source.keys[short[0]]!r} has 1 time step{more}, but at least 2 are "
            "needed to have a next one; leave it out, or predict with targets=None"
        )


def read_pair(
    source: Source, targets: Targets | None, position: int, start: int, stop: int
) -> tuple[np.ndarray, np.ndarray | None]:
    """Return these steps of a series, (time, features), and their targets."""
    if targets is None:
        return source.read(position, start, stop), None
    if targets.source is not source:
        return source.read(position, start, stop), targets.source.read(position, start, stop)
    both = source.read(position, start, stop + targets.ahead)  # not once for x and again for y
    return both[: stop - start], both[targets.ahead :, targets.columns]
