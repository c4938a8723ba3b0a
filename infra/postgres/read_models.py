"""Read models on PostgreSQL: rows are copied, sums upserted and progress moved in one transaction."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from time import monotonic
from typing import TypeVar

import psycopg2
import structlog
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from consumers.ports import ANOTHER, Ahead, Batch, Moved, Overtaken, Parked, Place, Placed, Superseded, Unacceptable
from infra.postgres import connection as connections
from infra.postgres import head, months
from infra.postgres.connection import LOST, Database, read_sql, scalar
from infra.postgres.generations import POSITIONS, Behind, Dropped, Generation, Generations, stands
from infra.postgres.giving_way import LONGEST, NOT_NOW
from infra.postgres.one_rebuild import is_being_rebuilt
from infra.postgres.shape_sql import fold_statements, log_table
from projections.projection import Projection
from projections.shapes import Cell, Register, Shape

log = structlog.get_logger(__name__)

SQL = Path(__file__).with_name("sql")
ADVANCE, AHEAD = (read_sql(SQL / f"{name}.sql") for name in ("advance", "ahead"))
PLACES = read_sql(SQL / "places.sql")
PARK = read_sql(SQL / "park.sql")
SPREAD = read_sql(SQL / "spread.sql")
REACHED = "SELECT coalesce(min(position), 0), coalesce(max(position), 0), count(*) FROM places(%s)"
READ = "SELECT version, layout FROM generation WHERE projection = %s AND state = 'current'"
PARKED = "SELECT stream FROM quarantine WHERE projection = %s"
END_HUNG = read_sql(SQL / "end_hung.sql")
NAME = "grossbuch consumer"
COPIED = 1_048_576
"""Characters that are handed over at once: each time costs a wait for the interpreter, if another thread has it."""

LOG_COLUMNS = "position, line, effective_at, recorded_at, type"

STRANGE = (
    "SELECT g.ledger::text, l.identity::text FROM generation g, ledger l"
    " WHERE g.projection = %s AND g.number = coalesce(%s, g.number) AND g.ledger <> l.identity"
)

REFUSED = (psycopg2.DataError, psycopg2.IntegrityError)
"""The rows are at fault."""

MONTH, DAY, SECOND = len("2026-01"), len("2026-01-01"), len("2026-01-01 00:00:00")
"""Of times as text, which are all in UTC."""

T = TypeVar("T")

OUTRUN = (psycopg2.errors.DeadlockDetected, psycopg2.errors.SerializationFailure)
"""Nobody is at fault but the moment."""


class MonthMissing(Exception):
    """There is no table for a movement."""


class PostgresReadModels:
    """One connection, used by one thread: consumers share nothing. Of each projection the current generation is written
    to, or the one that is told by ``filling``, which is then nobody's to make current but the teller's."""

    def __init__(self, database: Database, filling: Iterable[Generation] = ()) -> None:
        self._database = database
        self._generations = Generations(database)
        self._filling = {each.projection.name: each for each in filling}
        self._settles: set[str] = set()
        self._rests_until = 0.0
        self._connection: Connection | None = None
        self._seen: set[tuple[str, str]] = set()

    def prepare(self, projections: Iterable[Projection], partitions: int = 1) -> None:
        """Make the tables of new projections. One whose version changed, or the layout of its tables, is filled
        anew beside the one that is read."""
        for projection in projections:
            due = self._generations.is_due(projection)
            if due is None:
                self._generations.swap_soon(self._generations.begin(projection, partitions))
            elif due:
                self._generations.adapt(projection)
                self._filling[projection.name] = self._generations.begin(projection, partitions)
                self._settles.add(projection.name)
                log.info("projection changed", projection=projection.name, version=projection.version)
        self.close()

    def settle(self, projection: Projection) -> bool:
        """At the end of the feed: a generation that was being filled is read from now on, if it is as far as the one
        that is read. True if so."""
        new = self._filling.get(projection.name)
        if new is None or projection.name not in self._settles or monotonic() < self._rests_until:
            return False
        try:
            self._generations.swap(new)
        except NOT_NOW:
            self._rests_until = monotonic() + LONGEST
            return False
        except (Behind, Dropped):
            return False
        log.info("generation is current", projection=projection.name, generation=new.number)
        self._settled(projection)
        return True

    def _settled(self, projection: Projection) -> None:
        self._filling.pop(projection.name, None)
        self.close()  # the next connection looks for tables where they are now

    def _find_anew(self, projection: Projection, partitions: int) -> None:
        """The progress of what was being filled is gone: another has made it current, or one after it; or somebody has
        dropped it, and whoever fills it on its own account begins again. Dropped."""
        try:
            is_read = self._generations.is_current(self._filling[projection.name])
        except Dropped:
            if projection.name not in self._settles:
                raise
            is_read = not self._generations.is_due(projection)
            if not is_read:
                self._filling[projection.name] = self._generations.begin(projection, partitions)
                self.close()
        if is_read:
            self._settled(projection)

    def _key(self, projection: Projection) -> str:
        """Under which name its progress is kept."""
        new = self._filling.get(projection.name)
        return new.consumer if new else projection.name

    def places(self, projection: Projection, partitions: int) -> Mapping[int, Place]:
        rows = self._places(projection)
        if not rows and projection.name in self._filling:
            self._find_anew(projection, partitions)
            rows = self._places(projection)
        if {of for _, of, *_ in rows} - {partitions}:
            raise Moved(f"{projection.name} follows {len(rows)} partitions, and not {partitions}")
        return {partition: Place(position, recorded_at) for partition, _, position, recorded_at in rows}

    def _places(self, projection: Projection) -> Sequence[tuple[int, int, int, str | None]]:
        with self.transaction() as cursor:
            cursor.execute(PLACES, (self._key(projection),))
            return cursor.fetchall()

    def position(self, projection: Projection) -> int:
        return self._reached(projection)[0]

    def furthest(self, projection: Projection) -> int:
        """Beyond here it has nothing."""
        return self._reached(projection)[1]

    def partitions(self, projection: Projection) -> int:
        """How many it follows."""
        return self._reached(projection)[2]

    def book_end(self) -> int:
        with self.transaction() as cursor:
            cursor.execute(head.POSITION)
            return int(scalar(cursor))

    def agrees(self, projection: Projection) -> None:
        """Ahead if it, or what is read of it meanwhile, has what the book has not."""
        end = self.book_end()
        with self.transaction() as cursor:
            for consumer in {projection.name, self._key(projection)}:
                cursor.execute(REACHED, (consumer,))
                if (furthest := cursor.fetchall()[0][1]) > end:
                    raise Ahead(f"{projection.name} is at position {furthest}, and the book ends at {end}: {ANOTHER}")

    def _reached(self, projection: Projection) -> tuple[int, int, int]:
        """Where the last and the first of its partitions are, and how many there are."""
        with self.transaction() as cursor:
            cursor.execute(REACHED, (self._key(projection),))
            least, greatest, partitions = cursor.fetchall()[0]
        return least, greatest, partitions

    def spread(self, projection: Projection, partitions: int) -> None:
        """Follow another number of partitions. Overtaken unless all that it follows now stand at one position."""
        with self.transaction() as cursor:
            cursor.execute(POSITIONS, (self._key(projection),))
            at = {position for (position,) in cursor.fetchall()}
            if len(at) != 1:
                raise Overtaken(projection.name)
            cursor.execute(SPREAD, {"consumer": self._key(projection), "partitions": partitions, "position": at.pop()})

    def is_filling(self, projection: Projection) -> bool:
        return projection.name in self._filling

    def is_being_rebuilt(self, projection: Projection) -> bool:
        if self.is_filling(projection) and not self._places(projection):
            self._find_anew(projection, 1)
        if not self.is_filling(projection):
            return False
        with self.transaction() as cursor:
            return is_being_rebuilt(cursor, self._database, projection)

    def parked(self, projection: Projection) -> frozenset[str]:
        with self.transaction() as cursor:
            return self._parked(cursor, projection)

    def write(
        self,
        projection: Projection,
        partitions: int,
        batches: Sequence[Batch],
        rows: Mapping[Shape, Sequence[Placed]],
        known: frozenset[str],
        parking: Iterable[Parked] = (),
    ) -> None:
        def written(cursor: Cursor) -> None:
            self._advance(cursor, projection, partitions, batches)
            if known != (parked := self._parked(cursor, projection)) and _concerns(batches, known ^ parked):
                raise Overtaken(projection.name)
            self.add(cursor, rows)
            for each in parking:
                cursor.execute(PARK, {"projection": self._key(projection), **each._asdict()})

        try:
            self.in_months(rows, written)
        except Overtaken:
            if projection.name in self._filling and not self._places(projection):
                self._find_anew(projection, partitions)
            raise
        except MonthMissing as error:
            raise Overtaken(projection.name) from error
        except REFUSED as error:
            raise Unacceptable(" ".join(str(error).split())) from error
        except OUTRUN as error:
            raise Overtaken(projection.name) from error
        except psycopg2.errors.LockNotAvailable as error:
            self._end_hung()
            raise Overtaken(projection.name) from error

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _advance(self, cursor: Cursor, projection: Projection, partitions: int, batches: Sequence[Batch]) -> None:
        names = "partition", "after", "upto", "recorded_at"
        moves = {name: [getattr(batch, name) for batch in batches] for name in names}
        version, layout = stands(projection)
        of = {"projection": projection.name, "version": version, "layout": layout, "partitions": partitions}
        cursor.execute(ADVANCE, {**moves, **of, "consumer": self._key(projection)})
        if cursor.rowcount != len(batches):
            self._is_of_this_release(cursor, projection)
            self._is_of_this_book(cursor, projection, moves)
            raise Overtaken(projection.name)

    def _is_of_this_release(self, cursor: Cursor, projection: Projection) -> None:
        """Superseded if not."""
        cursor.execute(READ, (projection.name,))
        if projection.name not in self._filling and cursor.fetchone() != stands(projection):
            raise Superseded(f"{projection.name} is read in the version of another release: end this process.")

    def _is_of_this_book(self, cursor: Cursor, projection: Projection, moves: Mapping[str, object]) -> None:
        """Ahead if not: neither what was brought nor what it is brought to may be another's."""
        cursor.execute(AHEAD, moves)
        for upto, is_missing, end in cursor.fetchall():
            how = "does not have it" if is_missing else "has something else there"
            raise Ahead(
                f"{projection.name} is brought position {upto}, and the book, which ends at {end}, {how}: {ANOTHER}"
            )
        new = self._filling.get(projection.name)
        cursor.execute(STRANGE, (projection.name, new.number if new else None))
        for theirs, ours in cursor.fetchall():
            raise Ahead(
                f"{projection.name} was filled from the ledger {theirs}, and this is the ledger {ours}: {ANOTHER}"
            )

    def _parked(self, cursor: Cursor, projection: Projection) -> frozenset[str]:
        cursor.execute(PARKED, (self._key(projection),))
        return frozenset(stream for (stream,) in cursor.fetchall())

    def in_months(self, rows: Mapping[Shape, Sequence[Placed]], work: Callable[[Cursor], T]) -> T:
        """Work that adds these rows, in a transaction. Months that were not seen before are made first; that one is
        missing nevertheless, for others have detached it, is told by the database."""
        try:
            self._make_months(rows, self._seen)
            with self.transaction() as cursor:
                return work(cursor)
        except MonthMissing:
            self._make_months(rows, set())
            with self.transaction() as cursor:
                return work(cursor)

    def _make_months(self, rows: Mapping[Shape, Sequence[Placed]], seen: set[tuple[str, str]]) -> None:
        """In transactions of their own, so that nobody waits for the work."""
        for register, placed in rows.items():
            if isinstance(register, Register):
                found = {event.effective_at[:MONTH] for event, _, _ in placed}
                unseen = {(register.name, month) for month in found} - seen
                if unseen:
                    with self.transaction() as cursor:
                        months.make(cursor, register, _ends_of_days(placed))
                    self._seen |= unseen

    def add(self, cursor: Cursor, rows: Mapping[Shape, Sequence[Placed]]) -> None:
        """Copy rows into their logs, and fold them into what is kept of the logs. MonthMissing."""
        for shape, placed in rows.items():
            if placed:
                self._copy(cursor, shape, placed)
                self._fold(cursor, shape, placed)

    def _copy(self, cursor: Cursor, shape: Shape, placed: Sequence[Placed]) -> None:
        lines = StringIO("".join(map(_line, placed)))
        columns = ", ".join(shape.columns)
        try:
            cursor.copy_expert(f"COPY {log_table(shape)} ({LOG_COLUMNS}, {columns}) FROM STDIN", lines, size=COPIED)
        except psycopg2.errors.CheckViolation as error:
            if error.diag.constraint_name:
                raise
            raise MonthMissing(log_table(shape)) from error

    def _fold(self, cursor: Cursor, shape: Shape, placed: Sequence[Placed]) -> None:
        given = _extent(placed)
        found: list[object] = []
        for statement in fold_statements(shape):
            cursor.execute(statement, {**given, "found": found})
            found = [row[0] for row in cursor.fetchall()] if cursor.description else []

    def _end_hung(self) -> None:
        """Others than ourselves: we do not copy at the moment (tests/integration/test_hung.py)."""
        connection = self._database.connect(name="grossbuch", as_owner=True)
        try:
            with connection.cursor() as cursor:
                cursor.execute(END_HUNG, {"name": NAME, "silent": connections.HUNG})
                if ended := scalar(cursor):
                    log.warning("consumers that hung were cut off", sessions=ended)
        finally:
            connection.close()

    @contextmanager
    def transaction(self) -> Iterator[Cursor]:
        if self._connection is None or self._connection.closed:
            places = [self._generations.schema(name, new.number) for name, new in self._filling.items()]
            self._connection = self._database.connect(name=NAME, autocommit=False, first=places)
            with self._connection, self._connection.cursor() as cursor:
                cursor.execute(f"SET lock_timeout = '{connections.HUNG}'")
        connection = self._connection
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        except LOST:
            connection.close()
            raise


