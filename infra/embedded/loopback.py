"""TCP within this machine, for programs that take no socket: one role logs in there by its password, nobody else."""

import os
import secrets
import socket
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from infra.embedded.account import Account
from infra.embedded.errors import EmbeddedError

ADDRESS = "127.0.0.1"
WHO_MAY = """local all all trust
host {database} {role} {address}/32 scram-sha-256
"""
"""Who is in no line is refused."""


@dataclass(frozen=True, slots=True)
class Loopback:
    port: int
    role: str

    def prepare(self, run: Path, usual_port: str, database: str, account: Account) -> dict[str, str]:
        """What the server is to be told. The socket goes by the port, too, and is found under the usual one all the
        same. EmbeddedError if the port is taken."""
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, self.port))
            except OSError as error:
                raise EmbeddedError(f"{ADDRESS}:{self.port} (GROSSBUCH_SQL_PORT): {error.strerror}.") from error
        lines = WHO_MAY.format(database=database, role=self.role, address=ADDRESS)
        _write(run / "hba.conf", lines, account)
        if str(self.port) != usual_port:
            (run / f".s.PGSQL.{usual_port}").symlink_to(f".s.PGSQL.{self.port}")
        return {"listen_addresses": ADDRESS, "port": str(self.port), "hba_file": str(run / "hba.conf")}


def password(home: Path, role: str) -> str:
    """Made once, and kept where its owner alone may read it."""
    path = home / f"{role}.password"
    if not path.exists():
        made = home / f"{role}.password.{os.getpid()}"
        fd = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(fd, "w") as file:
            file.write(secrets.token_urlsafe(24) + "\n")
        with suppress(FileExistsError):  # another process was first
            os.link(made, path)
        made.unlink()
    return path.read_text().strip()


def _write(path: Path, text: str, account: Account) -> None:
    """Never through a link: the server's user owns the directory, and root opens the file."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    account.own(fd)
    with os.fdopen(fd, "w") as file:
        file.write(text)
