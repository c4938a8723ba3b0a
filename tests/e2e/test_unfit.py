"""A database that will not do is told in one line, whichever command meets it, and nothing is left half made."""

from contextlib import closing
from pathlib import Path

import psycopg2
import pytest

from infra.embedded.server import embedded
from infra.postgres.connection import Database
from infra.postgres.migrate import migrate
from tests.e2e.cli import Cli, run
from tests.integration.embedded.conftest import DEBIAN


def told(stderr: str) -> str:
    [line] = [line for line in stderr.splitlines() if line.startswith("grossbuch: ")]
    return line


@pytest.fixture(scope="module")
def latin(dsn: str) -> str:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE latin_books ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    return f"{dsn} dbname=latin_books"


@pytest.fixture(scope="module")
def stranger(dsn: str) -> str:
    with closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE ROLE stranger LOGIN")
        connection.cursor().execute("CREATE DATABASE closed_books; ")
        connection.cursor().execute("REVOKE CONNECT ON DATABASE closed_books FROM PUBLIC")
    return f"{dsn} user=stranger"


@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("check",), ("import", "wholesale")])
def test_a_database_in_latin1_is_told(cli: Cli, latin: str, command: tuple[str, ...]) -> None:
    done = run(*command, status=1, env={**cli.env, "DATABASE_URL": latin})
    assert "The database latin_books is in LATIN1" in told(done.stderr)


def test_a_user_who_may_not_make_a_ledger_is_told_what_to_have_done(cli: Cli, stranger: str) -> None:
    done = run("up", status=1, env={**cli.env, "DATABASE_URL": stranger})
    for role in (f'"{cli.ledger}_service"', f'"{cli.ledger}_reader"'):
        assert f'CREATE ROLE {role} NOLOGIN; GRANT {role} TO "stranger"' in told(done.stderr)


@pytest.mark.parametrize("command", ["check", "serve", "migrate"])
def test_so_is_one_who_may_not_act_for_a_ledger_that_is_there(cli: Cli, stranger: str, command: str) -> None:
    migrate(Database(cli.dsn, cli.ledger))
    done = run(command, status=1, env={**cli.env, "DATABASE_URL": stranger})
    assert f'GRANT "{cli.ledger}_service" TO "stranger"' in told(done.stderr)
    assert f'use the schema "{cli.ledger}", which belongs to "grossbuch"' in told(done.stderr)


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("dbname=none", 'database "none" does not exist'),
        ("user=none", 'role "none" does not exist'),
        ("user=stranger dbname=closed_books", "permission denied for database"),
        ("host=127.0.0.1 port=1", "Connection refused"),
    ],
)
def test_an_address_that_leads_nowhere_is_told(cli: Cli, stranger: str, address: str, words: str) -> None:
    assert stranger
    assert words in told(run("migrate", status=1, env={**cli.env, "DATABASE_URL": f"{cli.dsn} {address}"}).stderr)


def test_an_embedded_database_of_another_postgresql_is_taken_along(directory: Path) -> None:
    assert (DEBIAN / "postgres").exists(), "apt-get install postgresql-15"
    with embedded(directory, bin_dir=DEBIAN) as dsn:
        migrate(Database(dsn))
    assert "`grossbuch upgrade`" in told(run("migrate", "--data", str(directory), status=1).stderr)
    assert f"{directory}/data.15" in run("upgrade", "--data", str(directory)).stderr
    assert "of the PostgreSQL of this release" in run("upgrade", "--data", str(directory)).stderr
    assert run("export", "--data", str(directory), status=1)  # its read models are still to be made
    run("migrate", "--data", str(directory))
    run("export", "--data", str(directory))
