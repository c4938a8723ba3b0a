"""Migrations go forward, each in a transaction, under a lock; what was applied must not change afterwards.

A migration is a folder ``migrations/NNNN_name`` of SQL files, one object a file, run in order of their names.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from psycopg2.extensions import cursor as Cursor
from psycopg2.extensions import quote_ident

from infra.postgres.connection import Database, Pool, read_sql

MIGRATIONS = Path(__file__).with_name("migrations")


class MigrationError(Exception):
    """The schema cannot be brought up to this version of the code."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return sha256(self.sql.encode()).hexdigest()


def migrations(folder: Path = MIGRATIONS) -> Iterator[Migration]:
    for step in sorted(path for path in folder.iterdir() if path.is_dir() and path.name[:4].isdigit()):
        yield Migration(step.name, "\n".join(read_sql(file) for file in sorted(step.glob("*.sql"))))


def migrate(
    database: Database, *, book_currency: str = "EUR", time_zone: str = "UTC", folder: Path = MIGRATIONS
) -> None:
    """Make the ledger or bring it up to date. Currency and time zone count only when it is made."""
    connection = database.connect(name="grossbuch migrate", as_owner=True, autocommit=False)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"migrate {database.schema}",))
            applied = _applied(cursor, database)
            _forward(cursor, database, applied, list(migrations(folder)))
            cursor.execute(
                "INSERT INTO ledger (book_currency, time_zone) VALUES (%s, %s) ON CONFLICT DO NOTHING",
                (book_currency, time_zone),
            )
    finally:
        connection.close()


def _applied(cursor: Cursor, database: Database) -> dict[str, str]:
    schema = quote_ident(database.schema, cursor)
    cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS migration (name text PRIMARY KEY, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT clock_timestamp())"
    )
    cursor.execute("SELECT name, checksum FROM migration")
    return dict(cursor.fetchall())


def _forward(cursor: Cursor, database: Database, applied: dict[str, str], steps: list[Migration]) -> None:
    known = {step.name: step.checksum for step in steps}
    if newer := sorted(applied.keys() - known.keys()):
        raise MigrationError(f"The ledger has migrations that this version does not know: {', '.join(newer)}.")
    if changed := sorted(name for name, checksum in applied.items() if known[name] != checksum):
        raise MigrationError(f"Migrations were changed after they had been applied: {', '.join(changed)}.")
    if not applied:
        _make_service_role(cursor, database)
    for step in steps:
        if step.name not in applied:
            cursor.execute(_named(step.sql, cursor, database))
            cursor.execute("INSERT INTO migration (name, checksum) VALUES (%s, %s)", (step.name, step.checksum))


def _make_service_role(cursor: Cursor, database: Database) -> None:
    """Roles belong to the server, not to the database: another ledger of this name may have made it already."""
    service = quote_ident(database.service, cursor)
    cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"role {database.service}",))
    cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (database.service,))
    if not cursor.fetchone():
        cursor.execute(f"CREATE ROLE {service} NOLOGIN")
    cursor.execute(f"GRANT {service} TO CURRENT_USER")


def _named(sql: str, cursor: Cursor, database: Database) -> str:
    for name in ("schema", "read_schema", "service"):
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
