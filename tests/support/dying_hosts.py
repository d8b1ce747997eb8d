"""Hosts that die at drawn moments, as actors do by ``kill -9``: before a call, or after it."""

from statewise.distributed.sharded.hosts import HostLostError
from statewise.streams.shard import Shard


class DyingHosts:
    """Hosts of one process that die when ``die`` says so.

    Args:
        die: called before and after each call; whether the host dies then.

    Attributes:
        deaths: how many there were.
    """

    def __init__(self, die):
        self.die, self.deaths = die, 0

    def opener(self, model, options):
        return lambda store: _Host(self, lambda: Shard(model, store, **options))


class _Host:
    def __init__(self, hosts, make):
        self.hosts, self.make, self.shard = hosts, make, make()

    def ask(self, method, *arguments):
        if method == "close":
            return self.shard.close
        if self._dies():
            return self._lost
        try:
            result = getattr(self.shard, method)(*arguments)
        except Exception as error:
            raised = error

            def wait():
                raise raised

            return wait
        if self._dies():
            return self._lost
        return lambda: result

    def revive(self):
        self.shard = self.make()

    def close(self):
        if self.shard is not None:
            self.shard.close()

    def _dies(self):
        if self.shard is None or not self.hosts.die():
            return self.shard is None
        self.hosts.deaths += 1
        store = self.shard._states.store
        if store is not None:
            store._file._closed = True  # closed by the end of the process: nothing is written
            store._connection.close()
        self.shard = None
        return True

    @staticmethod
    def _lost():
        raise HostLostError("killed")
