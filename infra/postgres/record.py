"""An event as it is stored, and the way between it and an entry."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast
from zoneinfo import ZoneInfo

from eventsourcing.domain import DomainEventProtocol
from eventsourcing.persistence import JSONTranscoder, Mapper, StoredEvent
from pydantic import BaseModel

from domain.aggregate import Aggregate, Entry, Snapshot, aggregate_class
from domain.event import decode

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Record(StoredEvent):
    """A row of the event table, less position and time of recording, which the commit gives.

    The library's names: ``originator_id`` is the stream, ``topic`` the type, ``state`` the payload.
    """

    schema_version: int = 1
    order_key: str = ""
    effective_at: datetime = EPOCH
    metadata: dict[str, str] = field(default_factory=dict)
    claims: str = ""


def type_of_snapshot(cls: type[Aggregate]) -> str:
    """A snapshot counts only for the shape of state that it was taken in."""
    return f"{cls.kind}@{cls.state_version}"


class EntryMapper(Mapper[str]):
    """The library's mapper with types instead of module paths, pydantic instead of ``vars``, and our upcasting."""

    def __init__(self, time_zone: ZoneInfo) -> None:
        super().__init__(JSONTranscoder())
        self._time_zone = time_zone

    def to_stored_event(self, domain_event: DomainEventProtocol[str]) -> StoredEvent:
        match domain_event:
            case Entry():
                return to_record(domain_event)
            case Snapshot(aggregate=aggregate):
                type = type_of_snapshot(aggregate_class(aggregate.stream))
                return StoredEvent(aggregate.stream, aggregate.version, type, to_json(aggregate))
        raise TypeError(f"neither an entry nor a snapshot: {domain_event!r}")

    def to_domain_event(self, stored_event: StoredEvent) -> DomainEventProtocol[str]:
        if isinstance(stored_event, Record):
            return cast("DomainEventProtocol[str]", self.to_entry(stored_event))
        cls = aggregate_class(str(stored_event.originator_id))
        aggregate = cls.model_validate_json(stored_event.state)
        return cast("DomainEventProtocol[str]", Snapshot.take(aggregate))

    def to_entry(self, record: Record) -> Entry:
        return Entry(
            originator_id=str(record.originator_id),
            originator_version=record.originator_version,
            event=decode(record.topic, record.schema_version, record.state),
            effective_at=record.effective_at,
            on=record.effective_at.astimezone(self._time_zone).date(),
            order_key=record.order_key,
            claims=record.claims,
            metadata=record.metadata,
        )


def to_record(entry: Entry) -> Record:
    event = entry.event
    return Record(
        originator_id=entry.originator_id,
        originator_version=entry.originator_version,
        topic=event.type,
        state=to_json(event),
        schema_version=event.version,
        order_key=entry.order_key,
        effective_at=entry.effective_at,
        metadata=entry.metadata,
        claims=entry.claims,
    )


def to_json(model: BaseModel) -> bytes:
    return model.__pydantic_serializer__.to_json(model, exclude_none=True)
