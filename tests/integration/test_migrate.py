"""Migrations go forward, once, under a lock, and never silently differ from what was applied."""

from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from shutil import copytree
from time import monotonic

import psycopg2
import pytest

from infra.postgres.connection import Connection, Database, Pool
from infra.postgres.migrate import MIGRATIONS, Ledger, MigrationError, OtherRelease, find, migrate
from infra.postgres.writer import Writer
from tests.integration.writing import as_superuser, event, query

_numbers = count(1)


@pytest.fixture
def empty(dsn: str) -> Database:
    return Database(dsn, f"m{next(_numbers)}")


def tables(database: Database) -> set[str]:
    connection = psycopg2.connect(database.dsn)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = %s", (database.schema,))
            return {name for (name,) in cursor}
    finally:
        connection.close()


def test_an_empty_schema_becomes_a_ledger(empty: Database) -> None:
    migrate(empty)
    assert {"ledger", "head", "event", "command", "snapshot", "tracking", "migration"} <= tables(empty)


def test_currency_and_time_zone_count_when_the_ledger_is_made_and_not_later(empty: Database) -> None:
    migrate(empty, book_currency="CHF", time_zone="Europe/Zurich")
    migrate(empty, book_currency="USD", time_zone="UTC")
    with Pool(empty) as pool:
        made = Ledger.read(pool)
        assert (made.book_currency, made.time_zone) == ("CHF", "Europe/Zurich")


def test_processes_that_start_at_once_migrate_once(empty: Database) -> None:
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: migrate(empty), range(8)))
    assert "event" in tables(empty)


def test_a_new_migration_is_applied_to_an_existing_ledger(empty: Database, tmp_path: Path) -> None:
    migrate(empty)
    folder = copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "9999_more").mkdir()
    (folder / "9999_more" / "1_more.sql").write_text("CREATE TABLE {schema}.more (n int);")
    migrate(empty, folder=folder)
    assert "more" in tables(empty)


def test_a_ledger_of_the_first_version_is_written_on_by_this_one(empty: Database, tmp_path: Path) -> None:
    first = tmp_path / "migrations"
    copytree(MIGRATIONS / "0001_ledger", first / "0001_ledger")
    migrate(empty, folder=first)
    query(empty, "UPDATE head SET position = 41, recorded_at = now() RETURNING 1")
    migrate(empty)
    writer = Writer(empty)
    assert writer.append([event("s")]) == 42
    writer.close()


def test_a_migration_that_fails_leaves_nothing_of_itself(empty: Database, tmp_path: Path) -> None:
    migrate(empty)
    folder = copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "9999_bad").mkdir()
    (folder / "9999_bad" / "1_good.sql").write_text("CREATE TABLE half (n int);")
    (folder / "9999_bad" / "2_bad.sql").write_text("SELECT no_such_function();")
    with pytest.raises(psycopg2.Error):
        migrate(empty, folder=folder)
    assert "half" not in tables(empty)


def test_a_migration_changed_after_it_was_applied_is_refused(empty: Database, tmp_path: Path) -> None:
    migrate(empty)
    folder = copytree(MIGRATIONS, tmp_path / "migrations")
    with next(folder.glob("0001*/010*.sql")).open("a") as file:
        file.write("-- edited\n")
    with pytest.raises(MigrationError, match="changed after they had been applied: 0001_ledger"):
        migrate(empty, folder=folder)


@pytest.fixture
def later(tmp_path: Path) -> Path:
    """The migrations of the next release."""
    folder = copytree(MIGRATIONS, tmp_path / "migrations")
    (folder / "9999_later").mkdir()
    (folder / "9999_later" / "1.sql").write_text("CREATE TABLE {schema}.more (n int);")
    return folder


def test_a_release_is_started_beside_a_later_one_that_only_added(empty: Database, later: Path) -> None:
    migrate(empty, folder=later)
    migrate(empty)
    find(empty)


def test_a_release_is_not_started_beside_one_that_took_away_what_it_needs(empty: Database, later: Path) -> None:
    (later / "9999_later" / "needs").write_text("9000_does_without\n")
    migrate(empty, folder=later)
    for start in (migrate, find):
        with pytest.raises(OtherRelease, match="later release, beside which this one cannot go on: it has 9999_later"):
            start(empty)


def test_a_release_that_does_without_goes_on(empty: Database, later: Path) -> None:
    (later / "9999_later" / "needs").write_text(max(path.name for path in MIGRATIONS.iterdir()))
    migrate(empty, folder=later)
    migrate(empty)
    find(empty)


def test_whoever_does_not_migrate_says_what_a_ledger_lacks(empty: Database, later: Path) -> None:
    with pytest.raises(OtherRelease, match=f"no ledger {empty.schema} here"):
        find(empty)
    migrate(empty)
    with pytest.raises(OtherRelease, match="earlier release, and lacks 9999_later: `grossbuch migrate`"):
        find(empty, folder=later)


def reads(reader: Connection, table: str) -> None:
    """A statement that finds its table locked waits for who locked it, and for who waits to lock it."""
    with reader.cursor() as cursor:
        cursor.execute(f"SELECT FROM {table} LIMIT 1")


def test_nobody_waits_behind_a_migration_that_waits_for_a_dump(
    empty: Database, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It tells who is in the way, and goes on when he has gone."""
    first = tmp_path / "migrations"
    for step in sorted(MIGRATIONS.iterdir())[:4]:
        copytree(step, first / step.name)
    migrate(empty, folder=first)
    with ThreadPoolExecutor(1) as thread, as_superuser(empty) as dump, as_superuser(empty) as reader:
        dump.autocommit = False
        with dump.cursor() as cursor:
            cursor.execute("SET application_name = 'pg_dump'")
            cursor.execute("LOCK TABLE event, head, tracking, ledger, snapshot, migration IN ACCESS SHARE MODE")
        migrating = thread.submit(migrate, empty)
        told, deadline = "", monotonic() + 60
        while "waits for who reads" not in told and monotonic() < deadline and not migrating.done():
            for table in ("tracking", "head", "event"):
                reads(reader, table)
            told += capsys.readouterr().out
        assert "pg_dump, process" in told
        assert not migrating.done()
        dump.rollback()
        migrating.result(60)
    find(empty)
