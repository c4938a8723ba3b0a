"""The relay, put together as the settings say."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

from api.projecting import topic_of
from consumers.ahead import LogAhead
from consumers.ports import Topic
from consumers.relay import Relay
from infra.kafka.connection import connection
from infra.kafka.figures import RelayFigures
from infra.kafka.publisher import TopicPublisher
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog, available
from infra.settings import Settings


def make_relay(settings: Settings, pool: Pool, new: Topic | None = None) -> Relay:
    """Of a ledger, to its topic or to a new one; not running."""

    def topic() -> Topic:
        with available():
            return new or topic_of(settings, pool)

    def publisher(topic: Topic) -> TopicPublisher:
        return TopicPublisher(connection(settings), settings.ledger, topic, replication=settings.replication)

    return Relay(LogAhead(StoreLog(pool)), PostgresBaton(pool.database, "relay"), topic, publisher, RelayFigures())


@contextmanager
def relaying(settings: Settings, pool: Pool) -> Iterator[None]:
    """The relay as a thread of this process, if there is a broker."""
    if not settings.kafka_bootstrap:
        yield
        return
    relay = make_relay(settings, pool)
    thread = Thread(target=relay.run, name="relay")
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join()
