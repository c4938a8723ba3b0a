"""Aggregates at hand: the library's repository and cache, filled for many streams in one round trip."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from zoneinfo import ZoneInfo

from eventsourcing.application import LRUCache, project_aggregate
from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate, Snapshot, aggregate_class, blank
from infra.postgres.connection import Pool, read_sql
from infra.postgres.record import EntryMapper, Record, type_of_snapshot

LOAD = read_sql(Path(__file__).with_name("sql") / "load_streams.sql")
SNAPSHOT = read_sql(Path(__file__).with_name("sql") / "insert_snapshot.sql")

SNAPSHOT_EVERY = 100
"""Events of a stream between two snapshots: what loading has to replay at the most."""


class Shelf:
    """Cached aggregates are trusted: the unique indexes find out at the commit if another process was first."""

    def __init__(self, pool: Pool, time_zone: ZoneInfo, *, size: int = 50_000) -> None:
        self._pool = pool
        self._mapper = EntryMapper(time_zone)
        self._cache: LRUCache[str, Aggregate] = LRUCache(maxsize=size)
        self._holders: LRUCache[str, str] = LRUCache(maxsize=size)

    def cached(self, stream: str) -> Aggregate | None:
        try:
            return self._cache.get(stream)
        except KeyError:
            return None

    def fetch(self, streams: Iterable[str]) -> tuple[dict[str, Aggregate], list[Aggregate]]:
        """The aggregates, which are cached from now on; and those whose replay was so long that a snapshot is due."""
        fetched: dict[str, Aggregate] = {}
        due: list[Aggregate] = []
        for aggregate, replayed in self._load(streams):
            self._put(aggregate)
            fetched[aggregate.stream] = aggregate
            if replayed > SNAPSHOT_EVERY:
                due.append(aggregate)
        return fetched, due

    def load(self, streams: Iterable[str]) -> list[Aggregate]:
        """As the database has them now, blank ones included."""
        return [aggregate for aggregate, _ in self._load(streams)]

    def recall(self, streams: Iterable[str]) -> dict[str, Aggregate]:
        """With all of their past, so from the first event on and not into the cache."""
        return {aggregate.stream: aggregate for aggregate, _ in self._load(streams, whole=True)}

    def _load(self, streams: Iterable[str], *, whole: bool = False) -> Iterator[tuple[Aggregate, int]]:
        found: dict[str, list[StoredEvent]] = {stream: [] for stream in streams}
        types = ["" if whole else type_of_snapshot(aggregate_class(stream)) for stream in found]
        rows = self._pool.read(LOAD, {"streams": list(found), "snapshot_types": types})
        for stream, version, type, schema_version, effective_at, payload in rows:
            state = payload.encode()
            found[stream].append(
                Record(stream, version, type, state, schema_version, effective_at=effective_at)
                if schema_version
                else StoredEvent(stream, version, type, state)
            )
        for stream, stored in found.items():
            start = blank(stream, whole=whole)
            yield project_aggregate(start, map(self._mapper.to_domain_event, stored)) or start, len(stored)

    def keep(self, aggregates: Iterable[Aggregate]) -> list[Aggregate]:
        """Aggregates as they are after a commit; gives those that are due for a snapshot."""
        due: list[Aggregate] = []
        for aggregate in aggregates:
            before = self._put(aggregate)
            if before and before.version // SNAPSHOT_EVERY < aggregate.version // SNAPSHOT_EVERY:
                due.append(aggregate)
        return due

    def _put(self, aggregate: Aggregate) -> Aggregate | None:
        """The newer one stays, whichever came first. Gives the one before."""
        before = self.cached(aggregate.stream)
        if before is None or before.version < aggregate.version:
            self._cache.put(aggregate.stream, aggregate)
        return before

    def held(self, claim: str) -> str | None:
        """The stream that made the claim, if it was asked before. It stays so: events are never changed."""
        try:
            return self._holders.get(claim)
        except KeyError:
            return None

    def hold(self, holders: Mapping[str, str]) -> None:
        for claim, stream in holders.items():
            self._holders.put(claim, stream)

    def evict(self, streams: Iterable[str]) -> None:
        for stream in streams:
            try:
                self._cache.get(stream, evict=True)
            except KeyError:
                continue

    def snapshot(self, aggregates: Iterable[Aggregate]) -> None:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            for aggregate in aggregates:
                kept = self._mapper.to_stored_event(Snapshot.take(aggregate))
                cursor.execute(SNAPSHOT, (kept.originator_id, kept.originator_version, kept.topic, kept.state.decode()))
