"""Reading a ledger in SQL: where its reader connects, and psql for it."""

import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from api.book import home
from api.service import Opening, database
from infra.embedded import loopback
from infra.embedded.binaries import binaries
from infra.postgres import reader
from infra.postgres.connection import Database
from infra.settings import Settings


@dataclass(frozen=True, slots=True)
class Reading:
    """Where the reader connects; and ``shown`` to people, for other programs."""

    address: str
    shown: str


@contextmanager
def reading(settings: Settings, say: Callable[[str], object]) -> Iterator[Reading]:
    """As long as it lasts the server runs. On an embedded one the reader logs in himself; elsewhere the user of
    DATABASE_URL acts as him, and his password is not shown."""
    if settings.database_url:
        found = Database(settings.database_url, settings.ledger)
        yield Reading(reader.address(found), reader.address(found, password=None))
        return
    with database(settings, say, Opening.FIND) as found:
        reader.let_log_in(found)
        shown = {"user": found.reader}
        if port := reader.tcp_port(found):
            secret = loopback.password(home(settings), found.reader)
            shown |= {"host": loopback.ADDRESS, "port": str(port), "password": secret}
        yield Reading(reader.address(found, user=found.reader), reader.address(found, **shown))


def psql(settings: Settings, address: str, arguments: Sequence[str]) -> int:
    """Its status. Ctrl-C is psql's: there it ends a statement, not the session."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        return subprocess.run([_program(settings), "--dbname", address, *arguments], check=False).returncode
    finally:
        signal.signal(signal.SIGINT, before)


def _program(settings: Settings) -> str:
    """Of an embedded server its own; else the machine's, which speaks TLS, if there is one."""
    found = shutil.which("psql") if settings.database_url else None
    return found or binaries(settings.bin_dir)["psql"]
