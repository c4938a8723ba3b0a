"""The writer: one connection a process, on which all that is waiting is committed in one transaction.

Invariants kept here: positions are dense and in order of commit; one bad request spoils nothing but itself; what the
database did not answer is found out by command id, never repeated blindly; a bad request never ends the thread; what
takes effect in a closed period does not get in.
"""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Event, Lock, Thread
from time import monotonic, sleep

import structlog
from psycopg2 import DataError
from psycopg2.errors import IntegrityConstraintViolation, ProgramLimitExceeded, UniqueViolation
from psycopg2.extensions import cursor as Cursor

from commands.ports import Conflict, Unavailable
from infra.postgres import head
from infra.postgres.append import CommandRow, Key, Request, Row, append, applied, taken
from infra.postgres.clock import DatabaseClock
from infra.postgres.connection import LOST, Database
from infra.postgres.session import Session, SetBack

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

LOOK_EVERY = 1.0
"""Seconds between two looks at whether the server hangs."""

UNKNOWN = "The connection was lost while committing; the outcome is unknown."
HANGS = "The database does not answer; the outcome is unknown."


OUTDATED = UniqueViolation, IntegrityConstraintViolation
"""A key is taken, or what the append follows on is not in the book."""


def _nothing() -> int:
    return 0


class Writer:
    """``forget`` is called for each new connection, before it is used: another server may be behind it, and what was
    read before may be gone. It gives the era that has begun; what was decided in an earlier one is not appended.
    The ``clock`` is told what time it is; ``booked`` is called after each commit of something."""

    def __init__(
        self,
        database: Database,
        *,
        patience: float = 30.0,
        forget: Callable[[], int] = _nothing,
        clock: DatabaseClock | None = None,
        booked: Callable[[], object] = bool,
    ) -> None:
        self.acknowledged = 0
        """The last position that was booked here, as far as the book has it still."""
        self._booked = booked
        self._patience = patience
        self._session = Session(database, forget, clock or DatabaseClock())
        self._queue: SimpleQueue[Request | None] = SimpleQueue()
        self._waiting: list[Request] = []
        self._in_flight: Sequence[Request] = ()
        self._most = MOST_REQUESTS
        self._contended = 0
        self._lost_since: float | None = None
        self._closed = False
        self._closing = Lock()
        self._turn = Lock()
        self._idle = True
        self._company = 1
        self._took = 0.0
        self._began: float | None = None
        self._stopped = Event()
        self._thread = Thread(target=self._run, name=f"writer {database.schema}", daemon=True)
        self._thread.start()
        Thread(target=self._watch, name=f"watch {database.schema}", daemon=True).start()

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

    @property
    def set_back(self) -> SetBack | None:
        """The last time that the book was found set back."""
        return self._session.set_back

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
        self._stopped.set()
        with self._turn:
            self._session.disconnect()

    def _run(self) -> None:
        while (request := self._queue.get()) is not None:
            self._idle = False
            with self._turn:
                self._waiting.append(request)
                del request  # held here, it would stay until the next one comes
                self._work_off()
            self._idle = True

    def _work_off(self) -> None:
        while self._waiting:
            self._round()

    def _watch(self) -> None:
        """A server that hangs neither answers nor goes away: who has waited too long is told so, and not committed if
        that can be avoided still."""
        while not self._stopped.wait(min(LOOK_EVERY, self._patience / 4)):
            now = monotonic()
            if self._began is not None and now - self._began > self._patience:
                _answer([each for each in self._asked() if now - each.since > self._patience], Unavailable, HANGS)

    def _asked(self) -> Sequence[Request]:
        """All that wait for an answer; those that are queued stay so, in their order."""
        queued: list[Request | None] = []
        with self._closing:
            with suppress(Empty):
                while True:
                    queued.append(self._queue.get_nowait())
            for request in queued:
                self._queue.put(request)
        return [*self._in_flight, *self._waiting, *filter(None, queued)]

    def _round(self) -> None:
        """One transaction. Those whom it leaves unanswered wait for the next round."""
        self._began = monotonic()
        try:
            cursor = self._session.cursor()
            self.acknowledged = min(self.acknowledged, self._session.head.position)
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
                self._session.disconnect()
                for request in self._waiting:
                    request.answer(error)
        self._began = None
        self._waiting = [request for request in self._waiting if not request.answered]

    def _commit(self, cursor: Cursor) -> None:
        """A process alone guesses where the head is, and never waits. Where several write, the lock comes first: the
        wait for it makes the batch bigger."""
        locked = self._contended > 0
        moment = self._lock(cursor) if locked else None
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
            then = self._end(cursor, batch) if locked else ""
            recorded_at = self._append(cursor, batch, moment, then)
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
            if recorded_at:
                self._acknowledge(batch, rivals, recorded_at)
            else:
                self._contended = QUIET

    def _append(self, cursor: Cursor, batch: Sequence[Request], moment: str | None, then: str) -> str | None:
        """When it was recorded; None if the head is not what it is believed to be."""
        after = self._session.head
        if any(request.rows for request in batch):
            return append(cursor, after, batch, moment, then)
        cursor.execute(head.PROBE + then, (after.position,))
        return after.recorded_at if then or cursor.rowcount else None

    def _due(self, locked: bool) -> Sequence[Request]:
        """What may go into one transaction: nothing that was decided in another era or takes effect in a closed period,
        and what closes one only under the lock and as the last. Who comes too late is to decide again."""
        due: list[Request] = []
        for request in self._waiting[: self._most]:
            if request.answered:
                continue
            if request.era not in (None, self._session.era) or (
                self._session.open_from and request.is_before(self._session.open_from)
            ):
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

    def _acknowledge(self, batch: Sequence[Request], rivals: Sequence[Request], recorded_at: str) -> None:
        if closed := batch[-1].open_from:
            self._session.open_from = max(self._session.open_from, closed.isoformat())
        before = position = self._session.head.position
        for request in batch:
            position += len(request.rows)
        self.acknowledged = position  # before anybody is answered: who asks after that is to see it
        self._session.moved(position, recorded_at)
        for request in batch:
            request.answer(before + 1)
            before += len(request.rows)
        self._booked()
        _answer(rivals, Conflict)
        self._company = len(batch)
        self._most = min(self._most * 2, MOST_REQUESTS)

    def _lock(self, cursor: Cursor) -> str:
        """Gives the time of what is appended now."""
        believed = self._session.head
        moment = self._session.lock(cursor)
        self._contended = self._contended - 1 if self._session.head == believed else QUIET
        return moment

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
            batch[0].answer(Conflict() if isinstance(error, OUTDATED) else error)
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
        self._session.disconnect()
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


def _is_lost(error: Exception) -> bool:
    """Whether the database is to blame, not the batch. A key that is too long for an index is the batch's fault,
    though psycopg2 counts it as operational."""
    return isinstance(error, LOST) and not isinstance(error, ProgramLimitExceeded)


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
