"""Which shard what arrives goes to, and how the outputs come together again."""

from collections.abc import Mapping

import numpy as np

from statewise.streams.arrivals import Batch
from statewise.streams.buckets import buckets_of
from statewise.streams.keys import Key


def parts_of(batches: list[Batch], shard_of: np.ndarray) -> dict[int, list[Batch]]:
    """Return what each shard gets of a push.

    Args:
        batches: of `batches_of`.
        shard_of: for each bucket its shard.
    """
    parts: dict[int, list[Batch]] = {}
    for batch in batches:
        shards = shard_of[buckets_of(batch.keys)]
        for shard in np.unique(shards):
            places = np.flatnonzero(shards == shard)
            keys = [batch.keys[i] for i in places]
            part = batch._replace(keys=keys, x=np.ascontiguousarray(batch.x[places]))
            parts.setdefault(int(shard), []).append(part)
    return parts


def keys_by_shard(keys: list[Key], shard_of: np.ndarray) -> dict[int, list[Key]]:
    """Return the keys of each shard."""
    found: dict[int, list[Key]] = {}
    for key, shard in zip(keys, shard_of[buckets_of(keys)].tolist(), strict=True):
        found.setdefault(shard, []).append(key)
    return found


def outputs_by_key(
    parts: Mapping[int, list[Batch]], answers: Mapping[int, list[np.ndarray]]
) -> dict:
    """Return each key's output, of the shards that answered."""
    outputs: dict = {}
    for shard, answer in answers.items():
        for batch, arrays in zip(parts[shard], answer, strict=True):
            outputs.update(zip(batch.keys, arrays, strict=True))
    return outputs
