"""An embedded PostgreSQL: made, started, shared and stopped safely. docs/explanation/embedded-postgres.md says why so.

``data/`` is the database, ``data.init/`` half of one, ``run/`` the socket, ``server.lock`` held by the living server,
``users.lock`` shared by those who use it, ``start.lock`` held while starting or stopping.
"""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from types import TracebackType
from typing import Self

import platformdirs
from psycopg2.extensions import make_dsn

from infra.embedded.account import account_for
from infra.embedded.binaries import Binaries, binaries, default_bin_dir, reachable
from infra.embedded.directories import open_log, passable, private, sync
from infra.embedded.errors import EmbeddedError
from infra.embedded.locks import FileLock, exclusive, is_held
from infra.embedded.loopback import Loopback
from infra.embedded.watchdog import Watchdog

__all__ = ["EmbeddedError", "EmbeddedServer", "default_bin_dir", "default_directory", "embedded"]

USER = DATABASE = "grossbuch"
UPGRADE = "upgrade"
"""Where the database that is to take this one's place is being made."""

PORT = "5432"
"""Part of the socket's name. Said by both sides, or each would take it from its own PGPORT."""

LONGEST_PATH = 90
"""A socket's path has 107 bytes at the most, its file name and ``.lock`` included."""

RECOVERY = 300.0
"""Seconds that recovery after a crash may take, or a shutdown."""

LOST = 10.0
"""Seconds in which the children of a killed server are gone."""

SETTINGS = {
    "listen_addresses": "",
    "port": PORT,
    "unix_socket_permissions": "0700",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "max_connections": "100",
    "max_locks_per_transaction": "256",  # what is asked of all months locks all their tables and indexes
    "timezone": "UTC",
    # Conflicts are no errors here, and what a statement carries belongs in no log.
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
}
"""Told on the command line, which no ALTER SYSTEM overrides: with ``trust``, a TCP port would let any user in. A
loopback brings its own list of who may log in."""


