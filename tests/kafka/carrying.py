"""Words of the tests about publishing: what is carried, and what a stranger to our code finds in the topic."""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from typing import Any, NamedTuple
from uuid import uuid4

from confluent_kafka import Consumer, KafkaError, TopicPartition

from consumers.ports import Recorded, Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.publisher import TopicPublisher
from tests.integration.writing import until

PAYLOAD = '{"amount":"12.50","note":"grün"}'
NEVER = 60.0
"""Seconds in which whatever is waited for has come, or never will."""

_numbers = count(1)


def fresh(partitions: int = 3) -> Topic:
    """A topic of its own."""
    return Topic(f"k{os.getpid()}_{next(_numbers)}.events", partitions, str(uuid4()))


def recorded(position: int, key: str = "", payload: str = PAYLOAD) -> Recorded:
    key = key or f"deal-D{position % 7}"
    time = f"2026-01-01 00:{position // 60 % 60:02}:{position % 60:02}.{position % 1_000_000:06}+00"
    return Recorded(position, key, position, "deal.won", 1, key, "2025-12-31 23:00:00+00", time, payload, "{}")


def many(first: int, last: int) -> list[Recorded]:
    return [recorded(position) for position in range(first, last + 1)]


@contextmanager
def publisher(broker: Broker, topic: Topic, **more: Any) -> Iterator[TopicPublisher]:
    made = TopicPublisher(connection(broker.settings), "k", topic, **more)
    try:
        made.take_over()
        yield made
    finally:
        made.close()


class Message(NamedTuple):
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: Mapping[str, str]
    timestamp: int

    @property
    def is_mark(self) -> bool:
        return self.headers["ce_type"] == "grossbuch.mark"

    @property
    def position(self) -> int:
        return int(self.headers["ce_position"])

    @property
    def previous(self) -> int:
        return int(self.headers["ce_previous"])


def messages(broker: Broker, topic: Topic) -> list[Message]:
    """All that is committed, partition by partition."""
    consumer = Consumer(
        {
            "bootstrap.servers": broker.bootstrap,
            "group.id": "a stranger",
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "auto.offset.reset": "error",
        }
    )
    try:
        consumer.assign([TopicPartition(topic.name, number, 0) for number in range(topic.partitions)])
        found, open = [], set(range(topic.partitions))
        while open:
            message = consumer.poll(NEVER)
            assert message is not None, f"nothing comes of the partitions {open}"
            if not (error := message.error()):
                found.append(_message(message))
            elif error.code() == KafkaError._PARTITION_EOF:
                open.discard(message.partition())
            else:
                raise AssertionError(error)
        return sorted(found)
    finally:
        consumer.close()


def marked(broker: Broker, topic: Topic, marks: int) -> list[Message]:
    """What is there, once there are so many marks."""
    until(lambda: len([each for each in messages(broker, topic) if each.is_mark]) >= marks, NEVER)
    return messages(broker, topic)


def events(found: Iterable[Message]) -> list[Message]:
    return [message for message in found if not message.is_mark]


def are_carried(broker: Broker, topic: Topic, upto: int) -> None:
    """The events of positions 1 … upto, each once and no other, in order in each partition. Waits for them: a commit is
    answered before it is seen."""
    until(lambda: len(events(messages(broker, topic))) >= upto, NEVER)
    found = messages(broker, topic)
    check_order(found)
    assert sorted(message.position for message in events(found)) == list(range(1, upto + 1))


def check_order(found: Iterable[Message]) -> None:
    last: dict[int, int] = {}
    for message in found:
        before = last.get(message.partition, 0)
        assert message.previous == before < message.position, message
        last[message.partition] = message.position


def _message(message: Any) -> Message:
    headers = {name: value.decode() for name, value in message.headers() or ()}
    return Message(
        message.partition(), message.offset(), message.key(), message.value(), headers, message.timestamp()[1]
    )
