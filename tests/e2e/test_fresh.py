"""Fresh by default: what a server has booked is in its next answer, without asking for a position."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from time import monotonic

import pytest

from api.service import Service, open_service
from infra.settings import Settings
from tests.e2e.api import Api
from tests.e2e.given import client, invoice
from tests.e2e.serving import in_thread

_numbers = count(1)


@pytest.fixture
def service(dsn: str) -> Iterator[Service]:
    with open_service(Settings(database_url=dsn, ledger=f"fresh{os.getpid()}_{next(_numbers)}")) as service:
        yield service


@pytest.fixture
def api(service: Service) -> Iterator[Api]:
    with in_thread(service) as api:
        yield api


def asked(api: Api, path: str) -> tuple[dict[str, object], float]:
    """The answer, and how long it took."""
    begun = monotonic()
    answer = api.http.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json(), monotonic() - begun


def test_what_was_booked_is_in_the_next_answer_of_whatever_projection(shared: Api) -> None:
    for number in range(20):
        shared.given(client(f"A{number}"), invoice(f"A{number}", "10.00", due="2026-06-10", client=f"A{number}"))
        assert shared.http.get(f"/v1/clients/A{number}?wait_ms=20000").status_code == 200
        owed = shared.http.get(f"/v1/receivables/ageing?client=A{number}&wait_ms=20000").json()
        assert [row["balance"] for row in owed["items"]] == ["10.00"]
        assert owed["meta"]["behind"] == 0


def test_many_at_once_each_find_what_they_have_booked(shared: Api) -> None:
    def found(id: str) -> bool:
        shared.given(client(id))
        return shared.http.get(f"/v1/clients/{id}?wait_ms=20000").status_code == 200

    with ThreadPoolExecutor(16) as threads:
        assert all(threads.map(found, [f"B{number}" for number in range(200)]))


def test_a_read_model_that_stands_still_is_not_waited_for_for_long_and_tells_how_far_behind_it_is(
    service: Service, api: Api
) -> None:
    api.given(client("C1"))
    assert len(asked(api, "/v1/clients")[0]["items"]) == 1  # type: ignore[arg-type]
    service.projecting.stop()
    api.given(client("C2"), client("C3"))
    answer, took = asked(api, "/v1/clients")
    assert (len(answer["items"]), answer["meta"]["behind"]) == (1, 2)  # type: ignore[arg-type, index]
    assert took >= 0.25
    assert asked(api, "/v1/clients?wait_ms=0")[1] < asked(api, "/v1/clients?wait_ms=1500")[1]
    assert asked(api, "/v1/clients?wait_ms=1500")[1] >= 1.5


def test_what_is_known_of_a_read_model_is_known_of_this_era_alone(service: Service, api: Api) -> None:
    [booked] = api.given(client("C1"))
    asked(api, "/v1/clients?wait_ms=20000")
    era = service.store.era
    assert service.waiting.has_seen("clients", booked["position"], era)
    assert not service.waiting.has_seen("clients", booked["position"] + 1, era)
    assert not service.waiting.has_seen("clients", booked["position"], era + 1)


def test_who_asks_what_was_known_at_a_position_waits_for_no_other(service: Service, api: Api) -> None:
    api.given(client("C1"))
    asked(api, "/v1/clients?min_position=1")
    service.projecting.stop()
    api.given(client("C2"))
    answer, _ = asked(api, "/v1/clients?known_at=1&wait_ms=30000")
    assert [row["client"] for row in answer["items"]] == ["C1"]  # type: ignore[attr-defined]
