"""Those who wait for what they wrote: one look at the database for all of them, and none for who has hung up."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from threading import Event

import pytest

from api.service import Service, open_service
from infra.postgres.queries import Places, Queries
from infra.settings import Settings
from tests.e2e.api import Api, problem
from tests.e2e.given import client
from tests.e2e.load import at_once, codes, eventually
from tests.e2e.serving import in_thread

FAR = 10**9
WAITERS = 50


@pytest.fixture(scope="module")
def service(dsn: str) -> Iterator[Service]:
    with open_service(Settings(database_url=dsn, ledger=f"w{os.getpid()}")) as service:
        yield service


@pytest.fixture(scope="module")
def api(service: Service) -> Iterator[Api]:
    with in_thread(service) as api:
        yield api


@pytest.fixture
def looks(service: Service, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many waited at each look."""
    found: list[int] = []
    places = Queries.places

    def counting(self: Queries) -> Places:
        found.append(len(service.waiting._waiters))
        return places(self)

    monkeypatch.setattr(Queries, "places", counting)
    return found


def waiter(api: Api) -> socket.socket:
    host, port = api.address.removeprefix("http://").split(":")
    wire = socket.create_connection((host, int(port)))
    wire.sendall(f"GET /v1/clients?min_position={FAR}&wait_ms=30000 HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return wire


def test_many_wait_at_one_look_and_who_hangs_up_is_not_looked_for(service: Service, api: Api, looks: list[int]) -> None:
    with ExitStack() as stack:
        for _ in range(WAITERS):
            stack.enter_context(waiter(api))
        eventually(lambda: len(service.waiting._waiters) == WAITERS)
        looks.clear()
        eventually(lambda: looks.count(WAITERS) >= 3)
        assert api.http.get("/v1/clients").status_code == 200
    eventually(lambda: not service.waiting._waiters)
    looks.clear()
    Event().wait(0.5)
    assert len(looks) <= 1


def test_all_are_answered_as_soon_as_it_is_there(api: Api) -> None:
    answers = at_once(api, [client(f"C{number}") for number in range(20)])
    assert codes(answers) == {201: 20}
    assert {row["client"] for row in api.rows("/v1/clients")} >= {f"C{number}" for number in range(20)}


def test_what_is_not_there_in_time_is_told(api: Api) -> None:
    facts = problem(api.http.get(f"/v1/clients?min_position={FAR}&wait_ms=300"), 503, "behind")
    assert facts["min_position"] == FAR


def test_a_question_to_the_future_waits_as_well(api: Api) -> None:
    [answer] = api.given(client("K"))
    found = api.http.get(f"/v1/clients?known_at={answer['position']}&wait_ms=20000")
    assert found.status_code == 200
    assert "K" in {row["client"] for row in found.json()["items"]}
