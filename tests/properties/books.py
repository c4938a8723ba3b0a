"""Read models on a real PostgreSQL, filled from events that are at hand, and asked like the product asks them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from psycopg2.extensions import cursor as Cursor

from api.querying import Answer, ask
from consumers.ports import Batch, Delivered, Places
from consumers.projector import Projector
from domain.aggregate import Entry
from domain.event import Event
from infra.partitions import partition_of
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import Ledger
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.record import to_record
from infra.postgres.shape_sql import log_table
from projections import PROJECTIONS, QUERIES
from projections.projection import Projection
from projections.shapes import Card, Register, Shape
from tests.unregistered import Unregistered

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def delivered(
    position: int, event: Event, effective_at: datetime, stream: str = "", version: int = 1, order_key: str = ""
) -> Delivered:
    """An event as the feed would deliver it; what has position N became known N seconds after the beginning."""
    record = to_record(Entry(stream, version, event, effective_at, effective_at.date()))
    recorded_at = BEGINNING + timedelta(seconds=position)
    return Delivered(
        position,
        stream,
        version,
        event.type,
        event.version,
        order_key,
        effective_at.isoformat(),
        recorded_at.isoformat(),
        record.state.decode(),
    )


def entered(entries: Iterable[Entry]) -> list[Delivered]:
    return [
        delivered(
            position,
            entry.event,
            entry.effective_at,
            entry.originator_id,
            entry.originator_version,
            entry.order_key,
        )
        for position, entry in enumerate(entries, start=1)
    ]


@dataclass
class ListFeed:
    """A feed over a list, a few events at a time: ``sizes`` are how many positions each read covers, then all;
    ``turns`` in which partition, then in all."""

    events: Sequence[Delivered]
    partitions: int
    places: Places
    sizes: Iterator[int] = field(default_factory=lambda: iter(()))
    turns: Iterator[int] = field(default_factory=lambda: iter(()))
    at: dict[int, int] | None = None

    def read(self) -> Sequence[Batch]:
        if self.at is None:
            self.at = {partition: place.position for partition, place in self.places().items()}
        last = self.events[-1].position if self.events else 0
        size, turn = next(self.sizes, last), next(self.turns, None)
        chosen = range(self.partitions) if turn is None else [turn % self.partitions]
        batches = [self._batch(p, self.at[p], min(self.at[p] + size, last)) for p in chosen if self.at[p] < last]
        self.at |= {batch.partition: batch.upto for batch in batches}
        return [batch for batch in batches if batch.after < batch.upto]

    def rewind(self) -> None:
        self.at = None

    def close(self) -> None: ...

    def _batch(self, partition: int, after: int, upto: int) -> Batch:
        events = [e for e in self.events if after < e.position <= upto]
        return Batch(
            partition, after, upto, [e for e in events if partition_of(e.order_key, self.partitions) == partition]
        )


def projector(
    projection: Projection,
    events: Sequence[Delivered],
    read_models: PostgresReadModels,
    partitions: int = 1,
    sizes: Iterable[int] = (),
    turns: Iterable[int] = (),
) -> Projector:
    """Over a list of events, in batches of these sizes."""
    places = partial(read_models.places, projection, partitions)
    return Projector(
        projection, ListFeed(events, partitions, places, iter(sizes), iter(turns)), read_models, partitions
    )


MOST = 2_000
"""Events of the longest history that is made up."""

FILL = """
INSERT INTO event (position, stream, version, type, schema_version, order_key, recorded_at, effective_at, metadata,
                   payload)
SELECT n, 'filler', n, 'test.filler', 1, 'filler', %(beginning)s + n * interval '1 s', %(beginning)s, '{}', '{}'
  FROM generate_series(1, %(most)s) AS n
 WHERE NOT EXISTS (SELECT FROM event);
UPDATE head SET position = %(most)s, recorded_at = %(beginning)s + %(most)s * interval '1 s' WHERE position = 0
"""


def fill_book(pool: Pool) -> None:
    """Read models take what the book has; what is made up is not in it, so its positions are. A book that has events of
    its own is left as it is."""
    with pool.connection() as connection, connection.cursor() as cursor:
        cursor.execute(FILL, {"beginning": BEGINNING, "most": MOST})


class Books:
    def __init__(self, database: Database, pool: Pool) -> None:
        fill_book(pool)
        self.database = database
        self.pool = pool
        self._read_models = PostgresReadModels(database)
        self._read_models.prepare(PROJECTIONS)
        self._ledger = Ledger.read(pool)
        self.queries = Unregistered(pool)

    def close(self) -> None:
        self._read_models.close()

    def wipe(self, partitions: int = 1) -> None:
        """Every read model is empty again, which is much cheaper than to make its tables again."""
        if any(self._read_models.partitions(projection) != partitions for projection in PROJECTIONS):
            self._spread(partitions)
        tables = [table for p in PROJECTIONS for shape in p.shapes for table in tables_of(shape)]
        with self.cursor() as cursor:
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables) + "; UPDATE tracking SET position = 0")

    def _spread(self, partitions: int) -> None:
        with self.cursor() as cursor:
            cursor.execute("UPDATE tracking SET position = 0")
        for projection in PROJECTIONS:
            self._read_models.spread(projection, partitions)

    def project(self, events: Sequence[Delivered]) -> None:
        """All projections go on to the end of these events, and so does the book."""
        end = events[-1].position if events else 0
        with self.cursor() as cursor:
            cursor.execute("UPDATE head SET position = %s", (end,))
        for projection in PROJECTIONS:
            partitions = self._read_models.partitions(projection)
            projector(projection, events, self._read_models, partitions).catch_up(end)

    def answer(self, path: str, **parameters: object) -> Answer | None:
        query = next(query for query in QUERIES if query.path == path)
        return ask(self.queries, self._ledger, query, query.parameters.model_validate(parameters))

    def items(self, path: str, **parameters: object) -> list[dict[str, Any]]:
        """The whole of a list."""
        answer = self.answer(path, limit=100_000, **parameters)
        assert answer is not None
        assert answer.items is not None
        return [dict(item) for item in answer.items]

    def body(self, path: str, **parameters: object) -> Mapping[str, Any]:
        answer = self.answer(path, **parameters)
        assert answer is not None
        return answer.body

    def rows(self, sql: str, *given: object) -> list[tuple[Any, ...]]:
        with self.cursor() as cursor:
            cursor.execute(sql, given)
            return cursor.fetchall()

    @contextmanager
    def cursor(self) -> Iterator[Cursor]:
        with self.pool.connection() as connection, connection.cursor() as cursor:
            yield cursor


def tables_of(shape: Shape) -> list[str]:
    """The tables in which a shape is kept."""
    match shape:
        case Register():
            return [log_table(shape), f"{shape.name}_turnover", f"{shape.name}_balance"]
        case Card():
            return [log_table(shape), shape.name]
    return [log_table(shape)]
