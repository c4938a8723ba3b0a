"""The feed without a broker: the store's own log, read in order of position."""

from collections.abc import Sequence
from pathlib import Path
from typing import cast

from consumers.ports import Delivered
from infra.postgres import head
from infra.postgres.connection import Pool, read_sql, scalar

READ = read_sql(Path(__file__).with_name("sql") / "read_feed.sql")


class StoreFeed:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def read(self, after: int, upto: int, types: Sequence[str]) -> Sequence[Delivered]:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(READ, (after, upto, list(types)))
            return cast("Sequence[Delivered]", [Delivered._make(row) for row in cursor.fetchall()])

    def end(self) -> int:
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute(head.POSITION)
            return int(scalar(cursor))
