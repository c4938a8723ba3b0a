"""Whatever is killed, the next start finds a whole database, and trusts no pid."""

import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from infra.embedded.server import EmbeddedServer, embedded
from tests.integration.embedded.conftest import ask, postgres_of, postmaster
from tests.integration.embedded.test_start_and_stop import USE, python

STAY = USE + "import time\nwith embedded(Path(sys.argv[1])) as dsn:\n    print(dsn, flush=True)\n    time.sleep(600)"


def test_a_killed_postmaster_is_started_again_at_once_and_nothing_committed_is_lost(
    directory: Path, server: EmbeddedServer, note: Callable[[int], None]
) -> None:
    for number in range(4):
        note(number)
        os.kill(postmaster(directory), signal.SIGKILL)
        server.stop()
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
