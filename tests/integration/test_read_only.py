"""The address leads to a server that takes no writes, as during a failover: nobody has to restart anything later."""

from collections.abc import Iterator
from contextlib import closing

import psycopg2
import pytest

from commands.ports import Unavailable
from infra.embedded.server import EmbeddedServer
from infra.postgres.connection import LOST, Database, Pool
from infra.postgres.migrate import migrate
from infra.postgres.writer import Writer
from tests.integration.failing_over import own_server, standby
from tests.integration.writing import ask, event, outcome, query, streams, until


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with own_server() as server:
        yield server


@pytest.fixture
def database(server: EmbeddedServer) -> Iterator[Database]:
    database = Database(server.dsn, "t")
    migrate(database)
    yield database
    query(Database(server.dsn), "DROP SCHEMA t CASCADE")
    query(Database(server.dsn), "DROP SCHEMA t_read CASCADE")


def take_no_writes(database: Database, *, yes: bool) -> None:
    query(database, f"ALTER SYSTEM SET default_transaction_read_only = {yes}")
    query(database, "SELECT pg_reload_conf()")
    until(lambda: query(database, "SHOW default_transaction_read_only") == [("on" if yes else "off",)])


@pytest.fixture
def read_only(database: Database) -> Iterator[None]:
    yield
    with psycopg2.connect(database.dsn) as connection, connection.cursor() as cursor:
        cursor.execute("SET default_transaction_read_only = off")
    take_no_writes(database, yes=False)


@pytest.mark.usefixtures("read_only")
def test_commands_wait_and_go_on_by_themselves(database: Database) -> None:
    with closing(Writer(database, patience=60)) as writer:
        assert outcome(ask(writer, event("s-1"), command_id="c-1")) == 1
        take_no_writes(database, yes=True)
        asked = ask(writer, event("s-2"), command_id="c-2")
        until(lambda: writer._lost_since is not None)
        take_no_writes(database, yes=False)
        assert outcome(asked) == 2
    assert streams(database) == ["s-1", "s-2"]


@pytest.mark.usefixtures("read_only")
def test_after_too_long_they_are_told_that_nobody_takes_them(database: Database) -> None:
    with closing(Writer(database, patience=60)) as writer:
        assert outcome(ask(writer, event("s-1"), command_id="c-1")) == 1
        take_no_writes(database, yes=True)
        writer._patience = 0.5
        assert outcome(ask(writer, event("s-2"), command_id="c-2")) is Unavailable
        take_no_writes(database, yes=False)
        writer._patience = 60
        assert outcome(ask(writer, event("s-2"), command_id="c-2")) == 2


@pytest.mark.usefixtures("read_only")
def test_a_connection_that_may_not_write_is_let_go_by_whoever_has_it(database: Database) -> None:
    with Pool(database) as pool:
        assert pool.read("INSERT INTO topic (name, partitions) VALUES ('a', 1) RETURNING name") == [("a",)]
        take_no_writes(database, yes=True)
        with pytest.raises(LOST):
            pool.read("UPDATE topic SET partitions = 2 RETURNING name")
        take_no_writes(database, yes=False)
        assert pool.read("UPDATE topic SET partitions = 2 RETURNING name") == [("a",)]


def test_a_standby_is_no_server_for_us(server: EmbeddedServer, database: Database) -> None:
    with standby(server) as copy:
        there = Database(copy.dsn, database.schema)
        with pytest.raises(psycopg2.OperationalError, match="read-only"):
            there.connect()
        server.stop()
        copy.promote()
        there.connect().close()
        server.start()
