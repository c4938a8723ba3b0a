"""Servers of which one is copied, set back or promoted: what happens to a book on an ordinary bad day."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg2.extensions import make_dsn

from infra.embedded.account import account_for
from infra.embedded.binaries import binaries, reachable
from infra.embedded.directories import private
from infra.embedded.server import SETTINGS, EmbeddedServer

BIN_DIR = Path(chosen) if (chosen := os.environ.get("GROSSBUCH_TEST_BIN_DIR")) else None


@contextmanager
def own_server() -> Iterator[EmbeddedServer]:
    """That only this test uses."""
    with new_directory() as directory, EmbeddedServer(directory, bin_dir=BIN_DIR) as server:
        yield server


@contextmanager
def new_directory() -> Iterator[Path]:
    directory = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    directory.chmod(0o755)
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)


class Backup:
    """A copy of the data directory, made while the server is down."""

    def __init__(self, server: EmbeddedServer) -> None:
        self._server = server
        self._copy = server._home / "kept"
        server.stop()
        _copy(server._data, self._copy)
        server.start()

    def put_back(self) -> None:
        self._server.stop()
        shutil.rmtree(self._server._data)
        _copy(self._copy, self._server._data)
        self._server.start()


def _copy(there: Path, here: Path) -> None:
    subprocess.run(["cp", "-a", str(there), str(here)], check=True)


@contextmanager
def standby(primary: EmbeddedServer) -> Iterator["Standby"]:
    with new_directory() as directory:
        made = Standby(primary, directory)
        try:
            yield made
        finally:
            made.stop()


class Standby:
    """Follows a primary, asynchronously, until it is cut off from it; then it may be promoted."""

    def __init__(self, primary: EmbeddedServer, home: Path) -> None:
        self._home, self._data = home, home / "data"
        self._account = account_for(primary._data)
        self._programs = reachable(binaries(BIN_DIR), self._account, home)
        private(home / "run", self._account)
        private(self._data, self._account)
        self._run("pg_basebackup", "-D", str(self._data), "-R", "-X", "stream", "-c", "fast", "-d", primary.dsn)
        told = " ".join(f"-c {name}='{value}'" for name, value in SETTINGS.items()) + f" -k {home / 'run'}"
        self._run("pg_ctl", "-D", str(self._data), "-w", "-o", told, "-l", str(home / "run" / "log"), "start")
        self.host = str(home / "run")
        self.dsn = make_dsn(primary.dsn, host=self.host)

    def cut_off(self) -> None:
        """What the primary commits from now on it does not get."""
        with (self._data / "postgresql.auto.conf").open("a") as conf:
            conf.write("primary_conninfo = ''\n")
        self._ctl("reload")

    def promote(self) -> None:
        self._ctl("-w", "promote")

    def stop(self) -> None:
        self._ctl("-m", "immediate", "stop")

    def _ctl(self, *words: str) -> None:
        self._run("pg_ctl", "-D", str(self._data), *words)

    def _run(self, program: str, *words: str) -> None:
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL}
        subprocess.run([self._programs[program], *words], check=True, **quiet, **self._account.popen())
