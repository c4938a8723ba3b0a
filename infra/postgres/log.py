"""The book, read to be carried on: every event, in order of position."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from commands.ports import Unavailable
from consumers.ports import Recorded
from infra.postgres import head
from infra.postgres.connection import LOST, Pool, read_sql

READ = read_sql(Path(__file__).with_name("sql") / "read_log.sql")

MOST_BYTES = 8_000_000
"""Of payload that one reading holds in memory, the last event apart: events may be large, and readings many of them."""


class StoreLog:
    def __init__(self, pool: Pool, *, most_bytes: int = MOST_BYTES) -> None:
        self._pool = pool
        self._most_bytes = most_bytes

    def end(self) -> int:
        with available():
            return int(self._pool.read(head.POSITION)[0][0])

    def read(self, after: int, upto: int, recorded_at: str | None = None) -> Sequence[Recorded]:
        asked = {"after": after, "upto": upto, "recorded_at": recorded_at, "most_bytes": self._most_bytes}
        with available():
            return [Recorded._make(row) for row in self._pool.read(READ, asked)]


@contextmanager
def available() -> Iterator[None]:
    """A server that is away is Unavailable."""
    try:
        yield
    except LOST as error:
        raise Unavailable("The database cannot be reached.") from error
