"""The head row is found by the index on its position, which passes over the versions kept for older transactions."""

from datetime import UTC, datetime
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor

POSITION = "SELECT max(position) AS position FROM head"

READ = "SELECT position, open_from FROM head ORDER BY position DESC LIMIT 1"

LOCK = f"{READ} FOR UPDATE"
"""Who holds it is the only one who appends."""

CLOSE = "UPDATE head SET open_from = greatest(open_from, %s)"

PROBE = "UPDATE head SET recorded_at = recorded_at WHERE position = %s"
"""Changes nothing, and is written all the same."""

SEE = """
SELECT position, recorded_at::text, (SELECT identity::text FROM ledger), open_from,
       greatest(recorded_at, clock_timestamp())::text, clock_timestamp(),
       (SELECT recorded_at::text FROM event WHERE event.position = $1)
  FROM head ORDER BY position DESC LIMIT 1
"""

PREPARE = f"PREPARE see_head (bigint) AS {SEE}; PREPARE lock_head (bigint) AS {SEE} FOR UPDATE"

BY_INDEX = "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off"
"""Plans are made while the head is one page, and kept: they must not rely on its staying so."""


class Head(NamedTuple):
    """Where a book ends, and which book it is. Times are the database's, as it writes them."""

    position: int
    recorded_at: str
    """When the event at the position was; no two histories have the same to the microsecond."""
    identity: str

    def contradicted_by(self, found: "Head", then: str | None) -> str | None:
        """Why what is ``found`` cannot be a later end of the book that ended here; None if it can. ``then`` is when the
        event that stands at this position now was recorded."""
        if found.identity != self.identity:
            return f"it is the book {found.identity}, and was {self.identity}"
        if found.position < self.position:
            return f"it ends at position {found.position}, and ended at {self.position}"
        if self.position and then != self.recorded_at:
            return f"what is at position {self.position} was recorded at {then}, and was at {self.recorded_at}"
        return None


class Seen(NamedTuple):
    """The head as it was found, and what was asked along with it."""

    head: Head
    open_from: str
    """Nothing that takes effect before is accepted; empty: no period has been closed. Such texts compare like times."""
    moment: str
    """When an append would be recorded now."""
    now: datetime
    then: str | None
    """When the event at the position that was asked for was recorded; None if there is none."""


def see(cursor: Cursor, position: int, *, locking: bool = False) -> Seen:
    """The statements must be prepared."""
    cursor.execute(f"EXECUTE {'lock_head' if locking else 'see_head'} (%s)", (position,))
    [(at, recorded_at, identity, open_from, moment, now, then)] = cursor.fetchall()
    opened = open_from.astimezone(UTC).isoformat() if open_from else ""
    return Seen(Head(at, recorded_at, identity), opened, moment, now, then)
