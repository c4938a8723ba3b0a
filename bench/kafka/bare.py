"""kafka-python by itself: a transactional producer and a read committed consumer that do nothing else."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import count, islice
from time import perf_counter
from typing import Any
from uuid import uuid4

from kafka import KafkaConsumer, KafkaProducer
from kafka import TopicPartition as Partition
from kafka.record.default_records import DefaultRecordBatch

from bench.kafka.stage import PARTITIONS, Stage
from consumers.ports import Topic
from consumers.relay import BATCH
from infra.kafka import wire
from infra.kafka.connection import connection
from infra.kafka.publisher import PRODUCER
from infra.kafka.records import IN_PYTHON
from infra.kafka.topic import administration, ensure
from infra.partitions import partition_of
from infra.postgres.log import StoreLog

Message = Mapping[str, Any]
"""What ``send`` is given, but for the topic."""

_numbers = count(1)

ORIGIN = wire.origin("bench", str(uuid4()))


def messages(log: StoreLog, upto: int) -> list[Message]:
    """What the relay would send."""
    return list(_messages(log, upto))


def size(sent: Sequence[Message]) -> int:
    """Bytes of a message, in the mean."""
    headers = sum(len(name) + len(value) for each in sent for name, value in each["headers"])
    return (headers + sum(len(each["key"]) + len(each["value"]) for each in sent)) // len(sent)


def new_topic(on: Stage) -> str:
    topic = Topic(f"bench{next(_numbers)}", PARTITIONS)
    with administration(connection(on.broker.settings)) as admin:
        ensure(admin, topic)
    return topic.name


def open_producer(on: Stage, topic: str) -> KafkaProducer:
    """As the relay's is set."""
    producer = KafkaProducer(**{**PRODUCER, **connection(on.broker.settings)}, transactional_id=topic)
    producer.init_transactions()
    return producer


def produced(on: Stage, sent: Sequence[Message]) -> float:
    """Messages a second, in transactions as the relay's; from the first one on, before which connections are made."""
    topic = new_topic(on)
    producer = open_producer(on, topic)
    each = iter(sent)
    at = []
    while batch := list(islice(each, BATCH)):
        transact(producer, topic, batch)
        at.append(perf_counter())
    producer.close()
    return (len(sent) - BATCH) / (at[-1] - at[0])


def transact(producer: KafkaProducer, topic: str, sent: Sequence[Message]) -> None:
    producer.begin_transaction()
    for message in sent:
        producer.send(topic, **message)
    producer.commit_transaction()


def open_consumer(options: Mapping[str, Any], topic: str) -> KafkaConsumer:
    """Of all partitions, from their beginning."""
    consumer = KafkaConsumer(
        **options, isolation_level="read_committed", enable_auto_commit=False, max_poll_records=5_000
    )
    consumer.assign([Partition(topic, partition) for partition in range(PARTITIONS)])
    consumer.seek_to_beginning()
    return consumer


def consumed(on: Stage, topic: str, number: int) -> float:
    """Messages a second, from the first ones on; read as kafka-python does it, whatever our consumers have set here."""
    DefaultRecordBatch.__iter__ = IN_PYTHON
    consumer = open_consumer(connection(on.broker.settings), topic)
    left, started = number, 0.0
    while left > 0:
        found = sum(map(len, consumer.poll(timeout_ms=500).values()))
        left -= found
        if found and not started:
            number, started = left, perf_counter()
    rate = number / (perf_counter() - started)
    consumer.close()
    return rate


def _messages(log: StoreLog, upto: int) -> Iterator[Message]:
    last: dict[int, int] = {}
    for after in range(0, upto, BATCH):
        for event in log.read(after, min(after + BATCH, upto)):
            partition = partition_of(event.order_key, PARTITIONS)
            yield {
                "partition": partition,
                "key": event.order_key.encode(),
                "value": event.payload.encode(),
                "headers": wire.headers(event, last.get(partition, 0), ORIGIN),
                "timestamp_ms": wire.milliseconds(event.recorded_at),
            }
            last[partition] = event.position
