"""One append: requests laid out as columns, sent in one round trip; and what the ledger holds of their keys."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import orjson
from psycopg2 import DataError
from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import read_sql, scalar
from infra.postgres.record import Record

SQL = Path(__file__).with_name("sql")
SEPARATOR = "\x1f"

APPEND = read_sql(SQL / "append.sql")
TAKEN = read_sql(SQL / "taken.sql")
KNOWN = read_sql(SQL / "known.sql")

Row = tuple[str, str, str, str, str, str, str, str, str]


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
    answered: bool = False

    def answer(self, result: int | Exception) -> None:
        """Once only. A caller that cannot take its answer any more, its event loop being closed, must not matter."""
        if not self.answered:
            self.answered = True
            with suppress(RuntimeError):
                self.done(result)

    def keys(self) -> Iterable[tuple[str, str]]:
        """What must be unique: stream versions, claims and command ids."""
        for row in self.rows:
            yield row[0], row[1]
            if row[8]:
                yield row[8], "claims"
        for command in self.commands:
            yield command.id, "command"


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


def _text(state: bytes) -> str:
    try:
        return state.decode()
    except UnicodeDecodeError as error:
        raise DataError("payloads are UTF-8 text; what is secret is encrypted field by field") from error


def append(cursor: Cursor, expected: int, moment: datetime, requests: Sequence[Request], then: str = "") -> bool:
    """Append after ``expected``; False if the head is elsewhere, and then nothing was done.

    ``then`` is SQL that goes along in the same round trip, and hides the answer.
    """
    columns = [_join(column) for column in zip(*(row for request in requests for row in request.rows), strict=True)]
    ids: list[str] = []
    digests: list[str] = []
    firsts: list[str] = []
    counts: list[str] = []
    size = 0
    for request in requests:
        for command in request.commands:
            ids.append(command.id)
            digests.append(command.digest)
            firsts.append(str(size + command.first))
            counts.append(str(command.count))
        size += len(request.rows)
    cursor.execute(APPEND + then, (expected, size, moment, *columns, *map(_join, (ids, digests, firsts, counts))))
    return bool(then) or scalar(cursor) is not None


def _join(column: Sequence[str]) -> str:
    joined = SEPARATOR.join(column)
    if joined.count(SEPARATOR) >= max(1, len(column)):
        raise DataError("the unit separator (0x1F) may not be part of an event")
    return joined


def taken(cursor: Cursor, requests: Sequence[Request]) -> set[tuple[str, str]]:
    """Those keys of the requests that the ledger holds already."""
    streams = [(row[0], row[1]) for request in requests for row in request.rows]
    claims = [row[8] for request in requests for row in request.rows if row[8]]
    ids = [command.id for request in requests for command in request.commands]
    versions = [int(version) for _, version in streams]
    cursor.execute(TAKEN, ([stream for stream, _ in streams], versions, claims, ids))
    return {(key, kind) for key, kind in cursor.fetchall()}


def committed_at(cursor: Cursor, request: Request) -> int | None:
    """Where a request stands if a lost connection has committed it; None if it has not, or if others used its ids."""
    cursor.execute(KNOWN, ([command.id for command in request.commands],))
    known = {id: (digest, first, count) for id, digest, first, count in cursor.fetchall()}
    if len(known) < len(request.commands):
        return None
    base: int = known[request.commands[0].id][1] - request.commands[0].first
    ours = all(known[c.id] == (c.digest, base + c.first, c.count) for c in request.commands)
    return base if ours else None
