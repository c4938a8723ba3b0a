"""Who moves tables or takes some away locks them, and gives way to those who read: he tries for a tenth of a second,
rests while the others go on, and tries again."""

from collections.abc import Callable, Sequence
from time import sleep
from typing import TypeVar

import psycopg2
import structlog
from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import Database

log = structlog.get_logger(__name__)

T = TypeVar("T")

GIVE_WAY = "100ms"
"""Well under PostgreSQL's deadlock_timeout, so that it is never a reader that is ended."""

SHORTEST, LONGEST, LONGER = 0.02, 2.0, 1.5
"""Seconds of rest between two tries, each so many times longer. Whoever wants to read during a try waits for its end,
so without rests readers would do nothing but wait for as long as one of them takes (tests/unit/test_giving_way.py).
Short at first: often it is one who has locked the tables in another order."""

NOT_NOW = psycopg2.errors.LockNotAvailable
"""Somebody reads the tables."""

HOLD = "SELECT pg_advisory_lock_shared(hashtextextended(%s, 1))"
LET_GO = "SELECT pg_advisory_unlock_shared(hashtextextended(%s, 1))"
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))"


def place(database: Database, projection: str) -> str:
    """What the advisory locks of its tables are called. One database may have several ledgers."""
    return f"{database.schema} {projection}"


def lock(cursor: Cursor, database: Database, projection: str) -> None:
    """Keeps the projection's tables where they are while the transaction lasts. Who reads several times shares it."""
    cursor.execute(LOCK, (place(database, projection),))


def sooner_or_later(attempt: Callable[[], T], what: str, in_the_way: Callable[[], Sequence[str]] = list) -> T:
    """What a try gives that is not NOT_NOW; after ever longer rests. If it takes long it is told once, with who is
    in the way."""
    rest = SHORTEST
    while True:
        try:
            return attempt()
        except NOT_NOW:
            if rest < LONGEST <= LONGER * rest:
                log.warning("waits for who reads", what=what, in_the_way=in_the_way())
            sleep(rest)
            rest = min(LONGER * rest, LONGEST)
