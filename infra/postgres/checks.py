"""The invariants of read models: each is an SQL file in ``checks/`` that gives the cells by which it is broken.

``book`` hold for the book itself; ``log``, ``register``, ``history`` and ``card`` for every such table, ``figures`` for
what a projection's queries answer. All of a projection are looked at in one snapshot, whatever is written meanwhile;
its tables stay where they are so long (tests/integration/test_checks.py).
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from infra.postgres import digests, head
from infra.postgres.connection import Database, read_sql, scalar
from infra.postgres.giving_way import HOLD, LET_GO, place
from infra.postgres.migrate import read_ledger
from infra.postgres.shape_sql import filled
from projections import QUERIES
from projections.projection import Projection
from projections.shapes import Shape

CHECKS = Path(__file__).with_name("checks")
BOOK = "book"
"""In the place of a projection."""

FIRST = 10
"""Events of a violation that are told."""

BEGIN = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
REACHED = """
SELECT p.version, min(t.position) FROM projection p JOIN tracking t ON t.consumer = p.name
 WHERE p.name = %s GROUP BY p.version
"""
ONE_CORE = "SET max_parallel_workers_per_gather = 0"
OF_EACH_PIPELINE = {"%(pipeline)s": "p.key"}


@dataclass(frozen=True, slots=True)
class Invariant:
    projection: str
    name: str
    sql: str

    @property
    def meaning(self) -> str:
        """The first line of its file."""
        return self.sql.partition("\n")[0].removeprefix("-- ")


@dataclass(frozen=True, slots=True)
class Violation:
    """A figure of a cell that is not what it must be; None: not there. ``positions`` are of the first events behind."""

    projection: str
    invariant: str
    cell: Mapping[str, Any]
    figure: str
    found: str | None
    expected: str | None
    positions: Sequence[int]

    @property
    def sentence(self) -> str:
        where = ", ".join(f"{name} {_said(value, '–')}" for name, value in self.cell.items())
        found, expected = _said(self.found, "not there"), _said(self.expected, "not there")
        events = f"events {', '.join(map(str, self.positions))}" if self.positions else "no events"
        broken = f"{self.projection} breaks {self.invariant} at {where}"
        return f"{broken}: {self.figure} is {found}, must be {expected}; {events}."


@dataclass(frozen=True, slots=True)
class Checked:
    """What came of an invariant: how many cells break it, and the first of them."""

    invariant: str
    meaning: str
    violated: int
    violations: Sequence[Violation]


@dataclass(frozen=True, slots=True)
class Report:
    """Of a projection, at its position. Nothing is checked of one that another version of the code has filled."""

    projection: str
    position: int
    checked: Sequence[Checked]
    seconds: float

    @property
    def violations(self) -> Sequence[Violation]:
        return [violation for checked in self.checked for violation in checked.violations]

    @property
    def violated(self) -> Mapping[str, int]:
        """How many cells, by invariant."""
        counts: dict[str, int] = {}
        for each in self.checked:
            counts[each.invariant] = counts.get(each.invariant, 0) + each.violated
        return counts

    def followed_by(self, later: "Report") -> "Report":
        """What else was checked of the projection."""
        checked = [*self.checked, *later.checked]
        return Report(self.projection, self.position, checked, self.seconds + later.seconds)


def _said(value: object, nothing: str) -> str:
    return nothing if value is None else str(value)


@cache
def invariants(projection: Projection) -> Sequence[Invariant]:
    """Of its tables, and of what its queries answer."""
    found = [(path, sql) for shape in projection.shapes for path, sql in _of_shape(shape)]
    found += [(path, _with_queries(read_sql(path))) for path in _files(f"figures/{projection.name}")]
    return [Invariant(projection.name, path.stem, sql) for path, sql in found]


@cache
def invariants_of_book() -> Sequence[Invariant]:
    return [Invariant(BOOK, path.stem, read_sql(path)) for path in _files(BOOK)]


def _of_shape(shape: Shape) -> Iterator[tuple[Path, str]]:
    files = [*_files("log"), *_files(type(shape).__name__.lower())]
    return zip(files, filled(shape, files), strict=True)


def _files(folder: str) -> list[Path]:
    return sorted((CHECKS / folder).glob("*.sql"))


def _with_queries(sql: str) -> str:
    """The SQL of queries where they are named, as it answers whoever asks."""
    texts = {query.sql: query.text for query in QUERIES}
    found = re.sub(r"\{(\w+)\}", lambda name: texts[name[1]], sql)
    for parameter, value in OF_EACH_PIPELINE.items():
        found = found.replace(parameter, value)
    return found


class Checks:
    """One connection, used by one thread; another may ``cancel``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._connection: Connection | None = None

    def book(self, most: int, progress: Callable[[int], object] = int) -> Report:
        """As ``run``, of the book itself; what was checked for the first time is held to that from now on."""
        started = perf_counter()
        with self._cursor() as cursor:
            cursor.execute(f"{ONE_CORE}; {BEGIN}")
            cursor.execute(head.POSITION)
            position = int(scalar(cursor))
            checked: list[Checked] = []
            for invariant in invariants_of_book():
                checked.append(_check(cursor, invariant, {"most": most}))
                progress(1)
            cursor.execute("COMMIT")
            if not any(each.violated for each in checked):  # else what is mended would be told as changed
                digests.keep(cursor, progress)
        return Report(BOOK, position, checked, perf_counter() - started)

    def run(self, projection: Projection, most: int, progress: Callable[[int], object] = int) -> Report:
        """One invariant after the other; of each the first ``most`` violations. ``progress`` is told of each."""
        started = perf_counter()
        with self.snapshot(projection) as cursor:
            cursor.execute(REACHED, (projection.name,))
            version, position = cursor.fetchone() or (0, 0)
            checked: list[Checked] = []
            given = _given(cursor, projection, most)
            for invariant in invariants(projection):
                if version == projection.version:
                    checked.append(_check(cursor, invariant, given))
                progress(1)
        return Report(projection.name, position, checked, perf_counter() - started)

    def cancel(self) -> None:
        """Whatever is being looked at ends with an error."""
        if (connection := self._connection) and not connection.closed:
            connection.cancel()

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    @contextmanager
    def snapshot(self, projection: Projection) -> Iterator[Cursor]:
        """In which its tables stay where they are."""
        with self._cursor() as cursor:
            cursor.execute(ONE_CORE)
            # Before the snapshot, so that a swap that it waits for is in it. By this lock swaps take turns; waiting for
            # it, unlike for the tables, they do not hold up who reads.
            cursor.execute(HOLD, (place(self._database, projection.name),))
            cursor.execute(BEGIN)
            yield cursor
            cursor.execute("COMMIT")
            cursor.execute(LET_GO, (place(self._database, projection.name),))

    @contextmanager
    def _cursor(self) -> Iterator[Cursor]:
        if self._connection is None or self._connection.closed:
            self._connection = self._database.connect(name="grossbuch check")
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except BaseException:
            self._connection.close()  # and with it all locks go
            raise


