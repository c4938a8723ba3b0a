"""Commands as they come over the wire: what is read, what is refused, and which are the same request."""

import pytest
from pydantic import ValidationError

from commands.command import command_types, parse
from commands.stock import Ship
from domain.refusal import Refusal
from tests.unit.given import command
from tests.unit.words import issue, open_deal, pay, receive, register_client, ship

SHIP = {"type": "stock.ship", "product": "lamp", "warehouse": "north", "quantity": "5"}


def test_a_command_is_read_by_its_type() -> None:
    assert isinstance(parse(SHIP), Ship)


@pytest.mark.parametrize("body", [None, [], "stock.ship", 1, [SHIP]])
def test_a_command_is_an_object(body: object) -> None:
    with pytest.raises(Refusal) as refusal:
        parse(body)
    assert refusal.value.code == "malformed"


@pytest.mark.parametrize("type", ["stock.steal", "", None, 1, {}, ["stock.ship"]])
def test_an_unknown_type_is_refused_and_told_what_is_known(type: object) -> None:
    with pytest.raises(Refusal) as refusal:
        parse({**SHIP, "type": type})
    assert refusal.value.code == "unknown_command"
    assert refusal.value.facts["known"] == list(command_types())


@pytest.mark.parametrize("type", ["x" * 100_000, ["x" * 1_000] * 1_000, 10**4_000, {"a": {"b": [{}] * 500}}])
def test_what_is_told_of_an_unknown_type_is_short(type: object) -> None:
    with pytest.raises(Refusal) as refusal:
        parse({"type": type})
    assert len(refusal.value.message) < 300


def test_a_command_is_not_changed_by_being_read() -> None:
    body = dict(SHIP)
    parse(body)
    assert body == SHIP


@pytest.mark.parametrize(
    "change",
    [
        {"quantity": 0.5},
        {"quantity": "1e3"},
        {"quantity": "-1"},
        {"quantity": "0"},
        {"quantity": None},
        {"product": "a b"},
        {"warehouse": ""},
        {"colour": "red"},
        {"effective_at": "2026-06-01"},
        {"effective_at": "2026-06-01T12:00:00"},
        {"effective_at": 1780000000},
        {"expected_version": -1},
        {"command_id": ""},
        {"command_id": "a\x1fb"},
        {"correlation_id": "a\nb"},
    ],
)
def test_a_field_that_is_wrong_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        parse({**SHIP, **change})


@pytest.mark.parametrize("field", ["product", "warehouse", "quantity"])
def test_a_field_that_is_missing_is_refused(field: str) -> None:
    with pytest.raises(ValidationError):
        parse({name: value for name, value in SHIP.items() if name != field})


@pytest.mark.parametrize("cost", [{}, {"unit_cost": "1", "cost": "1"}])
def test_a_receipt_has_one_cost(cost: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="either unit_cost or cost"):
        command("stock.receive", product="lamp", warehouse="north", quantity="1", currency="EUR", **cost)


@pytest.mark.parametrize("half", [{"amount": "1"}, {"currency": "EUR"}])
def test_an_amount_has_a_currency(half: dict[str, str]) -> None:
    with pytest.raises(ValidationError, match="go together"):
        open_deal(**half)


def test_the_same_request_has_the_same_digest() -> None:
    assert ship(5).digest() == ship(5).digest()
    assert parse({**SHIP, "command_id": "k1"}).digest() == parse({**SHIP, "command_id": "k2"}).digest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (ship(5), ship(6)),
        (ship(5), ship(5, lot="L1")),
        (ship(5), ship(5, on="2026-06-01")),
        (ship(5), ship(5, reason="asked for")),
        (ship(5), ship(5, expected_version=1)),
        (register_client("C1"), register_client("C2")),
        (receive(1, unit_cost="1"), receive(1, cost="1")),
        (issue("I1", 1, due="2026-06-10"), issue(None, 1, due="2026-06-10")),
        (pay(1, allocate="oldest"), pay(1)),
        (
            register_client(attributes={"a": "1"}),
            register_client(contacts={"a": "1"}),
        ),
    ],
)
def test_another_request_has_another_digest(one, other) -> None:
    assert one.digest() != other.digest()


def test_the_type_is_part_of_the_digest() -> None:
    fields = {"name": "X", "command_id": "k1"}
    assert parse({"type": "client.register", **fields}).digest() != _digest_as("lead.register", fields)


def _digest_as(type: str, fields: dict[str, str]) -> str:
    twin = parse({"type": "client.register", **fields})

    class Twin(twin.__class__):
        pass

    Twin.type = type
    return Twin.model_validate(fields).digest()


def test_what_is_left_out_and_what_is_given_as_the_default_are_the_same() -> None:
    assert register_client().digest() == register_client(attributes={}, source=None).digest()


def test_the_order_of_facts_does_not_matter() -> None:
    one, other = {"size": "big", "branch": "steel"}, {"branch": "steel", "size": "big"}
    assert register_client(attributes=one).digest() == register_client(attributes=other).digest()
