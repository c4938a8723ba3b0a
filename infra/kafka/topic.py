"""The topic of a ledger: made so that it keeps everything, and refused where it would not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from time import sleep
from typing import Any
from uuid import UUID

import structlog
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.errors import KafkaError, TopicAlreadyExistsError, UnknownTopicOrPartitionError

from consumers.ports import Topic
from infra.kafka.client import open_client
from infra.kafka.wire import LARGEST

log = structlog.get_logger(__name__)

LOOK = 0.02
"""Seconds."""

ALWAYS = str(2**63 - 1)

KEPT = {
    "cleanup.policy": "delete",
    "retention.ms": "-1",
    "retention.bytes": "-1",
    "message.timestamp.type": "CreateTime",
    "message.timestamp.before.max.ms": ALWAYS,
    "message.timestamp.after.max.ms": ALWAYS,
}
"""What would lose an event: its removal by age, size or key, or its refusal because it was recorded long ago, or by a
clock that was ahead. Readers find their place by the time of recording, so that is the timestamp."""

LATER = "message.timestamp.after.max.ms"
"""Topics that were made before it was known lack it; it takes nothing from anybody, so it is set."""

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
    said = _said(admin, topic.name)
    if said[LATER] != KEPT[LATER]:
        said[LATER] = _take_any_time(admin, topic.name, said[LATER])
    if wrong := list(_wrong(topic, len(found["partitions"]), said)):
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


def _said(admin: KafkaAdminClient, name: str) -> dict[str, str]:
    """Its settings, of those that matter."""
    asked = ConfigResource(ConfigResourceType.TOPIC, name, list(WANTED))
    said = admin.describe_configs([asked], config_filter="all")["topic"][name]
    return {setting: said[setting]["value"] for setting in WANTED}


def _take_any_time(admin: KafkaAdminClient, name: str, before: str) -> str:
    """What is set in the end: it may be that we may not."""
    try:
        admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {LATER: KEPT[LATER]})])
    except KafkaError as error:
        log.warning("topic not set to take any time", topic=name, setting=LATER, error=repr(error))
        return before
    log.warning("topic set to take any time", topic=name, setting=LATER, before=before)
    return KEPT[LATER]


def _wrong(topic: Topic, partitions: int, said: Mapping[str, str]) -> Iterator[str]:
    if partitions != topic.partitions:
        yield f"it has {partitions} partitions, and the ledger {topic.partitions}"
    for name, wanted in KEPT.items():
        if (value := said[name]) != wanted:
            yield f"{name} is {value} and must be {wanted}"
    if int(largest := said["max.message.bytes"]) < LARGEST:
        yield f"max.message.bytes is {largest} and must be {LARGEST} at least"
