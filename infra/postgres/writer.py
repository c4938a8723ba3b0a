"""The writer: one connection a process, on which all that is waiting is committed in one transaction.

Invariants kept here: positions are dense and in order of commit; one bad request spoils nothing but itself; what the
database did not answer is found out by command id, never repeated blindly; a bad request never ends the thread; what
takes effect in a closed period does not get in.
"""

import select
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, SimpleQueue
from threading import Lock, Thread
from time import monotonic, sleep

import structlog
from psycopg2 import DataError
from psycopg2.errors import ProgramLimitExceeded, UniqueViolation
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from commands.ports import Conflict, Unavailable
from infra.postgres import head
from infra.postgres.append import PREPARE, CommandRow, Key, Request, Row, append, applied, taken
from infra.postgres.connection import LOST, Database

log = structlog.get_logger(__name__)

MOST_BYTES = 4_000_000
"""A batch is closed at this size, so that a flood does not make it, and the wait for it, grow without end."""

MOST_REQUESTS = 2_000

MOST_WAITING = 20_000
"""Requests that may queue while the database is away. More are turned away at once."""

QUIET = 50
"""Batches without another writer after which this one goes back to guessing the head instead of locking it first."""

LINGER, LONGEST, FEW = 0.25, 0.005, 16
"""Of the time that the last commit took: how long to wait for those who were in it; seconds at the most; and for how
many at the most, since a crowd fills the next batch while this one is committed."""

STALL = "10s"
"""A process that stalls so long with the head locked loses it, and finds out afterwards what became of its batch."""

UNKNOWN = "The connection was lost while committing; the outcome is unknown."


