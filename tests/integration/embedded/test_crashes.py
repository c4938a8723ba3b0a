"""Whatever is killed, the next start finds a whole database, and trusts no pid."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from infra.embedded.server import EmbeddedServer, embedded
from tests.integration.embedded.conftest import BIN_DIRS, ask, postgres_of, postmaster
from tests.integration.embedded.test_start_and_stop import STAY, python


@pytest.mark.parametrize("bin_dir", BIN_DIRS, ids=str)
def test_a_killed_postmaster_is_started_again_at_once_and_nothing_committed_is_lost(
    directory: Path, bin_dir: Path
) -> None:
    with EmbeddedServer(directory, bin_dir=bin_dir) as server:
        ask(server.dsn, "CREATE TABLE note (n int)")
        for number in range(4):
            ask(server.dsn, f"INSERT INTO note VALUES ({number})")
            os.kill(postmaster(directory), signal.SIGKILL)
            server.start()
            assert ask(server.dsn, "SELECT count(*) FROM note") == [(number + 1,)]


def test_after_its_owner_was_killed_the_server_lives_on_and_the_next_one_attaches_and_stops_it(directory: Path) -> None:
    owner = python(STAY, directory)
    assert owner.stdout
    dsn = owner.stdout.readline().strip()
    pid = postmaster(directory)
    owner.kill()
    owner.communicate()
    assert ask(dsn, "SELECT 1") == [(1,)]
    with embedded(directory):
        assert postmaster(directory) == pid
    assert postgres_of(directory) == []


def test_half_an_init_is_no_init(directory: Path) -> None:
    (directory / "data.init").mkdir()
    (directory / "data.init" / "PG_VERSION").write_text("18\n")
    with embedded(directory) as dsn:
        assert ask(dsn, "SELECT 1") == [(1,)]


def test_an_initdb_killed_half_way_is_done_again(directory: Path) -> None:
    first = python(STAY, directory, start_new_session=True)
    while not (directory / "data.init" / "base").exists():
        time.sleep(0.001)
    os.killpg(first.pid, signal.SIGKILL)
    first.communicate()
    assert not (directory / "data").exists()
    with embedded(directory) as dsn:
        assert ask(dsn, "SELECT 1") == [(1,)]


@pytest.mark.parametrize("reached", ["PG_VERSION", "base/1", "global/pg_control"])
def test_an_initdb_whose_owner_was_killed_does_not_disturb_the_next_one(directory: Path, reached: str) -> None:
    owner = python(STAY, directory, start_new_session=True)
    while not (directory / "data.init" / reached).exists():
        time.sleep(0.001)
    owner.kill()
    owner.communicate()
    with embedded(directory) as dsn:
        assert ask(dsn, "SELECT 1") == [(1,)]


def test_an_interrupted_start_leaves_no_server(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(**_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infra.embedded.server.Thread", interrupt)  # used once, when the server has just been launched
    with pytest.raises(KeyboardInterrupt):
        EmbeddedServer(directory).start()
    assert postgres_of(directory) == []


def test_a_pid_file_with_the_pid_of_a_stranger_keeps_nobody_from_starting_and_the_stranger_alive(
    directory: Path, server: EmbeddedServer
) -> None:
    stranger = subprocess.Popen(["sleep", "60"])
    try:
        left = (directory / "data" / "postmaster.pid").read_text()
        os.kill(postmaster(directory), signal.SIGKILL)
        server.stop()
        lines = left.splitlines(keepends=True)
        (directory / "data" / "postmaster.pid").write_text("".join([f"{stranger.pid}\n", *lines[1:]]))
        server.start()
        assert ask(server.dsn, "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()
