"""The writer's session: a connection with all that an append needs prepared, and the head as it was last seen there.

Invariant kept here: another server, another book or an earlier state of it behind the same address is noticed before
anything is appended to it (tests/integration/test_set_back.py).
"""

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from psycopg2.extensions import cursor as Cursor

from infra.postgres import head
from infra.postgres.append import PREPARE
from infra.postgres.clock import DatabaseClock
from infra.postgres.connection import Database
from infra.postgres.head import Head
from infra.postgres.watch import has_ended
from infra.telemetry import SET_BACK

log = structlog.get_logger(__name__)

STALL = "10s"
"""A process that stalls so long with the head locked loses it, and finds out afterwards what became of its batch."""

DURABLE = "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
"""What is acknowledged is on disk, however the server is set. It may be set to wait for more."""


@dataclass(frozen=True, slots=True)
class SetBack:
    """That the book is not the one that ended so: events that were acknowledged are gone."""

    believed: Head
    found: Head
    reason: str


class Session:
    """``forget`` is called for each new connection, before it is used, and when the book was set back: what was read
    before may be gone. It gives the number of the era that has begun. The ``clock`` is told what time it is."""

    def __init__(self, database: Database, forget: Callable[[], int], clock: DatabaseClock) -> None:
        self._database = database
        self._forget = forget
        self._clock = clock
        self._cursor: Cursor | None = None
        self._head: Head | None = None
        self.era = 0
        self.open_from = ""
        self.set_back: SetBack | None = None

    @property
    def head(self) -> Head:
        """As it is believed to be."""
        assert self._head
        return self._head

    def cursor(self) -> Cursor:
        """Of a connection that has not ended, as far as it tells."""
        if self._cursor is None or has_ended(self._cursor.connection):
            self.disconnect()
            self._cursor = self._database.connect(name="grossbuch writer").cursor()
            self.era = self._forget()
            self._cursor.execute(
                f"SET idle_in_transaction_session_timeout = '{STALL}'; {DURABLE}; {head.BY_INDEX}; {PREPARE}"
            )
            self._see(self._cursor)
        elif self._clock.is_due:
            self._clock.read(self._cursor)
        return self._cursor

    def lock(self, cursor: Cursor) -> str:
        """Begin a transaction in which the head is ours; gives the time at which it appends."""
        cursor.execute("BEGIN")
        return self._see(cursor, locking=True)

    def moved(self, position: int, recorded_at: str) -> None:
        """By ourselves."""
        self._head = self.head._replace(position=position, recorded_at=recorded_at)

    def disconnect(self) -> None:
        if self._cursor is not None:
            self._cursor.connection.close()
            self._cursor = None

    def _see(self, cursor: Cursor, *, locking: bool = False) -> str:
        """Believe what is found from now on, whether or not it contradicts what was believed."""
        believed, asked = self._head, self._clock.ask()
        seen = head.see(cursor, believed.position if believed else 0, locking=locking)
        self._head, self.open_from = seen.head, seen.open_from
        self._clock.hear(asked, seen.now)
        if believed and (reason := believed.contradicted_by(seen.head, seen.then)):
            self.set_back = SetBack(believed, seen.head, reason)
            SET_BACK.inc()
            log.error("the book was set back", reason=reason)
            self.era = self._forget()
        return seen.moment