class Writer:
    def __init__(self, database: Database, *, patience: float = 30.0) -> None:
        self._database = database
        self._patience = patience
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._waiting: list[Request] = []
        self._in_flight: Sequence[Request] = ()
        self._most = MOST_REQUESTS
        self._cursor: Cursor | None = None
        self._position = 0
        self._open_from = ""
        self._contended = 0
        self._lost_since: float | None = None
        self._closed = False
        self._closing = Lock()
        self._turn = Lock()
        self._idle = True
        self._company = 1
        self._took = 0.0
        self._thread = Thread(target=self._run, name=f"writer {database.schema}", daemon=True)
        self._thread.start()

    def append(self, rows: Sequence[Row], commands: Sequence[CommandRow] = ()) -> int:
        """Submit, and wait for the first position."""
        answer: SimpleQueue[int | Exception] = SimpleQueue()
        request = Request(rows, commands, answer.put)
        if not self._do_alone(request):
            self.submit(request)
        result = answer.get()
        if isinstance(result, Exception):
            raise result
        return result

    def _do_alone(self, request: Request) -> bool:
        """Who is alone does the work himself, which spares two changes of threads. False if he is not."""
        alone = self._idle and self._company == 1 and self._queue.empty()
        if not alone or self._closed or request.wants_twice or not self._turn.acquire(blocking=False):
            return False
        try:
            self._waiting.append(request)
            self._work_off()
        finally:
            self._turn.release()
        return True

    def submit(self, request: Request) -> None:
        with self._closing:
            if self._closed or self._queue.qsize() > MOST_WAITING:
                request.answer(Unavailable("The ledger takes no more requests at the moment."))
            elif request.wants_twice:
                request.answer(Conflict())
            else:
                self._queue.put(request)

    def close(self) -> None:
        """Commits what is waiting, then stops."""
        with self._closing:
            self._closed = True
            self._queue.put(None)
        self._thread.join()
        with self._turn:
            self._disconnect()

    def _run(self) -> None:
        while (request := self._queue.get()) is not None:
            self._idle = False
            with self._turn:
                self._waiting.append(request)
                self._work_off()
            self._idle = True

    def _work_off(self) -> None:
        while self._waiting:
            self._round()

    def _round(self) -> None:
        """One transaction. Those whom it leaves unanswered wait for the next round."""
        try:
            cursor = self._cursor_at_hand()
            if self._in_flight:
                self._find_out(cursor)
            else:
                self._commit(cursor)
            self._lost_since = None
        except Exception as error:
            if _is_lost(error):
                self._bear(error)
            else:
                log.exception("append failed", requests=len(self._waiting))
                self._disconnect()
                for request in self._waiting:
                    request.answer(error)
        self._waiting = [request for request in self._waiting if not request.answered]

    def _commit(self, cursor: Cursor) -> None:
        """A process alone guesses where the head is, and never waits. Where several write, the lock comes first: the
        wait for it makes the batch bigger."""
        locked = self._contended > 0
        if locked:
            self._lock(cursor)
        alone_with_few = not locked and self._company <= FEW
        self._gather(min(self._took * LINGER, LONGEST) if alone_with_few else 0)
        started = monotonic()
        batch, rivals = _without_rivals(self._due(locked))
        if not batch:
            if locked:
                cursor.execute("COMMIT")
            return
        self._in_flight = batch
        try:
            done = append(cursor, self._position, datetime.now(UTC), batch, self._end(cursor, batch) if locked else "")
        except Exception as error:
            if _is_lost(error):
                raise
            self._in_flight = ()
            if locked:
                cursor.execute("ROLLBACK")
            self._blame(cursor, [*batch, *rivals], error)
        else:
            self._in_flight = ()
            self._took = monotonic() - started
            if done:
                self._acknowledge(batch, rivals)
            else:
                self._contended = QUIET

    def _due(self, locked: bool) -> Sequence[Request]:
        """What may go into one transaction: nothing that takes effect in a closed period, and what closes one only
        under the lock and as the last. Who decided before the closing and comes after it is to decide again."""
        due: list[Request] = []
        for request in self._waiting[: self._most]:
            if self._open_from and request.is_before(self._open_from):
                request.answer(Conflict())
            elif request.open_from and not locked:
                self._contended = 1
                break
            else:
                due.append(request)
                if request.open_from:
                    break
        return due

    def _end(self, cursor: Cursor, batch: Sequence[Request]) -> str:
        """What ends a transaction under the lock."""
        closing = batch[-1].open_from
        return f"; {cursor.mogrify(head.CLOSE, (closing,)).decode()}; COMMIT" if closing else "; COMMIT"

    def _acknowledge(self, batch: Sequence[Request], rivals: Sequence[Request]) -> None:
        if closed := batch[-1].open_from:
            self._open_from = max(self._open_from, closed.isoformat())
        for request in batch:
            request.answer(self._position + 1)
            self._position += len(request.rows)
        _answer(rivals, Conflict)
        self._company = len(batch)
        self._most = min(self._most * 2, MOST_REQUESTS)

    def _lock(self, cursor: Cursor) -> None:
        cursor.execute(f"BEGIN; {head.LOCK}")
        believed = self._position
        self._see_head(cursor)
        self._contended = self._contended - 1 if self._position == believed else QUIET

    def _see_head(self, cursor: Cursor) -> None:
        [(self._position, open_from)] = cursor.fetchall()
        self._open_from = open_from.astimezone(UTC).isoformat() if open_from else ""

    def _gather(self, linger: float = 0) -> None:
        """All that is queued: batches grow by themselves under load. Those who came together the last time are likely
        to come again, and are waited for a little."""
        if len(self._waiting) >= self._company and self._queue.empty():
            return
        size = sum(request.size for request in self._waiting)
        until = monotonic() + linger
        with suppress(Empty):
            while size < MOST_BYTES and len(self._waiting) < self._most:
                wait = max(0, until - monotonic()) if len(self._waiting) < self._company else 0
                request = self._queue.get(timeout=wait)
                if request is None:
                    self._queue.put(None)
                    break
                self._waiting.append(request)
                size += request.size

    def _blame(self, cursor: Cursor, batch: Sequence[Request], error: Exception) -> None:
        """The batch was refused. Requests whose keys are taken are told so; what cannot be put down to anybody halves
        the batch until the culprit stands alone."""
        if len(batch) == 1:
            batch[0].answer(Conflict() if isinstance(error, UniqueViolation) else error)
            return
        held: set[Key] = set()
        if isinstance(error, UniqueViolation):
            with suppress(DataError):  # another one of the batch is bad, too
                held = taken(cursor, batch)
        culprits = [request for request in batch if not held.isdisjoint(request.keys)]
        _answer(culprits, Conflict)
        if not culprits:
            self._most = len(batch) // 2

    def _find_out(self, cursor: Cursor) -> None:
        """The connection was lost while committing: which requests are in? Without an id nobody can tell.

        The lock waits until the lost transaction, if it is still alive, is over.
        """
        cursor.execute(head.LOCK)
        known = applied(cursor, self._in_flight)
        for request in self._in_flight:
            if position := request.position_in(known):
                request.answer(position)
            elif not request.commands:
                request.answer(Unavailable(UNKNOWN))
        self._in_flight = ()

    def _bear(self, error: Exception) -> None:
        """The database is away: wait a little. After too long those who wait are told, and the next ones at once."""
        self._disconnect()
        if self._lost_since is None:
            self._lost_since = monotonic()
            log.warning("connection lost", error=str(error).strip(), requests=len(self._waiting))
        if monotonic() - self._lost_since < self._patience:
            sleep(0.05)
        else:
            self._gather()
            log.error("ledger unreachable", error=str(error).strip(), requests=len(self._waiting))
            _answer(self._in_flight, Unavailable, UNKNOWN)
            _answer(self._waiting, Unavailable, "The ledger cannot be reached.")
            self._in_flight = ()

    def _cursor_at_hand(self) -> Cursor:
        if self._cursor is None or _has_ended(self._cursor.connection):
            self._disconnect()
            self._cursor = self._database.connect(name="grossbuch writer").cursor()
            self._cursor.execute(
                f"SET idle_in_transaction_session_timeout = '{STALL}'; {head.BY_INDEX}; {PREPARE}; {head.READ}"
            )
            self._see_head(self._cursor)
        return self._cursor

    def _disconnect(self) -> None:
        if self._cursor is not None:
            self._cursor.connection.close()
            self._cursor = None


def _is_lost(error: Exception) -> bool:
    """Whether the database is to blame, not the batch. A key that is too long for an index is the batch's fault,
    though psycopg2 counts it as operational."""
    return isinstance(error, LOST) and not isinstance(error, ProgramLimitExceeded)


def _has_ended(connection: Connection) -> bool:
    """Nobody has asked anything: if the server has something to say, it is farewell."""
    if connection.closed:
        return True
    poll = select.poll()  # select() itself takes no descriptor beyond 1023
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _without_rivals(batch: Sequence[Request]) -> tuple[Sequence[Request], Sequence[Request]]:
    """Of requests that want the same key only the first may go into a transaction."""
    if len(batch) == 1:
        return batch, ()
    held: set[tuple[str, str]] = set()
    first: list[Request] = []
    rivals: list[Request] = []
    for request in batch:
        if held.isdisjoint(request.keys):
            held |= request.keys
            first.append(request)
        else:
            rivals.append(request)
    return first, rivals


def _answer(requests: Iterable[Request], kind: type[Exception], *said: str) -> None:
    for request in requests:
        request.answer(kind(*said))
