"""A topic keeps all that it is given, or is refused."""

from collections.abc import Iterator

import pytest
from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from consumers.ports import Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.topic import LATER, WANTED, TopicUnfit, administration, delete, describe, ensure, identity
from tests.kafka.carrying import fresh


@pytest.fixture
def admin(broker: Broker) -> Iterator[KafkaAdminClient]:
    with administration(connection(broker.settings)) as admin:
        yield admin


def made(admin: KafkaAdminClient, topic: Topic, **different: str) -> Topic:
    configs = WANTED | {name.replace("_", "."): value for name, value in different.items()}
    admin.create_topics({topic.name: {"num_partitions": topic.partitions, "configs": configs}}, wait_for_metadata=True)
    return topic


def test_a_topic_is_made_with_its_partitions_and_keeps_everything(admin: KafkaAdminClient) -> None:
    topic = fresh(5)
    ensure(admin, topic)
    found = describe(admin, topic.name)
    assert found
    assert len(found["partitions"]) == 5
    assert ensure(admin, topic) == identity(admin, topic.name)


def test_as_many_copies_are_made_as_are_asked_for(admin: KafkaAdminClient) -> None:
    topic = fresh()
    ensure(admin, topic, replication=1)
    found = describe(admin, topic.name)
    assert found
    assert {len(each["replica_nodes"]) for each in found["partitions"]} == {1}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("retention_ms", "604800000"),
        ("retention_bytes", "1000000000"),
        ("cleanup_policy", "compact"),
        ("cleanup_policy", "compact,delete"),
        ("message_timestamp_type", "LogAppendTime"),
        ("message_timestamp_before_max_ms", "86400000"),
        ("max_message_bytes", "1000000"),
    ],
)
def test_a_topic_that_would_lose_or_refuse_an_event_is_refused(admin: KafkaAdminClient, name: str, value: str) -> None:
    topic = made(admin, fresh(), **{name: value})
    with pytest.raises(TopicUnfit, match=rf"{topic.name} .*{name.replace('_', '.')} is {value} and must be"):
        ensure(admin, topic)


def test_a_topic_as_it_should_be_that_others_made_is_taken(admin: KafkaAdminClient) -> None:
    ensure(admin, made(admin, fresh()))


def test_a_topic_that_would_refuse_what_a_clock_ahead_has_recorded_is_set_to_take_it(admin: KafkaAdminClient) -> None:
    """Topics that the release before has made."""
    topic = made(admin, fresh(), message_timestamp_after_max_ms="3600000")
    ensure(admin, topic)
    asked = ConfigResource(ConfigResourceType.TOPIC, topic.name, [LATER])
    said = admin.describe_configs([asked], config_filter="all")["topic"][topic.name][LATER]
    assert said["value"] == WANTED[LATER]


def test_all_that_is_wrong_with_a_topic_is_told(admin: KafkaAdminClient) -> None:
    topic = made(admin, fresh(2), retention_ms="1000", cleanup_policy="compact")
    with pytest.raises(TopicUnfit) as refused:
        ensure(admin, Topic(topic.name, 3))
    for wrong in ("2 partitions, and the ledger 3", "retention.ms is 1000", "cleanup.policy is compact"):
        assert wrong in str(refused.value)


def test_a_topic_of_that_name_that_is_made_again_is_another(admin: KafkaAdminClient) -> None:
    topic = fresh()
    first = ensure(admin, topic)
    delete(admin, topic.name)
    assert identity(admin, topic.name) is None
    assert ensure(admin, topic) != first
