"""Nobody else gets in, and nobody else's server or file is touched."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest

from infra.embedded.account import account_for
from infra.embedded.locks import is_held
from infra.embedded.server import EmbeddedError, EmbeddedServer, default_bin_dir, embedded
from tests.integration.embedded.conftest import ask, postmaster
from tests.integration.embedded.test_start_and_stop import as_root


def answers(directory: Path) -> bool:
    try:
        return ask(EmbeddedServer(directory).dsn, "SELECT 1") == [(1,)]
    except psycopg2.OperationalError:
        return False


Start = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture(params=["-D", "PGDATA"])
def by_hand(directory: Path, request: pytest.FixtureRequest) -> Iterator[Start]:
    """Starts a server on the data that is none of ours, told the directory in either way."""
    started = []

    def start() -> "subprocess.Popen[bytes]":
        data = directory / "data"
        told = ["-D", str(data)] if request.param == "-D" else []
        server = subprocess.Popen(
            [default_bin_dir() / "postgres", "-k", directory / "run", "-c", "listen_addresses=", *told],
            env={"PGDATA": str(data)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **account_for(data).popen(),
        )
        started.append(server)
        while not answers(directory) and server.poll() is None:
            time.sleep(0.02)
        return server

    yield start
    for server in started:
        server.kill()
        server.wait()


def test_data_that_somebody_elses_server_runs_on_is_refused_and_left_to_it(directory: Path, by_hand: Start) -> None:
    with embedded(directory):
        pass
    theirs = by_hand()
    with pytest.raises(EmbeddedError, match=f"pid {theirs.pid}.* not started by Grossbuch"):
        EmbeddedServer(directory).start()
    assert theirs.poll() is None
    assert postmaster(directory) == theirs.pid


def test_a_stop_after_a_crash_does_not_stop_what_was_started_by_hand_since(directory: Path, by_hand: Start) -> None:
    server = EmbeddedServer(directory)
    server.start()
    os.kill(postmaster(directory), signal.SIGKILL)
    while is_held(directory / "server.lock"):
        time.sleep(0.01)
    theirs = by_hand()
    server.stop()
    time.sleep(0.3)
    assert theirs.poll() is None


def test_no_setting_opens_a_port(directory: Path) -> None:
    with embedded(directory) as dsn:
        ask(dsn, "SELECT 1")
        (directory / "data" / "postgresql.auto.conf").write_text("listen_addresses = '127.0.0.1'\n")
    with embedded(directory) as dsn:
        assert ask(dsn, "SHOW listen_addresses") == [("",)]
        assert ask(dsn, "SELECT DISTINCT auth_method FROM pg_hba_file_rules WHERE type = 'host'") == [("reject",)]


def test_a_socket_directory_that_was_opened_is_closed_again(directory: Path) -> None:
    with embedded(directory):
        pass
    (directory / "run").chmod(0o777)
    with embedded(directory):
        assert (directory / "run").stat().st_mode & 0o777 == 0o700


@as_root
def test_root_does_not_write_its_log_where_a_link_of_the_servers_user_leads(directory: Path) -> None:
    with embedded(directory):
        pass
    victim = directory / "victim"
    victim.touch()
    (directory / "log" / "postgres.log").unlink()
    (directory / "log" / "postgres.log").symlink_to(victim)
    with pytest.raises(EmbeddedError, match=r"postgres\.log"):
        EmbeddedServer(directory).start()
    assert victim.read_text() == ""
