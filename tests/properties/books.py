"""Read models on a real PostgreSQL, filled from events that are at hand, and asked like the product asks them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg2.extensions import cursor as Cursor

from api.querying import Answer, ask
from consumers.ports import Delivered
from consumers.projector import Projector
from domain.aggregate import Entry
from domain.event import Event
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import Ledger
from infra.postgres.queries import Queries
from infra.postgres.read_models import PostgresReadModels
from infra.postgres.record import to_record
from infra.postgres.shape_sql import log_table
from projections import PROJECTIONS, QUERIES
from projections.shapes import Card, Register, Shape

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)


def delivered(position: int, event: Event, effective_at: datetime, stream: str = "", version: int = 1) -> Delivered:
    """An event as the feed would deliver it; what has position N became known N seconds after the beginning."""
    record = to_record(Entry(stream, version, event, effective_at, effective_at.date()))
    recorded_at = BEGINNING + timedelta(seconds=position)
    return Delivered(
        position,
        stream,
        version,
        event.type,
        event.version,
        effective_at.isoformat(),
        recorded_at.isoformat(),
        record.state.decode(),
    )


def entered(entries: Iterable[Entry]) -> list[Delivered]:
    return [
        delivered(position, entry.event, entry.effective_at, entry.originator_id, entry.originator_version)
        for position, entry in enumerate(entries, start=1)
    ]


@dataclass
class ListFeed:
    """A feed over a list. ``ends`` are how far it seems to go, look by look; ``again`` is how far it reaches back."""

    events: Sequence[Delivered]
    ends: Iterator[int] = field(default_factory=lambda: iter(()))
    again: int = 0

    def read(self, after: int, upto: int, types: Sequence[str]) -> Sequence[Delivered]:
        return [e for e in self.events if after - self.again < e.position <= upto and e.type in types]

    def end(self) -> int:
        last = self.events[-1].position if self.events else 0
        return min(next(self.ends, last), last)


class Books:
    def __init__(self, database: Database, pool: Pool) -> None:
        self.database = database
        self._pool = pool
        self._read_models = PostgresReadModels(database)
        self._read_models.prepare(PROJECTIONS)
        self._ledger = Ledger.read(pool)
        self._queries = Queries(pool)

    def close(self) -> None:
        self._read_models.close()

    def wipe(self) -> None:
        """Every read model is empty again, which is much cheaper than to make its tables again."""
        tables = [table for p in PROJECTIONS for shape in p.shapes for table in tables_of(shape)]
        with self.cursor() as cursor:
            cursor.execute("; ".join(f"DELETE FROM {table}" for table in tables) + "; UPDATE tracking SET position = 0")

    def project(self, events: Sequence[Delivered]) -> None:
        """All projections go on to the end of these events."""
        for projection in PROJECTIONS:
            Projector(projection, ListFeed(events), self._read_models).catch_up()

    def answer(self, path: str, **parameters: object) -> Answer | None:
        query = next(query for query in QUERIES if query.path == path)
        return ask(self._queries, self._ledger, query, query.parameters.model_validate(parameters))

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
        with self._pool.connection() as connection, connection.cursor() as cursor:
            yield cursor


def tables_of(shape: Shape) -> list[str]:
    """The tables in which a shape is kept."""
    match shape:
        case Register():
            return [log_table(shape), f"{shape.name}_turnover", f"{shape.name}_balance"]
        case Card():
            return [log_table(shape), shape.name]
    return [log_table(shape)]
