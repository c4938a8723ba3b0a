"""An embedded PostgreSQL: made, started, shared and stopped safely. docs/explanation/embedded-postgres.md says why so.

``data/`` is the database, ``data.init/`` half of one, ``run/`` the socket, ``server.lock`` held by the living server,
``users.lock`` shared by those who use it, ``start.lock`` held while starting or stopping.
"""

import contextlib
import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import platformdirs

from infra.embedded.account import account_for
from infra.embedded.binaries import Binaries, binaries, default_bin_dir
from infra.embedded.errors import EmbeddedError
from infra.embedded.locks import FileLock, exclusive, is_held

__all__ = ["EmbeddedError", "EmbeddedServer", "default_bin_dir", "default_directory", "embedded"]

USER = DATABASE = "grossbuch"
LONGEST_PATH = 90
"""A socket's path has 107 bytes at the most, its file name and ``.lock`` included."""

RECOVERY = 300.0
"""Seconds that recovery after a crash may take."""

SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "timezone": "UTC",
}


class EmbeddedServer:
    """A PostgreSQL of our own in a directory, reached by its socket only. Several processes may use one directory."""

    def __init__(self, directory: Path, *, bin_dir: Path | None = None) -> None:
        self._home = directory.absolute()
        self._data = self._home / "data"
        self._run = self._home / "run"
        self._bin_dir = bin_dir
        self._use: FileLock | None = None

    @property
    def dsn(self) -> str:
        return f"host={self._run} user={USER} dbname={DATABASE}"

    def start(self, say: Callable[[str], object] = str) -> None:
        """Attach to the server of this directory, or start it, making its database first if there is none."""
        if self._use:
            return
        if len(os.fsencode(self._run)) > LONGEST_PATH:
            raise EmbeddedError(f"The path {self._run} is longer than {LONGEST_PATH} bytes, too long for a socket.")
        self._make_home()
        with exclusive(self._home / "start.lock"):
            use = FileLock(self._home / "users.lock")
            use.take(shared=True)
            try:
                self._bring_up(say)
            except BaseException:
                use.close()
                raise
            self._use = use

    def stop(self) -> None:
        """Let go. The last one out stops the server."""
        if not self._use:
            return
        with exclusive(self._home / "start.lock"):
            # Shared becomes exclusive only for who is alone: the others still hold theirs.
            last = self._use.take(wait=False)
            self._use.close()
            self._use = None
            if last:
                self._shut_down()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.stop()

    def _make_home(self) -> None:
        try:
            self._home.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise EmbeddedError(f"The directory {self._home} cannot be made: {error.strerror}.") from error
        account = account_for(self._data)
        if blocked := account.can_enter(self._home):
            raise EmbeddedError(
                f"The server's user (uid {account.uid}) may not enter {blocked}; choose another directory."
            )
        if not os.access(self._home, os.W_OK):
            raise EmbeddedError(f"The directory {self._home} may not be written to.")

    def _launch(self, say: Callable[[str], object]) -> None:
        account = account_for(self._data)
        programs = binaries(self._bin_dir, account, self._home)
        for directory in (self._run, self._home / "log"):
            directory.mkdir(mode=0o700, exist_ok=True)
            account.own(directory)
        if not self._data.exists():
            say("Making the database …")
            self._init(programs)
        self._check_version(programs)
        self._clear_stale()
        lock = FileLock(self._home / "server.lock")
        lock.take()
        try:
            # A file, never a pipe: the server inherits it, and nobody would read the other end.
            with (self._home / "log" / "postgres.log").open("ab") as log:
                subprocess.Popen(
                    [programs["postgres"], "-D", str(self._data), "-k", str(self._run)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock.fd,),
                    start_new_session=True,
                    **account.popen(),
                )
        finally:
            lock.close()

    def _init(self, programs: Binaries) -> None:
        """Into ``data.init`` first, renamed when whole: half an init is no init."""
        half = self._home / "data.init"
        shutil.rmtree(half, ignore_errors=True)
        account = account_for(self._data)
        half.mkdir(mode=0o700)
        account.own(half)
        log = self._home / "log" / "initdb.log"
        steps = (
            ([programs["initdb"], "-D", str(half), "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C"], None),
            ([programs["postgres"], "--single", "-D", str(half), "postgres"], f"CREATE DATABASE {DATABASE};\n"),
        )
        for command, text in steps:
            with log.open("ab") as out:
                done = subprocess.run(
                    command, input=text and text.encode(), stdout=out, stderr=out, check=False, **account.popen()
                )
            if done.returncode:
                raise EmbeddedError(f"{Path(command[0]).name} failed; {log} tells why.")
        with (half / "postgresql.conf").open("a") as conf:
            conf.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
        half.rename(self._data)

    def _check_version(self, programs: Binaries) -> None:
        made_by = (self._data / "PG_VERSION").read_text().strip()
        if made_by != programs.major:
            raise EmbeddedError(
                f"{self._data} was made by PostgreSQL {made_by}, and this is {programs.major}: "
                "use its binaries (GROSSBUCH_BIN_DIR), or export there and import here."
            )

    def _clear_stale(self) -> None:
        """The lock is free, so the last server is dead, and what it left lies: its pid may be another's by now."""
        pid = self._pid()
        if pid and _is_server_of(pid, self._data):
            raise EmbeddedError(f"A PostgreSQL (pid {pid}) runs on {self._data} that was not started by Grossbuch.")
        for stale in (self._data / "postmaster.pid", *self._run.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _bring_up(self, say: Callable[[str], object]) -> None:
        """Wait for a server that answers; start one when none lives. A killed one's last child may take a moment."""
        isready = [Binaries((self._bin_dir or default_bin_dir()).resolve())["pg_isready"], "-q", "-h", str(self._run)]
        launched = False
        deadline = monotonic() + RECOVERY
        told = monotonic() + 2
        while True:
            if not is_held(self._home / "server.lock"):
                if launched:
                    raise EmbeddedError(f"PostgreSQL did not start; {self._home / 'log' / 'postgres.log'} tells why.")
                self._launch(say)
                launched = True
            if subprocess.run(isready, check=False).returncode == 0:
                return
            if monotonic() > deadline:
                raise EmbeddedError(f"PostgreSQL was not ready after {RECOVERY:.0f} s.")
            if monotonic() > told:
                say("PostgreSQL is recovering …")
                told += 10
            sleep(0.02)

    def _shut_down(self) -> None:
        """A fast shutdown; waits until the last child is gone, which the lock tells."""
        deadline = monotonic() + RECOVERY
        pid = self._pid()
        if pid and _is_server_of(pid, self._data):
            os.kill(pid, signal.SIGINT)
        while is_held(self._home / "server.lock") and monotonic() < deadline:
            if pid:
                with contextlib.suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            sleep(0.01)
        if pid:
            with contextlib.suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)

    def _pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether this process is a postgres that was told this directory."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"postgres" in words[0] and os.fsencode(data) in words


@contextmanager
def embedded(directory: Path, *, bin_dir: Path | None = None, say: Callable[[str], object] = str) -> Iterator[str]:
    """The dsn of the directory's server, which runs at least as long as this."""
    server = EmbeddedServer(directory, bin_dir=bin_dir)
    server.start(say)
    try:
        yield server.dsn
    finally:
        server.stop()


def default_directory() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/grossbuch/default")
    return platformdirs.user_data_path("grossbuch") / "default"
