"""Connections to one ledger's PostgreSQL, in the role that may add to the book and not change it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self, TypeVar

import psycopg2
from psycopg2.errors import QueryCanceled
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import make_dsn, parse_dsn, quote_ident
from psycopg2.sql import Composable

from commands.ports import Unavailable
from infra.postgres.watch import Watch, has_ended

__all__ = ["Connection", "Database", "Pool", "read_sql"]

T = TypeVar("T")

#: What a statement is given, by place or by name.
Given = Sequence[Any] | Mapping[str, Any] | None

#: What says that the connection is of no use any more, not that the request was wrong.
LOST = (psycopg2.OperationalError, psycopg2.InterfaceError)

USELESS = ("25", "XX")
"""Classes of errors after which a connection is of no use, though it is there: the server takes no writes since a
failover, has ended the transaction for its silence, or is out of order."""

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

RESTED = 10.0
"""Seconds of rest after which a connection is asked whether it is still one."""

NOT_COMPILED = "SET jit = off"
"""Before PostgreSQL 18 a plan that has to go by an index is priced so high that it is compiled, which takes a thousand
times as long as it does (test_head)."""

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
            if type(error) is psycopg2.DatabaseError or (error.pgcode or "").startswith(USELESS):
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

    @property
    def reader(self) -> str:
        return f"{self.schema}_reader"

    @property
    def roles(self) -> tuple[str, str]:
        return self.service, self.reader

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
                f"SET search_path = {path}; SET TIME ZONE 'UTC'; SET client_min_messages = warning; {NOT_COMPILED};"
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
    """A few connections shared by many threads, in autocommit mode. Waits for a free one; drops broken ones.

    With ``patience`` it bears so many seconds with a server that is away or hangs; then those who wait are told, and
    who comes later at once, until it is back. No statement takes longer than the ``deadline``.
    """

    def __init__(
        self,
        database: Database,
        size: int = 8,
        *,
        name: str = "grossbuch read",
        patience: float = 0.0,
        deadline: float = 0.0,
    ) -> None:
        self.database = database
        self._name = name
        self._patience = patience
        self._deadline = deadline
        self._free = BoundedSemaphore(size)
        self._idle: list[tuple[Connection, float]] = []
        self._watch = Watch(database._dsn_with_patience(name), patience)

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        if not self._free.acquire(timeout=self._patience or None):
            raise Unavailable("All connections to the database are in use.")
        try:
            connection = self._rested() or self._connected()
            try:
                yield connection
            except BaseException:
                if connection.closed:
                    self.drop()  # a server that is gone has left the idle ones, too
                elif connection.info.transaction_status:
                    connection.close()
                raise
            finally:
                self._watch.back(connection)
                if not connection.closed:
                    self._idle.append((connection, monotonic()))
        finally:
            self._free.release()

    def read(self, sql: str, parameters: Given = None) -> list[tuple[Any, ...]]:
        """The rows of one statement."""
        return self.read_named(sql, parameters)[1]

    def read_named(self, sql: str, parameters: Given = None) -> tuple[list[str], list[tuple[Any, ...]]]:
        """And the names of their columns."""
        return once_more(lambda: self._read(sql, parameters))

    def close(self) -> None:
        self._watch.stop()
        self.drop()

    def _rested(self) -> Connection | None:
        """An idle one that still has a server at its other end. What lies between may have cut it without a word to us,
        so who has rested for long is asked."""
        while self._idle:
            try:
                connection, since = self._idle.pop()
            except IndexError:
                break  # another thread has it
            if has_ended(connection):
                connection.close()
                continue
            self._watch.lend(connection)
            try:
                if monotonic() - since > RESTED:
                    connection.cursor().execute("SELECT 1")
                return connection
            except LOST:
                connection.close()
                self._watch.back(connection)
                self.drop()
        return None

    def _connected(self) -> Connection:
        while True:
            if self._patience and self._watch.has_given_up:
                raise Unavailable("The database cannot be reached.")
            try:
                connection = self.database.connect(name=self._name)
                if self._deadline:
                    connection.cursor().execute("SET statement_timeout = %s", (f"{self._deadline}s",))
            except LOST:
                self._watch.lost()
                if self._watch.has_given_up:
                    raise
                sleep(0.05)
            else:
                self._watch.heard()
                self._watch.lend(connection)
                return connection

    def drop(self) -> None:
        """Those that are idle."""
        idle, self._idle = self._idle, []
        for connection, _ in idle:
            connection.close()

    def _read(self, sql: str, parameters: Given) -> tuple[list[str], list[tuple[Any, ...]]]:
        with self.connection() as connection, connection.cursor() as cursor:
            cursor.execute(sql, parameters)
            return [column.name for column in cursor.description or ()], cursor.fetchall()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.close()


def once_more(read: Callable[[], T]) -> T:
    """Who lost the server in the middle of reading reads again, on another connection; not a third time, lest he be who
    it falls over."""
    try:
        return read()
    except QueryCanceled:
        raise
    except LOST:
        return read()


def read_sql(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def scalar(cursor: Cursor) -> Any:
    """The one value of the one row that the last statement gave."""
    row = cursor.fetchone()
    assert row is not None
    return row[0]
