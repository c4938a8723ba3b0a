"""The entries of docs/how-to/when-something-is-wrong.md on PostgreSQL, on a server that is broken on purpose."""

import json
import os
import re
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

import psycopg2
import pytest

from infra.embedded.server import EmbeddedServer
from infra.postgres.connection import Database
from infra.postgres.watch import has_ended
from tests.e2e.api import Api, problem
from tests.e2e.cli import run
from tests.e2e.given import client
from tests.e2e.load import eventually
from tests.e2e.serving import Up
from tests.e2e.test_condition import oldest_transaction
from tests.e2e.test_database_away import data
from tests.integration.hurting import hanging, own_server
from tests.integration.test_fitness import pooled
from tests.integration.test_read_only import take_no_writes
from tests.integration.writing import query, terminate
from tests.on_call import OnCall

READY = "/v1/health/ready"
QUERY = "/v1/clients"

_numbers = count(1)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with own_server() as server:
        yield server


@contextmanager
def serving(on_call: OnCall, dsn: str, directory: Path) -> Iterator[tuple[Api, Up]]:
    """A little impatient; the one who is on call looks after it."""
    env = {"DATABASE_URL": dsn, "GROSSBUCH_LEDGER": f"wrong_{next(_numbers)}"}
    up = Up(log=directory / "log", env={**env, "GROSSBUCH_PATIENCE_S": "2", "GROSSBUCH_CHECK_EVERY_S": "0"})
    with up.start() as api:
        on_call.address, on_call.env = api.address, env
        api.given(client())
        api.ask(QUERY)
        yield api, up
    assert up.stop() == 0


@contextmanager
def stopped(server: EmbeddedServer) -> Iterator[None]:
    server.stop()
    try:
        yield
    finally:
        server.start()


def answers(api: Api, path: str = READY) -> bool:
    return api.http.get(path).status_code == 200


def test_a_database_that_is_away(on_call: OnCall, server: EmbeddedServer, tmp_path: Path) -> None:
    with serving(on_call, server.dsn, tmp_path) as (api, up):
        with stopped(server):
            on_call.sees("unavailable", on_call.types("ready"))
            refused = api.send(client("C2"))
            problem(refused, 503, "unavailable")
            on_call.sees("ledger cannot be reached", refused.text)
            for said in ("connection lost", "ledger unreachable"):
                on_call.sees(said, up.said)
        eventually(lambda: answers(api))
        assert answers(api, QUERY)
        api.given(client("C2"))


def test_a_database_that_takes_no_writes(on_call: OnCall, server: EmbeddedServer, tmp_path: Path) -> None:
    with serving(on_call, server.dsn, tmp_path) as (api, up):
        take_no_writes(Database(server.dsn), yes=True)
        problem(api.send(client("C2")), 503, "unavailable")
        on_call.sees("unavailable", api.http.get(READY).text)
        on_call.sees("connection lost", up.said)
        assert answers(api, QUERY)
        assert re.search(r"f +\| on", on_call.types("pg_is_in_recovery"))
        on_call.types("pg_blocking_pids")
        on_call.types("ALTER SYSTEM")
        eventually(lambda: answers(api))
        api.given(client("C2"))


def test_a_database_that_hangs(on_call: OnCall, server: EmbeddedServer, tmp_path: Path) -> None:
    with serving(on_call, server.dsn, tmp_path) as (api, up):
        with hanging(data(server)) as processes:
            refused = api.http.get(QUERY)
            problem(refused, 503, "unavailable")
            eventually(lambda: "database hangs" in up.said)
            on_call.sees("database hangs", up.said)
            stopped = re.findall(r"^ *(\d+) T", on_call.types("ps"), re.MULTILINE)
            assert {str(each) for each in processes} <= set(stopped)
            on_call.types("kill", process=" ".join(map(str, processes)))
            eventually(lambda: answers(api, QUERY))
        eventually(lambda: answers(api))


def test_a_crash_that_would_lose_what_is_booked(on_call: OnCall, server: EmbeddedServer, tmp_path: Path) -> None:
    database = Database(server.dsn)
    for name in ("fsync", "full_page_writes"):
        query(database, f"ALTER SYSTEM SET {name} = off")
    query(database, "SELECT pg_reload_conf()")
    eventually(lambda: query(database, "SHOW fsync") == [("off",)])
    with serving(on_call, server.dsn, tmp_path) as (api, up):
        on_call.sees("a crash of the server", up.said)
        on_call.sees("grossbuch_database_unsafe", api.http.get("/metrics").text)
        on_call.types("ALTER SYSTEM")
        eventually(lambda: "grossbuch_database_unsafe{" not in api.http.get("/metrics").text)


