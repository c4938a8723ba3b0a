"""A database that fails at the n-th thing it is asked to do: before it, at the commit, or just after the commit."""

from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import Database

How = Literal["raises", "closes", "killed"]


class Crash(Exception):
    """Not an error of the database."""


@dataclass
class Fuse:
    """Blows at the n-th step, once."""

    left: int
    how: How
    database: Database
    blown: bool = False

    def step(self, connection: Connection) -> None:
        self.left -= 1
        if self.left or self.blown:
            return
        self.blown = True
        if self.how == "killed":
            self._kill(connection.info.backend_pid)
            return
        if self.how == "raises":
            raise Crash
        connection.close()
        raise psycopg2.InterfaceError("connection already closed")

    def _kill(self, pid: int) -> None:
        """The statement that follows finds the server's end of the connection gone."""
        connection = self.database.connect(as_owner=True)
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(%s, 5000)", (pid,))
        connection.close()


class FaultyDatabase:
    def __init__(self, database: Database, fuse: Fuse) -> None:
        self._database, self._fuse = database, fuse

    def connect(self, **options: Any) -> "FaultyConnection":
        return FaultyConnection(self._database.connect(**options), self._fuse)


class FaultyConnection:
    def __init__(self, connection: Connection, fuse: Fuse) -> None:
        self._connection, self._fuse = connection, fuse

    def __enter__(self) -> "FaultyConnection":
        self._connection.__enter__()
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is None:
            try:
                self._fuse.step(self._connection)
            except BaseException as crash:
                self._connection.__exit__(crash.__class__, crash, None)
                raise
        self._connection.__exit__(type, error, traceback)
        if error is None:
            self._fuse.step(self._connection)  # it is committed, and nobody is told

    def cursor(self) -> "FaultyCursor":
        return FaultyCursor(self._connection.cursor(), self._fuse)

    def close(self) -> None:
        self._connection.close()

    @property
    def closed(self) -> int:
        return self._connection.closed


class FaultyCursor:
    def __init__(self, cursor: Cursor, fuse: Fuse) -> None:
        self._cursor, self._fuse = cursor, fuse

    def __enter__(self) -> "FaultyCursor":
        return self

    def __exit__(self, *_: object) -> None:
        self._cursor.close()

    def execute(self, *given: Any) -> None:
        self._fuse.step(self._cursor.connection)
        self._cursor.execute(*given)

    def copy_expert(self, *given: Any, **more: Any) -> None:
        self._fuse.step(self._cursor.connection)
        self._cursor.copy_expert(*given, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cursor, name)
