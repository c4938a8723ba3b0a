"""Where in the topic a read model goes on."""

from collections.abc import Mapping

from kafka import KafkaConsumer
from kafka import TopicPartition as Partition

from consumers.ports import Place
from infra.kafka import wire


def offsets(consumer: KafkaConsumer, places: Mapping[Partition, Place], patience_ms: int) -> Mapping[Partition, int]:
    """At or before what follows the places. RetriableError if the broker does not tell in time.

    Messages are stamped with the time of recording, which never goes back from one position to the next: what follows a
    place is not before the first message of its time. If there is none yet it is yet to come; the ends are asked first,
    so that what is written meanwhile comes after them.
    """
    ends = consumer.end_offsets(list(places), timeout_ms=patience_ms)
    times = {each: wire.milliseconds(place.recorded_at) for each, place in places.items() if place.recorded_at}
    begins = consumer.beginning_offsets([each for each in places if each not in times], timeout_ms=patience_ms)
    found = consumer.offsets_for_times(dict(times), timeout_ms=patience_ms)
    asked: dict[Partition, int] = begins
    return asked | {each: found[each].offset if found[each] else ends[each] for each in times}
