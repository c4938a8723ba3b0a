"""Analysts may ask for much, read slowly and be many: commands are answered meanwhile, and memory stays bounded."""

import csv
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from io import StringIO
from pathlib import Path
from statistics import median
from threading import Event
from time import perf_counter, sleep

import httpx
import psycopg2
import pytest

from tests.e2e.api import Api
from tests.e2e.given import client
from tests.e2e.load import eventually
from tests.e2e.serving import Up

ROWS = 50_000
ALL = f"/v1/clients?limit={ROWS}&format=csv"
SLOW, ANALYSTS = 16, 40

SOON = 4.0
"""Seconds: on a quiet machine a command takes some milliseconds; it was ten seconds when it waited for readers."""

MORE_MEMORY = 400_000
"""kB above what it had before: it was 1,600,000."""


@pytest.fixture(scope="module")
def up(dsn: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    env = {"DATABASE_URL": dsn, "GROSSBUCH_LEDGER": "slow_readers", "GROSSBUCH_CHECK_EVERY_S": "0"}
    env["GROSSBUCH_PATIENCE_S"] = "300"  # the machine may be slow, and each is to be answered
    up = Up(log=tmp_path_factory.mktemp("log") / "log", env=env)
    with up.start():
        _fill(dsn)
        yield up
    assert up.stop() == 0


def _fill(dsn: str) -> None:
    """Cards of clients, as if there had been so many."""
    facts = "jsonb_build_object('name', 'Client ' || n || repeat(' and Sons', 10), 'attributes', '{}'::jsonb)"
    with psycopg2.connect(dsn) as connection, connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO slow_readers_read.client (key, facts, effective_at, position)"
            f" SELECT 'G' || n, {facts}, '2025-01-01', 1 FROM generate_series(1, {ROWS}) n"
        )
    connection.close()


@contextmanager
def slow_reader(up: Up) -> Iterator[socket.socket]:
    """Asks, and reads nothing."""
    host, port = up.address.removeprefix("http://").split(":")
    with socket.socket() as wire:
        wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.connect((host, int(port)))
        wire.sendall(f"GET {ALL} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        yield wire


def memory(up: Up, what: str) -> int:
    """kB of the process."""
    assert up._process
    status = Path(f"/proc/{up._process.pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{what}:"))


def took(api: Api, id: str) -> float:
    """Seconds of a command that reads and writes."""
    started = perf_counter()
    api.given(client(id))
    return perf_counter() - started


def read_out(wire: socket.socket) -> list[list[str]]:
    answer = b""
    while piece := wire.recv(1_000_000):
        answer += piece
    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 ")
    assert b"grossbuch-log-size: " in head
    return list(csv.reader(StringIO(body.decode(), newline="")))


def test_commands_and_other_analysts_do_not_wait_for_slow_readers(up: Up) -> None:
    with Api(up.address) as api, ExitStack() as stack:
        took(api, "first")
        before = memory(up, "VmRSS")
        wires = [stack.enter_context(slow_reader(up)) for _ in range(SLOW)]
        assert median(took(api, f"S{number}") for number in range(20)) < SOON
        assert api.get("/v1/clients/S1").status_code == 200
        rows = read_out(wires[0])
        assert rows[0][0] == "client"
        assert sum(row[0].startswith("G") for row in rows) == ROWS
        assert memory(up, "VmHWM") - before < MORE_MEMORY


def test_forty_analysts_do_not_delay_commands(up: Up) -> None:
    enough = Event()
    with Api(up.address) as api, ThreadPoolExecutor(ANALYSTS) as threads:
        took(api, "before")
        before = memory(up, "VmRSS")
        analysts = [threads.submit(_ask_and_ask, up.address, enough) for _ in range(ANALYSTS)]
        sleep(1)
        try:
            assert median(took(api, f"A{number}") for number in range(20)) < SOON
        finally:
            enough.set()
        statuses = {status for analyst in analysts for status in analyst.result(300)}
        assert statuses == {200}
        assert memory(up, "VmHWM") - before < MORE_MEMORY


def _ask_and_ask(address: str, enough: Event) -> list[int]:
    statuses = []
    while not enough.is_set():
        statuses.append(httpx.get(address + ALL.replace("csv", "json"), timeout=300).status_code)
    return statuses


def test_a_long_page_in_json_ends_at_some_bytes_and_the_next_goes_on(up: Up) -> None:
    with Api(up.address) as api:
        path, keys = f"/v1/clients?limit={ROWS}", []
        cursor: str | None = ""
        while cursor is not None:
            answer = api.get(f"{path}{cursor and '&cursor='}{cursor}")
            assert len(answer.content) < 12_000_000
            keys += [row["client"] for row in answer.json()["items"] if row["client"].startswith("G")]
            cursor = answer.json()["next"]
    assert keys == sorted(f"G{n}" for n in range(1, ROWS + 1))


def test_a_reader_who_leaves_leaves_nothing_behind(up: Up) -> None:
    with Api(up.address) as api:
        took(api, "leaving")
    with ExitStack() as stack:
        for _ in range(3):
            stack.enter_context(slow_reader(up)).recv(1000)
        eventually(lambda: len(_files(up)) == 3)
    eventually(lambda: not _files(up))


def _files(up: Up) -> list[Path]:
    """Temporary ones that the process has open."""
    assert up._process
    found = []
    for link in Path(f"/proc/{up._process.pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            if str(link.readlink()).endswith("(deleted)"):
                found.append(link)
    return found
