"""A ledger in memory, behaving like the real one: unique stream versions, claims and command ids, all or nothing."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from commands.batch import TRY, written
from commands.ports import Conflict, Found, Known, Tries, Unavailable, Unit, Written
from domain.aggregate import Aggregate, Entry, blank


@dataclass
class Log:
    """What is committed. Several processes may share it."""

    entries: list[Entry] = field(default_factory=list)
    known: dict[str, Known] = field(default_factory=dict)
    refused: dict[str, list[datetime]] = field(default_factory=dict)
    """When tries of commands were."""
    ticks: int = 0

    def tick(self) -> datetime:
        self.ticks += 1
        return datetime.fromtimestamp(self.ticks, UTC)

    @property
    def claims(self) -> set[str]:
        return {entry.claims for entry in self.entries if entry.claims}

    def append(self, units: Sequence[Unit]) -> int:
        entries = [entry for unit in units for entry in unit.entries]
        taken = {(entry.originator_id, entry.originator_version) for entry in self.entries}
        places = [(entry.originator_id, entry.originator_version) for entry in entries]
        claims = [entry.claims for entry in entries if entry.claims]
        ids = [unit.command_id for unit in units]
        tried = {id if not n else f"{id}{TRY}{n}" for id, tries in self.refused.items() for n in range(len(tries))}
        for wanted, held in ((places, taken), (claims, self.claims), (ids, self.known.keys() | tried)):
            if len(set(wanted)) < len(wanted) or not held.isdisjoint(wanted):
                raise Conflict
        first = len(self.entries) + 1
        for unit in units:
            written = tuple(self._write(entry) for entry in unit.entries)
            self.known[unit.command_id.partition(TRY)[0]] = Known(unit.digest, len(self.entries), written)
        return first

    def _write(self, entry: Entry) -> Written:
        self.entries.append(entry)
        return written(len(self.entries), entry)

    def load(self, stream: str, *, whole: bool = False) -> Aggregate:
        aggregate = blank(stream, whole=whole)
        for entry in self.entries:
            if entry.originator_id == stream:
                aggregate = entry.mutate(aggregate)
        return aggregate


@dataclass
class MemoryLedger:
    """One process's view of a log, with a cache of its own that nobody refreshes.

    ``before_append`` is run before each append: what others do meanwhile.
    """

    log: Log = field(default_factory=Log)
    before_append: Callable[[], object] = bool
    available: bool = True
    fetched: list[str] = field(default_factory=list)
    cache_size: int = 1_000
    era: int = 0
    _cache: dict[str, Aggregate] = field(default_factory=dict)

    def forget(self) -> None:
        """As when the server has come back."""
        self._cache.clear()
        self.era += 1

    def submit(self, units: Sequence[Unit], done: Callable[[int | Exception], object], era: int) -> None:
        if not self.available:
            done(Unavailable())
            return
        self.before_append()
        if era != self.era:
            done(Conflict())
            return
        try:
            first = self.log.append(units)
        except Conflict as conflict:
            done(conflict)
        else:
            done(first)

    def look(self, command_ids: Iterable[str], claims: Iterable[str]) -> Found:
        command_ids = list(command_ids)
        known = {id: self.log.known[id] for id in command_ids if id in self.log.known}
        tries = {id: Tries(len(at), at[-1]) for id in command_ids if (at := self.log.refused.get(id))}
        return Found(known, frozenset(self.log.claims.intersection(claims)), tries)

    def refuse(self, digests: Mapping[str, str]) -> Found:
        for id in digests.keys() - self.log.known.keys():
            self.log.refused.setdefault(id, []).append(self.log.tick())
        return self.look(digests, ())

    def latest(self) -> datetime:
        return self.log.tick()

    def cached(self, stream: str) -> Aggregate | None:
        return self._cache.get(stream)

    def fetch(self, streams: Iterable[str]) -> dict[str, Aggregate]:
        fetched = {stream: self.log.load(stream) for stream in streams}
        self.fetched.extend(fetched)
        self._cache.update(fetched)
        while len(self._cache) > self.cache_size:
            del self._cache[next(iter(self._cache))]
        return fetched

    def recall(self, streams: Iterable[str]) -> dict[str, Aggregate]:
        return {stream: self.log.load(stream, whole=True) for stream in streams}

    def held(self, _: str) -> str | None:
        return None

    def holders(self, claims: Iterable[str]) -> dict[str, str]:
        wanted = set(claims)
        return {entry.claims: entry.originator_id for entry in self.log.entries if entry.claims in wanted}

    def keep(self, aggregates: Iterable[Aggregate], _: object = None, era: int = 0) -> None:
        if era != self.era:
            return
        for aggregate in aggregates:
            before = self._cache.get(aggregate.stream)
            if before is None or before.version < aggregate.version:
                self._cache[aggregate.stream] = aggregate

    def evict(self, streams: Iterable[str]) -> None:
        for stream in streams:
            self._cache.pop(stream, None)