def _given(cursor: Cursor, projection: Projection, most: int) -> Mapping[str, Any]:
    """What the files may use, and the parameters of the queries that are in them: as of now, by all that is known."""
    ledger = read_ledger(cursor)
    now = datetime.now(UTC)
    group_by = {"stock": ["product", "warehouse"]}.get(projection.name, [])
    return {
        "projection": projection.name,
        "most": most,
        "first": FIRST,
        **dict.fromkeys(("as_of", "known_at", "opened_from", "opened_to"), None),
        **dict.fromkeys(("client", "counterparty", "currency", "product", "warehouse", "lot"), None),
        "moment": now,
        "on": now.astimezone(ZoneInfo(ledger.time_zone)).date(),
        "by": "counterparty",
        "group_by": group_by,
        "time_zone": ledger.time_zone,
        "book_currency": ledger.book_currency,
    }


def _check(cursor: Cursor, invariant: Invariant, given: Mapping[str, Any]) -> Checked:
    cursor.execute(invariant.sql, given)
    rows = cursor.fetchall()
    violations = [Violation(invariant.projection, invariant.name, *row[1:]) for row in rows]
    return Checked(invariant.name, invariant.meaning, rows[0][0] if rows else 0, violations)


def as_json(violation: Violation) -> Mapping[str, Any]:
    return {**asdict(violation), "sentence": violation.sentence}
