"""Processes are killed in full flight. What was acknowledged is there, once; what was not can be sent again."""

import os
import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from time import sleep

import pytest

from tests.e2e.api import Api, Command
from tests.e2e.given import product, warehouse
from tests.e2e.load import Load, eventually, sent_again
from tests.e2e.serving import Up

FLIGHT = 1.5
"""Seconds under load before the kill."""


@pytest.fixture
def up(directory: Path, tmp_path: Path) -> Iterator[Up]:
    up = Up("--data", str(directory), log=tmp_path / "log")
    yield up
    up.stop()


def agrees(api: Api, sent: list[Command]) -> None:
    """Everything that was sent is in the book once, and the read models say so."""
    events = api.events()
    ids = Counter(event["metadata"]["command_id"] for event in events)
    assert [event["position"] for event in events] == list(range(1, len(events) + 1))
    assert {ids[str(command["command_id"])] for command in sent} == {1}
    api.written = len(events)
    lamps = sum(event["type"] == "stock.received" for event in events)
    assert lamps == sum(command["type"] == "stock.receive" for command in sent)
    assert api.rows("/v1/stock/balances")[0]["on_hand"] == str(lamps)
    clients = api.rows("/v1/clients?limit=100000")
    assert {row["client"] for row in clients} == {c["client"] for c in sent if c["type"] == "client.register"}


def test_a_killed_process_has_lost_nothing_that_it_acknowledged(up: Up) -> None:
    with up.start() as api:
        api.given(product(), warehouse())
        with Load(api) as load:
            sleep(FLIGHT)
            up.kill()
    assert len(load.acknowledged) > 50
    with up.start() as api:
        again = sent_again(api, load.sent)
        assert {id: again[id] for id in load.acknowledged} == load.acknowledged
        agrees(api, load.sent)


def test_a_killed_database_is_started_again_and_nothing_is_lost(up: Up, directory: Path) -> None:
    with up.start() as api:
        api.given(product(), warehouse())
        with Load(api) as load:
            for _ in range(2):
                sleep(FLIGHT)
                before = len(load.acknowledged)
                os.kill(int((directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
                eventually(lambda before=before: len(load.acknowledged) > before + 20)  # type: ignore[misc]
        assert load.statuses.keys() <= {201, 503}
        again = sent_again(api, load.sent)
        assert {id: again[id] for id in load.acknowledged} == load.acknowledged
        agrees(api, load.sent)


def test_queries_while_the_database_is_away_are_unavailable_and_then_answered(up: Up, directory: Path) -> None:
    with up.start() as api:
        api.given(product())
        os.kill(int((directory / "data" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
        statuses = {api.http.get(path).status_code for path in ("/v1/products", "/v1/health/ready", "/metrics") * 20}
        assert statuses <= {200, 503}
        eventually(lambda: api.http.get("/v1/health/ready").status_code == 200)
        assert api.http.get("/v1/health/live").status_code == 200
        eventually(lambda: [row["product"] for row in api.rows("/v1/products")] == ["P1"])


@pytest.mark.parametrize("sign", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_stop_it_finishes_what_is_at_hand_and_stops_the_database(
    up: Up, directory: Path, sign: signal.Signals
) -> None:
    with up.start() as api:
        api.given(product(), warehouse())
        with Load(api) as load:
            sleep(FLIGHT / 3)
            assert up.stop(sign) == 0
    assert not (directory / "data" / "postmaster.pid").exists()
    assert "Traceback" not in up.said
    with up.start() as api:
        again = sent_again(api, load.sent)
        assert {id: again[id] for id in load.acknowledged} == load.acknowledged
