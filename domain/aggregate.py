"""Entries are events in their place in the book; an aggregate is as much of a stream's past as its next decision needs.

Aggregates are immutable. A decision is a method that returns events or raises a Refusal; ``evolve`` says what an
event changes. So a cached aggregate can be shared between threads, and a refused command leaves nothing to undo.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field

from domain.event import Event
from domain.refusal import not_found

Changes = dict[str, object]


class Gap(ValueError):
    """An entry that does not follow: events of a stream are missing."""

    def __init__(self, stream: str, version: int, found: int) -> None:
        super().__init__(f"{stream} is at {version}; entry {found} does not follow")
        self.stream, self.version, self.found = stream, version, found


class Aggregate(BaseModel):
    """State of one stream, named ``<kind>-<id>`` or ``<kind>-<id>/<id>``. Version 0 is the blank one."""

    model_config = ConfigDict(frozen=True)

    kind: ClassVar[str]
    state_version: ClassVar[int] = 1
    """Raise it when the fields change: snapshots of another version are passed over and the stream is replayed."""

    stream: str
    version: int = 0
    whole: bool = Field(default=False, exclude=True)
    """Recalled with all of its past: what usually leaves the state once it is settled stays in it."""

    def __init_subclass__(cls, kind: str, state_version: int = 1) -> None:
        super().__init_subclass__()
        cls.kind, cls.state_version = kind, state_version
        _registry[kind] = cls

    @classmethod
    def stream_of(cls, *ids: str) -> str:
        return f"{cls.kind}-{'/'.join(ids)}"

    @property
    def id(self) -> str:
        return self.stream.partition("-")[2]

    @property
    def exists(self) -> bool:
        return self.version > 0

    @property
    def order_key(self) -> str:
        """Events with the same key keep their order for every reader, whatever the number of partitions."""
        return self.stream

    def require(self) -> Self:
        if not self.exists:
            raise not_found(self.kind, self.id)
        return self

    @abstractmethod
    def evolve(self, entry: Entry) -> Changes:
        """The fields that an entry changes, with their new values."""

    def after(self, entry: Entry) -> Self:
        """The state after one more entry, which must be the next one. Raises Gap: none is ever passed over."""
        if entry.originator_version != self.version + 1:
            raise Gap(self.stream, self.version, entry.originator_version)
        return self.model_copy(update={**self.evolve(entry), "version": entry.originator_version})


_registry: dict[str, type[Aggregate]] = {}


def aggregate_class(stream: str) -> type[Aggregate]:
    return _registry[stream.partition("-")[0]]


def blank(stream: str, *, whole: bool = False) -> Aggregate:
    return aggregate_class(stream)(stream=stream, whole=whole)


@dataclass(frozen=True, slots=True)
class Entry:
    """An event entered in a stream. The names of its first two fields are the eventsourcing library's.

    ``effective_at`` is when it counts in business, ``on`` the same as a day in the ledger's time zone.
    ``order_key`` is what the stream to readers is partitioned by; ``claims`` a name unique over the ledger.
    """

    originator_id: str
    originator_version: int
    event: Event
    effective_at: datetime
    on: date
    order_key: str = ""
    claims: str = ""
    metadata: dict[str, str] = field(default_factory=dict)

    def mutate(self, aggregate: Aggregate | None) -> Aggregate:
        """Called by the library's repository when it replays a stream."""
        return (aggregate or blank(self.originator_id)).after(self)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An aggregate kept whole, so that loading it does not grow with its stream. Disposable, never truth."""

    originator_id: str
    originator_version: int
    aggregate: Aggregate

    @classmethod
    def take(cls, aggregate: Aggregate) -> Snapshot:
        return cls(aggregate.stream, aggregate.version, aggregate)

    def mutate(self, _: object) -> Aggregate:
        return self.aggregate
