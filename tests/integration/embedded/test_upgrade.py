"""An embedded database goes to the next PostgreSQL with all that it has, and what it was is kept."""

import os
import signal
from contextlib import closing
from multiprocessing import get_context
from pathlib import Path

import psycopg2
import pytest

from infra.embedded import upgrade as upgrading
from infra.embedded.binaries import default_bin_dir
from infra.embedded.server import EmbeddedError, EmbeddedServer, embedded
from infra.embedded.upgrade import Upgraded, upgrade
from infra.postgres.connection import Database, Pool
from infra.postgres.migrate import Ledger, migrate
from infra.postgres.writer import Writer
from tests.integration.embedded.conftest import DEBIAN, postgres_of
from tests.integration.writing import book, event

EVENTS = 50


@pytest.fixture
def old(directory: Path) -> Path:
    """A ledger that Debian's PostgreSQL keeps. Without that, these tests fail: nothing else shows that it works."""
    assert (DEBIAN / "postgres").exists(), "apt-get install postgresql-15"
    with embedded(directory, bin_dir=DEBIAN) as dsn:
        database = Database(dsn)
        migrate(database, book_currency="CHF")
        with closing(Writer(database)) as writer:
            for number in range(EVENTS):
                writer.append([event(f"s-{number}", payload='{"of": "Žluťoučký kůň\\\\n"}')])
    return directory


def what_is_there(dsn: str) -> tuple[object, ...]:
    with Pool(Database(dsn)) as pool:
        return Ledger.read(pool), book(Database(dsn)), pool.read("SELECT * FROM event"), pool.read("SELECT * FROM head")


def before(directory: Path) -> tuple[object, ...]:
    with embedded(directory, bin_dir=DEBIAN) as dsn:
        return what_is_there(dsn)


def after(directory: Path) -> tuple[object, ...]:
    with embedded(directory) as dsn:
        return what_is_there(dsn)


def test_it_has_all_that_it_had_and_the_old_one_is_kept(old: Path) -> None:
    there = before(old)
    done = upgrade(old)
    assert isinstance(done, Upgraded)
    assert (done.before, done.after, done.kept) == ("15", "18", old / "data.15")
    assert after(old) == there
    assert (done.kept / "PG_VERSION").read_text().strip() == "15"
    assert not (old / "upgrade").exists()
    assert upgrade(old) is None


def test_the_book_goes_on_and_is_still_not_to_be_changed(old: Path) -> None:
    upgrade(old)
    with embedded(old) as dsn:
        database = Database(dsn)
        migrate(database)
        with closing(Writer(database)) as writer:
            assert writer.append([event("s-0", 2)]) == EVENTS + 1
        for statement in ("UPDATE event SET type = 'x'", "DELETE FROM event", "TRUNCATE event", "TRUNCATE command"):
            for as_owner in (True, False):
                with (
                    closing(database.connect(as_owner=as_owner)) as connection,
                    connection.cursor() as cursor,
                    pytest.raises(psycopg2.errors.InsufficientPrivilege),
                ):
                    cursor.execute(statement)


def test_roles_and_what_they_may_do_go_along(old: Path) -> None:
    with embedded(old, bin_dir=DEBIAN) as dsn, closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute(
            "CREATE ROLE analyst LOGIN; GRANT USAGE ON SCHEMA grossbuch TO analyst;"
            "GRANT SELECT ON grossbuch.event TO analyst"
        )
    upgrade(old)
    with embedded(old) as dsn, closing(psycopg2.connect(dsn, user="analyst")) as connection:
        cursor = connection.cursor()
        cursor.execute("SELECT count(*) FROM grossbuch.event")
        assert cursor.fetchall() == [(EVENTS,)]
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            cursor.execute("SELECT FROM grossbuch.command")


def test_the_way_out_is_named_where_the_new_programs_meet_the_old_database(old: Path) -> None:
    with (
        pytest.raises(EmbeddedError, match=r"made by PostgreSQL 15, and this is 18: .*`grossbuch upgrade`"),
        embedded(old),
    ):
        pass


def test_it_is_not_taken_from_under_who_uses_it(old: Path) -> None:
    with embedded(old, bin_dir=DEBIAN), pytest.raises(EmbeddedError, match="in use: stop what uses it"):
        upgrade(old)
    assert upgrade(old)


def killed_at(step: str, directory: Path) -> None:
    """In a process of its own, which dies when it is about to do this."""
    process = get_context("fork").Process(target=_upgrade_and_die, args=(step, directory))
    process.start()
    process.join(120)
    assert process.exitcode == -signal.SIGKILL


def _upgrade_and_die(step: str, directory: Path) -> None:
    setattr(upgrading, step, lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    upgrade(directory)


@pytest.mark.parametrize("step", ["transfer", "sync", "_take_place"])
def test_broken_off_it_is_begun_again_or_ended(old: Path, step: str) -> None:
    """Before the old one is put away; and after that, when there is none in its place."""
    there = before(old)
    killed_at(step, old)
    upgrade(old)
    assert after(old) == there
    assert (old / "data.15").exists()
    assert not (old / "upgrade").exists()
    assert postgres_of(old / "upgrade") == []


def test_when_it_was_broken_off_no_empty_database_is_made_in_its_place(old: Path) -> None:
    killed_at("_take_place", old)
    with pytest.raises(EmbeddedError, match="broken off: finish it with `grossbuch upgrade`"), embedded(old):
        pass


def test_what_was_booked_after_a_try_that_was_broken_off_is_there(old: Path) -> None:
    killed_at("transfer", old)
    with embedded(old, bin_dir=DEBIAN) as dsn, closing(Writer(Database(dsn))) as writer:
        writer.append([event("late")])
    there = before(old)
    upgrade(old)
    assert after(old) == there


def test_what_would_be_left_behind_is_told_and_nothing_happens(old: Path) -> None:
    with embedded(old, bin_dir=DEBIAN) as dsn, closing(psycopg2.connect(dsn)) as connection:
        connection.autocommit = True
        connection.cursor().execute("CREATE DATABASE another")
    with pytest.raises(EmbeddedError, match="other databases, which would be left behind: another"):
        upgrade(old)
    assert len(before(old)) == 4


def test_there_is_no_way_back(directory: Path) -> None:
    with EmbeddedServer(directory):
        pass
    with pytest.raises(EmbeddedError, match="no way back"):
        upgrade(directory, bin_dir=DEBIAN)


def test_where_there_is_nothing_it_says_so(directory: Path) -> None:
    with pytest.raises(EmbeddedError, match="no database"):
        upgrade(directory)
    assert list(directory.iterdir()) in ([], [directory / "start.lock"])


def test_programs_that_are_not_to_be_found_are_asked_for(old: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upgrading, "DEBIAN", "/nowhere/{major}")
    with pytest.raises(EmbeddedError, match="PostgreSQL 15, which made the database, is not to be found"):
        upgrade(old, from_bin_dir=default_bin_dir())
    assert upgrade(old, from_bin_dir=DEBIAN)
