"""Directories that PostgreSQL's user may enter (pytest's own are closed to it), and the programs at hand."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator, Sequence
from multiprocessing import get_context
from pathlib import Path

import psycopg2
import pytest

from infra.embedded.binaries import default_bin_dir
from infra.embedded.server import EmbeddedError, EmbeddedServer, embedded

DEBIAN = Path("/usr/lib/postgresql/15/bin")
BIN_DIRS = [default_bin_dir(), *([DEBIAN] if (DEBIAN / "postgres").exists() else [])]


@pytest.fixture
def directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="emb", dir="/tmp"))
    directory.chmod(0o755)
    yield directory
    for pid in postgres_of(directory):
        os.kill(pid, signal.SIGKILL)
    shutil.rmtree(directory, ignore_errors=True)


@pytest.fixture
def server(directory: Path) -> Iterator[EmbeddedServer]:
    server = EmbeddedServer(directory)
    server.start()
    yield server
    server.stop()


def postgres_of(directory: Path) -> list[int]:
    """Postmasters that were told a directory below this one."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                words = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"postgres" in words[0] and any(word.startswith(os.fsencode(directory)) for word in words[1:]):
                found.append(int(process.name))
    return found


def zombies() -> list[int]:
    """Dead children of ours that nobody has waited for."""
    stats = [path.read_text().rpartition(")") for path in Path("/proc/self/task").glob("*/children")]
    pids = [int(pid) for _, _, children in stats for pid in children.split()]
    return [pid for pid in pids if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"]


def postmaster(directory: Path) -> int:
    return int((directory / "data" / "postmaster.pid").read_text().splitlines()[0])


def ask(dsn: str, sql: str) -> list[tuple[object, ...]]:
    connection = psycopg2.connect(dsn)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql)
            return cursor.fetchall() if cursor.description else []
    finally:
        connection.close()


def answer_as(uid: int, gid: int, directory: Path, groups: Sequence[int] = ()) -> str:
    """What a process of this user gets from the directory's server, or what it is told. Forked, not started anew: the
    interpreter itself may lie where the user cannot go."""
    context = get_context("fork")
    here, there = context.Pipe()

    def work() -> None:
        os.setgroups(groups)
        os.setgid(gid)
        os.setuid(uid)
        try:
            with embedded(directory) as dsn:
                there.send(str(ask(dsn, "SELECT 1")[0][0]))
        except EmbeddedError as error:
            there.send(str(error))

    process = context.Process(target=work)
    process.start()
    there.close()
    try:
        return str(here.recv())
    finally:
        process.join()
