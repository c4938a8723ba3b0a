"""How fast a place of a consumer moves while a transaction is held open, for which its versions are kept; against the
table as it was before the position was in its index.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from shutil import copytree, ignore_patterns

import psycopg2

from bench.measure import Row, rate, server, versus
from infra.postgres.connection import Connection, Database
from infra.postgres.generations import SPREAD
from infra.postgres.migrate import MIGRATIONS, migrate
from infra.postgres.read_models import ADVANCE

KEPT, MOVES = 20_000, 500
OF = {"projection": "given", "consumer": "given", "version": 1, "layout": 1, "partitions": 1}
EVENT = "i, 's', i, 't', 1, 's', now(), now(), '{}', '{}'"

_numbers = count(1)


def main() -> Iterator[Row]:
    with server() as dsn, tempfile.TemporaryDirectory() as directory:
        earlier = Path(directory) / "migrations"
        copytree(MIGRATIONS, earlier, ignore=ignore_patterns("0012_tracking"))
        yield versus(
            f"places moved per second, {KEPT:,} versions kept for an older transaction",
            lambda: moved(dsn, MIGRATIONS),
            lambda: moved(dsn, earlier),
            goal="stated",
            repeats=3,
        )


def moved(dsn: str, migrations: Path) -> float:
    database = Database(dsn, f"held{next(_numbers)}")
    migrate(database, folder=migrations)
    with closing(database.connect(as_owner=True)) as connection, held(database):
        connection.cursor().execute("SET synchronous_commit = off")
        connection.cursor().execute("INSERT INTO generation VALUES ('given', 1, 1, 'current', '{}')")
        connection.cursor().execute(f"INSERT INTO event SELECT {EVENT} FROM generate_series(1, {KEPT + MOVES}) i")
        connection.cursor().execute(SPREAD, {"consumer": "given", "partitions": 1, "position": 0})
        move(connection, 0, KEPT)
        return rate(MOVES, lambda: move(connection, KEPT, KEPT + MOVES))


def move(connection: Connection, first: int, last: int) -> None:
    with connection.cursor() as cursor:
        for position in range(first, last):
            of = {"partition": [0], "after": [position], "upto": [position + 1], "recorded_at": [None]}
            cursor.execute(ADVANCE, {**OF, **of})


@contextmanager
def held(database: Database) -> Iterator[None]:
    with closing(psycopg2.connect(database.dsn)) as older:
        older.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT")
        yield
