"""Where a read model stands to the book: whether all that it has is in the book, as it was when it was taken."""

from collections.abc import Iterator
from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import Pool
from infra.postgres.shape_sql import log_table
from projections.projection import Projection

REACHED = "SELECT coalesce(max(position), 0), (SELECT max(position) FROM head) FROM tracking WHERE consumer = %s"
IS_THERE = "SELECT to_regclass(%s) IS NOT NULL"
DIFFERS = """
SELECT min(l.position)
  FROM {table} l
  LEFT JOIN event e ON e.position = l.position
 WHERE e.recorded_at IS DISTINCT FROM l.recorded_at
"""


@dataclass(frozen=True, slots=True)
class Standing:
    """``position`` is how far something is. What it has from ``differs_from`` on is not the book's; None: it agrees."""

    name: str
    position: int
    differs_from: int | None = None


def standing(pool: Pool, projection: Projection) -> Standing:
    """Reads all of its log."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(REACHED, (projection.name,))
        [(position, end)] = cursor.fetchall()
        differing = list(_differing(cursor, pool.database.read_schema, projection))
        if position > end:
            differing.append(end + 1)
        return Standing(projection.name, position, min(differing, default=None))


def _differing(cursor: Cursor, schema: str, projection: Projection) -> Iterator[int]:
    for shape in projection.shapes:
        table = f"{schema}.{log_table(shape)}"
        cursor.execute(IS_THERE, (table,))
        if cursor.fetchone() == (True,):
            cursor.execute(DIFFERS.format(table=table))
            yield from (position for (position,) in cursor.fetchall() if position is not None)
