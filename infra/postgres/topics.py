"""Which topic carries the ledger's events, in how many partitions. One row of the ledger, so all processes agree."""

from consumers.ports import Topic
from infra.postgres.connection import Pool

FIRST = "INSERT INTO topic (name, partitions) VALUES (%s, %s) ON CONFLICT DO NOTHING"
CURRENT = "SELECT name, partitions FROM topic"
SWITCH = "UPDATE topic SET name = %s, partitions = %s, since = clock_timestamp()"


def current(pool: Pool, first: Topic) -> Topic:
    """The topic that was settled on; ``first`` if none has been."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(FIRST, (first.name, first.partitions))
        cursor.execute(CURRENT)
        [(name, partitions)] = cursor.fetchall()
        return Topic(name, partitions)


def switch(pool: Pool, topic: Topic) -> None:
    """Relay and consumers go on with this one as soon as they look again."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(SWITCH, (topic.name, topic.partitions))
