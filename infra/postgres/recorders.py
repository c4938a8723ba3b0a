"""The recorders of the eventsourcing library on this ledger. Its own test cases hold them to it: tests/conformance.

Events go through the writer, which the ledger's other callers share, so their positions are dense and in order of
commit. Ids are strings in the database. An event of the library's own has the schema version 0: the library keeps the
version of its class in the state.
"""

from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

import orjson
import psycopg2
from eventsourcing import persistence
from eventsourcing.persistence import Notification, StoredEvent, Tracking
from psycopg2.extensions import cursor as Cursor

from commands.ports import Conflict, Unavailable
from infra.postgres import head
from infra.postgres.append import PREPARE, CommandRow, Request, Row, append, to_row
from infra.postgres.connection import Pool, read_sql
from infra.postgres.record import Record
from infra.postgres.writer import Writer

SQL = Path(__file__).with_name("sql")
EVENTS = read_sql(SQL / "select_events.sql")
SNAPSHOTS = read_sql(SQL / "select_snapshots.sql")
NOTIFICATIONS = read_sql(SQL / "select_notifications.sql")
INSERT_SNAPSHOT = "INSERT INTO snapshot (stream, version, type, state) VALUES (%s, %s, %s, %s)"
INSERT_TRACKING = read_sql(SQL / "insert_tracking.sql")
MAX_TRACKING = "SELECT max(position) FROM places(%s)"

FIRST, LAST = -(2**31), 2**31
"""No version is lower or higher."""

SHORTEST, LONGEST = 0.001, 0.05
"""Seconds between two looks for new events: while they come, and when none have come for a while."""


class AggregateRecorder(persistence.AggregateRecorder):
    def __init__(self, pool: Pool, writer: Writer) -> None:
        self._pool = pool
        self._writer = writer

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        self._insert(stored_events, **kwargs)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        with _translated():
            return [_event(*row) for row in self._pool.read(*_selection(EVENTS, originator_id, gt, lte, desc, limit))]

    def _insert(
        self, stored_events: Sequence[StoredEvent], *, command_id: str = "", digest: str = "", **_: object
    ) -> Sequence[int]:
        """With a ``command_id`` it is applied once, and the outcome is known even if the connection is lost."""
        if not stored_events:
            return []
        commands = [CommandRow(command_id, digest, 0, len(stored_events))] if command_id else []
        with _translated():
            return _positions(self._writer.append(_rows(stored_events), commands), len(stored_events))


class SnapshotRecorder(persistence.AggregateRecorder):
    """Snapshots are no events: they have no position and may be deleted."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def insert_events(self, stored_events: Sequence[StoredEvent], **_: Any) -> Sequence[int] | None:
        with _translated(), self._pool.connection() as connection, connection, connection.cursor() as cursor:
            for each in stored_events:
                snapshot = str(each.originator_id), each.originator_version, each.topic, each.state.decode()
                cursor.execute(INSERT_SNAPSHOT, snapshot)
        return None

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        with _translated():
            rows = self._pool.read(*_selection(SNAPSHOTS, originator_id, gt, lte, desc, limit))
            return [StoredEvent(stream, version, type, state.encode()) for stream, version, type, state in rows]


class ApplicationRecorder(AggregateRecorder, persistence.ApplicationRecorder):
    def __init__(self, pool: Pool, writer: Writer) -> None:
        super().__init__(pool, writer)
        self._listeners: set[Event] = set()

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Sequence[int] | None:
        positions = self._insert(stored_events, **kwargs)
        for listener in tuple(self._listeners):
            listener.set()
        return positions

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        after = (start or 0) - (start is not None and inclusive_of_start)
        wanted = {"after": after, "stop": 2**63 - 1 if stop is None else stop, "limit": limit}
        with _translated():
            rows = self._pool.read(NOTIFICATIONS, {**wanted, "topics": list(topics) or None})
            return [Notification(row[0], row[1], row[2], row[3].encode(), row[4]) for row in rows]

    def max_notification_id(self) -> int | None:
        with _translated():
            [(position,)] = self._pool.read(head.POSITION)
            return int(position) or None

    def subscribe(
        self, gt: int | None = None, topics: Sequence[str] = ()
    ) -> persistence.Subscription[persistence.ApplicationRecorder]:
        return Subscription(self, gt, topics)

    def listen(self, event: Event) -> None:
        """Set the event after each insert of this recorder."""
        self._listeners.add(event)

    def unlisten(self, event: Event) -> None:
        self._listeners.discard(event)


class Subscription(persistence.Subscription[ApplicationRecorder]):
    """Looks for new events: often while they come, less often while none do. Positions are dense and in order of
    commit, so nothing that is behind can still appear. This process's own events are seen at once."""

    def __init__(self, recorder: ApplicationRecorder, gt: int | None, topics: Sequence[str]) -> None:
        super().__init__(recorder=recorder, gt=gt, topics=topics)
        self._seen = gt or 0
        self._found: deque[Notification] = deque()
        self._wake = Event()
        recorder.listen(self._wake)

    def stop(self) -> None:
        super().stop()
        self._recorder.unlisten(self._wake)
        self._wake.set()

    def __next__(self) -> Notification:
        pause = SHORTEST
        while not self._has_been_stopped:
            if self._found:
                return self._found.popleft()
            self._wake.clear()
            if not self._look():
                self._wake.wait(pause)
                pause = min(2 * pause, LONGEST)
        raise StopIteration

    def _look(self, limit: int = 500) -> bool:
        """The head tells at little cost whether there is more, and how far to look for what is wanted of it."""
        end = self._recorder.max_notification_id() or 0
        if end <= self._seen:
            return False
        self._found.extend(
            self._recorder.select_notifications(self._seen, limit, end, self._topics, inclusive_of_start=False)
        )
        self._seen = end if len(self._found) < limit else self._found[-1].id
        return True


