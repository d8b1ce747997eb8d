"""What is raised where shards fail."""

from statewise.streams.keys import Key


class ShardLostError(RuntimeError):
    """A shard whose host died, and that can't be opened again.

    >>> raise ShardLostError("shard 3 ...")
    Traceback (most recent call last):
    ...
    statewise.distributed.sharded.errors.ShardLostError: shard 3 ...
    """


class PartlyPushedError(RuntimeError):
    """A push that has happened for the keys of some shards, and not for those of others.

    Attributes:
        outputs: by key, of those that were pushed.
        not_pushed: the keys of which nothing has changed, as far as their shard can tell.
        errors: by the number of a shard what it raised.
    """

    def __init__(self, outputs: dict, not_pushed: list[Key], errors: dict[int, Exception]):
        first = next(iter(errors.values()))
        super().__init__(
            f"{len(outputs)} keys were pushed, and {len(not_pushed)} were not: "
            f"{type(first).__name__}: {first}. The attribute outputs has those that were."
        )
        self.outputs, self.not_pushed, self.errors = outputs, not_pushed, errors

    def __reduce__(self):
        return type(self), (self.outputs, self.not_pushed, self.errors)
