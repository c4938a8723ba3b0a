"""Words of the tests about writing: what a caller asks of a writer, and what then stands in the book."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import psycopg2

from infra.postgres.append import CommandRow, Request, Row
from infra.postgres.connection import Connection, Database
from infra.postgres.writer import Writer


def event(stream: str, version: int = 1, *, claims: str = "", payload: str = "{}") -> Row:
    return (stream, str(version), "test.happened", "1", stream, "2026-01-01T00:00:00+00:00", "{}", payload, claims)


def ask(writer: Writer, *rows: Row, command_id: str = "", digest: str = "digest") -> "Future[int]":
    """Submit, and do not wait."""
    future: Future[int] = Future()

    def done(result: int | Exception) -> None:
        if isinstance(result, Exception):
            future.set_exception(result)
        else:
            future.set_result(result)

    commands = [CommandRow(command_id, digest, 0, len(rows))] if command_id else []
    writer.submit(Request(list(rows), commands, done))
    return future


def outcome(future: "Future[int]") -> int | type[BaseException]:
    error = future.exception(60)
    return type(error) if error else future.result()


@contextmanager
def as_superuser(database: Database) -> Iterator[Connection]:
    connection = psycopg2.connect(database.dsn)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(f"SET search_path = {database.schema}")
        yield connection
    finally:
        connection.close()


def query(database: Database, sql: str, *parameters: object) -> list[tuple[Any, ...]]:
    with as_superuser(database) as connection, connection.cursor() as cursor:
        cursor.execute(sql, parameters)
        return cursor.fetchall() if cursor.description else []


def book(database: Database) -> list[tuple[int, str, int]]:
    return query(database, "SELECT position, stream, version FROM event ORDER BY position")


def streams(database: Database) -> list[str]:
    """Whose events they are, in order of position; positions are dense, or this fails."""
    found = book(database)
    assert [position for position, _, _ in found] == list(range(1, len(found) + 1))
    return [stream for _, stream, _ in found]


@contextmanager
def head_held(database: Database) -> Iterator[None]:
    """While it lasts nobody can append."""
    with as_superuser(database) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN; SELECT FROM head FOR UPDATE")
        yield


@contextmanager
def one_batch(writer: Writer, database: Database) -> Iterator[None]:
    """What is asked in here comes into one batch: the writer is kept waiting with another one meanwhile."""
    with head_held(database):
        before = ask(writer, event("before"), command_id="before")
        until(lambda: waiting_backends(database))
        yield
    assert isinstance(outcome(before), int)


def waiting_backends(database: Database) -> list[int]:
    """Those that wait for a lock of this ledger."""
    found = query(
        database,
        "SELECT pid FROM pg_stat_activity JOIN pg_locks USING (pid)"
        " WHERE wait_event_type = 'Lock' AND relation = 'head'::regclass",
    )
    return sorted({pid for (pid,) in found})


def backend_of(writer: Writer) -> int:
    assert writer._session._cursor is not None
    return int(writer._session._cursor.connection.info.backend_pid)


def terminate(database: Database, pid: int) -> None:
    """End a backend, and wait until it is gone."""
    query(database, "SELECT pg_terminate_backend(%s)", pid)
    until(lambda: not query(database, "SELECT 1 FROM pg_stat_activity WHERE pid = %s", pid))


def until(condition: Callable[[], object], patience: float = 60) -> None:
    deadline = monotonic() + patience
    while not condition():
        assert monotonic() < deadline, "it did not come to pass"
        sleep(0.005)
