"""A ledger is made and brought up to date by who serves it and who is told to; all others say what is to be done."""

from pathlib import Path
from shutil import copytree

import pytest
from typer.testing import CliRunner

from api.cli import COMMANDS, app
from infra.postgres.connection import Database
from infra.postgres.migrate import MIGRATIONS, OtherRelease, find, migrate
from tests.e2e.cli import Cli

MIGRATING = {"up", "serve", "migrate"}
MAKING = {"up", "demo", "import", "migrate"}
"""Where there is no ledger; the last two if they are asked for a new one (test_which_book.py)."""

REST = {
    "relay": (),
    "consume": (),
    "export": (),
    "rebuild": ("clients",),
    "check": (),
    "diff": ("--known-at", "0", "--known-at", "1"),
    "explain": ("/v1/clients?client=C1", "name"),
    "repartition": ("24",),
    "recover": (),
    "generations": ("list",),
    "months": ("list",),
    "quarantine": ("list",),
}


@pytest.fixture
def runner(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name, value in {**cli.env, "KAFKA_BOOTSTRAP": "127.0.0.1:1"}.items():
        monkeypatch.setenv(name, value)
    return CliRunner()


@pytest.fixture
def database(cli: Cli) -> Database:
    return Database(cli.dsn, cli.ledger)


def migrations(cli: Cli) -> list[object]:
    return list(cli.sql(f"SELECT name FROM {cli.ledger}.migration"))


def test_every_command_does_the_one_or_the_other() -> None:
    assert MIGRATING | MAKING | REST.keys() == COMMANDS.keys() - {
        "upgrade",
        "sql",
    }  # whose work others do: PostgreSQL, psql


@pytest.mark.parametrize("command", REST)
def test_where_there_is_no_ledger_it_is_said_and_none_is_made(cli: Cli, runner: CliRunner, command: str) -> None:
    done = runner.invoke(app, [command, *REST[command]])
    assert isinstance(done.exception, OtherRelease), done.output
    assert f"no ledger {cli.ledger} here" in str(done.exception)
    assert cli.sql(f"SELECT FROM pg_namespace WHERE nspname = '{cli.ledger}'") == []


@pytest.mark.parametrize("command", [*REST, "import"])
def test_a_ledger_of_an_earlier_release_is_left_as_it_is(
    cli: Cli, runner: CliRunner, database: Database, tmp_path: Path, command: str
) -> None:
    for step in sorted(MIGRATIONS.iterdir())[:7]:
        copytree(step, tmp_path / "first" / step.name)
    migrate(database, folder=tmp_path / "first")
    before = migrations(cli)
    done = runner.invoke(app, [command, *REST.get(command, ("wholesale",))])
    assert isinstance(done.exception, OtherRelease), done.output
    assert "is of an earlier release, and lacks 0008_refused" in str(done.exception)
    assert migrations(cli) == before


def test_a_ledger_without_its_read_models_is_told_as_well(runner: CliRunner, database: Database) -> None:
    migrate(database)
    done = runner.invoke(app, ["check"])
    assert isinstance(done.exception, OtherRelease)
    assert "no read models" in str(done.exception)


def test_migrate_makes_a_new_ledger_that_all_others_find(cli: Cli, database: Database) -> None:
    made = cli.json("migrate", "--new")
    assert made["identity"] == cli.json("migrate")["identity"]
    find(database)
    assert cli.json("generations", "list")["items"][0]["state"] == "current"


def test_it_is_told_in_one_line(cli: Cli) -> None:
    [line] = cli("check", status=1).stderr.splitlines()
    assert line.startswith(f"grossbuch: There is no ledger {cli.ledger} here")