class EmbeddedServer:
    """A PostgreSQL of our own in a directory, reached by its socket, and by its loopback if it was started with one.

    Several processes may use one directory.
    """

    def __init__(self, directory: Path, *, bin_dir: Path | None = None, loopback: Loopback | None = None) -> None:
        # Links resolved: a process is known by its path, and every directory on the real way must let it pass.
        self._home = directory.resolve()
        self._data = self._home / "data"
        self._run = self._home / "run"
        self._bin_dir = bin_dir
        self._loopback = loopback
        self._use: FileLock | None = None

    @property
    def dsn(self) -> str:
        return make_dsn(host=str(self._run), port=PORT, user=USER, dbname=DATABASE)

    def find(self) -> None:
        """EmbeddedError where there is no database."""
        if not any(home.exists() for home in (self._data, self._home / UPGRADE / "data")):
            raise EmbeddedError(f"There is no book in {self._home}: `grossbuch up`, or `import --new`, makes one.")

    def start(self, say: Callable[[str], object] = str) -> None:
        """Attach to the server of this directory, or start it, making its database first if there is none."""
        if len(os.fsencode(self._run)) > LONGEST_PATH:
            raise EmbeddedError(f"The path {self._run} is longer than {LONGEST_PATH} bytes, too long for a socket.")
        if "," in str(self._run):
            raise EmbeddedError(f"The path {self._run} has a comma, where PostgreSQL takes an address to end.")
        self._make_home()
        try:
            with exclusive(self._home / "start.lock") as turn:
                self._join(turn, say)
        except OSError as error:
            raise EmbeddedError(f"{error.filename or self._home}: {error.strerror or error}.") from error

    def stop(self) -> None:
        """Let go. The last one out stops the server."""
        if self._use:
            with exclusive(self._home / "start.lock"):
                self._leave()

    @contextmanager
    def alone(self, turn: FileLock, say: Callable[[str], object]) -> Iterator[str]:
        """Its dsn, for who holds the turn to start: nobody else uses it, or begins to, as long as this lasts."""
        self._make_home()
        self._join(turn, say)
        try:
            if not (self._use and self._use.take(wait=False)):
                raise EmbeddedError(f"The database of {self._home} is in use: stop what uses it.")
            yield self.dsn
        finally:
            self._leave()

    def revive(self) -> bool:
        """Start the server again if it died in use; whether it had."""
        if is_held(self._home / "server.lock"):
            return False
        with exclusive(self._home / "start.lock") as turn:
            dead = self._use is not None and not is_held(self._home / "server.lock")
            if dead:
                self._bring_up(turn, str)
            return dead

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: TracebackType | type[BaseException] | BaseException | None) -> None:
        self.stop()

    def _make_home(self) -> None:
        account = account_for(self._data)
        if blocked := account.blocked_at(self._home):
            raise EmbeddedError(
                f"The server's user (uid {account.uid}) may not enter {blocked}; choose another directory."
            )
        try:
            passable(self._home, account)
        except OSError as error:
            raise EmbeddedError(f"The directory {self._home} cannot be made: {error.strerror}.") from error
        if not os.access(self._home, os.W_OK):
            raise EmbeddedError(f"The directory {self._home} may not be written to.")

    def _join(self, turn: FileLock, say: Callable[[str], object]) -> None:
        self._use = self._use or FileLock(self._home / "users.lock")
        self._use.take(shared=True)
        try:
            self._bring_up(turn, say)
        except EmbeddedError:
            # A recovery that outlasts our patience goes on, and the next start finds it further.
            self._use.close()
            self._use = None
            raise
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        if use := self._use:
            # Shared becomes exclusive only for who is alone: the others still hold theirs.
            last = use.take(wait=False)
            use.close()
            self._use = None
            if last:
                self._shut_down()

    def _launch(self, turn: FileLock, say: Callable[[str], object]) -> None:
        account = account_for(self._data)
        programs = reachable(binaries(self._bin_dir), account, self._home)
        for directory in (self._run, self._home / "log"):
            private(directory, account)
        if not self._data.exists():
            if (self._home / UPGRADE / "data").exists():
                raise EmbeddedError(f"An upgrade of {self._home} was broken off: finish it with `grossbuch upgrade`.")
            say("Making the database …")
            self._init(programs, turn)
        self._check_version(programs)
        self._clear_stale()
        settings = SETTINGS | (self._loopback.prepare(self._run, PORT, DATABASE, account) if self._loopback else {})
        # A file, never a pipe: the server inherits it, and nobody would read the other end.
        log = open_log(self._home / "log" / "postgres.log", account)
        lock = FileLock(self._home / "server.lock")
        lock.take()
        socket = str(self._run).replace('"', '""')
        try:
            server = subprocess.Popen(
                [programs["postgres"], "-D", str(self._data), "-k", f'"{socket}"', *_told(settings)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=(lock.fd,),
                start_new_session=True,
                **account.popen(),
            )
        finally:
            os.close(log)
            lock.close()
        # Whoever stops it, or kills it, and whenever: no zombie stays with us.
        Thread(target=server.wait, daemon=True, name="embedded postgres").start()

    def _init(self, programs: Binaries, turn: FileLock) -> None:
        """Into ``data.init`` first, renamed when whole: half an init is no init."""
        half = self._home / "data.init"
        account = account_for(self._data)
        if half.exists():
            shutil.rmtree(half)
        private(half, account)
        made = f"-U {USER} --auth-local=trust --auth-host=reject -E UTF8".split()
        strict = _told({"exit_on_error": "on"})  # or a failed statement would end in success
        steps = (
            ([programs["initdb"], "-D", str(half), *made, *programs.locale], None),
            (
                [programs["postgres"], "--single", "-D", str(half), *strict, "postgres"],
                f"CREATE DATABASE {DATABASE};\n",
            ),
        )
        path = self._home / "log" / "initdb.log"
        log = open_log(path, account)
        try:
            for command, text in steps:
                # It inherits our turn: when we are killed, it works on, and nobody may begin before it is gone.
                done = subprocess.run(
                    command,
                    input=(text or "").encode(),
                    stdout=log,
                    stderr=log,
                    pass_fds=(turn.fd,),
                    check=False,
                    **account.popen(),
                )
                if done.returncode:
                    raise EmbeddedError(f"{Path(command[0]).name} failed; {path} tells why.")
        finally:
            os.close(log)
        half.rename(self._data)
        sync(self._home)

    def _check_version(self, programs: Binaries) -> None:
        try:
            made_by = (self._data / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            raise EmbeddedError(f"{self._data} is no database of PostgreSQL: move it away.") from None
        if made_by != programs.major:
            raise EmbeddedError(
                f"{self._data} was made by PostgreSQL {made_by}, and this is {programs.major}: "
                "take it along with `grossbuch upgrade`, or use its binaries (GROSSBUCH_BIN_DIR)."
            )

    def _clear_stale(self) -> None:
        """The lock is free, so the last server is dead, and what it left lies: its pid may be another's by now."""
        pid = self._pid()
        if pid and _is_server_of(pid, self._data):
            raise EmbeddedError(f"A PostgreSQL (pid {pid}) runs on {self._data} that was not started by Grossbuch.")
        for stale in (self._data / "postmaster.pid", *self._run.glob(".s.PGSQL.*")):
            stale.unlink(missing_ok=True)

    def _bring_up(self, turn: FileLock, say: Callable[[str], object]) -> None:
        """Wait for a server that answers; start one when none lives. A killed one's last child may take a moment."""
        is_ready = [binaries(self._bin_dir)["pg_isready"], "-q", "-h", str(self._run), "-p", PORT]
        launched = False
        begun, told = monotonic(), 2.0
        while True:
            if not is_held(self._home / "server.lock"):
                if launched:
                    raise EmbeddedError(f"PostgreSQL did not start; {self._home / 'log' / 'postgres.log'} tells why.")
                self._launch(turn, say)
                launched = True
                begun = monotonic()
            if subprocess.run(is_ready, stderr=subprocess.DEVNULL, check=False).returncode == 0:
                return
            if monotonic() - begun > RECOVERY:
                raise EmbeddedError(f"PostgreSQL was not ready after {RECOVERY:.0f} s and is still at it; start again.")
            if monotonic() - begun > told:
                say("PostgreSQL is recovering …")
                told += 10
            sleep(0.02)

    def _shut_down(self) -> None:
        """A fast shutdown; waits until the last child is gone, which the lock tells. Who holds none is not ours."""
        asked = None
        begun = monotonic()
        while is_held(self._home / "server.lock"):
            pid = self._pid()
            if pid and pid != asked and _is_server_of(pid, self._data):
                os.kill(pid, signal.SIGINT)
                asked = pid
            if monotonic() - begun > (RECOVERY if asked else LOST):
                raise EmbeddedError(f"The PostgreSQL of {self._home} (pid {pid}) does not stop.")
            sleep(0.01)

    def _pid(self) -> int | None:
        try:
            return int((self._data / "postmaster.pid").read_text().splitlines()[0])
        except (OSError, ValueError, IndexError):
            return None


def _told(settings: dict[str, str]) -> list[str]:
    return [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]


def _is_server_of(pid: int, data: Path) -> bool:
    """Whether this process is a postgres that was told this directory, or works in it: one may be told by PGDATA."""
    process = Path(f"/proc/{pid}")
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        return b"postgres" in words[0] and (os.fsencode(data) in words or (process / "cwd").samefile(data))
    except OSError:
        return False


@contextmanager
def embedded(
    directory: Path,
    *,
    bin_dir: Path | None = None,
    loopback: Loopback | None = None,
    say: Callable[[str], object] = str,
    make: bool = True,
) -> Iterator[str]:
    """The dsn of the directory's server, which runs at least as long as this, and is started again should it die.
    Unless it may be ``make``, EmbeddedError where there is no database, and nothing is left there."""
    server = EmbeddedServer(directory, bin_dir=bin_dir, loopback=loopback)
    if not make:
        server.find()
    server.start(say)
    try:
        with Watchdog(server):
            yield server.dsn
    finally:
        server.stop()


def default_directory() -> Path:
    if os.geteuid() == 0:
        return Path("/var/lib/grossbuch/default")
    return platformdirs.user_data_path("grossbuch") / "default"
