"""Durable appends: single events by 1, 8 and 32 callers, two processes against one, and a flood against COPY.

Theirs is the eventsourcing library's own recorder (psycopg 3, locking mode: the one that loses nothing), given the same
events. Ours has a command id, digest, metadata and two times with each.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import StringIO
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection
from threading import BoundedSemaphore, Thread
from uuid import uuid4

import psycopg2
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder

from bench import measure
from bench.measure import rate, server, versus
from bench.sides import PAYLOAD, Library
from infra.postgres import head
from infra.postgres.append import CommandRow, Request, Row, to_row
from infra.postgres.connection import Database
from infra.postgres.migrate import migrate
from infra.postgres.record import Record
from infra.postgres.writer import Writer

DIGEST = "d" * 64
MANY = 1_000_000
_numbers = count(1)


def main() -> list[measure.Row]:
    with server() as dsn:
        return [
            *(_callers(dsn, callers, goal) for callers, goal in ((1, "2"), (8, "6"), (32, "11"))),
            *(_processes(dsn, number, goal) for number, goal in ((2, "0.75"), (4, "stated"))),
            _flood(dsn),
            _flat(dsn),
        ]


def _callers(dsn: str, callers: int, goal: str) -> measure.Row:
    with _writer(_ledger(dsn)) as writer, _library(dsn, callers) as recorder:
        return versus(
            f"single durable appends/s by {callers} callers, against the library's recorder",
            lambda: _rate(callers, 1_000 + 300 * callers, lambda: _append(writer)),
            lambda: _rate(callers, 1_000, lambda: _insert(recorder)),
            goal=goal,
        )


def _append(writer: Writer) -> None:
    """As a caller who waits."""
    writer.append(*_event())


def _event() -> tuple[list[Row], list[CommandRow]]:
    id = str(uuid4())
    stream = f"stock-{id}"
    metadata = {"command_id": id, "actor": "anna"}
    record = Record(stream, 1, "stock.received", PAYLOAD.encode(), 1, stream, datetime.now(UTC), metadata)
    return [to_row(record)], [CommandRow(id, DIGEST, 0, 1)]


def _insert(recorder: PostgresApplicationRecorder) -> None:
    recorder.insert_events([StoredEvent(f"stock-{uuid4()}", 1, "stock.received", PAYLOAD.encode())])


def _rate(callers: int, appends: int, append: Callable[[], None]) -> float:
    def call() -> None:
        for _ in range(appends // callers):
            append()

    def run() -> None:
        threads = [Thread(target=call) for _ in range(callers)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    return rate(appends // callers * callers, run)


def _processes(dsn: str, number: int, goal: str) -> measure.Row:
    """Several writers line up on the head; 32 callers in all."""
    database = _ledger(dsn)
    with _Workers(database, 1, 32) as alone, _Workers(database, number, 32 // number) as together:
        measured = f"single durable appends/s by {number} processes, against 1 of as many callers"
        return versus(measured, together.rate, alone.rate, goal=goal)


class _Workers:
    """Processes that append when they are told to, and tell when they are done."""

    def __init__(self, database: Database, processes: int, callers: int) -> None:
        context = get_context("spawn")
        self._ends = [context.Pipe() for _ in range(processes)]
        self._processes = [
            context.Process(target=_work, args=(database, callers, there), daemon=True) for _, there in self._ends
        ]
        self._appends = 10_000

    def __enter__(self) -> "_Workers":
        for process in self._processes:
            process.start()
        self._ask(500)
        return self

    def rate(self) -> float:
        return rate(self._appends, lambda: self._ask(self._appends // len(self._processes)))

    def __exit__(self, *_: object) -> None:
        self._ask(0)
        for process in self._processes:
            process.join()

    def _ask(self, appends: int) -> None:
        for here, _ in self._ends:
            here.send(appends)
        for here, _ in self._ends:
            here.recv()


def _work(database: Database, callers: int, end: Connection) -> None:
    writer = Writer(database)
    while appends := end.recv():
        _rate(callers, appends, lambda: _append(writer))
        end.send(True)
    writer.close()
    end.send(True)


def _flood(dsn: str, events: int = 40_000) -> measure.Row:
    database = _ledger(dsn)
    with _writer(database) as writer:
        return versus(
            "events/s of a flood of single appends, against COPY into the same table",
            lambda: rate(events, lambda: _submit_all(writer, events)),
            lambda: rate(events, lambda: _copy(database, events)),
            goal="0.25",
        )


def _submit_all(writer: Writer, events: int) -> None:
    """Nobody waits for one answer before asking the next thing; but no more than so many are on their way."""
    room = BoundedSemaphore(10_000)

    def done(position: int | Exception) -> None:
        assert isinstance(position, int), position
        room.release()

    for _ in range(events):
        room.acquire()
        writer.submit(Request(*_event(), done))
    for _ in range(10_000):
        room.acquire()


def _copy(database: Database, events: int) -> None:
    now = datetime.now(UTC).isoformat()
    metadata = '{"command_id":"00000000-0000-0000-0000-000000000000","actor":"anna"}'
    streams = [f"stock-{uuid4()}" for _ in range(events)]
    with psycopg2.connect(database.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {database.schema}; {head.LOCK}")
        [(position, _)] = cursor.fetchall()
        lines = "".join(
            f"{n}\t{stream}\t1\tstock.received\t1\t{stream}\t{now}\t{now}\t{metadata}\t{PAYLOAD}\t\\N\n"
            for n, stream in enumerate(streams, start=position + 1)
        )
        cursor.copy_expert("COPY event FROM STDIN", StringIO(lines))
        cursor.execute("UPDATE head SET position = position + %s", (events,))
    connection.close()


def _flat(dsn: str) -> measure.Row:
    """The same writer on an empty book and on one of a million events."""
    few, many = _ledger(dsn), _ledger(dsn)
    _fill(many)
    with _writer(few) as to_few, _writer(many) as to_many:
        return versus(
            f"single durable appends/s by 8 callers to a book of {MANY:,} events, against an empty one",
            lambda: _rate(8, 4_000, lambda: _append(to_many)),
            lambda: _rate(8, 4_000, lambda: _append(to_few)),
            goal="0.9",
        )


def _fill(database: Database) -> None:
    with psycopg2.connect(database.dsn) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET search_path = {database.schema}")
        cursor.execute(
            "INSERT INTO event SELECT n, 'stock-' || gen_random_uuid(), 1, 'stock.received', 1, 'k' || n, now(), now(),"
            " '{}', %s, NULL FROM generate_series(1, %s) n",
            (PAYLOAD, MANY),
        )
        cursor.execute(
            "INSERT INTO command SELECT gen_random_uuid(), %s, n, 1 FROM generate_series(1, %s) n", (DIGEST, MANY)
        )
        cursor.execute("UPDATE head SET position = %s", (MANY,))
    connection.close()


@contextmanager
def _writer(database: Database) -> Iterator[Writer]:
    writer = Writer(database)
    _rate(8, 400, lambda: _append(writer))
    yield writer
    writer.close()


@contextmanager
def _library(dsn: str, connections: int) -> Iterator[PostgresApplicationRecorder]:
    library = Library(f"library{next(_numbers)}", fast=False, connections=connections)
    library.prepare(dsn)
    with library.recorder(dsn) as recorder:
        _rate(connections, 200, lambda: _insert(recorder))
        yield recorder


def _ledger(dsn: str) -> Database:
    database = Database(dsn, f"ours{next(_numbers)}")
    migrate(database)
    return database


if __name__ == "__main__":
    for row in main():
        print(row.measured, row.ours, row.theirs, f"= {row.ratio}, goal {row.goal}", sep="\n    ")
