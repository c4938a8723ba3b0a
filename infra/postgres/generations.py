"""Generations of a projection: a new one is filled in a schema of its own beside the one that is read, and takes its
place in one transaction (tests/integration/test_generations.py).

The current one is always in the read schema under its plain names. A swap moves the tables of both; it locks them, so
each statement that reads sees the one or the other whole. It gives way after a tenth of a second to whoever reads, and
is tried again.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import structlog
from psycopg2.extensions import cursor as Cursor

from infra.postgres.connection import Database, read_sql, scalar
from infra.postgres.migrate import read_ledger
from infra.postgres.shape_sql import create_statements, drop_statements, late_names, late_statements, layout
from projections.projection import Projection
from projections.shapes import Shape

log = structlog.get_logger(__name__)

SQL = Path(__file__).with_name("sql")
OBJECTS = read_sql(SQL / "objects.sql")
SPREAD = read_sql(SQL / "spread.sql")
OF_TABLES = read_sql(SQL / "months" / "of_tables.sql")
LATEST = "SELECT number, version, layout, state FROM generation WHERE projection = %s ORDER BY number DESC LIMIT 1"
CURRENT = "SELECT number, objects, version, layout FROM generation WHERE projection = %s AND state = 'current'"
ADD = (
    "INSERT INTO generation (projection, number, version, layout, state, objects)"
    " VALUES (%s, %s, %s, %s, 'filling', %s)"
)
ADDED = "UPDATE generation SET objects = objects || %s::text[] WHERE projection = %s AND number = %s"
STATE = "UPDATE generation SET state = %s, ended_at = %s WHERE projection = %s AND number = %s"
POSITIONS = "SELECT position FROM tracking WHERE consumer = %s ORDER BY partition FOR UPDATE"
FORGET = "DELETE FROM tracking WHERE consumer = %s"
VERSION = (
    "INSERT INTO projection (name, version) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET version = excluded.version"
)

INVOLVED = """
SELECT state, objects FROM generation
 WHERE projection = %s AND (state = 'current' OR state = 'filling' AND number = %s)
"""
PATIENT = """
SELECT set_config('lock_timeout', (setting::int + 1000)::text, true) FROM pg_settings WHERE name = 'deadlock_timeout'
"""

GIVE_WAY = "100ms"
"""Well under PostgreSQL's deadlock_timeout, so that it is never a reader that is ended."""


@dataclass(frozen=True, slots=True)
class Generation:
    """One that is being filled."""

    projection: Projection
    number: int

    @property
    def consumer(self) -> str:
        """Under which name its progress is kept until it is current."""
        return f"{self.projection.name}/{self.number}"


@dataclass(frozen=True, slots=True)
class Kept:
    """A generation as the list tells it."""

    projection: str
    number: int
    version: int
    state: str


NOT_NOW = (psycopg2.errors.LockNotAvailable, psycopg2.errors.UndefinedTable)
"""Somebody reads the tables, or has just moved them."""


class Behind(Exception):
    """The new generation is not yet as far as the one that is read."""


