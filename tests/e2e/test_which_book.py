"""Who mistypes a name is told, and not given an empty book: each command tells on which it works."""

import json
from pathlib import Path

import psycopg2
import pytest
from psycopg2.extensions import make_dsn

from tests.e2e.cli import Cli, run
from tests.e2e.given import client
from tests.e2e.serving import Up

LINE = json.dumps(client("C1", command_id="k1"))
NOT_MAKING = (
    ("check",),
    ("recover",),
    ("export",),
    ("import", "-"),
    ("migrate",),
    ("serve", "--port", "0"),
    ("diff", "--known-at", "0", "--known-at", "1"),
    ("explain", "/v1/clients", "clients"),
)


@pytest.mark.parametrize("command", NOT_MAKING, ids=lambda command: command[0])
def test_a_directory_without_a_book_is_left_as_it_is(tmp_path: Path, command: tuple[str, ...]) -> None:
    mistyped = tmp_path / "boook"
    said = run(*command, "--data", str(mistyped), status=1, input=LINE).stderr
    assert said == f"grossbuch: There is no book in {mistyped}: `grossbuch up`, or `import --new`, makes one.\n"
    assert not mistyped.exists()


@pytest.mark.parametrize("command", NOT_MAKING, ids=lambda command: command[0])
def test_so_is_a_database_without_the_ledger(cli: Cli, command: tuple[str, ...]) -> None:
    said = cli(*command, status=1, input=LINE).stderr
    assert said.startswith(f"grossbuch: There is no ledger {cli.ledger} here (GROSSBUCH_LEDGER):")
    assert cli.sql(f"SELECT to_regnamespace('{cli.ledger}')") == [(None,)]


@pytest.mark.parametrize("command", [("import", "-"), ("migrate",)], ids=lambda command: command[0])
def test_who_asks_for_a_new_one_has_it_made_and_goes_on_with_it(cli: Cli, command: tuple[str, ...]) -> None:
    said = cli(*command, "--new", input=LINE).stderr
    assert f"ledger {cli.ledger}, EUR, UTC, empty." in said
    cli("import", "-", input=LINE)
    assert f"ledger {cli.ledger}, EUR, UTC, positions 1 to 1." in cli(*command, "--new", input=LINE).stderr


def test_an_embedded_book_is_told_by_its_directory(directory: Path, tmp_path: Path) -> None:
    book = directory / "book"
    up = Up("--data", str(book), log=tmp_path / "log")
    with up.start() as api:
        api.given(client("C1"))
        told = f"The book in {book}: ledger grossbuch, EUR, UTC,"
        assert f"{told} empty." in up.said
        assert f"{told} positions 1 to 1." in run("check", "--data", str(book)).stderr
    up.stop()


def test_one_on_a_server_is_told_by_its_address_without_the_password(cli: Cli) -> None:
    with psycopg2.connect(cli.dsn) as connection:
        at = connection.info
        told = f"The book in {at.dbname} at {at.host}:{at.port}: ledger {cli.ledger}"
    connection.close()
    said = run("migrate", "--new", env={**cli.env, "DATABASE_URL": make_dsn(cli.dsn, password="secret")}).stderr
    assert told in said
    assert "secret" not in said


@pytest.mark.parametrize(
    ("name", "asked", "has"), [("BOOK_CURRENCY", "USD", "EUR"), ("TIME_ZONE", "Europe/Berlin", "UTC")]
)
def test_a_setting_that_the_book_does_not_have_is_refused(cli: Cli, name: str, asked: str, has: str) -> None:
    cli("migrate", "--new")
    setting = f"GROSSBUCH_{name}"
    for command in (("check",), ("import", "-"), ("serve", "--port", "0")):
        said = run(*command, status=1, input=LINE, env={**cli.env, setting: asked}).stderr
        assert f"{setting} is {asked}, and the book was made with {has}, which it keeps" in said
    assert cli.size() == 0
    run("check", env={**cli.env, setting: has})
