"""The feed without a broker: the store's own log, read in order of position, for any number of partitions."""

from collections.abc import Collection, Sequence
from pathlib import Path

from consumers.ports import WINDOW, Batch, Delivered, Places
from infra.partitions import partition_of
from infra.postgres import head
from infra.postgres.connection import Pool, read_sql, scalar

READ = read_sql(Path(__file__).with_name("sql") / "read_feed.sql")


class StoreFeed:
    """Events of some types only. Positions are dense here, so nothing can be missing between two of them."""

    def __init__(
        self,
        pool: Pool,
        types: Sequence[str],
        partitions: int,
        places: Places,
        *,
        only: Collection[int] | None = None,
        last: int | None = None,
    ) -> None:
        """``only`` some of the partitions, and up to the ``last`` position, if told."""
        self._pool = pool
        self._only = range(partitions) if only is None else only
        self._last = last
        self._types = list(types)
        self._partitions = partitions
        self._places = places
        self._at: dict[int, int] | None = None

    def read(self) -> Sequence[Batch]:
        if self._at is None:
            self._at = {number: place.position for number, place in self._places().items() if number in self._only}
        after = min(self._at.values())
        upto = min(after + WINDOW, self.end())
        if upto <= after:
            return ()
        batches = list(self._batches(self._at, upto, self._events(after, upto)))
        self._at |= {batch.partition: upto for batch in batches}
        return batches

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

    def _events(self, after: int, upto: int) -> list[Delivered]:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(READ, (after, upto, self._types))
            return [Delivered._make(row) for row in cursor.fetchall()]

    def _batches(self, at: dict[int, int], upto: int, events: list[Delivered]) -> Sequence[Batch]:
        if self._partitions == 1:
            return [Batch(0, at[0], upto, events)]
        by_partition: dict[int, list[Delivered]] = {partition: [] for partition in at}
        for event in events:
            partition = partition_of(event.order_key, self._partitions)
            if partition in at and event.position > at[partition]:
                by_partition[partition].append(event)
        return [Batch(p, at[p], upto, found) for p, found in by_partition.items() if at[p] < upto]