def _concerns(batches: Sequence[Batch], streams: frozenset[str]) -> bool:
    return any(event.stream in streams for batch in batches for event in batch.events)


def _ends_of_days(placed: Sequence[Placed]) -> Iterable[str]:
    """Of each day the first and the last time that there is: the others are in their months."""
    ends: dict[str, list[str]] = {}
    for moment in sorted({event.effective_at for event, _, _ in placed}):
        ends.setdefault(moment[:DAY], [moment, moment])[1] = moment
    return {moment for both in ends.values() for moment in both}


def _extent(placed: Sequence[Placed]) -> Mapping[str, object]:
    """Between which positions and which whole seconds they lie: a topic and the store spell less than a second so
    differently that their texts are not in order (tests/integration/test_read_models.py)."""
    positions, seconds = zip(*[(event.position, event.effective_at[:SECOND]) for event, _, _ in placed], strict=True)
    least, greatest = f"{min(seconds)}+00", f"{max(seconds)}.999999+00"
    return {"first": min(positions), "last": max(positions), "least": least, "greatest": greatest}


def _line(placed: Placed) -> str:
    event, line, row = placed
    cells = "\t".join(map(_cell, row))
    return f"{event.position}\t{line}\t{event.effective_at}\t{event.recorded_at}\t{event.type}\t{cells}\n"


def _cell(cell: Cell) -> str:
    """A value in COPY's text form: a backslash, a tab or a line's end in it would be taken for COPY's own."""
    if cell is None:
        return "\\N"
    if not isinstance(cell, str):
        return str(cell)
    if "\\" in cell:
        cell = cell.replace("\\", "\\\\")
    if not cell.isprintable():
        cell = cell.replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
    return cell
