"""What a topic holds at its ends: how far it has got is read off the last message of each partition."""

from collections.abc import Callable, Container, Iterable, Mapping
from time import monotonic
from typing import Any, NamedTuple

from kafka import KafkaConsumer
from kafka import TopicPartition as Partition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.errors import KafkaTimeoutError

from infra.kafka.client import open_client

STRIDE = 16
"""How many offsets before the end the last message is looked for, and how many times that if there is none: the end may
be the marker of a transaction, or as many aborted messages as a batch has, and that as often as it was tried."""

Found = dict[Partition, ConsumerRecord]
Offsets = Mapping[Partition, int]


class Ends(NamedTuple):
    """The first and the last message of each partition that has any, and the offset that comes next."""

    first: Found
    last: Found
    next: Offsets


def read_ends(options: Mapping[str, Any], topic: str, partitions: int, patience: float) -> Ends:
    """As read committed. KafkaTimeoutError if for so many seconds nothing comes."""
    all = [Partition(topic, number) for number in range(partitions)]
    consumer = open_client(
        KafkaConsumer,
        **options,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        allow_auto_create_topics=False,
        fetch_max_wait_ms=50,
        metrics_enabled=False,
    )
    try:
        milliseconds = int(patience * 1000)
        begin = consumer.beginning_offsets(all, timeout_ms=milliseconds)
        end = consumer.end_offsets(all, timeout_ms=milliseconds)
        reader = _Reader(consumer, end, patience)
        first = reader.first(begin)
        return Ends(first, reader.last(begin, first), end)
    finally:
        consumer.close(timeout_ms=1_000)


class _Reader:
    def __init__(self, consumer: KafkaConsumer, end: Offsets, patience: float) -> None:
        self._consumer = consumer
        self._end = end
        self._patience = patience

    def first(self, begin: Offsets) -> Found:
        found: Found = {}
        self._read(begin, found.setdefault, enough=found)
        return found

    def last(self, begin: Offsets, of: Iterable[Partition]) -> Found:
        found: Found = {}
        back, sought = STRIDE, set(of)
        while sought:
            self._read({each: max(begin[each], self._end[each] - back) for each in sought}, found.__setitem__)
            sought -= found.keys()
            back *= STRIDE
        return found

    def _read(
        self, since: Offsets, keep: Callable[[Partition, ConsumerRecord], object], enough: Container[Partition] = ()
    ) -> None:
        """Give what is between there and the ends to ``keep``, of a partition until it is in ``enough``."""
        consumer = self._consumer
        at = {each: offset for each, offset in since.items() if offset < self._end[each]}
        consumer.assign(list(at))
        for each, offset in at.items():
            consumer.seek(each, offset)
        deadline = monotonic() + self._patience
        while at:
            for partition, messages in consumer.poll(timeout_ms=100).items():
                for message in messages:
                    if message.offset < self._end[partition]:
                        keep(partition, message)
            now = {each: consumer.position(each) for each in at}
            if now != at:
                deadline = monotonic() + self._patience
            elif monotonic() > deadline:
                raise KafkaTimeoutError(f"nothing came of {sorted(at)}")
            at = {each: offset for each, offset in now.items() if offset < self._end[each] and each not in enough}
            consumer.assign(list(at))  # not paused: a partition whose messages wait while it is does not always go on