class Generations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def schema(self, projection: str, number: int) -> str:
        return f"{self._database.schema}_{projection}_{number}"

    def begin(self, projection: Projection, partitions: int) -> Generation:
        """Empty, or the one of this version that is being filled already, in as many partitions as it has."""
        with self._transaction() as cursor:
            lock(cursor, projection.name)
            cursor.execute(LATEST, (projection.name,))
            number, *stands, state = cursor.fetchone() or (0, 0, 0, "")
            if state == "filling" and tuple(stands) == _due(projection):
                return Generation(projection, number)
            if state == "filling":
                self._drop(cursor, projection.name, number)
            new = Generation(projection, number + 1)
            self._create(cursor, new, partitions)
            return new

    def is_due(self, projection: Projection) -> bool | None:
        """Whether it is to be filled anew, as the current one is of another version or layout; None: there is none."""
        with self._transaction() as cursor:
            cursor.execute(CURRENT, (projection.name,))
            row = cursor.fetchone()
            return None if row is None else row[2:] != _due(projection)

    def adapt(self, projection: Projection) -> None:
        """Of an earlier layout: it may be asked as the later one is, while that is being filled."""
        with self._transaction() as cursor:
            lock(cursor, projection.name)
            cursor.execute(CURRENT, (projection.name,))
            number, *_, was = cursor.fetchone() or (0, 0)
            if was == layout(projection.shapes):
                return
            read = self._database.read_schema
            before = self._objects(cursor, read)
            cursor.execute(f"SET LOCAL search_path = {read}, {self._database.schema}")
            cursor.execute(f"SET LOCAL ROLE {self._database.service}")
            time_zone = read_ledger(cursor).time_zone
            for shape in projection.shapes:
                self._adapt(cursor, shape, time_zone)
            cursor.execute("RESET ROLE")
            made = set(self._objects(cursor, read)) - set(before)
            names = [name for shape in projection.shapes for name in late_names(shape)]
            added = [object for object in sorted(made) if re.split("[ (]", object)[1] in names]
            cursor.execute(ADDED, (added, projection.name, number))

    def swap(self, new: Generation) -> None:
        """Behind; NOT_NOW after GIVE_WAY, and nothing has happened then. Does nothing if it is current."""
        with self._transaction() as cursor:
            self._keep_vacuum_out(cursor, new)
            lock(cursor, new.projection.name)
            cursor.execute(CURRENT, (new.projection.name,))
            current = cursor.fetchone()
            if current and current[0] == new.number:
                return
            live, filled = (self._positions(cursor, each) for each in (new.projection.name, new.consumer))
            if current and not _reached(live, filled):
                raise Behind(new.projection.name)
            cursor.execute(f"SET LOCAL lock_timeout = '{GIVE_WAY}'")
            if current:
                self._move_out(cursor, new.projection.name, current[0], current[1])
            else:
                self._clear(cursor, new.projection)
            self._move_in(cursor, new)
            name = new.projection.name
            cursor.execute(FORGET, (name,))
            cursor.execute("UPDATE tracking SET consumer = %s WHERE consumer = %s", (name, new.consumer))
            if current and len(live) != len(filled):
                cursor.execute(SPREAD, {"consumer": name, "partitions": len(live), "position": filled[0]})
            cursor.execute("DELETE FROM quarantine WHERE projection = %s", (name,))
            cursor.execute("UPDATE quarantine SET projection = %s WHERE projection = %s", (name, new.consumer))
            cursor.execute(VERSION, (name, new.projection.version))

    def swap_soon(self, new: Generation) -> None:
        """Gives way as often as it must. Behind."""
        while True:
            try:
                return self.swap(new)
            except NOT_NOW:
                continue

    def list(self) -> Sequence[Kept]:
        with self._transaction() as cursor:
            cursor.execute("SELECT projection, number, version, state FROM generation ORDER BY projection, number")
            return [Kept(*row) for row in cursor.fetchall()]

    def drop(self, projection: str, number: int) -> None:
        """An old one, or one that is being filled."""
        with self._transaction() as cursor:
            self._drop(cursor, projection, number)

    def _create(self, cursor: Cursor, new: Generation, partitions: int) -> None:
        schema = self.schema(new.projection.name, new.number)
        cursor.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {self._database.service}")
        cursor.execute(f"SET LOCAL ROLE {self._database.service}")
        cursor.execute(f"SET LOCAL search_path = {schema}, {self._database.schema}")
        time_zone = read_ledger(cursor).time_zone
        for shape in new.projection.shapes:
            for statement in create_statements(shape, time_zone):
                cursor.execute(statement)
        cursor.execute(ADD, (new.projection.name, new.number, *_due(new.projection), self._objects(cursor, schema)))
        cursor.execute(SPREAD, {"consumer": new.consumer, "partitions": partitions, "position": 0})
        cursor.execute("RESET ROLE")

    def _adapt(self, cursor: Cursor, shape: Shape, time_zone: str) -> None:
        """Unless it has been; or has other columns: then it cannot be asked until the later one is read."""
        cursor.execute("SAVEPOINT adapting")
        try:
            for statement in late_statements(shape, time_zone):
                cursor.execute(statement)
        except psycopg2.errors.DuplicateTable:
            cursor.execute("ROLLBACK TO SAVEPOINT adapting")
        except psycopg2.ProgrammingError as error:
            cursor.execute("ROLLBACK TO SAVEPOINT adapting")
            log.info("not adapted", table=shape.name, error=str(error).strip())

    def _objects(self, cursor: Cursor, schema: str) -> Sequence[str]:
        cursor.execute(OBJECTS, {"schema": schema})
        return [object for (object,) in cursor.fetchall()]

    def _positions(self, cursor: Cursor, consumer: str) -> Sequence[int]:
        cursor.execute(POSITIONS, (consumer,))
        return [position for (position,) in cursor.fetchall()]

    def _keep_vacuum_out(self, cursor: Cursor, new: Generation) -> None:
        """Autovacuum may have many minutes to go, and gives way to who waits longer than deadlock_timeout. Nobody who
        reads or writes has to wait for this lock, nor it for them."""
        cursor.execute(INVOLVED, (new.projection.name, new.number))
        involved = cursor.fetchall()
        schemas = {"current": self._database.read_schema, "filling": self.schema(new.projection.name, new.number)}
        tables = [f"{schemas[state]}.{table}" for state, objects in involved for table in _tables(objects)]
        cursor.execute(PATIENT)
        cursor.execute(f"LOCK TABLE {', '.join(tables)} IN SHARE UPDATE EXCLUSIVE MODE")

    def _move_out(self, cursor: Cursor, projection: str, number: int, objects: Sequence[str]) -> None:
        read = self._database.read_schema
        cursor.execute(f"LOCK TABLE {', '.join(f'{read}.{table}' for table in _tables(objects))}")
        self._move(cursor, objects, read, self.schema(projection, number))
        cursor.execute(STATE, ("old", "now", projection, number))

    def _clear(self, cursor: Cursor, projection: Projection) -> None:
        """Of what was there before there were generations."""
        cursor.execute(f"SET LOCAL search_path = {self._database.read_schema}")
        for shape in projection.shapes:
            for statement in drop_statements(shape):
                cursor.execute(statement)
        cursor.execute(f"SET LOCAL search_path = {self._database.schema}, {self._database.read_schema}")

    def _move_in(self, cursor: Cursor, new: Generation) -> None:
        name = new.projection.name
        cursor.execute("SELECT objects FROM generation WHERE projection = %s AND number = %s", (name, new.number))
        self._move(cursor, scalar(cursor), self.schema(name, new.number), self._database.read_schema)
        cursor.execute(STATE, ("current", None, name, new.number))

    def _move(self, cursor: Cursor, objects: Sequence[str], source: str, target: str) -> None:
        """And the months of its tables: there are no new ones once these are locked."""
        for object in objects:
            kind, _, name = object.partition(" ")
            cursor.execute(f"ALTER {kind} {source}.{name} SET SCHEMA {target}")
        cursor.execute(OF_TABLES, {"tables": _tables(objects), "schema": source})
        for (month,) in cursor.fetchall():
            cursor.execute(f"ALTER TABLE {source}.{month} SET SCHEMA {target}")

    def _drop(self, cursor: Cursor, projection: str, number: int) -> None:
        cursor.execute(
            "DELETE FROM generation WHERE projection = %s AND number = %s AND state <> 'current'", (projection, number)
        )
        if cursor.rowcount:
            cursor.execute(f"DROP SCHEMA {self.schema(projection, number)} CASCADE")
            consumer = f"{projection}/{number}"
            cursor.execute(FORGET, (consumer,))
            cursor.execute("DELETE FROM quarantine WHERE projection = %s", (consumer,))

    @contextmanager
    def _transaction(self) -> Iterator[Cursor]:
        """As the owner, who may make schemas."""
        connection = self._database.connect(name="grossbuch generations", as_owner=True, autocommit=False)
        try:
            with connection, connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()


def _reached(live: Sequence[int], filled: Sequence[int]) -> bool:
    """Whether the new one is as far: partition by partition, or, in another number of them, at one position beyond."""
    if len(filled) == len(live):
        return all(new >= old for new, old in zip(filled, live, strict=True))
    return len(set(filled)) == 1 and filled[0] >= max(live)


def _tables(objects: Sequence[str]) -> list[str]:
    return [object.removeprefix("TABLE ") for object in objects if object.startswith("TABLE ")]


def _due(projection: Projection) -> tuple[int, int]:
    """Version and layout."""
    return projection.version, layout(projection.shapes)


def lock(cursor: Cursor, projection: str) -> None:
    """Keeps the projection's tables where they are while the transaction lasts; who reads several times shares it."""
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))", (projection,))
