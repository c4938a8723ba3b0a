"""Reading in SQL: psql as a role that writes nothing, and other programs by TCP."""

import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from infra.embedded.server import embedded
from infra.kafka.ports import free_port
from tests.e2e.cli import Cli, run
from tests.e2e.given import client
from tests.e2e.serving import GROSSBUCH, Up

WHO = "SELECT session_user, current_user, current_setting('search_path'), current_setting('is_superuser')"


def ask(dsn: str, sql: str) -> list[tuple[Any, ...]]:
    with closing(psycopg2.connect(dsn)) as connection, connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def told(*arguments: str, status: int = 0, **env: str) -> str:
    """What psql writes; it writes to where we write, so as a process of its own."""
    done = subprocess.run(
        [GROSSBUCH, "sql", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def line(*arguments: str, **env: str) -> str:
    """The address in the line that is printed."""
    program, dsn = shlex.split(run("sql", "--print", *arguments, env=env).stdout)
    assert program == "psql"
    return dsn


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory, port: int) -> Iterator[Path]:
    """The directory of an embedded book in which there is a client, while `up` runs on it."""
    directory = Path(f"/tmp/gbsql{os.getpid()}")
    directory.mkdir(mode=0o755)
    up = Up("--data", str(directory), log=tmp_path_factory.mktemp("up") / "log", env={"GROSSBUCH_SQL_PORT": str(port)})
    with up.start() as api:
        api.given(client())
        api.rows("/v1/clients?min_position=1")
        yield directory
    assert up.stop() == 0
    shutil.rmtree(directory)


def test_psql_reads_beside_up_as_a_role_that_is_no_superuser(up: Path) -> None:
    said = told("--data", str(up), "--", "-At", "-c", WHO, "-c", "SELECT client, name FROM clients")
    who, found, book = said.splitlines()
    assert [who, found] == ["grossbuch_reader|grossbuch_reader|grossbuch_read|off", "C1|Anna Schmidt GmbH"]
    assert book.startswith(f"The book in {up}: ledger grossbuch,")  # to standard error, where people look


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM client",
        "UPDATE grossbuch.event SET payload = ''",
        "CREATE TABLE mine ()",
        "SET ROLE grossbuch",
        "SET SESSION AUTHORIZATION grossbuch",
        "SET ROLE grossbuch_service",
    ],
)
def test_it_can_write_nothing_and_become_nobody_else(up: Path, statement: str) -> None:
    assert "permission denied" in told("--data", str(up), "--", "-c", statement, status=1)


def test_a_program_reads_by_tcp_with_the_password_that_is_shown(up: Path, port: int) -> None:
    dsn = line("--data", str(up))
    assert f"port={port}" in dsn
    assert ask(dsn, WHO) == [("grossbuch_reader", "grossbuch_reader", "grossbuch_read", "off")]
    kept = up / "grossbuch_reader.password"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.read_text().strip() in dsn


@pytest.mark.parametrize("role", ["grossbuch", "grossbuch_service", "nobody"])
def test_nobody_else_logs_in_by_tcp(up: Path, port: int, role: str) -> None:
    password = (up / "grossbuch_reader.password").read_text().strip()
    with pytest.raises(psycopg2.OperationalError, match=r"no pg_hba\.conf entry"):
        psycopg2.connect(host="127.0.0.1", port=port, dbname="grossbuch", user=role, password=password)


@pytest.mark.usefixtures("up")
@pytest.mark.parametrize("password", ["wrong", ""])
def test_nor_does_the_reader_without_his_password(port: int, password: str) -> None:
    with pytest.raises(psycopg2.OperationalError, match="password"):
        psycopg2.connect(host="127.0.0.1", port=port, dbname="grossbuch", user="grossbuch_reader", password=password)


def test_an_embedded_book_without_a_port_is_read_by_its_socket_alone(directory: Path) -> None:
    run("migrate", "--new", "--data", str(directory))
    with embedded(directory) as dsn:
        assert ask(dsn, "SHOW listen_addresses") == [("",)]
        shown = line("--data", str(directory))
        assert ask(shown, WHO) == [("grossbuch_reader", "grossbuch_reader", "grossbuch_read", "off")]
    assert f"{directory}/run" in shown
    assert "password" not in shown


def test_a_server_that_runs_without_the_port_says_that_it_will_have_it(directory: Path) -> None:
    with embedded(directory):
        said = run("migrate", "--new", "--data", str(directory), env={"GROSSBUCH_SQL_PORT": str(free_port())}).stderr
    assert "when all have stopped that use it" in said


def test_a_port_that_is_taken_is_told_in_one_line(up: Path, port: int, directory: Path) -> None:
    assert up
    said = run("migrate", "--new", "--data", str(directory), status=1, env={"GROSSBUCH_SQL_PORT": str(port)}).stderr
    assert said.splitlines()[-1] == f"grossbuch: 127.0.0.1:{port} (GROSSBUCH_SQL_PORT): Address already in use."


def test_the_user_of_database_url_acts_as_the_reader_and_his_password_is_not_shown(cli: Cli) -> None:
    cli.make()
    env = {**cli.env, "DATABASE_URL": make_dsn(cli.dsn, password="secret")}
    shown = line(**env)
    assert "secret" not in shown
    assert ask(shown, WHO) == [("grossbuch", f"{cli.ledger}_reader", f"{cli.ledger}_read", "off")]
    assert told("--", "-At", "-c", "SELECT current_user", **env).strip() == f"{cli.ledger}_reader"
    assert "permission denied" in told("--", "-c", f"DELETE FROM {cli.ledger}.event", status=1, **env)


def test_a_ledger_that_is_not_there_is_told(directory: Path, cli: Cli) -> None:
    assert "There is no book" in run("sql", "--print", "--data", str(directory), status=1).stderr
    assert f"{cli.ledger}_reader" in told(status=2, **cli.env)
