"""One append: requests laid out as columns, sent in one round trip; and what the ledger holds of their keys."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from time import monotonic

import orjson
import structlog
from psycopg2 import DataError
from psycopg2.extensions import cursor as Cursor

from domain.aggregate import Entry
from infra.postgres import head
from infra.postgres.connection import read_sql
from infra.postgres.head import Head
from infra.postgres.record import Record, to_json

SQL = Path(__file__).with_name("sql")
SEPARATOR = "\x1f"

APPEND = read_sql(SQL / "append.sql")
APPEND_ONE = read_sql(SQL / "append_one.sql")
TAKEN = read_sql(SQL / "taken.sql")
KNOWN = read_sql(SQL / "known.sql")

Row = tuple[str, str, str, str, str, str, str, str, str]
Key = tuple[str, str]
Applied = Mapping[str, tuple[str, int, int]]
"""By command id: digest, first position and number of events."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class CommandRow:
    """A command's id and digest, and which of its request's events are its own: ``count`` from ``first`` on."""

    id: str
    digest: str
    first: int
    count: int


@dataclass(slots=True, eq=False)
class Request:
    """What is committed together or not at all. ``done`` gets its first position, or why not."""

    rows: Sequence[Row]
    commands: Sequence[CommandRow]
    done: Callable[[int | Exception], object]
    open_from: datetime | None = None
    """Closes the periods before."""
    era: int | None = None
    """Of the cache on which it was decided; None: on none."""
    since: float = field(default_factory=monotonic)
    _unanswered: list[None] = field(default_factory=lambda: [None])
    _keys: set[Key] | None = None

    @property
    def answered(self) -> bool:
        return not self._unanswered

    @property
    def keys(self) -> set[Key]:
        """What must be unique: stream versions, claims and command ids."""
        if self._keys is None:
            self._keys = set(self._wanted())
        return self._keys

    @property
    def wants_twice(self) -> bool:
        return len(self.rows) > 1 and len(self.keys) < sum(1 for _ in self._wanted())

    def is_before(self, moment: str) -> bool:
        """Whether any of it takes effect before. Times are written in UTC, so they compare as text."""
        return any(row[5] < moment for row in self.rows)

    @property
    def size(self) -> int:
        """Bytes, more or less."""
        return sum([400 + len(row[7]) for row in self.rows])

    def _wanted(self) -> Iterator[Key]:
        for row in self.rows:
            yield row[:2]
            if row[8]:
                yield row[8], "claims"
        for command in self.commands:
            yield command.id, "command"

    def answer(self, result: int | Exception) -> None:
        """Once only, by whichever thread. A caller that cannot take its answer any more, its event loop being closed,
        must not matter."""
        try:
            self._unanswered.pop()
        except IndexError:
            return
        try:
            self.done(result)
        except Exception:
            log.exception("answer not taken")

    def position_in(self, known: Applied) -> int | None:
        """Where it stands, if all its commands are known and are its own: others may have used an id."""
        if not self.commands:
            return None
        first = self.commands[0]
        base = known[first.id][1] - first.first if first.id in known else 0
        ours = all(known.get(c.id) == (c.digest, base + c.first, c.count) for c in self.commands)
        return base if ours else None


def to_row(record: Record) -> Row:
    return (
        str(record.originator_id),
        str(record.originator_version),
        record.topic,
        str(record.schema_version),
        record.order_key or str(record.originator_id),
        record.effective_at.isoformat(),
        orjson.dumps(record.metadata).decode() if record.metadata else "{}",
        _text(record.state),
        record.claims,
    )


def entry_row(entry: Entry) -> Row:
    """The same as ``to_row(to_record(entry))``, without the record in between: every command comes along here."""
    event = entry.event
    return (
        entry.originator_id,
        str(entry.originator_version),
        event.type,
        str(event.version),
        entry.order_key or entry.originator_id,
        entry.effective_at.isoformat(),
        orjson.dumps(entry.metadata).decode() if entry.metadata else "{}",
        to_json(event).decode(),
        entry.claims,
    )


def _text(state: bytes) -> str:
    try:
        return state.decode()
    except UnicodeDecodeError as error:
        raise DataError("payloads are UTF-8 text; what is secret is encrypted field by field") from error


PARAMETERS = (
    *("expected", "believed", "size", "moment", "before_streams", "before_versions"),
    *("streams", "versions", "types", "schema_versions", "order_keys", "effective_ats", "metadatas", "payloads"),
    *("claims", "command_ids", "digests", "firsts", "counts"),
)
_NUMBERED = {name: f"${number}" for number, name in enumerate(PARAMETERS, start=1)}
_MARKS = ", ".join(["%s"] * len(PARAMETERS))

PREPARE = f"PREPARE append AS {APPEND % _NUMBERED}; PREPARE append_one AS {APPEND_ONE % _NUMBERED}; {head.PREPARE}"
"""Prepared once a connection, they need not be parsed and planned each time."""

EXECUTE, EXECUTE_ONE = f"EXECUTE append ({_MARKS})", f"EXECUTE append_one ({_MARKS})"


def append(
    cursor: Cursor, after: Head, requests: Sequence[Request], moment: str | None = None, then: str = ""
) -> str | None:
    """Append to a book that ends so; gives the time of recording, or None if it ends otherwise: then nothing was done.

    The statements must be prepared. ``moment`` is what time it is, if the database was asked before; ``then`` is SQL
    that goes along in the same round trip, and hides the answer.
    """
    rows = [row for request in requests for row in request.rows]
    events = [_join(column) for column in zip(*rows, strict=True)]
    commands = list(_commands(requests))
    statement = EXECUTE_ONE if len(rows) == 1 and len(commands) < 2 else EXECUTE
    applied = [_join(column) for column in zip(*commands, strict=True)] or ["", "", "", ""]
    before = [_join(column) for column in zip(*_before(rows), strict=True)] or ["", ""]
    believed = after.position, after.recorded_at, len(rows), moment
    cursor.execute(statement + then, (*believed, *before, *events, *applied))
    if then:
        return moment
    row = cursor.fetchone()
    return str(row[0]) if row else None


def _before(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    """What the book must have of the rows' streams already: the versions before theirs, of which none is a row."""
    versions: dict[str, int] = {}
    for stream, text, *_ in rows:
        version = int(text)
        if version > 1 and versions.get(stream) != version - 1:
            yield stream, str(version - 1)
        versions[stream] = version


def _commands(requests: Sequence[Request]) -> Iterator[tuple[str, str, str, str]]:
    before = 0
    for request in requests:
        for command in request.commands:
            yield command.id, command.digest, str(before + command.first), str(command.count)
        before += len(request.rows)


def _join(column: Sequence[str]) -> str:
    joined = SEPARATOR.join(column)
    if joined.count(SEPARATOR) >= len(column):
        raise DataError("the unit separator (0x1F) may not be part of an event")
    return joined


def taken(cursor: Cursor, requests: Sequence[Request]) -> set[Key]:
    """Those keys of the requests that the ledger holds already."""
    rows = [row for request in requests for row in request.rows]
    claims = [row[8] for row in rows if row[8]]
    ids = [command.id for request in requests for command in request.commands]
    cursor.execute(TAKEN, ([row[0] for row in rows], [int(row[1]) for row in rows], claims, ids))
    return set(cursor.fetchall())


def applied(cursor: Cursor, requests: Iterable[Request]) -> Applied:
    """Those commands of the requests that the ledger has applied."""
    cursor.execute(KNOWN, ([command.id for request in requests for command in request.commands],))
    return {id: (digest, first, count) for id, digest, first, count in cursor.fetchall()}
