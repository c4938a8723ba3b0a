"""The feed without a broker: the store's own log, read in order of position, for any number of partitions."""

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from pathlib import Path

from consumers.ports import WINDOW, Batch, Delivered, Places
from infra.partitions import partition_of
from infra.postgres import head
from infra.postgres.connection import Pool, read_sql, scalar

READ = read_sql(Path(__file__).with_name("sql") / "read_feed.sql")
POSITION, ORDER_KEY = (Delivered._fields.index(name) for name in ("position", "order_key"))


class StoreFeed:
    """Events of some types only. Positions are dense here, so nothing can be missing between two of them."""

    def __init__(
        self,
        pool: Pool,
        types: Sequence[str],
        partitions: int,
        places: Places,
        *,
        only: Callable[[], Collection[int]] | None = None,
        last: int | None = None,
    ) -> None:
        """``only`` some of the partitions, which may become fewer, and up to the ``last`` position, if told."""
        self._pool = pool
        self._only = only or partial(range, partitions)
        self._last = last
        self._types = list(types)
        self._partitions = partitions
        self._places = places
        self._at: dict[int, int] | None = None

    def read(self) -> Sequence[Batch]:
        at = self._next()
        if not at:
            return ()
        after = min(at.values())
        window = WINDOW * self._partitions // len(at)  # a transaction has its price, however few events are in it
        upto = min(after + window, self.end())
        if upto <= after:
            return ()
        found = self._events(at, after, upto)
        self._at = {partition: max(position, upto) for partition, position in at.items()}
        return [Batch(partition, at[partition], upto, found[partition]) for partition in at if at[partition] < upto]

    def rewind(self) -> None:
        self._at = None

    def close(self) -> None:
        """It holds nothing."""

    def end(self) -> int:
        if self._last is not None:
            return self._last
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(head.POSITION)
            return int(scalar(cursor))

    def _next(self) -> dict[int, int]:
        """Where our partitions stand."""
        if self._at is None:
            self._at = {partition: place.position for partition, place in self._places().items()}
        only = self._only()
        return {partition: position for partition, position in self._at.items() if partition in only}

    def _events(self, at: Mapping[int, int], after: int, upto: int) -> dict[int, list[Delivered]]:
        """Of each partition, those it has not had. What is for others is let go at once."""
        found: dict[int, list[Delivered]] = {partition: [] for partition in at}
        with self._pool.connection() as connection, connection.cursor() as cursor:
            for start in range(after, upto, WINDOW):
                cursor.execute(READ, (start, min(start + WINDOW, upto), self._types))
                for row in cursor.fetchall():
                    partition = partition_of(row[ORDER_KEY], self._partitions)
                    if partition in at and row[POSITION] > at[partition]:
                        found[partition].append(Delivered._make(row))
        return found
