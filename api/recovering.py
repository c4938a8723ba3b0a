"""What is to be done when a topic or a read model has what the book has not: seen here, and decided by who is told.

The book holds. It is another book from then on, with a topic of its own; what it filled wrongly is filled anew
(docs/decisions/0024-who-decides-what-holds-is-a-person.md).
"""

from collections.abc import Callable, Sequence
from uuid import uuid4

from api.origins import FromStore
from api.rebuilding import Rebuild
from consumers.ports import Topic
from infra.postgres import topics
from infra.postgres.connection import Database, Pool
from infra.postgres.generations import Generations
from infra.postgres.log import StoreLog
from infra.postgres.one_rebuild import one_rebuild
from projections.projection import Projection


def fill_anew(
    database: Database, pool: Pool, projections: Sequence[Projection], progress: Callable[[int], object]
) -> None:
    """From the book, and to be read in the place of what is read now, whatever that has. BeingRebuilt."""
    generations, names = Generations(database), {projection.name for projection in projections}
    with one_rebuild(database, projections):
        for kept in generations.list():
            if kept.projection in names and kept.state == "filling":  # from where, nobody knows
                generations.drop(kept.projection, kept.number)
        rebuild = Rebuild(database, pool, projections, FromStore(StoreLog(pool).end()))
        rebuild.fill(1, None, progress)
        rebuild.replace()


def be_another_book(database: Database, topic: Topic | None) -> tuple[str, Topic | None]:
    """A new identity, and a topic of its own, in one transaction; relay and consumers go on with both by themselves."""
    identity = str(uuid4())
    new = topic and topic._replace(name=f"{database.schema}.events-{identity[:8]}", ledger=identity)
    connection = database.connect(name="grossbuch recover", as_owner=True, autocommit=False)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("UPDATE ledger SET identity = %s", (identity,))
            cursor.execute("UPDATE generation SET ledger = %s", (identity,))
            if new:
                cursor.execute(topics.SWITCH, (new.name, new.partitions))
    finally:
        connection.close()
    return identity, new
