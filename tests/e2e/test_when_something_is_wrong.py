"""What docs/how-to/when-something-is-wrong.md tells to type is typed in that state: it shows what is so, and helps."""

import json
import re
import resource
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path

import psutil
import pytest
from psycopg2.extensions import make_dsn

from infra.postgres import clock
from infra.postgres.connection import Database
from tests.e2e.api import Api, problem
from tests.e2e.cli import Cli
from tests.e2e.given import client, product, received, shipped, warehouse
from tests.e2e.load import eventually
from tests.e2e.raw_http import Wire, get
from tests.e2e.serving import Up
from tests.e2e.test_busy import LEDGER, stuck
from tests.integration.test_book_checks import by_hand
from tests.integration.writing import query
from tests.on_call import OnCall

READY = "/v1/health/ready"
DAY = "2026-05-01"


def lags(told: str) -> list[int]:
    return [each["behind_events"] for each in json.loads(told)]


def test_nothing_is_wrong(on_call: OnCall, cli: Cli) -> None:
    with cli.served() as api:
        on_call.address, on_call.env = api.address, cli.env
        api.given(client())
        api.ask("/v1/clients")
        assert json.loads(on_call.types("ready")) == {"status": "ready", "set_back": []}
        eventually(lambda: not any(lags(on_call.types("projections"))))
        assert "grossbuch_log_size 1.0" in on_call.types("metrics")
        assert "all hold" in on_call.types("check")


