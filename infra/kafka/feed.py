"""The feed from the topic: partitions are shared by Kafka's group protocol, and each is read on from where the read
model is, as its own database says. Kafka's committed offsets are for lag tools only (tests/kafka/test_topic_feed.py);
whatever becomes of the topic, nothing is skipped (tests/kafka/test_whole_topic.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from time import monotonic, sleep
from typing import Any
from uuid import UUID

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata
from kafka import TopicPartition as Partition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    KafkaError,
    LogTruncationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RetriableError,
)

from commands.ports import Unavailable
from consumers.ports import WINDOW, Batch, Places
from infra.kafka import seeking
from infra.kafka.chain import Apart, Chain, Lost, TopicBroken
from infra.kafka.client import open_client
from infra.kafka.figures import PARTITIONS, REMADE, SOUGHT_AGAIN
from infra.kafka.membership import Watchdog
from infra.kafka.records import read_in_c
from infra.kafka.topic import TopicUnfit

log = structlog.get_logger(__name__)

POLL_MS = 500
"""Not less: a consumer that gives up waiting while it joins its group may never have a partition."""

REMEMBERED = 20_000
"""Streams whose versions a feed of all partitions remembers."""

SETTLES_MS = 60_000
"""How long others wait in a rebalance for one that writes a batch: longer than we wait for a database that is away."""

PATIENCE_MS = 5_000
COMMIT_EVERY = 5.0
CLOSE_MS = 2_000

OFF_PLACE = (OffsetOutOfRangeError, LogTruncationError, NoOffsetForPartitionError)
"""How kafka-python says that a partition is not what it was: made again, or cut off by an unclean election."""

CONSUMER = {
    "isolation_level": "read_committed",
    "enable_auto_commit": False,
    "auto_offset_reset": "none",
    "allow_auto_create_topics": False,
    "partition_assignment_strategy": [RangePartitionAssignor],
    "session_timeout_ms": 10_000,
    "heartbeat_interval_ms": 1_000,
    "max_poll_interval_ms": SETTLES_MS,
    "metadata_max_age_ms": 5_000,
    "max_poll_records": WINDOW,
    "value_deserializer": Apart(),
    "max_partition_fetch_bytes": 512 * 1024,
    "fetch_max_bytes": 2 * 1024 * 1024,
    "bootstrap_timeout_ms": PATIENCE_MS,
    "metrics_enabled": False,
}
"""No reset: it would skip. Range, not cooperative: kafka-python brings nothing while a group is rebalanced, whatever
the assignor, so to let go of everything costs but a seek, and all is known of a partition since one moment.
Of a broker there are at most two answers in memory, one read and one to come, of as many bytes as may be fetched;
whatever their number, messages that are larger come one by one."""


class TopicFeed:
    """Events of some types only. TopicBroken rather than to skip anything; TopicUnfit if the topic has a partition that
    the read model does not have; Unavailable if no broker could be reached yet."""

    def __init__(
        self,
        options: Mapping[str, Any],
        topic: str,
        partitions: int,
        ledger: str = "",
        *,
        group: str,
        types: Collection[str],
        places: Places,
        **consumer: Any,
    ) -> None:
        self._options = {**CONSUMER, **options, **consumer, "group_id": group}
        self._topic = topic
        self._places = places
        remembered = max(1, REMEMBERED // partitions)
        self._chain = partial(Chain, topic, types=frozenset(types), remembered=remembered, ledger=ledger)
        self._watchdog = Watchdog(options, group, topic, partitions, settles=SETTLES_MS / 1000 * 1.5)
        self._consumer: KafkaConsumer | None = None
        self._held: dict[int, Chain | None] = {}  # without a chain: to be sought
        self._identity: UUID | None = None
        self._sought_again: set[int] = set()
        self._broken: TopicBroken | None = None
        self._committed: dict[Partition, OffsetAndMetadata] = {}
        self._commit_at = 0.0

    def read(self) -> Sequence[Batch]:
        if self._broken:
            raise self._broken
        consumer = self._consumer or self._open()
        if monotonic() >= self._commit_at:
            self._commit(consumer)
        self._seek(consumer)
        batches = self._follow(self._poll(consumer))
        self._recognise(consumer)
        if reason := self._watchdog.look(bool(self._held), consumer.group_metadata().member_id):
            self._throw_away(reason)
        if self._broken and not batches:
            raise self._broken
        return batches

    def rewind(self) -> None:
        self._broken = None
        for partition in self._held:
            self._held[partition] = None

    def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer:
            with suppress(KafkaError, RuntimeError):  # lag tools will do without
                consumer.commit(self._offsets(consumer), timeout_ms=CLOSE_MS // 4)
            _leave(consumer)
        self._held.clear()

    def _open(self) -> KafkaConsumer:
        read_in_c()
        try:
            consumer = open_client(KafkaConsumer, **self._options)
        except KafkaError as error:
            raise Unavailable(str(error)) from error
        consumer.subscribe([self._topic], listener=_Sharing(consumer, self._held, self._options["group_id"]))
        self._consumer = consumer
        self._watchdog.reset()
        return consumer

    def _throw_away(self, reason: str) -> None:
        log.warning("consumer thrown away", topic=self._topic, group=self._options["group_id"], reason=reason)
        REMADE.labels(reason).inc()
        consumer, self._consumer = self._consumer, None
        _leave(consumer)
        self._held.clear()

    def _seek(self, consumer: KafkaConsumer) -> None:
        """Go to where the read model is, in those that we have not been in yet."""
        unsought = [partition for partition, chain in self._held.items() if chain is None]
        if not unsought:
            return
        places = self._places()
        if unknown := set(unsought) - places.keys():
            raise TopicUnfit(f"The topic {self._topic} has a partition {min(unknown)}, and the read model has not.")
        sought = {Partition(self._topic, partition): places[partition] for partition in unsought}
        try:
            offsets = seeking.offsets(consumer, sought, PATIENCE_MS)
        except RetriableError as error:
            log.info("broker does not say where to begin", topic=self._topic, error=repr(error))
            return
        for partition, offset in offsets.items():
            consumer.seek(partition, offset)
            consumer.resume(partition)
            self._held[partition.partition] = self._chain(partition.partition, sought[partition].position)

    def _poll(self, consumer: KafkaConsumer) -> Mapping[Partition, Sequence[ConsumerRecord]]:
        try:
            found: Mapping[Partition, Sequence[ConsumerRecord]] = consumer.poll(POLL_MS)
        except OFF_PLACE as error:
            log.warning("topic is not what it was", topic=self._topic, error=repr(error))
            SOUGHT_AGAIN.labels("off place").inc()
            self.rewind()
            return {}
        except RetriableError as error:
            log.info("broker does not answer", topic=self._topic, error=repr(error))
            sleep(POLL_MS / 1000)  # it would have waited as long for an answer
            return {}
        except Exception:
            self._throw_away("failed")
            raise
        return found

    def _recognise(self, consumer: KafkaConsumer) -> None:
        """A topic that has been made again may by chance end at the very offset at which we wait, and say nothing."""
        found = consumer._cluster.topic_id(self._topic)
        if found and self._identity and found != self._identity:
            log.warning("topic has been made again", topic=self._topic)
            SOUGHT_AGAIN.labels("made again").inc()
            self.rewind()
        self._identity = found or self._identity

    def _follow(self, found: Mapping[Partition, Sequence[ConsumerRecord]]) -> Sequence[Batch]:
        batches = []
        for partition, records in found.items():
            chain = self._held.get(partition.partition)
            if chain is None:  # to be sought, and could not be
                continue
            batch, broken = chain.follow(records)
            if batch:
                batches.append(batch)
                self._sought_again.discard(chain.partition)
            if broken:
                self._break_off(chain.partition, broken)
        return batches

    def _break_off(self, partition: int, broken: TopicBroken) -> None:
        """A topic that has been made again has other offsets, so what seems lost is sought once more by its time."""
        if isinstance(broken, Lost) and partition not in self._sought_again:
            log.warning("seeks again", error=str(broken))
            SOUGHT_AGAIN.labels("lost").inc()
            self._sought_again.add(partition)
            self._held[partition] = None
        else:
            self._broken = broken

    def _commit(self, consumer: KafkaConsumer) -> None:
        """What was read before has been written."""
        self._commit_at = monotonic() + COMMIT_EVERY
        with suppress(KafkaError):
            offsets = self._offsets(consumer)
            if offsets != self._committed:
                consumer.commit_async(offsets, callback=_committed)
                self._committed = offsets

    def _offsets(self, consumer: KafkaConsumer) -> dict[Partition, OffsetAndMetadata]:
        followed = [Partition(self._topic, partition) for partition, chain in self._held.items() if chain]
        return {each: OffsetAndMetadata(consumer.position(each, timeout_ms=0), "", -1) for each in followed}


class _Sharing(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notes which partitions are ours. Called by the consumer's own thread, which must not wait for anything, so the
    partitions are kept from being fetched until they have been sought."""

    def __init__(self, consumer: KafkaConsumer, held: dict[int, Chain | None], group: str) -> None:
        self._consumer = consumer
        self._held = held
        self._group = group

    def on_partitions_revoked(self, revoked: Collection[Partition]) -> None:
        for each in revoked:
            self._held.pop(each.partition, None)
        PARTITIONS.labels(self._group).set(len(self._held))

    def on_partitions_lost(self, lost: Collection[Partition]) -> None:
        self.on_partitions_revoked(lost)

    def on_partitions_assigned(self, assigned: Collection[Partition]) -> None:
        self._consumer.pause(*assigned)
        for each in assigned:
            self._consumer.seek(each, 0)  # anywhere, or Kafka would say where
            self._held[each.partition] = None
        PARTITIONS.labels(self._group).set(len(self._held))
        log.info("partitions assigned", group=self._group, partitions=spans(self._held) or "none")


def spans(numbers: Iterable[int]) -> str:
    """As a person writes them: 0-5,7."""
    found: list[list[int]] = []
    for number in sorted(numbers):
        if found and number == found[-1][1] + 1:
            found[-1][1] = number
        else:
            found.append([number, number])
    return ",".join(f"{first}-{last}" if first < last else f"{first}" for first, last in found)


def _leave(consumer: KafkaConsumer) -> None:
    with suppress(KafkaError, RuntimeError):
        consumer.close(autocommit=False, timeout_ms=CLOSE_MS)


def _committed(_: object, answer: object) -> None:
    if isinstance(answer, Exception):
        log.debug("offsets not committed", error=repr(answer))
