"""Streams that a projection could not take: what waits of them, and how they are taken after all."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from psycopg2.extensions import cursor as Cursor

from consumers.ports import Delivered, Placed, Unacceptable
from consumers.projector import fold
from infra.partitions import partition_of
from infra.postgres.connection import read_sql
from infra.postgres.read_models import REFUSED, PostgresReadModels
from projections.projection import Projection
from projections.shapes import Shape

SQL = Path(__file__).with_name("sql")
WAITING = read_sql(SQL / "waiting.sql")
POSITIONS = "SELECT position FROM tracking WHERE consumer = %s ORDER BY partition"
ROWS = "SELECT projection, stream, order_key, version, position, error, parked_at FROM quarantine"
BLAME = "UPDATE quarantine SET error = %s WHERE projection = %s AND stream = %s"
LEAVE = "DELETE FROM quarantine WHERE projection = %s AND stream = %s"
NEXT = read_sql(SQL / "park_next.sql")
ONE = f"{ROWS} WHERE projection = %s AND stream = %s FOR UPDATE"


@dataclass(frozen=True, slots=True)
class Quarantined:
    """``version`` and ``position`` are of the first event not taken; ``waiting`` counts it and what follows."""

    projection: str
    stream: str
    partition: int
    version: int
    position: int
    waiting: int
    error: str
    parked_at: datetime


@dataclass(frozen=True, slots=True)
class Retried:
    """How many events were taken, and the error of the first that still could not be: it and what follows go on
    waiting."""

    taken: int
    error: str | None = None


class Quarantine:
    def __init__(self, read_models: PostgresReadModels) -> None:
        self._read_models = read_models

    def list(self, projection: str | None = None) -> Sequence[Quarantined]:
        """In the order in which they were parked."""
        with self._read_models.transaction() as cursor:
            cursor.execute(f"{ROWS} WHERE %s IS NULL OR projection = %s ORDER BY parked_at", (projection, projection))
            return [self._described(cursor, *row) for row in cursor.fetchall()]

    def show(self, projection: str, stream: str) -> Sequence[Delivered]:
        """The events that wait, in order; none if the stream is not parked."""
        with self._read_models.transaction() as cursor:
            cursor.execute(ONE, (projection, stream))
            row = cursor.fetchone()
            return self._waiting(cursor, *row[:4]) if row else []

    def retry(self, projection: Projection, stream: str) -> "Retried":
        """Take what waits, in order, each event in a transaction. Consumers that run meanwhile go on parking what is
        new, so nothing is taken before what precedes it."""
        taken = 0
        try:
            while self._take_first(projection, stream):
                taken += 1
        except Unacceptable as error:
            self._blame(projection, stream, str(error))
            return Retried(taken, str(error))
        return Retried(taken)

    def _take_first(self, projection: Projection, stream: str) -> bool:
        rows: dict[Shape, list[Placed]] = {}

        def taken(cursor: Cursor) -> bool:
            cursor.execute(f"{POSITIONS} FOR UPDATE", (projection.name,))
            cursor.execute(ONE, (projection.name, stream))
            row = cursor.fetchone()
            events = self._waiting(cursor, *row[:4]) if row else []
            if not events:
                cursor.execute(LEAVE, (projection.name, stream))
                return False
            rows.update(fold(projection, events[:1]))
            self._read_models.add(cursor, rows)
            given = {"projection": projection.name, "stream": stream, "version": events[0].version}
            cursor.execute(NEXT, given)
            return True

        try:
            return self._read_models.in_months(rows, taken)
        except REFUSED as error:
            raise Unacceptable(" ".join(str(error).split())) from error

    def _blame(self, projection: Projection, stream: str, error: str) -> None:
        with self._read_models.transaction() as cursor:
            cursor.execute(BLAME, (error, projection.name, stream))

    def _described(
        self,
        cursor: Cursor,
        projection: str,
        stream: str,
        order_key: str,
        version: int,
        position: int,
        error: str,
        parked_at: datetime,
    ) -> Quarantined:
        partitions = len(self._positions(cursor, projection))
        waiting = len(self._waiting(cursor, projection, stream, order_key, version))
        partition = partition_of(order_key, partitions)
        return Quarantined(projection, stream, partition, version, position, waiting, error, parked_at)

    def _waiting(
        self, cursor: Cursor, projection: str, stream: str, order_key: str, version: int
    ) -> Sequence[Delivered]:
        """What the projection has passed by. What is beyond comes by itself."""
        at = self._positions(cursor, projection)
        cursor.execute(WAITING, (stream, version, at[partition_of(order_key, len(at))]))
        return [Delivered._make(row) for row in cursor.fetchall()]

    def _positions(self, cursor: Cursor, projection: str) -> Sequence[int]:
        cursor.execute(POSITIONS, (projection,))
        return [position for (position,) in cursor.fetchall()]
