"""Clients, products and warehouses: each is registered once, under an id of the caller's or a made one."""

import pytest

from domain.clients import Changed, Client, CounterpartyAdded, CounterpartyRetired, CreditLimitSet
from domain.clients import Registered as ClientRegistered
from domain.products import Registered as ProductRegistered
from domain.warehouses import Registered as WarehouseRegistered
from tests.unit.given import command, d, dec, entries, given, happened, now, refused, when
from tests.unit.words import (
    add_counterparty,
    change_client,
    limit_credit,
    register_client,
    register_product,
    register_warehouse,
    retire_counterparty,
)


def test_a_client_is_registered_with_what_is_known() -> None:
    when(register_client("C1", name="Łódź & Söhne", source="fair", attributes={"size": "big"}))
    [event] = happened("client.registered")
    assert event == ClientRegistered(client="C1", name="Łódź & Söhne", source="fair", attributes={"size": "big"})
    assert [(entry.originator_id, entry.order_key) for entry in entries()] == [("client-C1", "client-C1")]


def test_a_product_is_registered_with_its_scale_and_costing() -> None:
    when(register_product("flour", scale=3, unit="kg", name="Flour"))
    [event] = happened("product.registered")
    assert event == ProductRegistered(product="flour", name="Flour", unit="kg", scale=3, costing="fifo")


def test_a_warehouse_says_whether_it_may_fall_below_nothing() -> None:
    when(register_warehouse("north", negative_stock="allow"))
    [event] = happened("warehouse.registered")
    assert event == WarehouseRegistered(warehouse="north", name="Depot", negative_stock="allow")


@pytest.mark.parametrize("register", [register_client, register_product, register_warehouse])
def test_what_is_registered_is_not_registered_again(register) -> None:
    given(register("X"))
    when(register("X"))
    refused("already_exists", id="X")


def test_kinds_do_not_share_their_ids() -> None:
    when(register_client("X"), register_product("X"), register_warehouse("X"))
    happened("client.registered", "product.registered", "warehouse.registered")


def test_ids_that_look_alike_are_apart() -> None:
    given(register_client("C-1"))
    when(register_client("c-1"), register_client("C-1-1"))
    happened("client.registered", "client.registered")


@pytest.mark.parametrize(
    "new",
    [
        {"type": "client.register", "name": "Anna"},
        {"type": "product.register", "name": "Lamp", "unit": "pcs", "scale": 0, "costing": "average"},
        {"type": "warehouse.register", "name": "Depot", "negative_stock": "forbid"},
    ],
)
def test_a_missing_id_of_a_new_thing_is_made(new) -> None:
    when(command(**new), command(**new))
    first, second = (entry.originator_id for entry in entries())
    assert first != second


def test_of_a_client_only_what_is_given_changes() -> None:
    given(register_client("C1", attributes={"size": "big", "branch": "tools"}))
    when(change_client(name="Anna Schmidt AG", attributes={"size": "small", "branch": None}, contacts={"phone": "1"}))
    [event] = happened("client.changed")
    attributes = {"branch": None, "size": "small"}
    assert event == Changed(client="C1", name="Anna Schmidt AG", attributes=attributes, contacts={"phone": "1"})
    client = now(Client, "C1")
    assert isinstance(client, Client)
    assert client.name == "Anna Schmidt AG"


def test_a_change_of_nothing_is_refused() -> None:
    given(register_client("C1"))
    when(change_client())
    refused("invalid")


@pytest.mark.parametrize(
    "ask",
    [
        change_client("C9", name="X"),
        add_counterparty("K1", client="C9"),
        retire_counterparty("K1", client="C9"),
        limit_credit(1, client="C9"),
    ],
    ids=lambda command: command.type,
)
def test_only_what_is_registered_is_changed(ask) -> None:
    when(ask)
    refused("not_found", kind="client", id="C9")


def test_a_client_may_be_several_counterparties_that_change_over_time() -> None:
    given(register_client("C1"))
    added_first = add_counterparty("K1", "2026-05-01", name="Schmidt Handel GmbH", tax_id="DE1")
    when(added_first, retire_counterparty("K1", "2026-05-10"))
    added, retired = happened("client.counterparty_added", "client.counterparty_retired")
    assert added == CounterpartyAdded(client="C1", counterparty="K1", name="Schmidt Handel GmbH", tax_id="DE1")
    assert retired == CounterpartyRetired(client="C1", counterparty="K1", retired_on=d("2026-05-10"))
    assert {entry.originator_id for entry in entries()} == {"account-C1"}


def test_a_counterparty_is_added_once_and_again_when_it_was_retired() -> None:
    given(register_client("C1"), add_counterparty("K1"))
    when(add_counterparty("K1"))
    refused("already_exists", kind="counterparty", id="K1")
    given(retire_counterparty("K1"))
    when(add_counterparty("K1"))
    happened("client.counterparty_added")


def test_a_counterparty_is_retired_once_and_only_one_that_is_there() -> None:
    given(register_client("C1"), add_counterparty("K1", "2026-05-01"), retire_counterparty("K1", "2026-05-10"))
    when(retire_counterparty("K1"))
    refused("counterparty_retired", on=d("2026-05-10"))
    when(retire_counterparty("K2"))
    refused("not_found", kind="counterparty", id="K2")


def test_a_counterparty_is_added_and_retired_in_order_of_time() -> None:
    given(register_client("C1"), add_counterparty("K1", "2026-05-01"))
    when(retire_counterparty("K1", "2026-04-30"))
    refused("out_of_order", kind="counterparty", id="K1", since="2026-05-01T12:00:00+00:00")
    given(retire_counterparty("K1", "2026-05-10"))
    when(add_counterparty("K1", "2026-05-09"))
    refused("out_of_order", since="2026-05-10T12:00:00+00:00")
    given(add_counterparty("K1", "2026-05-20"))
    when(retire_counterparty("K1", "2026-05-19"))
    refused("out_of_order", since="2026-05-20T12:00:00+00:00")


def test_a_credit_limit_is_in_a_currency_and_as_fine_as_that() -> None:
    given(register_client("C1"))
    when(limit_credit("1000.001"))
    refused("invalid", field="amount", places=2)
    when(limit_credit("1000.00"))
    assert happened("client.credit_limit_set") == [CreditLimitSet(client="C1", amount=dec(1000), currency="EUR")]
