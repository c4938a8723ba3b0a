"""Two sides of a comparison: our ledger, and the eventsourcing library's own recorder on the same server."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Protocol

import psycopg2
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore
from psycopg2.extensions import parse_dsn

from infra.postgres.connection import Database
from infra.postgres.migrate import migrate
from infra.postgres.writer import Writer

Append = Callable[[str, int, int], Sequence[int]]
"""Stream, first version and number of events; gives their positions."""

PAYLOAD = '{"product":"P1","warehouse":"W1","quantity":"10","unit_cost":"2.50","currency":"EUR","lot":"L-2026-01"}'


class Side(Protocol):
    @property
    def schema(self) -> str: ...

    @property
    def table(self) -> str: ...

    def prepare(self, dsn: str) -> None: ...

    def appending(self, dsn: str) -> AbstractContextManager[Append]: ...

    def read(self, after: int) -> str:
        """Position, stream and version of what is beyond a position."""


@dataclass(frozen=True)
class Ours:
    schema: str = "ours"
    table: str = "ours.event"

    def prepare(self, dsn: str) -> None:
        migrate(Database(dsn, self.schema))

    @contextmanager
    def appending(self, dsn: str) -> Iterator[Append]:
        writer = Writer(Database(dsn, self.schema))

        def append(stream: str, version: int, count: int) -> Sequence[int]:
            rows = [
                (stream, str(each), "stock.received", "1", stream, "2026-01-01", "{}", PAYLOAD, "")
                for each in range(version, version + count)
            ]
            first = writer.append(rows)
            return range(first, first + count)

        yield append
        writer.close()

    def read(self, after: int) -> str:
        return f"SELECT position, stream, version FROM {self.table} WHERE position > {after} ORDER BY position"


@dataclass(frozen=True)
class Library:
    """Fast: numbers are taken from a sequence without a lock. Otherwise the table is locked for each append."""

    schema: str
    fast: bool
    connections: int = 4

    @property
    def table(self) -> str:
        return f"{self.schema}.stored_events"

    def prepare(self, dsn: str) -> None:
        with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
            cursor.execute(f"CREATE SCHEMA {self.schema}")
        with self.recorder(dsn) as recorder:
            recorder.create_table()

    @contextmanager
    def appending(self, dsn: str) -> Iterator[Append]:
        with self.recorder(dsn) as recorder:

            def append(stream: str, version: int, count: int) -> Sequence[int]:
                events = [
                    StoredEvent(stream, each, "stock.received", PAYLOAD.encode())
                    for each in range(version, version + count)
                ]
                return recorder.insert_events(events) or ()

            yield append

    def read(self, after: int) -> str:
        return (
            f"SELECT notification_id, originator_id, originator_version FROM {self.table}"
            f" WHERE notification_id > {after} ORDER BY notification_id"
        )

    @contextmanager
    def recorder(self, dsn: str) -> Iterator[PostgresApplicationRecorder]:
        where = parse_dsn(dsn)
        datastore = PostgresDatastore(
            dbname=where["dbname"],
            host=where["host"],
            port=where.get("port", "5432"),
            user=where["user"],
            password="",
            pool_size=self.connections,
            max_overflow=0,
            schema=self.schema,
            originator_id_type="text",
            enable_db_functions=self.fast,
        )
        with datastore:
            yield PostgresApplicationRecorder(datastore)


SIDES: dict[str, Side] = {
    "ours": Ours(),
    "locking": Library("locking", fast=False),
    "fast": Library("fast", fast=True),
}
