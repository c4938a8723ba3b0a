"""Publishes a ledger's events in its topic, batch by batch, each in one transaction: all of a batch is seen or nothing,
and the ends of the topic say what has been published (tests/kafka/test_publisher.py).

kafka-python would wait for ever, or go on in silence, where it must not:

- it commits a transaction of which a batch was given up as undeliverable, so every future is looked at before;
- after an outage longer than its delivery timeout it sends nothing any more, so that timeout is long, and a producer
  whose acknowledgements stall is thrown away before;
- to commit has no time limit, and to close waits for what will never be sent, so both are done beneath its surface.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from math import inf
from time import monotonic
from typing import Any
from uuid import UUID

from kafka import KafkaProducer
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import (
    InvalidProducerEpochError,
    KafkaConnectionError,
    KafkaError,
    KafkaTimeoutError,
    NodeNotReadyError,
    ProducerFencedError,
)
from kafka.producer.future import FutureRecordMetadata

from consumers.ports import Fenced, Place, PublisherLost, Recorded, Topic
from infra.kafka import wire
from infra.kafka.chain import Strange
from infra.kafka.client import open_client
from infra.kafka.ends import read_ends
from infra.kafka.sending import Message, send
from infra.kafka.topic import TopicUnfit, administration, describe, ensure, identity
from infra.partitions import partition_of

STALL = 30.0
"""Seconds without an acknowledgement after which a producer is thrown away."""

LOOK = 2.0
"""And without one after which is asked whether the topic is still there."""

WEDGED = 5.0
"""And after which it is given up if the broker answers: if that was killed, kafka-python may send nothing any more."""

CLOSE_WITHIN = 2.0

FENCED = (ProducerFencedError, InvalidProducerEpochError)
AWAY = (KafkaConnectionError, NodeNotReadyError)

PRODUCER = {
    "retry_backoff_ms": 10,
    "linger_ms": 5,
    "batch_size": 262_144,
    "max_request_size": wire.LARGEST,
    "transaction_timeout_ms": 120_000,
    "delivery_timeout_ms": 600_000,
    "allow_auto_create_topics": False,
    "metrics_enabled": False,
}
"""A transaction that follows at once finds the one before not quite ended and tries again after the backoff, which by
default is 100 ms. What a dead relay left open the broker aborts after the transaction's timeout, if no other relay has
come before."""


class TopicPublisher:
    """Makes the topic if there is none. PublisherLost if no broker answers, TopicUnfit, Strange if it is another
    ledger's: that is seen before anything of it is touched."""

    def __init__(
        self,
        options: Mapping[str, Any],
        ledger: str,
        topic: Topic,
        *,
        replication: int = -1,
        stall: float = STALL,
        **producer: Any,
    ) -> None:
        self._topic = topic
        self._origin = wire.origin(ledger, topic.ledger)
        self._stall = stall
        self._last: dict[int, int] = {}
        self._place = Place(0, None)
        patient = {"bootstrap_timeout_ms": int(min(stall, 5) * 1000), "request_timeout_ms": int(stall * 600), **options}
        self._options, self._settings = patient, {**PRODUCER, **patient, **producer}
        with ExitStack() as stack, self._translated("unreachable"):
            self._admin = stack.enter_context(administration(patient))
            if there := describe(self._admin, topic.name):
                self._look(len(there["partitions"]))
            self._identity = ensure(self._admin, topic, replication)
            self._release = stack.pop_all()

    def take_over(self) -> None:
        """The transactional id is the topic's own, whosever: of two that found it empty one is fenced, and sees the
        other's (docs/decisions/0023)."""
        with self._translated("unreachable"):
            self._producer = _producer(self._settings, self._topic.name, int(self._stall * 1000))
            self._release.callback(_throw_away, self._producer)
            self._producer.init_transactions()
            self._look(self._topic.partitions)

    def _look(self, partitions: int) -> None:
        """Where the topic ends: what has been published."""
        ends = read_ends(self._options, self._topic.name, partitions, self._stall)
        for partition, message in ends.first.items():
            if int(self._said(message)["ce_previous"]):
                raise TopicUnfit(
                    f"The topic {self._topic.name} has lost the beginning of partition {partition.partition}."
                )
        said = {partition.partition: self._said(message) for partition, message in ends.last.items()}
        self._last = {partition: int(headers["ce_position"]) for partition, headers in said.items()}
        places = [Place(int(headers["ce_position"]), headers["ce_time"].decode()) for headers in said.values()]
        self._place = max(places, default=Place(0, None))

    def _said(self, message: ConsumerRecord) -> dict[str, bytes]:
        headers: dict[str, bytes] = dict(message.headers)
        ours = dict(self._origin)
        if (theirs := headers.get("ce_ledgerid", ours["ce_ledgerid"])) != ours["ce_ledgerid"]:
            raise Strange(self._topic.name, theirs.decode(), self._topic.ledger)
        if headers.get("ce_source") != ours["ce_source"]:
            where = f"partition {message.partition}, offset {message.offset}"
            raise TopicUnfit(f"The topic {self._topic.name} holds what is not of this ledger: {where}.")
        return headers

    def place(self) -> Place:
        return self._place

    def publish(self, events: Sequence[Recorded]) -> None:
        last = dict(self._last)
        self._transact(self._messages(events, last))
        self._last = last
        self._place = Place(events[-1].position, events[-1].recorded_at)

    def mark(self) -> None:
        """Also sees whether the topic is still there, as a quiet ledger would not notice."""
        with self._translated():
            self._check_topic()
        quiet = dict.fromkeys(range(self._topic.partitions), self._place.position)
        lagging = {number: last for number in quiet if (last := self._last.get(number, 0)) < self._place.position}
        if lagging:
            self._transact(self._marks(lagging))
            self._last = quiet

    def close(self) -> None:
        self._release.close()

    def _messages(self, events: Iterable[Recorded], last: dict[int, int]) -> Iterator[Message]:
        for event in events:
            partition = partition_of(event.order_key, self._topic.partitions)
            headers = wire.headers(event, last.get(partition, 0), self._origin)
            time = wire.milliseconds(event.recorded_at)
            yield Message(partition, event.order_key.encode(), event.payload.encode(), headers, time)
            last[partition] = event.position

    def _marks(self, lagging: Mapping[int, int]) -> Iterator[Message]:
        position, recorded_at = self._place
        assert recorded_at
        for partition, last in lagging.items():
            headers = wire.mark(position, last, partition, recorded_at, self._origin)
            yield Message(partition, None, b"", headers, wire.milliseconds(recorded_at))

    def _transact(self, messages: Iterable[Message]) -> None:
        with self._translated():
            self._producer.begin_transaction()
            self._wait_for(send(self._producer, self._topic.name, messages))
            self._check_topic()
            self._commit()

    def _wait_for(self, futures: Sequence[FutureRecordMetadata]) -> None:
        """As long as they are acknowledged, if slowly. What is sent to a topic that is gone never is."""
        left, last, well = len(futures) + 1, monotonic(), None
        while open := sum(not future.is_done for future in futures):
            if open < left:
                left, last, well = open, monotonic(), None
            elif monotonic() > min(last + self._stall, well + WEDGED if well else inf):
                raise KafkaTimeoutError("no acknowledgement")
            try:
                self._producer.flush(LOOK)
            except KafkaTimeoutError:
                well = (well or monotonic()) if self._broker_is_well() else None
        for future in futures:
            if future.exception:
                raise future.exception

    def _broker_is_well(self) -> bool:
        try:
            self._check_topic()
        except KafkaError:
            return False
        return True

    def _check_topic(self) -> None:
        """Before a commit: what was sent to a topic that has been made again would stand there without what came before
        it, and be taken for all that there is."""
        found: UUID | None = identity(self._admin, self._topic.name)
        if found != self._identity:
            what = "made again" if found else "deleted"
            raise PublisherLost("topic gone", f"{self._topic.name} has been {what}")

    def _commit(self) -> None:
        result = self._producer._transaction_manager.begin_commit()
        self._producer._sender.wakeup()
        if not result.wait(timeout_ms=self._stall * 1000):
            raise KafkaTimeoutError("no answer to the commit")

    @contextmanager
    def _translated(self, late: str = "stalled") -> Iterator[None]:
        """Whatever goes wrong, what became of the transaction is not known. ValueError: what kafka-python says of a
        partition that has vanished."""
        try:
            yield
        except (KafkaError, ValueError) as error:
            manager = getattr(getattr(self, "_producer", None), "_transaction_manager", None)
            cause = getattr(manager, "last_error", None) or error
            if isinstance(cause, FENCED) or isinstance(error, FENCED):
                raise Fenced(f"Another relay publishes in {self._topic.name}.") from error
            reason = late if isinstance(error, KafkaTimeoutError) else "failed"
            raise PublisherLost("unreachable" if isinstance(error, AWAY) else reason, str(error)) from error


def _producer(options: Mapping[str, Any], topic: str, patience_ms: int) -> KafkaProducer:
    given = {**options, "transactional_id": f"{topic}.relay", "max_block_ms": patience_ms}
    return open_client(KafkaProducer, **given)


def _throw_away(producer: KafkaProducer) -> None:
    """Within CLOSE_WITHIN, whatever it waits for."""
    producer._sender.force_close()
    producer._sender.join(CLOSE_WITHIN)
    with suppress(KafkaError):
        producer.close(timeout=0)
