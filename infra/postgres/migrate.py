"""Migrations go forward, each in a transaction, under a lock; what was applied must not change afterwards.

A migration is a folder ``migrations/NNNN_name`` of SQL files, one object a file, run in order of their names. It adds,
and releases before go on beside it. One that takes something away has a file ``needs``: which migration a release must
know, at the least, to do without it (docs/decisions/0028). Nobody waits behind one: it gives way to those who read.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import quote_ident

from infra.postgres import roles
from infra.postgres.connection import Connection, Database, Pool, read_sql, scalar
from infra.postgres.giving_way import GIVE_WAY, sooner_or_later

MIGRATIONS = Path(__file__).with_name("migrations")
APPLIED = "SELECT name, checksum, to_jsonb(m) ->> 'needs' FROM migration m"
"""Whether there is such a column or not."""

IN_THE_WAY = read_sql(Path(__file__).with_name("sql") / "in_the_way.sql")


class MigrationError(Exception):
    """The schema cannot be brought up to this version of the code."""


class OtherRelease(Exception):
    """There is no ledger, or it is of another release than this one can work with."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str
    needs: str | None

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


class Applied(NamedTuple):
    checksum: str
    needs: str | None


def migrations(folder: Path = MIGRATIONS) -> Iterator[Migration]:
    for step in sorted(path for path in folder.iterdir() if path.is_dir() and path.name[:4].isdigit()):
        needs = step / "needs"
        sql = "\n".join(read_sql(file) for file in sorted(step.glob("*.sql")))
        yield Migration(step.name, sql, needs.read_text().strip() if needs.exists() else None)


def migrate(
    database: Database, *, book_currency: str = "EUR", time_zone: str = "UTC", folder: Path = MIGRATIONS
) -> None:
    """Make the ledger or bring it up to date. Currency and time zone count only when it is made."""
    steps = list(migrations(folder))
    settled = (book_currency, time_zone)
    with closing(database.connect(name="grossbuch migrate", as_owner=True, autocommit=False)) as connection:
        while sooner_or_later(
            lambda: _go_on(connection, database, steps, settled),
            f"a migration of {database.schema}",
            lambda: in_the_way(database),
        ):
            pass


def is_made(database: Database) -> bool:
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        return bool(_applied(cursor, database))


def find(database: Database, folder: Path = MIGRATIONS) -> None:
    """OtherRelease unless there is a ledger that this release can work with as it is."""
    steps = list(migrations(folder))
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        applied = _applied(cursor, database)
    if not applied:
        raise OtherRelease(
            f"There is no ledger {database.schema} here (GROSSBUCH_LEDGER):"
            " `grossbuch up`, `import --new` or `migrate --new` make one."
        )
    if lacking := [step.name for step in _pending(applied, steps)]:
        raise OtherRelease(
            f"The ledger {database.schema} is of an earlier release, and lacks {', '.join(lacking)}:"
            " `grossbuch migrate`, `serve` or `up` of this release bring it up to date."
        )


def in_the_way(database: Database) -> Sequence[str]:
    """Who holds tables of the ledger, the oldest transaction first."""
    with closing(database.connect(as_owner=True)) as connection, connection.cursor() as cursor:
        cursor.execute(IN_THE_WAY, {"schemas": [database.schema, database.read_schema]})
        return [who for (who,) in cursor.fetchall()]


def _go_on(
    connection: Connection, database: Database, steps: Sequence[Migration], settled: tuple[str, str]
) -> Sequence[Migration]:
    """By one migration, or by all where nobody can be reading yet. Gives what is left to do; NOT_NOW."""
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"migrate {database.schema}",))
        applied = _applied(cursor, database)
        pending = _pending(applied, steps)
        roles.make(cursor, database)
        cursor.execute(f"SET LOCAL lock_timeout = '{GIVE_WAY}'")
        if applied:
            for step in pending[:1]:
                _apply(cursor, database, step)
            return pending[1:]
        _make(cursor, database)
        for step in pending:
            _apply(cursor, database, step)
        cursor.execute("INSERT INTO ledger (book_currency, time_zone) VALUES (%s, %s)", settled)
        return ()


def _applied(cursor: Cursor, database: Database) -> Mapping[str, Applied]:
    """Nothing, where there is no ledger."""
    cursor.execute("SELECT to_regclass(%s) IS NOT NULL", (f"{quote_ident(database.schema, cursor)}.migration",))
    if not scalar(cursor):
        return {}
    cursor.execute(APPLIED)
    return {name: Applied(*rest) for name, *rest in cursor.fetchall()}


def _pending(applied: Mapping[str, Applied], steps: Sequence[Migration]) -> Sequence[Migration]:
    """MigrationError, OtherRelease."""
    known = {step.name: step.checksum for step in steps}
    if changed := sorted(name for name, each in applied.items() if known.get(name, each.checksum) != each.checksum):
        raise MigrationError(f"Migrations were changed after they had been applied: {', '.join(changed)}.")
    needed = max(known, default="")
    if apart := sorted(name for name in applied.keys() - known.keys() if (applied[name].needs or "") > needed):
        raise OtherRelease(
            f"The ledger is of a later release, beside which this one cannot go on: it has {', '.join(apart)}."
        )
    return [step for step in steps if step.name not in applied]


def _make(cursor: Cursor, database: Database) -> None:
    cursor.execute("SELECT 1 FROM pg_namespace WHERE nspname = %s", (database.schema,))
    if not cursor.fetchone():  # IF NOT EXISTS would want the right to create, be it there or not
        cursor.execute(f"CREATE SCHEMA {quote_ident(database.schema, cursor)}")
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )


def _apply(cursor: Cursor, database: Database, step: Migration) -> None:
    cursor.execute(_named(step.sql, cursor, database))
    cursor.execute("INSERT INTO migration (name, checksum) VALUES (%s, %s)", (step.name, step.checksum))
    if step.needs:
        cursor.execute("UPDATE migration SET needs = %s WHERE name = %s", (step.needs, step.name))


def _named(sql: str, cursor: Cursor, database: Database) -> str:
    for name in ("schema", "read_schema", "service", "reader"):
        sql = sql.replace(f"{{{name}}}", quote_ident(getattr(database, name), cursor))
    return sql


@dataclass(frozen=True, slots=True)
class Ledger:
    """What was settled when the ledger was made."""

    book_currency: str
    time_zone: str
    identity: str
    """Which book this is, whatever it is called."""

    @classmethod
    def read(cls, pool: Pool) -> "Ledger":
        with pool.connection() as connection, connection.cursor() as cursor:
            return read_ledger(cursor)


def read_ledger(cursor: Cursor) -> Ledger:
    cursor.execute("SELECT book_currency, time_zone, identity::text FROM ledger")
    [(book_currency, time_zone, identity)] = cursor.fetchall()
    return Ledger(book_currency, time_zone, identity)
