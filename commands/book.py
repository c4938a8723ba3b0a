"""The book as a command sees it: what it may read, and what it writes. Nothing of it reaches the ledger by itself."""

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from domain.aggregate import Aggregate, Entry
from domain.event import Event
from domain.periods import LEDGER, Calendar
from domain.refusal import Refusal, already_exists, not_found

A = TypeVar("A", bound=Aggregate)

CALENDAR = Calendar.stream_of(LEDGER)


class Missing(Exception):
    """Something is not at hand. Decisions are pure, so the bus fetches it and has it decided again."""

    def __init__(self, *, stream: str = "", past: str = "", claim: str = "") -> None:
        self.stream = stream
        self.past = past
        self.claim = claim


@dataclass(slots=True)
class Book:
    """A unit of work over a batch of commands: each sees what the ones before it have written."""

    cached: Callable[[str], Aggregate | Refusal | None]
    held: Callable[[str], str | None]
    make_id: Callable[[], str]
    time_zone: ZoneInfo
    now: datetime
    taken: Set[str] = frozenset()
    """Claims that the ledger is known to hold."""
    sure: bool = True
    """Not the first try: what was taken for new is to be looked up."""
    holders: Mapping[str, str | None] = field(default_factory=dict)
    """Whose they are, as far as it was asked."""
    effective_at: datetime = field(init=False)
    on: date = field(init=False)
    open_from: datetime | None = field(init=False)
    """Set by a command that closes all before it."""
    touched: set[str] = field(default_factory=set)
    _aggregates: dict[str, Aggregate] = field(default_factory=dict)
    _written: dict[str, Aggregate] = field(default_factory=dict)
    _entries: list[Entry] = field(default_factory=list)
    _claims: dict[str, str] = field(default_factory=dict)
    _new_ids: set[str] = field(default_factory=set)
    _new_streams: set[str] = field(default_factory=set)
    _expected_version: int | None = None
    _metadata: dict[str, str] = field(default_factory=dict)

    def begin(self, effective_at: datetime | None, expected_version: int | None, metadata: dict[str, str]) -> None:
        self.effective_at = effective_at or self.now
        self.on = self._day(self.effective_at)
        self._expected_version = expected_version
        self._metadata = metadata
        self.open_from = None
        self._entries = []
        self._written = {}
        self.touched = set()

    def commit(self) -> tuple[Entry, ...]:
        """The command stands: what it wrote is what the next one reads."""
        self._aggregates.update(self._written)
        self._claims.update((entry.claims, entry.originator_id) for entry in self._entries if entry.claims)
        return tuple(self._entries)

    @property
    def claims(self) -> Mapping[str, str]:
        """Those that were made, and by which streams."""
        return self._claims

    @property
    def changed(self) -> list[Aggregate]:
        return list(self._aggregates.values())

    @property
    def today(self) -> date:
        return self._day(self.now)

    def close(self, through: date) -> None:
        """The ledger makes sure of it at the commit: others may be deciding on what is open still."""
        self.open_from = datetime.combine(through + timedelta(days=1), time(), self.time_zone).astimezone(UTC)

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
            if stream not in self._new_streams and self._new_ids.isdisjoint(ids):
                raise Missing(stream=stream)
            aggregate = cls(stream=stream)
        assert isinstance(aggregate, cls)
        return aggregate

    def begin_new(self, cls: type[A], id: str | None) -> A:
        """What is to be new, under the caller's id or one that is made. It is taken for blank without asking the
        database: if it is not, the commit finds out, and all is decided again."""
        if id is None:
            return self.find(cls, self.new_id())
        if not self.sure:
            self._new_streams.add(cls.stream_of(id))
        return self.find(cls, id)

    def get(self, cls: type[A], *ids: str) -> A:
        """The aggregate, which must exist; ``not_found`` otherwise."""
        return self.find(cls, *ids).require()

    def recall(self, cls: type[A], *ids: str) -> A:
        """The aggregate with all of its past, for what has left its state."""
        aggregate = self.find(cls, *ids)
        if aggregate.exists and not aggregate.whole:
            raise Missing(past=aggregate.stream)
        return aggregate

    def holder(self, claim: str) -> str | None:
        """The stream whose event brought this claim into the ledger, if one did."""
        if claim in self._claims:
            return self._claims[claim]
        if claim in self.holders:
            return self.holders[claim]
        if known := self.held(claim):
            return known
        raise Missing(claim=claim)

    def owner(self, cls: type[A], kind: str, id: str) -> A:
        """The aggregate that holds the claim ``<kind>:<id>``; ``not_found`` otherwise."""
        stream = self.holder(f"{kind}:{id}")
        if stream is None:
            raise not_found(kind, id)
        return self.get(cls, stream.partition("-")[2])

    def record(self, aggregate: A, event: Event, claims: str = "", effective_at: datetime | None = None) -> A:
        """Write an event to the aggregate's stream, and give the aggregate after it.

        It takes effect when the command does, unless told another time.
        """
        self._check_expected_version(aggregate)
        if claims and (claims in self.taken or claims in self._claims):
            raise already_exists(*claims.split(":", 1))
        on = self._day(effective_at) if effective_at else self.on
        self._check_open(min(on, self.on))
        entry = Entry(
            originator_id=aggregate.stream,
            originator_version=aggregate.version + 1,
            event=event,
            effective_at=effective_at or self.effective_at,
            on=on,
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

    def _check_open(self, day: date) -> None:
        self.touched.add(CALENDAR)
        calendar = self._at_hand(CALENDAR)
        if calendar is None:
            raise Missing(stream=CALENDAR)
        assert isinstance(calendar, Calendar)
        calendar.check_open(day)

    def _at_hand(self, stream: str) -> Aggregate | None:
        found = self._written.get(stream) or self._aggregates.get(stream) or self.cached(stream)
        if isinstance(found, Refusal):
            raise found
        return found

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
