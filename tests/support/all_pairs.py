"""Combinations of options in which every pair of values of two options occurs."""

from collections.abc import Mapping, Sequence
from itertools import combinations


def all_pairs(options: Mapping[str, Sequence]) -> list[dict]:
    """Return few combinations that together hold every pair of values of any two options.

    Each combination begins with a pair that's still missing and takes for every other option the
    value that adds the most missing pairs.

    >>> rows = all_pairs({"a": [1, 2], "b": [3, 4], "c": [5, 6]})
    >>> len(rows)
    4
    """
    # Options with many values first: it makes fewer combinations.
    options = dict(sorted(options.items(), key=lambda option: -len(option[1])))
    missing = {
        (one, i, other, j): None
        for one, other in combinations(options, 2)
        for i in range(len(options[one]))
        for j in range(len(options[other]))
    }
    rows = []
    while missing:
        one, i, other, j = next(iter(missing))
        row = {one: i, other: j}
        for name in options:
            if name not in row:
                row[name] = max(
                    range(len(options[name])),
                    key=lambda k: sum(p in missing for p in _pairs({**row, name: k}, options)),
                )
        for pair in _pairs(row, options):
            missing.pop(pair, None)
        rows.append({name: options[name][k] for name, k in row.items()})
    return rows


def _pairs(row: Mapping[str, int], options: Mapping[str, Sequence]) -> list[tuple]:
    names = [name for name in options if name in row]
    return [(one, row[one], other, row[other]) for one, other in combinations(names, 2)]
