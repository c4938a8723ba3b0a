"""Rebuilds from the ledger's topic."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from api.origins import Share
from api.projecting import group_of
from api.standing import PATIENCE, topic_standing
from consumers.ports import ANOTHER, Ahead, Feed, Topic
from infra.kafka.connection import connection
from infra.kafka.ends import read_ends
from infra.kafka.feed import TopicFeed
from infra.postgres.connection import Pool
from infra.postgres.generations import Generation
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class FromTopic:
    """To where the topic ends. Kafka shares its partitions among the processes, not we."""

    options: Mapping[str, Any]
    topic: Topic
    ends: Mapping[int, int]

    def feed(self, _: Pool, read_models: PostgresReadModels, new: Generation, __: Share, /) -> Feed:
        return TopicFeed(
            self.options,
            *self.topic,
            group=group_of(self.topic, new.consumer),
            types=new.projection.types,
            places=partial(read_models.places, new.projection, self.topic.partitions),
        )


def from_topic(settings: Settings, topic: Topic, pool: Pool) -> FromTopic:
    """KafkaError if no broker answers. Ahead if it has what the book has not."""
    stands, _ = topic_standing(settings, pool, topic)
    if stands.differs_from:
        raise Ahead(f"{topic.name} has from position {stands.differs_from} on what the book has not: {ANOTHER}")
    options = connection(settings)
    last = read_ends(options, topic.name, topic.partitions, PATIENCE).last
    ends = dict.fromkeys(range(topic.partitions), 0)
    ends |= {at.partition: int(dict(message.headers)["ce_position"]) for at, message in last.items()}
    return FromTopic(options, topic, ends)
