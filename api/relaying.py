"""The relay, put together as the settings say."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event

from api.projecting import topic_of
from consumers.ahead import LogAhead
from consumers.ports import Topic
from consumers.relay import Relay
from consumers.watched import watched
from infra.health import Health
from infra.kafka.connection import connection
from infra.kafka.figures import RelayFigures
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog, available
from infra.settings import Settings


def make_relay(settings: Settings, pool: Pool, health: Health, new: Topic | None = None) -> Relay:
    """Of a ledger, to its topic or to a new one; not running."""
    from infra.kafka.publisher import TopicPublisher

    def topic() -> Topic:
        with available():
            return new or topic_of(settings, pool)

    def publisher(topic: Topic) -> TopicPublisher:
        return TopicPublisher(connection(settings), settings.ledger, topic, replication=settings.replication)

    baton = PostgresBaton(pool.database, "relay")
    return Relay(LogAhead(StoreLog(pool)), baton, topic, publisher, RelayFigures(), health)


@contextmanager
def relaying(settings: Settings, pool: Pool, health: Health) -> Iterator[None]:
    """The relay as a thread of this process, if there is a broker."""
    if not settings.kafka_bootstrap:
        yield
        return
    relay = make_relay(settings, pool, health)
    thread = watched("relay", relay.run, stopped := Event())
    thread.start()
    try:
        yield
    finally:
        stopped.set()
        relay.stop()
        thread.join()