@pytest.fixture
def restorable(cli: Cli) -> Iterator[Cli]:
    """A ledger in a database of its own, which is backed up as ``<name>_backup``."""
    query(Database(cli.dsn), f"CREATE DATABASE {cli.ledger}")
    yield Cli(make_dsn(cli.dsn, dbname=cli.ledger), cli.ledger)
    for name in (cli.ledger, f"{cli.ledger}_backup"):
        query(Database(cli.dsn), f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")


def test_a_book_that_was_set_back(on_call: OnCall, cli: Cli, restorable: Cli) -> None:
    name, server = restorable.ledger, Database(cli.dsn)
    with restorable.served() as api:
        api.given(product(), warehouse(), received(1, on=DAY))
        api.ask("/v1/stock/balances")
    query(server, f"CREATE DATABASE {name}_backup TEMPLATE {name}")
    with restorable.served() as api:
        on_call.address, on_call.env = api.address, restorable.env
        lost = received(249, on=DAY, command_id="lost")
        api.given(lost)
        query(server, f"DROP DATABASE {name} WITH (FORCE)")
        query(server, f"CREATE DATABASE {name} TEMPLATE {name}_backup")
        eventually(lambda: '"code":"set_back"' in (told := on_call.types("ready")) and on_call.sees("set_back", told))
        on_call.sees("grossbuch_book_set_back_total", api.http.get("/metrics").text)
        assert "all hold" in on_call.types("check")
        assert "agrees" in on_call.types("recover")
        problem(api.send(shipped("250", on=DAY)), 422, "insufficient_stock")
        api.given(lost, shipped("250", on=DAY))


def test_a_book_that_lacks_an_event(on_call: OnCall, cli: Cli) -> None:
    with cli.served() as api:
        api.given(product(), warehouse(), *[received(1, on=DAY)] * 3)
        api.ask("/v1/stock/balances")
    by_hand(Database(cli.dsn, cli.ledger), "DELETE FROM event WHERE position = 4; DELETE FROM snapshot")
    with cli.served() as api:
        on_call.env = cli.env
        refused = api.send(received(1, on=DAY))
        problem(refused, 500, "broken_stream")
        on_call.sees("broken_stream", refused.text)
        api.given(client())
        told = on_call.types("check", status=3)
    on_call.sees("book breaks positions", told)
    on_call.sees("book breaks versions", told)


class Ahead(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(days=1)


def test_a_clock_that_is_wrong(on_call: OnCall, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clock, "datetime", Ahead)
    with cli.served() as api:
        on_call.address = api.address
        api.given(client())
        [skew] = re.findall(r"^grossbuch_clock_skew_seconds (\S+)$", on_call.types("metrics"), re.MULTILINE)
        assert 80_000 < float(skew) < 90_000
        [event] = api.events()
        assert datetime.fromisoformat(event["recorded_at"]) < datetime.now(UTC) + timedelta(hours=1)


def test_a_read_model_that_is_behind(on_call: OnCall, cli: Cli, tmp_path: Path) -> None:
    cli.make()
    serve = Up(log=tmp_path / "log", env=cli.env, how="serve")
    with serve.start() as api:
        on_call.address = api.address
        api.given(client())
        refused = api.http.get("/v1/clients?min_position=1&wait_ms=0")
        problem(refused, 503, "behind")
        on_call.sees("behind", refused.text)
        assert all(lags(on_call.types("projections")))
        with cli.staying("consume", says="Projecting", log=tmp_path / "consume"):
            eventually(lambda: not any(lags(on_call.types("projections"))))
    assert serve.stop() == 0


def test_a_stream_in_quarantine(on_call: OnCall, cli: Cli) -> None:
    on_call.env = cli.env
    table = f"{cli.ledger}_read.warehouse"
    with cli.served() as api:
        api.given(warehouse("W1"))
        api.ask("/v1/warehouses")
        cli.execute(f"ALTER TABLE {table} ADD CONSTRAINT wrong CHECK (key <> 'W9')")
        api.given(warehouse("W9"), warehouse("W2"))
        assert [row["warehouse"] for row in api.rows("/v1/warehouses")] == ["W1", "W2"]
        on_call.sees("quarantined", api.get("/v1/warehouses").text)
        on_call.sees("grossbuch_projection_quarantined", api.http.get("/metrics").text)
        assert "wrong" in on_call.types("list", status=3)
        assert "W9" in on_call.types("show")
        cli.execute(f"ALTER TABLE {table} DROP CONSTRAINT wrong")
        on_call.types("retry")
        on_call.types("list")
        assert len(api.rows("/v1/warehouses")) == 3


def test_a_read_model_that_breaks_an_invariant(on_call: OnCall, cli: Cli) -> None:
    on_call.env = cli.env
    with cli.served() as api:
        api.given(client("C1"), client("C2"))
        api.ask("/v1/clients/C1/timeline")
    cli.execute(f"UPDATE {cli.ledger}_read.timeline SET client = 'C3' WHERE client = 'C2'")
    assert "timeline breaks rebuilt" in on_call.types("check --rebuild", status=3)
    on_call.types("grossbuch rebuild timeline", status=3)
    on_call.types("--accept")
    on_call.types("check --rebuild")


def served(cli: Cli, log: Path, **settings: str) -> Up:
    cli.make()
    return Up(log=log, env={**cli.env, "GROSSBUCH_CHECK_EVERY_S": "0", **settings}, how="serve")


def test_too_many_connections(on_call: OnCall, cli: Cli, tmp_path: Path) -> None:
    serve = served(cli, tmp_path / "log", GROSSBUCH_MAX_CONNECTIONS="3")
    with serve.start() as api, ExitStack() as stack:
        on_call.address = api.address
        for _ in range(3):
            wire = stack.enter_context(Wire(api.address))
            wire.send(get())
            assert [answer.status for answer in wire.answers(1)] == [200]
        with Wire(api.address) as one_more:
            [answer] = one_more.answers()
            assert answer.code == "busy"
            on_call.sees("too many connections", answer.body.decode())
        eventually(lambda: on_call.types("ss").split() == ["3", "127.0.0.1"])
        stack.close()
        eventually(lambda: api.http.get(READY).status_code == 200)
        on_call.sees('grossbuch_refused_at_the_door_total{code="busy"}', api.http.get("/metrics").text)
    assert serve.stop() == 0


def test_no_descriptors_are_left(on_call: OnCall, cli: Cli, tmp_path: Path) -> None:
    serve = served(cli, tmp_path / "log")
    with serve.start() as api:
        assert api.http.get("/v1/health/live").status_code == 200
        used = psutil.Process(serve.pid).num_fds()
        resource.prlimit(serve.pid, resource.RLIMIT_NOFILE, (used, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
        refused = api.http.get("/static-offline-docs/swagger-ui.css")
        problem(refused, 503, "unavailable")
        on_call.sees("too many open files", refused.text)
        on_call.sees("no descriptors left", serve.said)
        assert int(on_call.types("ls", process=serve.pid)) >= used
        assert str(used) in on_call.types("limits", process=serve.pid)
        on_call.types("prlimit", process=serve.pid)
        eventually(lambda: api.http.get("/v1/clients").status_code == 200)
    assert serve.stop() == 0


def test_queries_that_take_too_long(on_call: OnCall, serve: Callable[..., Api], dsn: str) -> None:
    api = serve(ledger=LEDGER, patience_s=0.5, query_connections=1)
    on_call.env = {"DATABASE_URL": dsn}
    with stuck(dsn), ThreadPoolExecutor(2) as threads:
        asking = [threads.submit(api.http.get, "/v1/clients") for _ in range(2)]
        eventually(lambda: any(each.done() for each in asking))
        [busy, waiting] = sorted(asking, key=lambda each: not each.done())
        on_call.sees("Too many queries", busy.result().text)
        pids = re.findall(r"^ *(\d+) \|", on_call.types("SELECT pid"), re.MULTILINE)
        on_call.types("pg_cancel_backend", process=pids[0])
        on_call.sees("too_slow", waiting.result(60).text)
    assert api.http.get("/v1/clients").status_code == 200


def test_there_is_no_ledger_of_this_release(on_call: OnCall, cli: Cli) -> None:
    on_call.env = cli.env
    on_call.sees("There is no ledger", cli("check", status=1).stderr)
    on_call.types("migrate --new")
    cli("check")
