"""What comes of a partition must follow on what came before. Whatever does not is told, and never skipped.

Each message names the position of the one before it in its partition, so a reader sees at once if the topic has lost
one in between; each event has its stream's version, so a reader sees if the book's own order was not kept.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass, field

from kafka.consumer.fetcher import ConsumerRecord
from kafka.serializer import Deserializer

from consumers.ports import Batch, Delivered, Gap
from infra.kafka import wire


class TopicBroken(Exception):
    """The topic does not hold what the book does; the book is the truth, and can fill a new topic."""


class Lost(TopicBroken):
    """It has no message where there must be one."""

    def __init__(self, topic: str, partition: int, after: int, previous: int) -> None:
        super().__init__(
            f"The topic {topic} has lost messages of partition {partition}, between the positions {after} and"
            f" {previous}: it brings what follows {previous}. Delete the topic, and the relay fills it again."
        )


class Foreign(TopicBroken):
    """Somebody else has written into it."""

    def __init__(self, topic: str, partition: int, offset: int, why: Exception) -> None:
        super().__init__(
            f"Offset {offset} of partition {partition} of the topic {topic} is not a message of ours: {why!r}."
        )


class Strange(TopicBroken):
    """It is another ledger's."""

    def __init__(self, topic: str, theirs: str, ours: str) -> None:
        super().__init__(
            f"The topic {topic} carries the ledger {theirs}, and this is the ledger {ours}, of the same name or a copy."
            " `grossbuch recover` tells more."
        )


class Apart(Deserializer):  # type: ignore[misc]
    """Makes of a record's value the pair of value and headers, and leaves the record without headers: kafka-python
    would add up their lengths, for which a consumer took an eighth of its time (bench/kafka)."""

    def deserialize(self, _: str, headers: wire.Headers, data: bytes | None) -> tuple[bytes | None, wire.Headers]:
        taken = headers[:]
        headers.clear()
        return data, taken


@dataclass(slots=True)
class Chain:
    """A reader of one partition, ``at`` a position, of records whose values are ``Apart``. It knows the versions of
    ``remembered`` streams at the most. What does not say of which ledger it is, it takes: the book knows."""

    topic: str
    partition: int
    at: int
    types: frozenset[str]
    remembered: int
    ledger: str = ""
    _versions: OrderedDict[str, int] = field(default_factory=OrderedDict, init=False)

    def follow(self, records: Iterable[ConsumerRecord]) -> tuple[Batch | None, TopicBroken | None]:
        """What is new in them, as far as it follows, and why it does not go on. Repeats are dropped."""
        after, recorded_at = self.at, None
        events: list[Delivered] = []
        gaps: list[Gap] = []
        broken: TopicBroken | None = None
        for record in records:
            try:
                position, previous, time, ledger, event = wire.read(record.key, *record.value)
            except (LookupError, ValueError, TypeError, AttributeError) as error:  # headers may have no value at all
                broken = Foreign(self.topic, self.partition, record.offset, error)
                break
            if ledger not in (None, self.ledger):
                broken = Strange(self.topic, ledger, self.ledger)
                break
            if position <= self.at:
                continue
            if previous > self.at:
                broken = Lost(self.topic, self.partition, self.at, previous)
                break
            self.at, recorded_at = position, time
            if event:
                gaps += self._gaps(event)
                if event.type in self.types:
                    events.append(event)
        batch = Batch(self.partition, after, self.at, events, gaps, recorded_at) if self.at > after else None
        return batch, broken

    def _gaps(self, event: Delivered) -> tuple[Gap, ...]:
        """A stream that is not remembered is taken at any version: it began before we came."""
        versions, stream, found = self._versions, event.stream, event.version
        known = versions.pop(stream, found - 1)
        versions[stream] = max(known, found)
        if len(versions) > self.remembered:
            versions.popitem(last=False)
        return () if found == known + 1 else (Gap(stream, event.order_key, known + 1, found, event.position),)
