"""What will not do for a ledger is told in a sentence, before anything is made."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import count
from pathlib import Path
from time import sleep

import psycopg2
import pytest

from infra.embedded.account import account_for
from infra.kafka.ports import free_port
from infra.postgres import fitness
from infra.postgres.connection import Database
from infra.postgres.fitness import Unfit
from infra.postgres.migrate import find, migrate
from infra.postgres.writer import Writer
from tests.integration.writing import as_superuser, book, event

ROOT = Path(__file__).parents[2]
_numbers = count(1)


@pytest.fixture
def empty(dsn: str) -> Database:
    return Database(dsn, f"f{next(_numbers)}")


@contextmanager
def pooled(dsn: str, directory: Path, mode: str) -> Iterator[str]:
    """The address of a pgbouncer before the server."""
    subprocess.run([ROOT / "requirements" / "pgbouncer"], check=True)
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    assert program
    account = account_for(Path(psycopg2.extensions.parse_dsn(dsn)["host"]).with_name("data"))
    port = free_port()
    settings = directory / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = {dsn}\n[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = any\npool_mode = {mode}\n"
    )
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen([program, settings], stdout=log, stderr=log, **account.popen())
    address = f"host=127.0.0.1 port={port} dbname=grossbuch user=grossbuch"
    try:
        until_it_answers(address, process)
        yield address
    finally:
        process.terminate()
        process.wait()


def until_it_answers(address: str, process: "subprocess.Popen[bytes]") -> None:
    while process.poll() is None:
        try:
            return psycopg2.connect(address).close()
        except psycopg2.OperationalError:
            sleep(0.05)
    raise AssertionError("the pooler has ended")


@pytest.mark.parametrize("mode", ["transaction", "statement"])
def test_a_pooler_that_gives_each_transaction_another_session_is_refused(
    empty: Database, directory: Path, mode: str
) -> None:
    with (
        pooled(empty.dsn, directory, mode) as address,
        pytest.raises(Unfit, match=r"a pooler that .* Use pool_mode = session"),
    ):
        fitness.check(Database(address, empty.schema), as_maker=True)


def test_so_is_one_that_many_others_use(empty: Database, directory: Path) -> None:
    """Then a transaction is seldom given the session of the one before."""
    with pooled(empty.dsn, directory, "transaction") as address, ExitStack() as stack:
        for _ in range(5):
            stack.enter_context(closing(psycopg2.connect(address))).cursor().execute("SELECT 1")
        with pytest.raises(Unfit, match="a pooler"):
            fitness.check(Database(address, empty.schema), as_maker=True)


def test_a_pooler_that_keeps_sessions_will_do(empty: Database, directory: Path) -> None:
    with pooled(empty.dsn, directory, "session") as address:
        through = Database(address, empty.schema)
        for as_maker in (True, False):
            fitness.check(through, as_maker=as_maker)
            migrate(through)
            find(through)
        writer = Writer(through)
        writer.append([event("s")])
        writer.close()
        assert book(empty) == [(1, "s", 1)]


def test_a_database_in_which_not_every_name_can_be_written_is_refused(empty: Database) -> None:
    with as_superuser(empty) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(Unfit, match="The database latin is in LATIN1, in which"):
        fitness.check(Database(f"{empty.dsn} dbname=latin", empty.schema), as_maker=True)
