"""The server goes away under load and comes back: nothing acknowledged is lost, and nobody has to be restarted."""

import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event

import pytest

from commands.ports import Conflict, Unavailable
from infra.embedded.server import EmbeddedServer
from infra.postgres import head
from infra.postgres.connection import LOST, Database, Pool
from infra.postgres.migrate import migrate
from infra.postgres.writer import Writer
from tests.integration.writing import ask, event, outcome, query, streams, until


@pytest.fixture
def server() -> Iterator[EmbeddedServer]:
    """A server that only this test uses."""
    directory = Path(tempfile.mkdtemp(prefix="gb", dir="/tmp"))
    directory.chmod(0o755)
    bin_dir = os.environ.get("GROSSBUCH_TEST_BIN_DIR")
    with EmbeddedServer(directory, bin_dir=Path(bin_dir) if bin_dir else None) as server:
        yield server
    shutil.rmtree(directory)


def _restart(server: EmbeddedServer, _: Database) -> None:
    server.stop()
    server.start()


def _crash(_: EmbeddedServer, database: Database) -> None:
    """One backend dies by force, and the server lets all others go and recovers from its log."""
    [(pid,)] = query(database, "SELECT pid FROM pg_stat_activity WHERE application_name = 'grossbuch writer' LIMIT 1")
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("fall", [_restart, _crash])
def test_a_server_that_falls_under_load(
    server: EmbeddedServer, fall: Callable[[EmbeddedServer, Database], None]
) -> None:
    database = Database(server.dsn, "t")
    migrate(database)
    writers = [Writer(database, patience=30) for _ in range(2)]
    enough = Event()
    with Pool(database) as pool, ThreadPoolExecutor(8) as threads:
        clients = [threads.submit(_write, writers[n % 2], f"s-{n}", enough) for n in range(8)]
        try:
            until(lambda: _position(pool) > 200)
            fall(server, database)
            before = _position(pool)
            until(lambda: _position(pool) > before + 200)
        finally:
            enough.set()
        answers = [answer for client in clients for answer in client.result(60)]
    for writer in writers:
        writer.close()
    found = streams(database)
    acknowledged = [(position, stream) for position, stream in answers if position]
    assert [found[position - 1] for position, _ in acknowledged] == [stream for _, stream in acknowledged]
    assert len(acknowledged) <= len(found) <= len(answers)


def _write(writer: Writer, stream: str, enough: Event) -> list[tuple[int | None, str]]:
    """As clients would: those who give ids are always answered. Of the others some may be told that nobody knows; they
    try the same again, and find it taken if it was booked."""
    answers: list[tuple[int | None, str]] = []
    with_ids = stream in ("s-0", "s-1", "s-2", "s-3")
    version, unknown = 1, False
    while not enough.is_set():
        answer = outcome(ask(writer, event(stream, version), command_id=f"{stream}/{version}" if with_ids else ""))
        booked = isinstance(answer, int) or (answer is Conflict and unknown)
        unknown = answer is Unavailable and not with_ids
        assert booked or unknown
        version += booked
        answers.append((answer if isinstance(answer, int) else None, stream))
    return answers


def _position(pool: Pool) -> int:
    """Reading fails while the server is away, and goes on when it is back."""
    while True:
        with suppress(*LOST):
            return int(pool.read(head.POSITION)[0][0])
