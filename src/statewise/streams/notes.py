"""Notes in a store: bytes that are written in the same transaction as the change they tell of."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

TABLE = "CREATE TABLE IF NOT EXISTS notes (name TEXT PRIMARY KEY NOT NULL, value BLOB NOT NULL)"
_UPSERT = (
    "INSERT INTO notes (name, value) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
)


class Notes:
    """The notes of a store that has a table of them.

    Args:
        fetch: returns the rows that a statement finds.

    Attributes:
        pending: what the next transactions write besides.
    """

    def __init__(self, fetch: Callable[[str], list[tuple]]):
        self._fetch = fetch
        self.pending: list[tuple[str, list]] = []

    def read(self, name: str) -> bytes | None:
        """Return a note; None where there is none."""
        tables = {row[0] for row in self._fetch("SELECT name FROM sqlite_master")}
        if "notes" not in tables:
            return None
        return dict(self._fetch("SELECT name, value FROM notes")).get(name)

    @contextmanager
    def along(self, name: str, value: bytes) -> Iterator[None]:
        """Write a note with each transaction within the block."""
        self.pending = [(_UPSERT, [(name, value)])]
        try:
            yield
        finally:
            self.pending = []
