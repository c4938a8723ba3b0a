"""Runs the projections' queries: all that is in an answer is of one moment of the database."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

import psycopg2
from psycopg2.extensions import cursor as Cursor

from domain.refusal import Refusal
from infra.partitions import partition_of
from infra.postgres import head
from infra.postgres.connection import Pool, read_sql

Places = Mapping[str, Sequence[int]]
"""Where each projection stands, partition by partition."""

PAGE_BYTES = 4_000_000
"""Of rows, as text: a page ends there, though it might have more of them."""

PIECE_BYTES, PIECE_ROWS = 250_000, 250
"""What is read at once of a list that is read piece by piece, as far as rows seen so far tell how large they are."""

SQL = Path(__file__).with_name("sql")
ANSWER = read_sql(SQL / "answer.sql")
PROGRESS = "SELECT standing(%(answered_from)s) AS progress"
HOLD = "LOCK TABLE {tables} IN ACCESS SHARE MODE"
"""Unlike a question, this takes no snapshot yet."""

SCROLL = """SET LOCAL cursor_tuple_fraction = 1; DECLARE list NO SCROLL CURSOR FOR
SELECT page.*, octet_length(page::text) AS bytes FROM (
{sql}
) page"""
SIZES = ("goes_on", "bytes_before", "bytes")
"""What it tells of rows beside them."""

WITHIN = read_sql(SQL / "within.sql")
LAGS = read_sql(SQL / "lags.sql")
COMMIT = read_sql(SQL / "commit.sql")
PLACES = """
SELECT p.name, t.position FROM projection p CROSS JOIN LATERAL places(p.name) t ORDER BY p.name, t.partition
"""
POSITION_AT = read_sql(SQL / "position_at.sql")
END_OF = "SELECT end_of(%s, %s)"
BEGUN = """
SELECT stream FROM event
 WHERE stream = ANY (%(streams)s::text[]) AND version = 1 AND position <= coalesce(%(known_at)s, position)
"""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a projection is, and the ledger with it; and how many streams it could not take."""

    projection: str
    version: int
    position: int
    log_size: int
    quarantined: int
    furthest: int

    def of_this_book(self) -> Self:
        """Refusal ``ahead`` if it has what the book has not: no figure of it holds."""
        if self.furthest > self.log_size:
            message = f"The projection {self.projection} is at {self.furthest}, and the book ends at {self.log_size}."
            raise Refusal("ahead", message, position=self.furthest, log_size=self.log_size)
        return self

    def behind(self, wanted: int, **facts: int) -> Refusal:
        message = f"The projection {self.projection} is at {self.position}, not yet at {wanted}."
        return Refusal("behind", message, position=self.position, **facts)


@dataclass(frozen=True, slots=True)
class Lag(Progress):
    """And for how long the next event has been waiting for it."""

    behind_seconds: float

    @property
    def behind_events(self) -> int:
        return max(0, self.log_size - self.position)

    @property
    def ahead_events(self) -> int:
        """What it has, and the book has not."""
        return max(0, self.furthest - self.log_size)


def page(sql: str, order: Sequence[str], *, goes_on: bool) -> str:
    """A page of a list: takes ``after``, a place in the order, if it goes on from there, and ``most`` rows."""
    keys = ", ".join(order)
    where = f"WHERE ({keys}) > %(after)s" if goes_on else ""
    return f"SELECT * FROM (\n{sql}\n) list {where} ORDER BY {keys} LIMIT %(most)s"


def within(sql: str, order: Sequence[str]) -> str:
    """As many rows of a page as ``bytes`` hold, and one at least; the last with ``goes_on``, if there would be more."""
    return WITHIN.replace("{sql}", sql).replace("{keys}", ", ".join(order))


def bare(row: Mapping[str, Any]) -> dict[str, Any]:
    """Without what was told beside it."""
    return {name: cell for name, cell in row.items() if name not in SIZES}


AUDIT_EVENTS = within(read_sql(SQL / "audit_events.sql"), ["position"])


def narrowed(sql: str, narrowing: Mapping[str, str | None]) -> str:
    """Some of the rows of a list that have these cells, given by their names; and how many do, ``rows_found``."""
    cells = [f'"{name}" IS NULL' if cell is None else f'"{name}" = %({name})s' for name, cell in narrowing.items()]
    where = f"WHERE {' AND '.join(cells)}" if cells else ""
    return f"SELECT *, count(*) OVER () AS rows_found FROM (\n{sql}\n) list {where} LIMIT 100"


@contextmanager
def _refusing() -> Iterator[None]:
    """What shapes/register/5_whole.sql raises, and what takes too long, as refusals."""
    try:
        yield
    except psycopg2.errors.NoDataFound as error:
        facts = {"register": error.diag.table_name, "month": error.diag.message_detail}
        raise Refusal("detached", str(error.diag.message_primary), **facts) from error
    except psycopg2.errors.QueryCanceled as error:
        message = "This answer takes too long. Ask for less: for fewer days, or for one client or product."
        raise Refusal("too_slow", message) from error


