"""Of each projection there is one rebuild at a time: it has the generation that it fills to itself, in partitions of
its own number. A release that was filling it waits, and goes on if the rebuild ends before its time."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress

from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import LOST, Database, scalar
from infra.postgres.giving_way import place
from projections.projection import Projection

TAKE = "SELECT pg_try_advisory_lock(hashtextextended(%s, 2))"
LET_GO = "SELECT pg_advisory_unlock_all()"
IS_FREE = "SELECT pg_try_advisory_xact_lock_shared(hashtextextended(%s, 2))"


class BeingRebuilt(Exception):
    """By another process."""


@contextmanager
def one_rebuild(database: Database, projections: Sequence[Projection]) -> Iterator[None]:
    """Ends with the process, however that ends. BeingRebuilt."""
    with closing(database.connect(name="grossbuch rebuild")) as connection, connection.cursor() as cursor:
        for projection in projections:
            cursor.execute(TAKE, (place(database, projection.name),))
            if not scalar(cursor):
                raise BeingRebuilt(f"{projection.name} is being rebuilt by another process.")
        try:
            yield
        finally:  # the server notices a closed connection a little later, and the next rebuild may be sooner
            with suppress(*LOST):
                cursor.execute(LET_GO)


def is_being_rebuilt(cursor: Cursor, database: Database, projection: Projection) -> bool:
    cursor.execute(IS_FREE, (place(database, projection.name),))
    return not scalar(cursor)
