"""The writer: one thread and one connection a process, which commits all that is waiting in one transaction.

Invariants kept here: positions are dense and in order of commit; one bad request spoils nothing but itself; what the
database did not answer is found out by command id, never repeated blindly; a bad request never ends the thread.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Thread
from time import monotonic, sleep

import structlog
from psycopg2.errors import UniqueViolation
from psycopg2.extensions import connection as Connection

from commands.ports import Conflict, Unavailable
from infra.postgres.append import Request, append, committed_at, taken
from infra.postgres.connection import LOST, Database, scalar

log = structlog.get_logger(__name__)

MOST_EVENTS = 5_000
"""A batch is closed at this size, so that a flood does not make it, and the wait for it, grow without end."""

MOST_WAITING = 20_000
"""Requests that may queue while the database is away. More are turned away at once."""

QUIET = 50
"""Batches without another writer after which this one goes back to guessing the head instead of locking it first."""


class Writer:
    def __init__(self, database: Database, *, patience: float = 30.0) -> None:
        self._database = database
        self._patience = patience
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._connection: Connection | None = None
        self._position = 0
        self._contended = 0
        self._in_doubt = False
        self._stopped = False
        self._thread = Thread(target=self._run, name=f"writer {database.schema}", daemon=True)
        self._thread.start()

    def submit(self, request: Request) -> None:
        if self._stopped or self._queue.qsize() > MOST_WAITING:
            request.answer(Unavailable("The ledger takes no more requests at the moment."))
        else:
            self._queue.put(request)

    def close(self) -> None:
        """Commits what is waiting, then stops."""
        self._stopped = True
        self._queue.put(None)
        self._thread.join()
        if self._connection:
            self._connection.close()

    def _run(self) -> None:
        while (request := self._queue.get()) is not None:
            batch = self._gather([request])
            try:
                self._write(batch)
            except Exception as error:
                log.exception("append failed", requests=len(batch))
                self._disconnect()
                _answer(batch, error)

    def _gather(self, batch: list[Request]) -> list[Request]:
        """All that is waiting: batches grow by themselves under load."""
        size = sum(len(request.rows) for request in batch)
        while size < MOST_EVENTS:
            try:
                request = self._queue.get_nowait()
            except Empty:
                break
            if request is None:
                self._queue.put(None)
                break
            batch.append(request)
            size += len(request.rows)
        return batch

    def _write(self, batch: list[Request]) -> None:
        """Commit a batch, whatever it takes. Every request of it is answered when this returns."""
        batch, rivals = _without_rivals(batch)
        lost_since: float | None = None
        while batch or rivals:
            try:
                if self._in_doubt:
                    batch = self._find_out(batch)
                elif batch:
                    batch = self._attempt(batch)
                else:
                    batch, rivals = self._without_culprits(rivals), []
            except LOST as error:
                self._disconnect()
                lost_since = lost_since or monotonic()
                if monotonic() - lost_since > self._patience:
                    log.error("ledger unreachable", error=str(error).strip(), requests=len(batch))
                    self._in_doubt = False
                    return _answer([*batch, *rivals], Unavailable("The ledger cannot be reached."))
                log.warning("connection lost", error=str(error).strip(), requests=len(batch))
                sleep(0.05)
        return None

    def _attempt(self, batch: list[Request]) -> list[Request]:
        """One try; gives those that are still to be committed."""
        try:
            appended = self._append_locked(batch) if self._contended else self._append_guessing(batch)
        except LOST:
            raise
        except UniqueViolation:
            self._in_doubt = False
            return self._without_culprits(batch)
        except Exception as error:
            # psycopg2's DataError, a NUL in a string: something in a request. Each by itself then.
            self._in_doubt = False
            return self._one_by_one(batch, error)
        self._in_doubt = False
        if appended:
            for request in batch:
                request.answer(self._position + 1)
                self._position += len(request.rows)
            return []
        self._contended = QUIET
        return batch

    def _append_guessing(self, batch: list[Request]) -> bool:
        """A process alone never waits: it knows where the head is."""
        with self._connected().cursor() as cursor:
            self._in_doubt = True
            return append(cursor, self._position, datetime.now(UTC), batch)

    def _append_locked(self, batch: list[Request]) -> bool:
        """Where several processes write, the lock comes first: the wait for it makes the batch bigger."""
        connection = self._connected()
        with connection.cursor() as cursor:
            try:
                cursor.execute("BEGIN; SELECT position FROM head FOR UPDATE")
                position = int(scalar(cursor))
                self._contended = self._contended - 1 if position == self._position else QUIET
                self._position = position
                self._in_doubt = True
                append(cursor, position, datetime.now(UTC), batch, then="; COMMIT")
            except BaseException:
                if not connection.closed:
                    cursor.execute("ROLLBACK")
                raise
        return True

    def _without_culprits(self, batch: list[Request]) -> list[Request]:
        """Look up whose keys are taken, and answer those; the rest goes in."""
        with self._connected().cursor() as cursor:
            held = taken(cursor, batch)
        culprits = {request for request in batch if not held.isdisjoint(request.keys())}
        if not culprits and len(batch) == 1:
            culprits = set(batch)
        _answer(culprits, Conflict())
        return [request for request in batch if request not in culprits]

    def _one_by_one(self, batch: list[Request], error: Exception) -> list[Request]:
        if len(batch) == 1:
            _answer(batch, error)
            return []
        for request in batch:
            left = [request]
            while left:
                left = self._attempt(left)
        return []

    def _find_out(self, batch: list[Request]) -> list[Request]:
        """The connection was lost while committing: which requests are in? Without an id nobody can tell."""
        with self._connected().cursor() as cursor:
            for request in batch:
                if not request.commands:
                    request.answer(Unavailable("The connection was lost while committing; the outcome is unknown."))
                elif position := committed_at(cursor, request):
                    request.answer(position)
        self._in_doubt = False
        return [request for request in batch if not request.answered]

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(name="grossbuch writer")
            with self._connection.cursor() as cursor:
                cursor.execute("SELECT position FROM head")
                self._position = int(scalar(cursor))
        return self._connection

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _without_rivals(batch: Sequence[Request]) -> tuple[list[Request], list[Request]]:
    """Of requests that want the same key only the first may go into a batch; one that wants a key twice never may."""
    held: set[tuple[str, str]] = set()
    first: list[Request] = []
    rivals: list[Request] = []
    for request in batch:
        keys = list(request.keys())
        if len(set(keys)) < len(keys):
            request.answer(Conflict())
        elif held.isdisjoint(keys):
            held.update(keys)
            first.append(request)
        else:
            rivals.append(request)
    return first, rivals


def _answer(requests: Iterable[Request], error: Exception) -> None:
    for request in requests:
        request.answer(error)
