"""Which topic carries the ledger's events, in how many partitions. One row of the ledger, so all processes agree."""

from consumers.ports import Topic
from infra.postgres.connection import Pool

FIRST = "INSERT INTO topic (name, partitions) VALUES (%s, %s) ON CONFLICT DO NOTHING"
CURRENT = "SELECT name, partitions, identity::text FROM topic, ledger"
SWITCH = "UPDATE topic SET name = %s, partitions = %s, since = clock_timestamp()"


def current(pool: Pool, name: str, partitions: int) -> Topic:
    """The topic that was settled on; this one if none has been."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(FIRST, (name, partitions))
        cursor.execute(CURRENT)
        [found] = cursor.fetchall()
        return Topic(*found)


def settled(pool: Pool) -> Topic | None:
    """The topic that was settled on, if one was."""
    rows = pool.read(CURRENT)
    return Topic(*rows[0]) if rows else None


def spread(topic: Topic, partitions: int) -> Topic:
    """The one that it goes on with in another number of partitions."""
    stem = topic.name.removesuffix(f"-{topic.partitions}")
    return topic._replace(name=f"{stem}-{partitions}", partitions=partitions)


def switch(pool: Pool, topic: Topic) -> None:
    """Relay and consumers go on with this one as soon as they look again."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(SWITCH, (topic.name, topic.partitions))
