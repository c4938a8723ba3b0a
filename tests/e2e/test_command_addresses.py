"""Each command type has an address of its own, which does what /v1/commands does."""

import pytest

from api.openapi.examples import EXAMPLES
from commands.command import command_types
from tests.e2e.api import Api, problem
from tests.e2e.given import client, invoice, payment, warehouse


def test_every_example_is_taken_at_its_address(api: Api) -> None:
    beside = {
        "stock.dispatch": [warehouse("W2")],
        "receivable.offset": [payment("Z3", "50.00", counterparty="K1")],
        "payment.bounce": [payment("Z2", "10.00")],
        "invoice.cancel": [invoice("I2", "10.00", due="2099-06-10")],
    }
    for type, (_, fields) in EXAMPLES.items():
        api.given(*beside.get(type, []))
        answer = api.http.post(f"/v1/commands/{type}", json=fields)
        assert answer.status_code == 201, f"{type}: {answer.text}"


def test_every_command_type_has_an_example() -> None:
    assert EXAMPLES.keys() == command_types().keys()


def test_the_same_command_is_known_at_either_address(api: Api) -> None:
    fields = {"client": "C1", "name": "Anna", "command_id": "once"}
    first = api.http.post("/v1/commands/client.register", json=fields)
    again = api.http.post("/v1/commands", json={"type": "client.register", **fields})
    assert (first.status_code, again.status_code) == (201, 200)
    assert again.headers["idempotent-replay"] == "true"
    assert again.json() == first.json()


def test_the_header_and_a_dry_run_count_there_too(api: Api) -> None:
    dry = api.http.post("/v1/commands/client.register?dry_run=true", json={"name": "Anna"})
    assert (dry.status_code, dry.json()["position"]) == (200, None)
    keyed = [
        api.http.post("/v1/commands/client.register", json={"name": "Anna"}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert [each.status_code for each in keyed] == [201, 200]


def test_the_body_may_say_its_type_again_and_no_other(api: Api) -> None:
    assert api.http.post("/v1/commands/client.register", json=client("C1")).status_code == 201
    refused = problem(api.http.post("/v1/commands/deal.win", json=client("C2")), 422, "invalid")
    assert (refused["field"], refused["detail"]) == ("type", "type: at this address it is deal.win")


@pytest.mark.parametrize("type", ["client.registered", "x" * 1_000, "é"])
def test_an_address_of_no_type_is_not_found_and_names_it(api: Api, type: str) -> None:
    refused = problem(api.http.post(f"/v1/commands/{type}", json={}), 404, "not_found")
    assert (refused["kind"], refused["id"]) == ("command", type[:64])
