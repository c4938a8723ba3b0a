"""Connections to one ledger's PostgreSQL, in the role that may add to the book and not change it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from types import TracebackType
from typing import Any, Self

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import make_dsn, parse_dsn, quote_ident
from psycopg2.sql import Composable

__all__ = ["Connection", "Database", "Pool", "read_sql"]

#: What a statement is given, by place or by name.
Given = Sequence[Any] | Mapping[str, Any] | None

#: What says that the connection is of no use any more, not that the request was wrong. InternalError: the server takes
#: no writes since a failover, has ended the transaction for its silence, or is out of order.
LOST = (psycopg2.OperationalError, psycopg2.InterfaceError, psycopg2.InternalError)

#: After some 20 seconds of silence a server's host is taken for dead. TCP alone would wait for a quarter of an hour. A
#: standby is no server for us: of several addresses the one that takes writes is looked for.
PATIENCE = {
    "connect_timeout": "5",
    "keepalives_idle": "10",
    "keepalives_interval": "5",
    "keepalives_count": "2",
    "tcp_user_timeout": "20000",
    "target_session_attrs": "read-write",
}

HUNG = "15s"
"""Who says nothing for so long in the middle of a transaction is taken for hung, and loses it: others wait for what it
has locked, be it the head of the book. By the server, for the process may be stopped, or its host be cut off."""


class PlainSpokenCursor(Cursor):
    """A connection that is of no use any more is closed, and that is an OperationalError, always. psycopg2 says so at
    most moments, and at some raises a bare DatabaseError and holds the connection for alive
    (tests/integration/test_restart.py, with a crash; test_read_only.py)."""

    def execute(self, query: str | bytes | Composable, vars: Given = None) -> None:
        try:
            super().execute(query, vars)
        except psycopg2.DatabaseError as error:
            if type(error) is psycopg2.DatabaseError or isinstance(error, psycopg2.InternalError):
                self.connection.close()
            if self.connection.closed and not isinstance(error, psycopg2.OperationalError):
                raise psycopg2.OperationalError(str(error)) from error
            raise


@dataclass(frozen=True, slots=True)
class Database:
    """Where a ledger lives: a server and a schema. Read models are in a schema beside it."""

    dsn: str
    schema: str = "grossbuch"

    @property
    def read_schema(self) -> str:
        return f"{self.schema}_read"

    @property
    def service(self) -> str:
        return f"{self.schema}_service"

    def connect(
        self, *, name: str = "grossbuch", as_owner: bool = False, autocommit: bool = True, first: Sequence[str] = ()
    ) -> Connection:
        """A connection of the service role, the owner's for migrations. Names are looked for in the schemas that come
        ``first``, then among the read models, then in the book."""
        connection = psycopg2.connect(self._dsn_with_patience(name), cursor_factory=PlainSpokenCursor)
        connection.autocommit = True
        with connection.cursor() as cursor:
            path = ", ".join(quote_ident(schema, cursor) for schema in (*first, self.schema, self.read_schema))
            cursor.execute(
                f"SET search_path = {path}; SET TIME ZONE 'UTC'; SET client_min_messages = warning;"
                f" SET idle_in_transaction_session_timeout = '{HUNG}'"
            )
            if not as_owner:
                cursor.execute(f"SET ROLE {quote_ident(self.service, cursor)}")
        connection.autocommit = autocommit
        return connection

    def _dsn_with_patience(self, name: str) -> str:
        defaults = {"application_name": name, **PATIENCE}
        return str(make_dsn(**{**defaults, **parse_dsn(self.dsn)}))


class Pool:
    """A few connections shared by many threads, in autocommit mode. Waits for a free one; drops broken ones."""

    def __init__(self, database: Database, size: int = 8) -> None:
        self.database = database
        self._free = BoundedSemaphore(size)
        self._idle: list[Connection] = []

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._free:
            try:
                connection = self._idle.pop()
            except IndexError:
                connection = self.database.connect(name="grossbuch read")
            try:
                yield connection
            except BaseException:
                if connection.closed:
                    self.close()  # a server that is gone has left the idle ones, too
                elif connection.info.transaction_status:
                    connection.close()
                raise
            finally:
                if not connection.closed:
                    self._idle.append(connection)

    def read(self, sql: str, parameters: Given = None) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        return self.read_named(sql, parameters)[1]

    def read_named(self, sql: str, parameters: Given = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """And the names of their columns. That an idle connection was lost in the meantime does not matter."""
        try:
            return self._read(sql, parameters)
        except LOST:
            return self._read(sql, parameters)

    def _read(self, sql: str, parameters: Given) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [column.name for column in cursor.description or ()], cursor.fetchall()

    def close(self) -> None:
        idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.close()


def read_sql(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def scalar(cursor: Cursor) -> Any:
    """The one value of the one row that the last statement gave."""
    row = cursor.fetchone()
    assert row is not None
    return row[0]
