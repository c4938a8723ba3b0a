"""The book as a command sees it: what it may read, and what it writes. Nothing of it reaches the ledger by itself."""

from collections.abc import Callable, Set
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TypeVar
from zoneinfo import ZoneInfo

from domain.aggregate import Aggregate, Entry
from domain.event import Event
from domain.refusal import Refusal, already_exists

A = TypeVar("A", bound=Aggregate)


class Missing(Exception):
    """An aggregate is not at hand. Decisions are pure, so the bus fetches it and has it decided again."""

    def __init__(self, stream: str) -> None:
        self.stream = stream


@dataclass(slots=True)
class Book:
    """A unit of work over a batch of commands: each sees what the ones before it have written."""

    cached: Callable[[str], Aggregate | None]
    make_id: Callable[[], str]
    time_zone: ZoneInfo
    now: datetime
    taken: Set[str] = frozenset()
    """Claims that the ledger is known to hold."""
    effective_at: datetime = field(init=False)
    on: date = field(init=False)
    touched: set[str] = field(default_factory=set)
    _aggregates: dict[str, Aggregate] = field(default_factory=dict)
    _written: dict[str, Aggregate] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    _claims: set[str] = field(default_factory=set)
    _new_ids: set[str] = field(default_factory=set)
    _expected_version: int | None = None
    _metadata: dict[str, str] = field(default_factory=dict)

    def begin(self, effective_at: datetime | None, expected_version: int | None, metadata: dict[str, str]) -> None:
        self.effective_at = effective_at or self.now
        self.on = self._day(self.effective_at)
        self._expected_version = expected_version
        self._metadata = metadata
        self._entries = []
        self._written = {}
        self.touched = set()

    def commit(self) -> tuple[Entry, ...]:
        """The command stands: what it wrote is what the next one reads."""
        self._aggregates.update(self._written)
        self._claims.update(entry.claims for entry in self._entries if entry.claims)
        return tuple(self._entries)

    @property
    def changed(self) -> list[Aggregate]:
        return list(self._aggregates.values())

    def new_id(self) -> str:
        """For what the caller has not named. It has no past, so there is nothing to fetch."""
        self._new_ids.add(id := self.make_id())
        return id

    def find(self, cls: type[A], *ids: str) -> A:
        """The aggregate, blank if nothing has happened to it yet."""
        stream = cls.stream_of(*ids)
        self.touched.add(stream)
        aggregate = self._at_hand(stream)
        if aggregate is None:
            if self._new_ids.isdisjoint(ids):
                raise Missing(stream)
            aggregate = cls(stream=stream)
        assert isinstance(aggregate, cls)
        return aggregate

    def get(self, cls: type[A], *ids: str) -> A:
        """The aggregate, which must exist; ``not_found`` otherwise."""
        return self.find(cls, *ids).require()

    def record(self, aggregate: A, event: Event, claims: str = "", effective_at: datetime | None = None) -> A:
        """Write an event to the aggregate's stream, and give the aggregate after it.

        It takes effect when the command does, unless told another time.
        """
        self._check_expected_version(aggregate)
        if claims and (claims in self.taken or claims in self._claims):
            raise already_exists(*claims.split(":", 1))
        entry = Entry(
            originator_id=aggregate.stream,
            originator_version=aggregate.version + 1,
            event=event,
            effective_at=effective_at or self.effective_at,
            on=self._day(effective_at or self.effective_at),
            claims=claims,
            metadata=self._metadata,
        )
        after = aggregate.after(entry)
        object.__setattr__(entry, "order_key", after.order_key)
        self._written[aggregate.stream] = after
        self._entries.append(entry)
        return after

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.time_zone).date()

    def _at_hand(self, stream: str) -> Aggregate | None:
        return self._written.get(stream) or self._aggregates.get(stream) or self.cached(stream)

    def _check_expected_version(self, aggregate: Aggregate) -> None:
        expected, self._expected_version = self._expected_version, None
        if expected is not None and expected != aggregate.version:
            raise Refusal(
                "conflict",
                f"{aggregate.stream} is at version {aggregate.version}, not {expected}.",
                stream=aggregate.stream,
                version=aggregate.version,
                expected_version=expected,
            )
