"""Puts messages into a transaction, beneath the surface of kafka-python's ``send``. That asks of each message again
what we know of all of them: the form of its headers, whether its partition is there, whether the transaction stands.
How the relay compares with who uses it, bench/kafka measures."""

from collections.abc import Iterable
from typing import NamedTuple

from kafka import KafkaProducer
from kafka import TopicPartition as Partition
from kafka.errors import MessageSizeTooLargeError
from kafka.producer.future import FutureRecordMetadata

from infra.kafka import wire
from infra.kafka.wire import LARGEST

AROUND = 65_536
"""Bytes that key, headers and a batch's own head take at the most."""


class Message(NamedTuple):
    partition: int
    key: bytes | None
    value: bytes
    headers: wire.Headers
    timestamp_ms: int


def send(producer: KafkaProducer, topic: str, messages: Iterable[Message]) -> list[FutureRecordMetadata]:
    """In a transaction that has begun. KafkaError; whatever becomes of a message later, its future tells."""
    producer._wait_on_metadata(topic, producer.config["max_block_ms"])
    append, wakeup = producer._accumulator.append, producer._sender.wakeup
    partitions: dict[int, Partition] = {}
    futures = []
    for number, key, value, headers, timestamp_ms in messages:
        partition = partitions.get(number)
        if partition is None:
            partition = partitions[number] = Partition(topic, number)
            producer._transaction_manager.maybe_add_partition_to_transaction(partition)
        if len(value) > LARGEST - AROUND:
            raise MessageSizeTooLargeError(f"{len(value)} bytes are more than a message may have")
        future, is_full, is_new, _ = append(partition, timestamp_ms, key, value, headers)
        if is_full or is_new:
            wakeup()
        futures.append(future)
    return futures
