"""Read models kept up to date: from the ledger's topic where there is a broker, else from the store itself."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING

from consumers.ahead import FeedAhead
from consumers.follower import Follower
from consumers.ports import Health, Place, Topic
from consumers.projector import Projector
from consumers.runner import NONE, Runner
from infra.kafka.connection import connection
from infra.postgres import head, topics
from infra.postgres.connection import Database, Pool
from infra.postgres.feed import StoreFeed
from infra.postgres.read_models import PostgresReadModels
from infra.settings import Settings
from projections.projection import Projection

if TYPE_CHECKING:
    from infra.kafka.feed import TopicFeed

STORE = Topic("the store", 1)
"""What is followed where there is no broker."""


def topic_of(settings: Settings, pool: Pool) -> Topic:
    """The ledger's; a new one is as the settings say."""
    return topics.current(pool, f"{settings.ledger}.events", settings.partitions)


def group_of(topic: Topic, consumer: str) -> str:
    """Kafka's name for those who share the topic's partitions. Another ledger's never do."""
    return f"{topic.name}.{topic.ledger}.{consumer}"


def store_projector(pool: Pool, read_models: PostgresReadModels, projection: Projection) -> Projector:
    """Follows the store in as many partitions as the read model has, be it alone or beside consumers of the topic."""
    partitions = read_models.partitions(projection)
    return Projector(projection, store_feed(pool, read_models, projection, partitions), read_models, partitions)


def store_feed(pool: Pool, read_models: PostgresReadModels, projection: Projection, partitions: int) -> StoreFeed:
    places = partial(read_models.places, projection, partitions)
    return StoreFeed(pool, projection.types, partitions, places)


def topic_feed(
    settings: Settings, topic: Topic, group: str, projection: Projection, looking: PostgresReadModels
) -> "TopicFeed":
    """``looking`` tells where the read model is; nobody else uses it while the feed reads. It is asked seldom, and
    keeps no connection."""
    from infra.kafka.feed import TopicFeed

    def places() -> Mapping[int, Place]:
        try:
            return looking.places(projection, topic.partitions)
        finally:
            looking.close()

    return TopicFeed(connection(settings), *topic, group=group, types=projection.types, places=places)


class Projecting:
    """Threads that project: one for all projections from the store, one each from the topic."""

    def __init__(
        self, settings: Settings, database: Database, pool: Pool, projections: Sequence[Projection], health: Health
    ) -> None:
        self._settings, self._database, self._pool = settings, database, pool
        self._projections = projections
        self._health = health
        self._runners: list[Runner] = []
        self._stack = ExitStack()

    def start(self) -> None:
        self._runners = self._followers() if self._settings.kafka_bootstrap else [self._from_store()]
        for runner in self._runners:
            runner.start()

    def wake(self) -> None:
        """Somebody waits for what is not yet projected."""
        for runner in self._runners:
            runner.wake()

    def stir(self) -> None:
        """Something was booked."""
        for runner in self._runners:
            runner.stir()

    def stop(self) -> None:
        """Finishes the batches at hand."""
        for runner in self._runners:
            runner.ask_to_stop()
        for runner in self._runners:
            runner.stop()
        self._stack.close()

    def _from_store(self) -> Runner:
        read_models = self._read_models(self._projections, STORE.partitions)
        store = partial(store_feed, self._pool, read_models)

        def feed(projection: Projection, topic: Topic) -> StoreFeed:
            return store(projection, topic.partitions)

        followers = [Follower(each, read_models, lambda: STORE, feed, store) for each in self._projections]
        return Runner(followers, self._health, news=partial(self._pool.read, head.POSITION))

    def _followers(self) -> list[Runner]:
        return [Runner([self._follower(projection)], self._health, NONE) for projection in self._projections]

    def _follower(self, projection: Projection) -> Follower:
        partitions = topic_of(self._settings, self._pool).partitions
        read_models, looking = (self._read_models([projection], partitions) for _ in range(2))

        def feed(projection: Projection, topic: Topic) -> FeedAhead:
            group = group_of(topic, f"{projection.name}.{projection.version}")
            return FeedAhead(topic_feed(self._settings, topic, group, projection, looking))

        return Follower(
            projection,
            read_models,
            partial(topic_of, self._settings, self._pool),
            feed,
            partial(store_feed, self._pool, read_models),
        )

    def _read_models(self, projections: Sequence[Projection], partitions: int) -> PostgresReadModels:
        """One a thread; it knows which of its projections are of another version than the one that is read."""
        read_models = PostgresReadModels(self._database)
        self._stack.callback(read_models.close)
        read_models.prepare(projections, partitions)
        return read_models
