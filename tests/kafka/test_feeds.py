"""The feed from the topic does what the store's own does."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack

import pytest

from consumers.ports import Feed, Places, Topic
from infra.kafka.broker import Broker
from infra.kafka.connection import connection
from infra.kafka.feed import TopicFeed
from infra.kafka.publisher import TopicPublisher
from infra.postgres.connection import Database, Pool
from infra.postgres.log import StoreLog
from infra.postgres.writer import Writer
from tests.conformance.feeds import TYPE, FeedBehaviour, Feeds
from tests.kafka.carrying import publisher


class TopicFeeds(Feeds):
    def __init__(
        self, database: Database, writer: Writer, broker: Broker, topic: Topic, log: StoreLog, made: TopicPublisher
    ) -> None:
        super().__init__(database, writer, topic.partitions)
        self._broker, self._topic, self._log, self._publisher = broker, topic, log, made
        self._stack = ExitStack()

    def open(self, places: Places, *, types: Sequence[str] = (TYPE,), group: str = "one") -> Feed:
        group = f"{self._topic.name}.{group}"
        given = connection(self._broker.settings)
        feed = TopicFeed(given, *self._topic, group=group, types=types, places=places)
        self._stack.callback(feed.close)
        return feed

    def carry(self) -> None:
        while (at := self._publisher.place().position) < self._log.end():
            self._publisher.publish(self._log.read(at, at + 70))
        self._publisher.mark()

    def close(self) -> None:
        self._stack.close()


class TestTopicFeed(FeedBehaviour):
    @pytest.fixture(params=[1, 12])
    def feeds(self, database: Database, pool: Pool, broker: Broker, request: pytest.FixtureRequest) -> Iterator[Feeds]:
        topic = Topic(f"{database.schema}.events", request.param)
        writer = Writer(database)
        with publisher(broker, topic) as made:
            feeds = TopicFeeds(database, writer, broker, topic, StoreLog(pool), made)
            yield feeds
            feeds.close()
        writer.close()
