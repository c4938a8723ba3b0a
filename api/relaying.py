"""The relay, put together as the settings say."""

from api.projecting import topic_of
from consumers.ports import Topic
from consumers.relay import Relay
from infra.kafka.connection import connection
from infra.kafka.figures import RelayFigures
from infra.kafka.publisher import TopicPublisher
from infra.postgres.baton import PostgresBaton
from infra.postgres.connection import Pool
from infra.postgres.log import StoreLog, available
from infra.settings import Settings


def make_relay(settings: Settings, pool: Pool) -> Relay:
    """Of a ledger; not running."""

    def topic() -> Topic:
        with available():
            return topic_of(settings, pool)

    def publisher(topic: Topic) -> TopicPublisher:
        return TopicPublisher(connection(settings), settings.ledger, topic, replication=settings.replication)

    return Relay(StoreLog(pool), PostgresBaton(pool.database, "relay"), topic, publisher, RelayFigures())
