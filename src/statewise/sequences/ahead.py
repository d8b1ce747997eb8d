"""What comes next is read by a thread, while what came before is computed with."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from threading import Condition, Thread
from typing import Any, Generic, TypeVar

Item = TypeVar("Item")


class Ahead(Generic[Item]):
    """An iterator whose items are made ahead by a thread; to be closed, as by ``with``.

    Errors come where the item would have come. The thread ends when the items do, when it is
    closed, and with the process.

    Args:
        make: begins to iterate; it's called in the thread.
        depth: how many items wait at most, besides the one that is being made.

    Attributes:
        waited: seconds for which ``next`` had to wait so far.

    >>> with Ahead(lambda: iter(range(3)), depth=1) as numbers:
    ...     list(numbers)
    [0, 1, 2]
    """

    def __init__(self, make: Callable[[], Iterator[Item]], depth: int):
        self.waited = 0.0
        self._items: deque[tuple[Item | None, BaseException | None]] = deque()
        self._depth = depth
        self._closed = False
        self._ended = False
        self._change = Condition()
        self._thread = Thread(target=self._run, args=(make,), name="statewise-ahead", daemon=True)
        self._thread.start()

    def _run(self, make: Callable[[], Iterator[Item]]) -> None:
        items = None
        try:
            items = make()
            for item in items:
                if not self._put(item, None):
                    break
                del item  # it's the consumer's now, who may be done with it long before the next
            self._put(None, None, ended=True)
        except BaseException as error:  # whatever it is, the consumer is to hear of it
            self._put(None, error, ended=True)
        finally:
            close: Any = getattr(items, "close", None)
            if close is not None:
                close()

    def _put(self, item: Item | None, error: BaseException | None, ended: bool = False) -> bool:
        """Let an item wait, once there's room; return whether anybody still wants it."""
        with self._change:
            self._change.wait_for(lambda: self._closed or ended or len(self._items) < self._depth)
            if self._closed:
                return False
            if ended:
                self._ended = True
            if not ended or error is not None:
                self._items.append((item, error))
            self._change.notify_all()
            return True

    def __iter__(self) -> "Ahead[Item]":
        return self

    def __next__(self) -> Item:
        begun = time.perf_counter()
        with self._change:
            self._change.wait_for(lambda: self._items or self._ended or self._closed)
            if not self._items:
                raise StopIteration
            item, error = self._items.popleft()
            self._change.notify_all()
        self.waited += time.perf_counter() - begun
        if error is not None:
            raise error
        return item  # type: ignore[return-value]

    def close(self) -> None:
        """Stop the thread, and wait until it has stopped."""
        with self._change:
            self._closed = True
            self._items.clear()
            self._change.notify_all()
        self._thread.join()

    def __enter__(self) -> "Ahead[Item]":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()
