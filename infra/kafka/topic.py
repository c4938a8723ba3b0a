"""The topic of a ledger: made so that it keeps everything, and refused where it would not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import sleep
from typing import Any
from uuid import UUID

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from consumers.ports import Topic
from infra.kafka.client import open_client

LARGEST = 16_777_216
"""Bytes of a message. The broker's own limit, a megabyte, is less than what a command may bring."""

LOOK = 0.02
"""Seconds."""

ALWAYS = str(2**63 - 1)

KEPT = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": ALWAYS,
}
"""What would lose an event: its removal by age, size or key, or its refusal because it was recorded long ago. Readers
find their place by the time of recording, so that is the timestamp."""

WANTED = {**KEPT, "max.message.bytes": str(LARGEST)}


class TopicUnfit(Exception):
    """The topic would lose or disarrange what it is given."""


@contextmanager
def administration(options: Mapping[str, Any]) -> Iterator[KafkaAdminClient]:
    """KafkaError if no broker answers."""
    admin = open_client(KafkaAdminClient, **options)
    try:
        yield admin
    finally:
        admin.close()


def ensure(admin: KafkaAdminClient, topic: Topic, replication: int = -1) -> UUID:
    """Make it unless it is there, and tell which it is. TopicUnfit."""
    found = describe(admin, topic.name)
    if found is None:
        how = {"num_partitions": topic.partitions, "replication_factor": replication, "configs": WANTED}
        with suppress(TopicAlreadyExistsError):  # another relay was quicker
            admin.create_topics({topic.name: how})
        admin.wait_for_topics([topic.name])
        found = describe(admin, topic.name)
        if found is None:
            raise UnknownTopicOrPartitionError(topic.name)
    if wrong := list(_wrong(admin, topic, len(found["partitions"]))):
        raise TopicUnfit(f"The topic {topic.name} cannot carry the book: {'; '.join(wrong)}.")
    return UUID(str(found["topic_id"]))


def identity(admin: KafkaAdminClient, name: str) -> UUID | None:
    """Differs once a topic of that name has been made again; None if there is none."""
    found = describe(admin, name)
    return UUID(str(found["topic_id"])) if found else None


def delete(admin: KafkaAdminClient, name: str) -> None:
    """With all that it carries. The book has it. Returns once all of the broker knows: it answers before."""
    gone = identity(admin, name)
    admin.delete_topics([name])
    while gone and identity(admin, name) == gone:
        sleep(LOOK)


def describe(admin: KafkaAdminClient, name: str) -> dict[str, Any] | None:
    [found] = admin.describe_topics([name])
    return None if found["error_code"] == UnknownTopicOrPartitionError.errno else found


def _wrong(admin: KafkaAdminClient, topic: Topic, partitions: int) -> Iterator[str]:
    if partitions != topic.partitions:
        yield f"it has {partitions} partitions, and the ledger {topic.partitions}"
    asked = ConfigResource(ConfigResourceType.TOPIC, topic.name, list(WANTED))
    said = admin.describe_configs([asked], config_filter="all")["topic"][topic.name]
    for name, wanted in KEPT.items():
        if (value := said[name]["value"]) != wanted:
            yield f"{name} is {value} and must be {wanted}"
    if int(largest := said["max.message.bytes"]["value"]) < LARGEST:
        yield f"max.message.bytes is {largest} and must be {LARGEST} at least"
