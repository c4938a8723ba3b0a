"""Aggregates at hand: the library's repository and cache, filled for many streams in one round trip."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from zoneinfo import ZoneInfo

from eventsourcing.application import LRUCache, project_aggregate
from eventsourcing.persistence import StoredEvent

from domain.aggregate import Aggregate, Gap, Snapshot, aggregate_class, blank
from domain.refusal import Refusal
from infra.postgres.connection import Pool, read_sql
from infra.postgres.record import EntryMapper, Record, type_of_snapshot

LOAD = read_sql(Path(__file__).with_name("sql") / "load_streams.sql")
SNAPSHOT = read_sql(Path(__file__).with_name("sql") / "insert_snapshot.sql")

HOLDERS = "SELECT claims, stream FROM event WHERE claims = ANY (%s::text[])"

SNAPSHOT_EVERY = 100
"""Events of a stream between two snapshots: what loading has to replay at the most."""


class Cache:
    """What is at hand in an era. Whoever has begun to read in it puts what he found here, also when it is over."""

    def __init__(self, era: int, size: int) -> None:
        self.era = era
        self.aggregates: LRUCache[str, Aggregate] = LRUCache(maxsize=size)
        self.holders: LRUCache[str, str] = LRUCache(maxsize=size)

    def get(self, stream: str) -> Aggregate | None:
        try:
            return self.aggregates.get(stream)
        except KeyError:
            return None

    def put(self, aggregate: Aggregate) -> Aggregate | None:
        """The newer one stays, whichever came first. Gives the one before."""
        before = self.get(aggregate.stream)
        if before is None or before.version < aggregate.version:
            self.aggregates.put(aggregate.stream, aggregate)
        return before

    def hold(self, holders: Mapping[str, str]) -> None:
        for claim, stream in holders.items():
            self.holders.put(claim, stream)


class Shelf:
    """Cached aggregates are trusted: the unique indexes find out at the commit if another process was first."""

    def __init__(self, pool: Pool, time_zone: ZoneInfo, *, size: int = 50_000) -> None:
        self._pool = pool
        self._mapper = EntryMapper(time_zone)
        self._size = size
        self._cache = Cache(0, size)

    @property
    def era(self) -> int:
        return self._cache.era

    def forget(self) -> int:
        """All that is at hand; gives the era that begins."""
        self._cache = Cache(self._cache.era + 1, self._size)
        return self._cache.era

    def cached(self, stream: str) -> Aggregate | None:
        return self._cache.get(stream)

    def fetch(self, streams: Iterable[str]) -> tuple[dict[str, Aggregate | Refusal], list[Aggregate]]:
        """The aggregates, which are cached from now on; and those whose replay was so long that a snapshot is due."""
        cache = self._cache
        fetched: dict[str, Aggregate | Refusal] = {}
        due: list[Aggregate] = []
        for stream, aggregate, replayed in self._load(streams):
            fetched[stream] = aggregate
            if isinstance(aggregate, Refusal):
                continue
            cache.put(aggregate)
            if replayed > SNAPSHOT_EVERY:
                due.append(aggregate)
        return fetched, due

    def load(self, streams: Iterable[str]) -> list[Aggregate]:
        """As the database has them now, blank ones included."""
        return [aggregate for _, aggregate, _ in self._load(streams) if isinstance(aggregate, Aggregate)]

    def recall(self, streams: Iterable[str]) -> dict[str, Aggregate | Refusal]:
        """With all of their past, so from the first event on and not into the cache."""
        return {stream: aggregate for stream, aggregate, _ in self._load(streams, whole=True)}

    def _load(self, streams: Iterable[str], *, whole: bool = False) -> Iterator[tuple[str, Aggregate | Refusal, int]]:
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
            yield stream, self._replayed(blank(stream, whole=whole), stored), len(stored)

    def _replayed(self, start: Aggregate, stored: Sequence[StoredEvent]) -> Aggregate | Refusal:
        try:
            return project_aggregate(start, map(self._mapper.to_domain_event, stored)) or start
        except Gap as gap:
            message = f"The book lacks version {gap.version + 1} of {gap.stream}; nothing can be decided on it."
            return Refusal("broken_stream", message, stream=gap.stream, version=gap.version, found=gap.found)

    def keep(self, aggregates: Iterable[Aggregate], holders: Mapping[str, str], era: int) -> list[Aggregate]:
        """Aggregates and claims as they are after a commit; gives the aggregates that are due for a snapshot."""
        cache = self._cache
        due: list[Aggregate] = []
        if cache.era == era:
            for aggregate in aggregates:
                before = cache.put(aggregate)
                if before and before.version // SNAPSHOT_EVERY < aggregate.version // SNAPSHOT_EVERY:
                    due.append(aggregate)
            cache.hold(holders)
        return due

    def held(self, claim: str) -> str | None:
        """The stream that made the claim, if it was asked before. It stays so: events are never changed."""
        try:
            return self._cache.holders.get(claim)
        except KeyError:
            return None

    def holding(self, claims: Iterable[str]) -> Mapping[str, str]:
        """Whose they are, as the database has it; and into the cache."""
        cache = self._cache
        found = dict(self._pool.read(HOLDERS, (list(claims),)))
        cache.hold(found)
        return found

    def evict(self, streams: Iterable[str]) -> None:
        for stream in streams:
            try:
                self._cache.aggregates.get(stream, evict=True)
            except KeyError:
                continue

    def snapshot(self, aggregates: Iterable[Aggregate]) -> None:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            for aggregate in aggregates:
                kept = self._mapper.to_stored_event(Snapshot.take(aggregate))
                cursor.execute(SNAPSHOT, (kept.originator_id, kept.originator_version, kept.topic, kept.state.decode()))