class Queries:
    """``brief`` are connections for what is told in no time: how far things are. The others may be busy for long.
    ``now`` is the one clock for all that an answer is made of, and for its explanation."""

    def __init__(
        self, pool: Pool, brief: Pool | None = None, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self.now = now
        self._pool = pool
        self._brief = brief or pool
        self._commit = lru_cache(maxsize=1_000)(self._read_commit)
        self._end_of = lru_cache(maxsize=10_000)(self._read_end_of)

    @contextmanager
    def moment(self, holding: Iterable[str] = ()) -> Iterator["Answering"]:
        """One moment of the database, for as many questions as an answer needs. Those on projections, of which all logs
        are named, are of one generation, and of the same months: a swap, which moves all of a projection's tables or
        none, and whoever detaches give way."""
        with self._pool.connection() as connection, connection.cursor() as cursor:
            cursor.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            try:
                if tables := ", ".join(f"ONLY {table}" for table in holding):
                    cursor.execute(HOLD.format(tables=tables))
                yield Answering(cursor)
            finally:
                if not connection.closed:
                    cursor.execute("COMMIT")

    def answer(self, projection: str, sql: str, given: Mapping[str, Any]) -> tuple[Progress, list[dict[str, Any]]]:
        """The rows of a projection's query, and how far the projection is."""
        with _refusing():
            names, rows = self._pool.read_named(ANSWER.replace("{sql}", sql), {**given, "answered_from": projection})
        answer = [dict(zip(names[2:], row[2:], strict=True)) for row in rows if row[1]]
        return Progress(projection, *map(int, rows[0][0][1:-1].split(","))).of_this_book(), answer

    def progress(self, projection: str) -> Progress:
        [(progress,)] = self._brief.read(PROGRESS, {"answered_from": projection})
        return Progress(projection, *progress).of_this_book()

    def places(self) -> Places:
        found: dict[str, list[int]] = {}
        for consumer, position in self._brief.read(PLACES):
            found.setdefault(consumer, []).append(position)
        return found

    def has(self, projection: str, position: int, places: Places | None = None) -> bool:
        """Whether it has seen what was committed with the event at this position: the partitions of that commit have
        got there. The highest position seen would not do, nor would the lowest: some partitions stay idle."""
        at = (places or self.places())[projection]
        if min(at) >= position:
            return True
        commit = self._commit(position) if len(at) > 1 and position <= self.log_size() else {}
        return bool(commit) and all(at[partition_of(key, len(at))] >= last for key, last in commit.items())

    def _read_commit(self, position: int) -> dict[str, int]:
        return dict(self._brief.read(COMMIT, {"position": position}))

    def begun(self, streams: Iterable[str], known_at: int | None) -> frozenset[str]:
        """Those of which the book has, or had then, an event."""
        return frozenset(
            stream for (stream,) in self._brief.read(BEGUN, {"streams": list(streams), "known_at": known_at})
        )

    def position_at(self, moment: datetime) -> int:
        """The last position that was known at a time."""
        [(position,)] = self._pool.read(POSITION_AT, {"moment": moment})
        return int(position)

    def end_of(self, day: date, time_zone: str) -> datetime:
        """The last moment of a day. The database is asked once, and never Python: it may know other rules of time zones
        than those by which movements have been given their days (tests/properties/test_zones.py)."""
        return self._end_of(day, time_zone)

    def day_of(self, moment: datetime, time_zone: str) -> date:
        """Likewise. In no time zone is it another day than the day in UTC or one beside it."""
        around = moment.astimezone(UTC).date()
        days = (around + timedelta(days=days) for days in (-1, 0, 1))
        return next(day for day in days if moment <= self.end_of(day, time_zone))

    def _read_end_of(self, day: date, time_zone: str) -> datetime:
        [(moment,)] = self._pool.read(END_OF, (day, time_zone))
        assert isinstance(moment, datetime)
        return moment

    def lags(self) -> list[Lag]:
        """Of all projections."""
        names, rows = self._brief.read_named(LAGS)
        return [Lag(**dict(zip(names, row, strict=True))) for row in rows]

    def log_size(self) -> int:
        return int(self._brief.read(head.POSITION)[0][0])


@dataclass(frozen=True, slots=True)
class Answering:
    cursor: Cursor

    def log_size(self) -> int:
        [row] = self.rows(head.POSITION, {})
        return int(row["position"])

    def progress(self, projection: str) -> Progress:
        [row] = self.rows(PROGRESS, {"answered_from": projection})
        return Progress(projection, *row["progress"]).of_this_book()

    def rows(self, sql: str, given: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        with _refusing():
            self.cursor.execute(sql, given)
        return self._fetched()

    def scroll(self, sql: str, given: Mapping[str, Any]) -> Iterator[Sequence[dict[str, Any]]]:
        """The rows piece by piece, each with the ``bytes`` it has. Once in a moment."""
        with _refusing():
            self.cursor.execute(SCROLL.replace("{sql}", sql), given)
        largest = PIECE_BYTES
        while True:
            with _refusing():
                self.cursor.execute(f"FETCH {max(1, min(PIECE_BYTES // largest, PIECE_ROWS))} FROM list")
            if not (rows := self._fetched()):
                return
            largest = max(row["bytes"] for row in rows)
            yield rows

    def _fetched(self) -> list[dict[str, Any]]:
        names = [column.name for column in self.cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in self.cursor.fetchall()]

    def events(self, after: int, limit: int, stream: str | None, type: str | None) -> tuple[list[dict[str, Any]], bool]:
        """Records in order of position, as they are stored; and whether some are left for their size."""
        given = {"after": after, "limit": limit, "stream": stream, "type": type, "bytes": PAGE_BYTES}
        found = self.rows(AUDIT_EVENTS, given)
        return list(map(bare, found)), bool(found and found[-1]["goes_on"])
