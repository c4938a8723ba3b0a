"""Connections to one ledger's PostgreSQL, in the role that may add to the book and not change it."""

from collections.abc import Iterator
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

__all__ = ["Connection", "Database", "Pool", "read_sql"]

#: What says that the server went away, not that the request was wrong.
LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)


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
        self, *, name: str = "grossbuch", as_owner: bool = False, autocommit: bool = True, read_first: bool = False
    ) -> Connection:
        """A connection of the service role, the owner's for migrations. ``read_first``: new tables are read models."""
        connection = psycopg2.connect(self._dsn_with_patience(name))
        connection.autocommit = True
        with connection.cursor() as cursor:
            schemas = (self.read_schema, self.schema) if read_first else (self.schema, self.read_schema)
            path = ", ".join(quote_ident(schema, cursor) for schema in schemas)
            cursor.execute(f"SET search_path = {path}; SET TIME ZONE 'UTC'; SET client_min_messages = warning")
            if not as_owner:
                cursor.execute(f"SET ROLE {quote_ident(self.service, cursor)}")
        connection.autocommit = autocommit
        return connection

    def _dsn_with_patience(self, name: str) -> str:
        defaults = {"connect_timeout": "5", "application_name": name}
        return str(make_dsn(**{**defaults, **parse_dsn(self.dsn)}))


class Pool:
    """A few connections shared by many threads, in autocommit mode. Waits for a free one; drops broken ones."""

    def __init__(self, database: Database, size: int = 8) -> None:
        self._database = database
        self._free = BoundedSemaphore(size)
        self._idle: list[Connection] = []

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        with self._free:
            connection = self._idle.pop() if self._idle else self._database.connect(name="grossbuch read")
            try:
                yield connection
            except BaseException:
                if connection.closed or connection.info.transaction_status:
                    connection.close()
                raise
            finally:
                if not connection.closed:
                    self._idle.append(connection)

    def close(self) -> None:
        while self._idle:
            self._idle.pop().close()

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
