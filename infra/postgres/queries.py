"""Runs the projections' queries: all statements of an answer see one moment of the database."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg2.extras import RealDictCursor

from infra.postgres import head
from infra.postgres.connection import Pool, read_sql

SQL = Path(__file__).with_name("sql")
PROGRESS = read_sql(SQL / "progress.sql")
LAGS = read_sql(SQL / "lags.sql")
AUDIT_EVENTS = read_sql(SQL / "audit_events.sql")
POSITION_AT = read_sql(SQL / "position_at.sql")


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a projection is, and the ledger with it."""

    projection: str
    version: int
    position: int
    log_size: int


@dataclass(frozen=True, slots=True)
class Lag(Progress):
    """And for how long the next event has been waiting for it."""

    behind_seconds: float


class Queries:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @contextmanager
    def moment(self) -> Iterator["Answering"]:
        """One moment of the database, for as many questions as an answer needs."""
        with self._pool.connection() as connection, connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                yield Answering(cursor)
            finally:
                if not connection.closed:
                    cursor.execute("COMMIT")

    def progress(self, projection: str) -> Progress:
        with self.moment() as answering:
            return answering.progress(projection)

    def lags(self) -> list[Lag]:
        """Of all projections."""
        with self.moment() as answering:
            return [Lag(**row) for row in answering.rows(LAGS, {})]

    def log_size(self) -> int:
        with self.moment() as answering:
            return answering.log_size()


@dataclass(frozen=True, slots=True)
class Answering:
    cursor: RealDictCursor

    def progress(self, projection: str) -> Progress:
        self.cursor.execute(PROGRESS, (projection,))
        [row] = self.cursor.fetchall()
        return Progress(**row)

    def log_size(self) -> int:
        self.cursor.execute(head.POSITION)
        return int(self.cursor.fetchall()[0]["position"])

    def position_at(self, moment: datetime) -> int:
        """The last position that was known at a time."""
        self.cursor.execute(POSITION_AT, {"moment": moment})
        return int(self.cursor.fetchall()[0]["position"])

    def rows(self, sql: str, given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        self.cursor.execute(sql, given)
        return self.cursor.fetchall()

    def page(
        self, sql: str, given: Mapping[str, Any], order: Sequence[str], after: Sequence[str] | None, limit: int
    ) -> Sequence[Mapping[str, Any]]:
        """The rows after a place in the order; one more than the limit if there are more."""
        keys = ", ".join(order)
        where = f"WHERE ({keys}) > %(after)s" if after else ""
        self.cursor.execute(
            f"SELECT * FROM ({sql}) answer {where} ORDER BY {keys} LIMIT %(limit)s",
            {**given, "after": tuple(after or ()), "limit": limit + 1},
        )
        return self.cursor.fetchall()

    def events(self, after: int, limit: int, stream: str | None, type: str | None) -> Sequence[Mapping[str, Any]]:
        """Records in order of position, as they are stored."""
        self.cursor.execute(AUDIT_EVENTS, {"after": after, "limit": limit, "stream": stream, "type": type})
        return self.cursor.fetchall()
