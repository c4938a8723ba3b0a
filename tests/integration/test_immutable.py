"""An event is never changed, and never lost: by privilege and, for those whom privileges do not bind, by trigger."""

from collections.abc import Iterator

import psycopg2
import pytest
from psycopg2.errors import InsufficientPrivilege
from psycopg2.extensions import make_dsn

from infra.postgres.connection import Database
from infra.postgres.migrate import migrate
from infra.postgres.writer import Writer
from tests.integration.writing import as_superuser, ask, event, outcome, query

CHANGES = [
    f"{change} {table}{condition}"
    for table, column in (("event", "stream"), ("command", "digest"))
    for change, condition in (
        ("UPDATE", f" SET {column} = 'forged'"),
        ("DELETE FROM", ""),
        ("TRUNCATE", ""),
    )
]


@pytest.fixture
def owner(dsn: str) -> Iterator[str]:
    """An owner as in production: no superuser."""
    connection = psycopg2.connect(dsn)
    connection.autocommit = True
    with connection.cursor() as cursor:
        cursor.execute("CREATE ROLE owner LOGIN CREATEROLE; GRANT CREATE ON DATABASE grossbuch TO owner")
        yield make_dsn(dsn, user="owner")
        cursor.execute("DROP SCHEMA owned, owned_read CASCADE; DROP OWNED BY owned_service")
        cursor.execute("DROP OWNED BY owned_reader; DROP ROLE owned_service, owned_reader")
        cursor.execute("REVOKE CREATE ON DATABASE grossbuch FROM owner; DROP ROLE owner")
    connection.close()


@pytest.fixture
def owned(owner: str) -> Database:
    """A ledger with an event and a command in it."""
    database = Database(owner, "owned")
    migrate(database)
    writer = Writer(database)
    outcome(ask(writer, event("s-1"), command_id="c-1"))
    writer.close()
    return database


@pytest.mark.parametrize("change", CHANGES)
def test_the_service_may_not(owned: Database, change: str) -> None:
    _refused(owned, change, "permission denied")


@pytest.mark.parametrize("change", CHANGES)
def test_the_owner_may_not(owned: Database, change: str) -> None:
    _refused(owned, change, "permission denied", as_owner=True)


@pytest.mark.parametrize("change", CHANGES)
def test_an_owner_who_takes_the_right_back_is_stopped_by_the_trigger(owned: Database, change: str) -> None:
    grant = "GRANT UPDATE, DELETE, TRUNCATE ON event, command TO owner; "
    _refused(owned, grant + change, "events are never changed", as_owner=True)


@pytest.mark.parametrize("role", ["origin", "replica"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_superuser_is_stopped_by_the_trigger(database: Database, change: str, role: str) -> None:
    writer = Writer(database)
    outcome(ask(writer, event("s-1"), command_id="c-1"))
    writer.close()
    with as_superuser(database) as connection, connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = {role}")
        with pytest.raises(InsufficientPrivilege, match="events are never changed"):
            cursor.execute(change)
    assert query(database, "SELECT stream, digest FROM event, command") == [("s-1", "digest")]


def test_the_service_may_not_lift_the_protection(owned: Database) -> None:
    _refused(owned, "ALTER TABLE event DISABLE TRIGGER ALL", "must be owner")
    _refused(owned, "DROP TABLE event", "must be owner")
    _refused(owned, "DROP SCHEMA owned CASCADE", "must be owner")


def _refused(database: Database, statement: str, why: str, *, as_owner: bool = False) -> None:
    connection = database.connect(as_owner=as_owner)
    try:
        with connection.cursor() as cursor:
            with pytest.raises(InsufficientPrivilege, match=why):
                cursor.execute(statement)
            cursor.execute("SELECT stream, digest FROM event, command")
            assert cursor.fetchall() == [("s-1", "digest")]
    finally:
        connection.close()
