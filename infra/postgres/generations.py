"""Generations of a projection: a new one is filled in a schema of its own beside the one that is read, and takes its
place in one transaction (tests/integration/test_generations.py).

The current one is always in the read schema under its plain names. A swap moves the tables of both; it locks them, so
each statement that reads sees the one or the other whole.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import psycopg2
import structlog
from psycopg2.extensions import cursor as Cursor

from infra.postgres import moving
from infra.postgres.connection import Database, Pool, read_sql
from infra.postgres.giving_way import GIVE_WAY, lock, sooner_or_later
from infra.postgres.migrate import OtherRelease, read_ledger
from infra.postgres.shape_sql import create_statements, drop_statements, late_names, late_statements, layout
from projections.projection import Projection
from projections.shapes import Shape

log = structlog.get_logger(__name__)

SQL = Path(__file__).with_name("sql")
SPREAD = read_sql(SQL / "spread.sql")
LATEST = "SELECT number, version, layout, state FROM generation WHERE projection = %s ORDER BY number DESC LIMIT 1"
CURRENT = "SELECT number, objects, version, layout FROM generation WHERE projection = %s AND state = 'current'"
ALL_CURRENT = "SELECT projection, version, layout FROM generation WHERE state = 'current'"
ONE = "SELECT state, objects FROM generation WHERE projection = %s AND number = %s"
ADD = (
    "INSERT INTO generation (projection, number, version, layout, state, objects, ledger)"
    " SELECT %s, %s, %s, %s, 'filling', %s, identity FROM ledger"
)
ADDED = "UPDATE generation SET objects = objects || %s::text[] WHERE projection = %s AND number = %s"
STATE = "UPDATE generation SET state = %s, ended_at = %s WHERE projection = %s AND number = %s"
POSITIONS = "SELECT position FROM tracking WHERE consumer = %s ORDER BY partition FOR UPDATE"
FORGET = "DELETE FROM tracking WHERE consumer = %s"
VERSION = (
    "INSERT INTO projection (name, version) VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET version = excluded.version"
)


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


class Apart(NamedTuple):
    """Projections whose current generation is of an earlier release, and of a later one."""

    earlier: Sequence[str]
    later: Sequence[str]


class Behind(Exception):
    """The new generation is not yet as far as the one that is read."""


class Dropped(Exception):
    """The generation is no more, or not being filled any more."""


class LookedAt(Exception):
    """Somebody has made views of a generation's tables."""