def test_a_transaction_that_is_held_open(on_call: OnCall, server: EmbeddedServer, tmp_path: Path) -> None:
    with serving(on_call, server.dsn, tmp_path) as (api, _), closing(psycopg2.connect(server.dsn)) as held:
        held.cursor().execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; SELECT")
        eventually(lambda: oldest_transaction(api) > 2)
        on_call.sees("grossbuch_oldest_transaction_seconds", api.http.get("/metrics").text)
        first = re.findall(r"^ *(\d+) \|", on_call.types("SELECT pid"), re.MULTILINE)[0]
        assert int(first) == held.info.backend_pid
        on_call.types("pg_terminate_backend", process=first)
        eventually(lambda: has_ended(held))
        eventually(lambda: oldest_transaction(api) < 2)


def test_a_pooler_that_takes_sessions_apart(on_call: OnCall, server: EmbeddedServer, directory: Path) -> None:
    run("migrate", "--new", env={"DATABASE_URL": server.dsn, "GROSSBUCH_LEDGER": "pooled"})
    for mode, status in (("transaction", 1), ("session", 0)):
        with pooled(server.dsn, directory, mode) as address:
            on_call.env = {"DATABASE_URL": address, "GROSSBUCH_LEDGER": "pooled"}
            told = on_call.types("migrate", status=status)
            assert status == 0 or on_call.sees("pooler", told)


WAITS = """
CREATE FUNCTION {ledger}.wait() RETURNS trigger LANGUAGE plpgsql
    AS 'BEGIN PERFORM pg_advisory_xact_lock(1); RETURN NEW; END';
CREATE TRIGGER wait BEFORE INSERT ON {ledger}.event
    FOR EACH ROW WHEN (NEW.stream = 'client-C1200') EXECUTE FUNCTION {ledger}.wait()
"""
WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


def test_a_batch_that_was_broken_off(on_call: OnCall, server: EmbeddedServer, tmp_path: Path) -> None:
    """The server is set to read only in the middle of it."""
    lines = [json.dumps(client(f"C{number}")) for number in range(100, 1_600)]
    (tmp_path / "batch.ndjson").write_text("\n".join(lines))
    with serving(on_call, server.dsn, tmp_path) as (api, up), ThreadPoolExecutor(1) as thread:
        database = Database(server.dsn, on_call.env["GROSSBUCH_LEDGER"])
        query(database, WAITS.format(ledger=database.schema))
        with closing(psycopg2.connect(server.dsn)) as held:
            held.cursor().execute("SELECT pg_advisory_lock(1)")
            sending = thread.submit(on_call.types, "batch")
            eventually(lambda: query(database, WAITING) != [])
            take_no_writes(database, yes=True)
            terminate(database, query(database, WAITING)[0][0])
            told = sending.result(60)
        take_no_writes(database, yes=False)
        assert statuses(told) == [201] * 1_000 + [503] * 500
        on_call.sees("Send the batch again", told)
        on_call.sees("batch broken off", up.said)
        eventually(lambda: answers(api))
        assert statuses(on_call.types("batch")) == [200] * 1_000 + [201] * 500
        assert api.log_size() == 1 + len(lines)


def statuses(lines: str) -> list[int]:
    return [json.loads(line)["status"] for line in lines.splitlines()]


def test_an_embedded_database_that_does_not_start(on_call: OnCall, directory: Path, tmp_path: Path) -> None:
    up = Up("--data", str(directory), log=tmp_path / "log")
    with up.start() as api:
        api.given(client())
        needed, aside = directory / "data/global", directory / "data/aside"
        postmaster = int((directory / "data/postmaster.pid").read_text().split()[0])
        needed.rename(aside)
        os.kill(postmaster, signal.SIGKILL)
        eventually(lambda: "does not start" in up.said)
        on_call.sees("does not start", up.said)
        aside.rename(needed)
        eventually(lambda: answers(api))
        assert [row["client"] for row in api.rows(QUERY)] == ["C1"]
    assert up.stop() == 0