class TrackingRecorder(persistence.TrackingRecorder):
    """Positions of what has been processed. They only move up, and move in the transaction of what came of it."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def insert_tracking(self, tracking: Tracking) -> None:
        with self.transaction(tracking):
            pass

    def max_tracking_id(self, application_name: str) -> int | None:
        with _translated():
            [(position,)] = self._pool.read(MAX_TRACKING, (application_name,))
            return None if position is None else int(position)

    @contextmanager
    def transaction(self, tracking: Tracking) -> Iterator[Cursor]:
        """What a view writes here is committed with the position, or not at all."""
        with _translated(), self._pool.connection() as connection, connection, connection.cursor() as cursor:
            cursor.execute(
                INSERT_TRACKING, {"consumer": tracking.application_name, "position": tracking.notification_id}
            )
            if cursor.rowcount != 1:
                raise persistence.IntegrityError(f"{tracking} has been processed already")
            yield cursor


class ProcessRecorder(TrackingRecorder, ApplicationRecorder, persistence.ProcessRecorder):
    """Events that come of an event are committed with its tracking, on a connection of their own."""

    def __init__(self, pool: Pool, writer: Writer) -> None:
        ApplicationRecorder.__init__(self, pool, writer)

    def _insert(
        self, stored_events: Sequence[StoredEvent], *, command_id: str = "", digest: str = "", **kwargs: Any
    ) -> Sequence[int]:
        tracking: Tracking | None = kwargs.get("tracking")
        if tracking is None:
            return super()._insert(stored_events, command_id=command_id, digest=digest)
        with self.transaction(tracking) as cursor:
            if not stored_events:
                return []
            cursor.execute(f"DEALLOCATE ALL; {PREPARE}")
            seen = head.see(cursor, 0, locking=True)
            append(cursor, seen.head, [Request(_rows(stored_events), (), _ignore)], seen.moment)
            return _positions(seen.head.position + 1, len(stored_events))


def _rows(stored_events: Sequence[StoredEvent]) -> list[Row]:
    return [to_row(each if isinstance(each, Record) else _record(each)) for each in stored_events]


def _record(stored: StoredEvent) -> Record:
    """An event of the library's own counts from the moment at which it is recorded."""
    id = str(stored.originator_id)
    now = datetime.now(UTC)
    return Record(id, stored.originator_version, stored.topic, stored.state, schema_version=0, effective_at=now)


def _event(
    stream: str,
    version: int,
    type: str,
    payload: str,
    schema_version: int,
    order_key: str,
    effective_at: datetime,
    metadata: str,
    claims: str,
) -> StoredEvent:
    if not schema_version:
        return StoredEvent(stream, version, type, payload.encode())
    facts = orjson.loads(metadata)
    return Record(stream, version, type, payload.encode(), schema_version, order_key, effective_at, facts, claims)


def _selection(
    sql: str, originator_id: UUID | str, gt: int | None, lte: int | None, desc: bool, limit: int | None
) -> tuple[str, Mapping[str, object]]:
    return sql.format(order="DESC" if desc else "ASC"), {
        "stream": str(originator_id),
        "gt": FIRST if gt is None else gt,
        "lte": LAST if lte is None else lte,
        "limit": limit,
    }


def _positions(first: int, count: int) -> Sequence[int]:
    return list(range(first, first + count))


def _ignore(_: object) -> None:
    """Nobody waits."""


@contextmanager
def _translated() -> Iterator[None]:
    """The library's errors instead of ours and psycopg2's, which have the same names in the same order of descent."""
    try:
        yield
    except Conflict as error:
        raise persistence.IntegrityError("a stream has moved on, or a claim or command id is taken") from error
    except Unavailable as error:
        raise persistence.OperationalError(str(error)) from error
    except psycopg2.Error as error:
        names = [cls.__name__ for cls in type(error).__mro__ if cls.__module__ == "psycopg2"]
        raise getattr(persistence, names[0], persistence.PersistenceError)(str(error).strip()) from error
    except ValueError as error:
        raise persistence.DataError(str(error)) from error