class Generations:
    def __init__(self, database: Database) -> None:
        self._database = database

    def schema(self, projection: str, number: int) -> str:
        return f"{self._database.schema}_{projection}_{number}"

    def begin(self, projection: Projection, partitions: int) -> Generation:
        """Empty, or the one of this version that is being filled already, in as many partitions as it has."""
        with self._transaction() as cursor:
            lock(cursor, self._database, projection.name)
            cursor.execute(LATEST, (projection.name,))
            number, *stood, state = cursor.fetchone() or (0, 0, 0, "")
            if state == "filling" and tuple(stood) == stands(projection):
                return Generation(projection, number)
            if state == "filling":
                self._drop(cursor, projection.name, number)
            new = Generation(projection, number + 1)
            self._create(cursor, new, partitions)
            return new

    def find(self, projections: Iterable[Projection]) -> None:
        """OtherRelease unless there is one of each to be read."""
        with self._transaction() as cursor:
            cursor.execute(ALL_CURRENT)
            there = {name for name, *_ in cursor.fetchall()}
        if missing := [each.name for each in projections if each.name not in there]:
            raise OtherRelease(
                f"There are no read models {', '.join(missing)} yet: `grossbuch migrate`, `serve` or `up` make them."
            )

    def is_due(self, projection: Projection) -> bool | None:
        """Whether it is to be filled anew, as the current one is of an earlier version or layout; None: there is none.
        That of a later release stays: one that is started again beside it must not take it back."""
        with self._transaction() as cursor:
            current = _current(cursor, projection.name)
            return None if current is None else current.stands < stands(projection)

    def adapt(self, projection: Projection) -> None:
        """Of an earlier layout: it may be asked as the later one is, too, while that is being filled."""
        with self._transaction() as cursor:
            lock(cursor, self._database, projection.name)
            current = _current(cursor, projection.name)
            if current is None or current.stands[1] == layout(projection.shapes):
                return
            read = self._database.read_schema
            before = moving.objects(cursor, read)
            cursor.execute(f"SET LOCAL search_path = {read}, {self._database.schema}")
            cursor.execute(f"SET LOCAL ROLE {self._database.service}")
            time_zone = read_ledger(cursor).time_zone
            for shape in projection.shapes:
                self._adapt(cursor, shape, time_zone)
            cursor.execute("RESET ROLE")
            made = set(moving.objects(cursor, read)) - set(before)
            names = [name for shape in projection.shapes for name in late_names(shape)]
            added = [object for object in sorted(made) if re.split("[ (]", object)[1] in names]
            cursor.execute(ADDED, (added, projection.name, current.number))

    def is_current(self, new: Generation) -> bool:
        """False while it is being filled. Dropped."""
        with self._transaction() as cursor:
            return self._state(cursor, new)[0] == "current"

    def swap(self, new: Generation, *, whatever_is_read: bool = False) -> None:
        """Behind, unless ``whatever_is_read`` does not hold; Dropped; NOT_NOW after GIVE_WAY, and nothing has happened
        then. Does nothing if it is current."""
        name = new.projection.name
        with self._transaction() as cursor:
            moving.be_patient(cursor)
            lock(cursor, self._database, name)
            state, objects = self._state(cursor, new)
            if state == "current":
                return
            live, filled = (self._positions(cursor, each) for each in (name, new.consumer))
            old = _current(cursor, name)
            if old and not whatever_is_read and not _reached(live, filled):
                raise Behind(name)
            self._take_place(cursor, new, objects, old)
            if old:
                cursor.execute(STATE, ("old", "now", name, old.number))
            cursor.execute(STATE, ("current", None, name, new.number))
            cursor.execute(FORGET, (name,))
            cursor.execute("UPDATE tracking SET consumer = %s WHERE consumer = %s", (name, new.consumer))
            if old and len(live) != len(filled):
                cursor.execute(SPREAD, {"consumer": name, "partitions": len(live), "position": filled[0]})
            cursor.execute("DELETE FROM quarantine WHERE projection = %s", (name,))
            cursor.execute("UPDATE quarantine SET projection = %s WHERE projection = %s", (name, new.consumer))
            cursor.execute(VERSION, (name, new.projection.version))

    def swap_soon(self, new: Generation, *, whatever_is_read: bool = False) -> None:
        """Gives way as often as it must. Behind; Dropped."""
        swapped = partial(self.swap, new, whatever_is_read=whatever_is_read)
        sooner_or_later(swapped, f"generation {new.number} of {new.projection.name}")

    def list(self) -> Sequence[Kept]:
        with self._transaction() as cursor:
            cursor.execute("SELECT projection, number, version, state FROM generation ORDER BY projection, number")
            return [Kept(*row) for row in cursor.fetchall()]

    def refuse(self, new: Generation) -> None:
        """It differs from the one that is read: it is kept to be looked at, and the next one begins from the first
        event, for the code may have been mended meanwhile."""
        with self._transaction() as cursor:
            cursor.execute(STATE, ("refused", "now", new.projection.name, new.number))

    def drop(self, projection: str, number: int) -> None:
        """One that is not read. LookedAt."""
        with self._transaction() as cursor:
            lock(cursor, self._database, projection)
            self._drop(cursor, projection, number)

    def _create(self, cursor: Cursor, new: Generation, partitions: int) -> None:
        schema = self.schema(new.projection.name, new.number)
        cursor.execute(f"CREATE SCHEMA {schema} AUTHORIZATION {self._database.service}")
        cursor.execute(f"SET LOCAL ROLE {self._database.service}")
        cursor.execute(f"SET LOCAL search_path = {schema}, {self._database.schema}")
        time_zone = read_ledger(cursor).time_zone
        for shape in new.projection.shapes:
            for statement in create_statements(shape, time_zone, self._database.read_schema):
                cursor.execute(statement)
        cursor.execute(ADD, (new.projection.name, new.number, *stands(new.projection), moving.objects(cursor, schema)))
        cursor.execute(SPREAD, {"consumer": new.consumer, "partitions": partitions, "position": 0})
        cursor.execute("RESET ROLE")

    def _adapt(self, cursor: Cursor, shape: Shape, time_zone: str) -> None:
        """What is there stays: the release that made it goes on asking it. Of other columns it cannot be asked by this
        one until the later generation is read."""
        for statement in late_statements(shape, time_zone, self._database.read_schema):
            cursor.execute("SAVEPOINT adapting")
            try:
                cursor.execute(statement)
            except psycopg2.errors.DuplicateFunction:
                cursor.execute("ROLLBACK TO SAVEPOINT adapting")
            except psycopg2.ProgrammingError as error:
                cursor.execute("ROLLBACK TO SAVEPOINT adapting")
                log.info("not adapted", table=shape.name, error=str(error).strip())

    def _positions(self, cursor: Cursor, consumer: str) -> Sequence[int]:
        cursor.execute(POSITIONS, (consumer,))
        return [position for (position,) in cursor.fetchall()]

    def _state(self, cursor: Cursor, new: Generation) -> tuple[str, Sequence[str]]:
        """And its objects. Dropped."""
        cursor.execute(ONE, (new.projection.name, new.number))
        state, objects = cursor.fetchone() or ("", ())
        if state not in ("filling", "current"):
            raise Dropped(f"Generation {new.number} of {new.projection.name} is not being filled any more.")
        return state, objects

    def _take_place(self, cursor: Cursor, new: Generation, objects: Sequence[str], old: "_Current | None") -> None:
        """Of the old one what is there: a table that somebody has dropped is just what the new one mends."""
        name, read = new.projection.name, self._database.read_schema
        source = self.schema(name, new.number)
        there = set(moving.objects(cursor, read))
        kept = [object for object in (old.objects if old else ()) if object in there]
        involved = [f"{read}.{table}" for table in moving.tables(kept)]
        moving.keep_vacuum_out(cursor, [*involved, *(f"{source}.{table}" for table in moving.tables(objects))])
        cursor.execute(f"SET LOCAL lock_timeout = '{GIVE_WAY}'")
        if involved:
            cursor.execute(f"LOCK TABLE {', '.join(involved)}")
        if old:
            away = self.schema(name, old.number)
            moving.move(cursor, kept, read, away)
            moving.move(cursor, objects, source, read)
            moving.grant_alike(cursor, away, read)
        else:
            self._clear(cursor, new.projection)
            moving.move(cursor, objects, source, read)

    def _clear(self, cursor: Cursor, projection: Projection) -> None:
        """Of what was there before there were generations."""
        cursor.execute(f"SET LOCAL search_path = {self._database.read_schema}")
        for shape in projection.shapes:
            for statement in drop_statements(shape):
                cursor.execute(statement)
        cursor.execute(f"SET LOCAL search_path = {self._database.schema}, {self._database.read_schema}")

    def _drop(self, cursor: Cursor, projection: str, number: int) -> None:
        cursor.execute(
            "DELETE FROM generation WHERE projection = %s AND number = %s AND state <> 'current'", (projection, number)
        )
        if cursor.rowcount:
            schema = self.schema(projection, number)
            if views := moving.dependents(cursor, schema):
                raise LookedAt(f"Generation {number} of {projection} is kept: {', '.join(views)} would go with it.")
            cursor.execute(f"DROP SCHEMA {schema} CASCADE")
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


def apart(pool: Pool, projections: Iterable[Projection]) -> Apart:
    current = {name: tuple(of) for name, *of in pool.read(ALL_CURRENT)}
    differing = [(current[each.name], stands(each), each.name) for each in projections if each.name in current]
    return Apart(
        [name for there, ours, name in differing if there < ours],
        [name for there, ours, name in differing if there > ours],
    )


def _reached(live: Sequence[int], filled: Sequence[int]) -> bool:
    """Whether the new one is as far: partition by partition, or, in another number of them, at one position beyond."""
    if len(filled) == len(live):
        return all(new >= old for new, old in zip(filled, live, strict=True))
    return len(set(filled)) == 1 and filled[0] >= max(live)


def stands(projection: Projection) -> tuple[int, int]:
    """Version and layout."""
    return projection.version, layout(projection.shapes)


class _Current(NamedTuple):
    """The one that is read; ``stands`` is its version and layout."""

    number: int
    objects: Sequence[str]
    stands: tuple[int, int]


def _current(cursor: Cursor, projection: str) -> _Current | None:
    cursor.execute(CURRENT, (projection,))
    row = cursor.fetchone()
    return _Current(row[0], row[1], row[2:]) if row else None
